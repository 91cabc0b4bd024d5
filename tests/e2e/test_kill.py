"""SIGKILL at random instants under load: nothing published is lost or kept twice, everybody is told once (L1, L7).

A real mosquitto, real gateway processes, one journal. The control shows that the same kills do lose what is
acknowledged before it is durable.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from random import Random
from threading import Event, Thread
from time import monotonic
from typing import TypeAlias

import pytest

from alerts.channels.outbox import CALLS
from firmware_sim.publish import Broker, Published, publish
from gateway.embedded_broker import Embedded
from tests.e2e.gateway_process import BUSY, Installation, ShiftedClock, offset_to, start_control, subscribed_mark, until
from tests.e2e.load import Load, Mark, mark_of

pytestmark = [pytest.mark.e2e, pytest.mark.broker]

SEED = 20_261_123
STANDSTILL_S = 10 * BUSY
MANY_ARE_PLANNED = "rules: {flooded_device: {times: 100000}}"
"""Devices that are to speak every 20 minutes speak several times a second here, and are not to be called floods."""


@dataclass(frozen=True)
class Size:
    """How much of it."""

    kills: int
    devices: int
    rate: float


DEFAULT = Size(kills=30, devices=300, rate=1_500)
DEEP = Size(kills=1_000, devices=600, rate=600)


@dataclass
class Toll:
    """What the kills met."""

    kills: int = 0
    readings_before: int = 0
    calls_before: int = 0
    with_news: int = 0
    """Kills of a gateway that had committed readings since the kill before."""
    sending: Counter[str] = field(default_factory=Counter)
    """For each notification's key, at how many kills it had been handed over and nobody knew whether it was taken."""


@dataclass(frozen=True)
class Aim:
    """From when on a life is counted, and how long it may last; what does not come about is not waited for long."""

    reached: Callable[[], bool] = lambda: True
    within_s: float = 0.9
    patience_s: float = 10.0 * BUSY


def kill_often(
    start: Callable[[], ForkServerProcess],
    load: Load,
    size: Size,
    seen: Callable[[], None],
    aims: Sequence[Aim] = (Aim(),),
) -> None:
    """Starts and kills, at instants that the seed decides; they count from what each aim waits for, in turn."""
    instants = Random(SEED)
    for number in range(size.kills):
        load.phase = number
        process = start()
        aim = aims[number % len(aims)]
        deadline = monotonic() + aim.patience_s
        while not aim.reached() and monotonic() < deadline:
            process.join(0.001)
        process.join(instants.uniform(0, aim.within_s))
        assert process.exitcode is None, "it ended by itself"
        process.kill()
        process.join()
        seen()
    load.phase = size.kills


@contextmanager
def publishing(broker: Embedded, load: Load, rate: float) -> Iterator[Callable[[], Published]]:
    """The load goes out on a thread of its own; the answer ends it and says what the broker acknowledged."""
    over, stop, outcome = Event(), Event(), list[Published]()
    reach = Broker("127.0.0.1", broker.port, broker.username, broker.password)
    uplinks = load.uplinks(Random(SEED), rate, over.is_set)
    thread = Thread(target=lambda: outcome.append(publish(uplinks, reach, stop)), daemon=True)
    thread.start()

    def finish() -> Published:
        assert thread.is_alive(), "the load ended before the kills did"
        over.set()
        thread.join(120 * BUSY)
        return outcome[0]

    try:
        yield finish
    finally:
        over.set()
        stop.set()
        thread.join(30)


def kill_test(folder: Path, broker: Embedded, size: Size) -> tuple[Installation, Load, Toll]:
    """Kills, then one start more, until nothing is left to do."""
    offset_ms = offset_to(10)
    load = Load.of(Random(SEED), size.devices, size.kills, ShiftedClock(offset_ms).now_ms)
    gateway = Installation(folder, broker, load.inventory(), offset_ms, MANY_ARE_PLANNED)
    with gateway.running():
        pass  # the broker knows our session from here on
    toll = Toll()

    def stored() -> int:
        ((readings,),) = gateway.rows("SELECT coalesce(max(id), 0) FROM reading")
        return int(readings)

    def calls() -> int:
        counted = gateway.outbox / CALLS
        return counted.stat().st_size if counted.exists() else 0

    def look() -> None:
        readings = stored()
        toll.kills += 1
        toll.with_news += readings > toll.readings_before
        toll.readings_before = readings
        toll.calls_before = calls()
        toll.sending.update(key for (key,) in gateway.rows("SELECT key FROM notification WHERE state = 'sending'"))

    aims = (
        Aim(),
        Aim(lambda: stored() > toll.readings_before),
        Aim(lambda: calls() > toll.calls_before, within_s=0.01, patience_s=1.5),
    )
    with publishing(broker, load, size.rate) as finish:
        kill_often(gateway.start, load, size, look, aims)
        published = finish()
    assert published.acknowledged == published.sent
    with gateway.running():
        drain(gateway, load)
    return gateway, load, toll


def first_texts(gateway: Installation) -> Counter[tuple[str, str, str]]:
    """Who was told first of what."""
    return Counter(gateway.rows("SELECT rule, asset, recipient FROM notification WHERE kind = 'first'"))


def untold(gateway: Installation, load: Load) -> Counter[tuple[str, str, str]]:
    """Who should have been told."""
    return load.first_texts() - first_texts(gateway)


Untold: TypeAlias = Callable[[Installation, Load], object]


def drain(gateway: Installation, load: Load, untold: Untold = untold) -> None:
    """Until all is done, or nothing has happened for so long that it never will; ``examine`` says what is missing."""
    done, since_s = "", monotonic()
    while not is_drained(gateway, load, untold) and monotonic() - since_s < STANDSTILL_S:
        now = str(gateway.rows("SELECT (SELECT max(id) FROM reading), (SELECT max(id) FROM attempt)"))
        if now != done:
            done, since_s = now, monotonic()
        Event().wait(0.2)


def is_drained(gateway: Installation, load: Load, untold: Untold) -> bool:
    """Whether everything published is in the journal, everybody is told, and everything owed is out."""
    ((stored,),) = gateway.rows("SELECT count(*) FROM reading")
    ((waiting,),) = gateway.rows("SELECT count(*) FROM notification WHERE state IN ('owed', 'sending')")
    return bool(stored >= len(load.published) and not waiting and not untold(gateway, load))


def marks(gateway: Installation) -> Counter[Mark]:
    """Every (device, boot, seq) of the journal, and how often it is there."""
    query = "SELECT device.name, boot, seq FROM reading JOIN device ON device.id = reading.device"
    return Counter((device, boot, seq) for device, boot, seq in gateway.rows(query))


def provider_calls(gateway: Installation) -> Counter[str]:
    """How often the provider was called for each key."""
    lines = (gateway.outbox / CALLS).read_text("utf-8").splitlines()
    return Counter(json.loads(line)["key"] for line in lines)


def examine(gateway: Installation, load: Load, toll: Toll, untold: Untold = untold) -> str:
    """Holds the journal against the load; answers the counts."""
    stored = marks(gateway)
    lost, twice = load.published - stored.keys(), [mark for mark, count in stored.items() if count > 1]
    assert not lost, f"{len(lost)} published and not in the journal, such as {sorted(lost)[:3]}"
    assert not twice, f"{len(twice)} more than once in the journal, such as {sorted(twice)[:3]}"
    assert stored.keys() == load.published
    assert gateway.rows("SELECT reason, detail FROM quarantine") == []

    raised = Counter(gateway.rows("SELECT rule, asset FROM event WHERE event = 'raised'"))
    assert raised == load.raised()
    assert Counter(gateway.rows("SELECT rule, asset FROM alert")) == load.raised()
    assert Counter(gateway.rows("SELECT rule, asset FROM event WHERE event = 'cleared'")) == load.cleared()
    first = first_texts(gateway)
    assert not first - load.first_texts(), "told of what was not there, or told twice"
    assert not untold(gateway, load)
    unsent = gateway.rows("SELECT key, state FROM notification WHERE state NOT IN ('delivered', 'dropped')")
    assert unsent == []
    over = {asset for _, asset in load.cleared()}
    rules = Counter(asset for _, asset in load.raised())
    dropped = gateway.rows("SELECT DISTINCT asset, reason FROM notification WHERE state = 'dropped'")
    assert {reason for _, reason in dropped} <= {"cleared", "inhibited"}
    assert {asset for asset, reason in dropped if reason == "cleared"} <= over, "only what was over is not sent"
    explained = {asset for asset, reason in dropped if reason == "inhibited"}
    assert all(rules[asset] > 1 for asset in explained), "only what something worse explains is not sent"

    calls = provider_calls(gateway)
    delivered = {key for (key,) in gateway.rows("SELECT key FROM notification WHERE state = 'delivered'")}
    assert delivered <= calls.keys()
    doubles = calls - Counter(calls.keys())
    assert all(count <= toll.sending[key] for key, count in doubles.items()), "a double without a crash in between"
    assert doubles.total() <= toll.kills
    return (
        f"{toll.kills} kills, {toll.with_news} of them after news, {toll.sending.total()} while a text was on its way; "
        f"{len(load.published)} samples published, {len(stored)} stored, 0 lost, 0 twice; {raised.total()} raised, "
        f"{first.total()} first texts, {calls.total()} calls to the provider, {doubles.total()} doubles"
    )


def shown(capsys: pytest.CaptureFixture[str], counts: str) -> None:
    with capsys.disabled():
        print(f"\n{counts}")  # noqa: T201 -- the counts are what one runs it for


def run(folder: Path, broker: Embedded, size: Size, capsys: pytest.CaptureFixture[str]) -> None:
    began = monotonic()
    gateway, load, toll = kill_test(folder, broker, size)
    shown(capsys, f"{examine(gateway, load, toll)}; {monotonic() - began:.0f} s")
    assert toll.with_news >= size.kills // 3, f"too few kills found the gateway at work\n{gateway.last_words()}"


def test_thirty_kills_under_load_lose_nothing_and_tell_everybody_once(
    tmp_path: Path, mosquitto: Embedded, capsys: pytest.CaptureFixture[str]
) -> None:
    run(tmp_path, mosquitto, DEFAULT, capsys)


@pytest.mark.deep
def test_a_thousand_kills_under_load_lose_nothing_and_tell_everybody_once(
    tmp_path: Path, mosquitto: Embedded, capsys: pytest.CaptureFixture[str]
) -> None:
    run(tmp_path, mosquitto, DEEP, capsys)


def test_the_control_that_acknowledges_at_once_loses(
    tmp_path: Path, mosquitto: Embedded, capsys: pytest.CaptureFixture[str]
) -> None:
    kept, size = tmp_path / "control.db", Size(kills=8, devices=300, rate=1_500)
    load = Load.of(Random(SEED), size.devices, size.kills, ShiftedClock(0).now_ms)

    def start() -> ForkServerProcess:
        return start_control(mosquitto, kept, tmp_path / "control.log")

    def stored() -> set[Mark]:
        with closing(sqlite3.connect(kept, timeout=60)) as disk:
            return {mark_of(*row) for row in disk.execute("SELECT topic, payload FROM heard")}

    first = start()
    until(subscribed_mark(kept).exists, 20)
    first.kill()
    first.join()
    with publishing(mosquitto, load, size.rate) as finish:
        kill_often(start, load, size, lambda: None)
        finish()
    last, before = start(), set[Mark]()
    try:
        while (now := stored()) != before or not now:
            before = now
            last.join(1)
    finally:
        last.kill()
        last.join()
    lost = load.published - stored()
    shown(capsys, f"control: {size.kills} kills, {len(load.published)} samples published, {len(lost)} lost")
    assert lost
