"""Gateway and broker away for real, while a fleet goes on reporting: all of it comes in, nobody is told of it.

The outage is longer than any device may be silent, so a gateway that held it against them would say so. What hours do
is ``test_restart``'s, on the virtual clock.
"""

from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random
from threading import Event
from typing import Final

import pytest

from gateway.embedded_broker import Embedded, embedded_broker
from tests.e2e.gateway_process import Installation, ShiftedClock, offset_to, until
from tests.e2e.load import Load
from tests.e2e.test_kill import Toll, drain, examine, first_texts, publishing, untold
from tests.servers import free_port

pytestmark = [pytest.mark.deep, pytest.mark.e2e, pytest.mark.broker, pytest.mark.usefixtures("needs_mosquitto")]

SEED: Final = 20_261_123
DEVICES: Final = 300
RATE: Final = 900.0
"""Uplinks a second: each device speaks three times a second."""

PHASES: Final = 2
"""Half of the crossings come before the outage, half after it."""


@dataclass(frozen=True)
class Outage:
    """How long somebody is away, and how much shorter a device may be silent; seconds."""

    away_s: float
    silent_s: float

    def last(self) -> None:
        """It lasts."""
        Event().wait(self.away_s)


OUTAGES = [
    pytest.param(Outage(8.4, 8), id="seconds"),
    pytest.param(Outage(60, 20), id="a_minute"),
]


def installed(folder: Path, broker: Embedded, outage: Outage) -> tuple[Installation, Load]:
    offset_ms = offset_to(10)
    load = Load.of(Random(SEED), DEVICES, PHASES, ShiftedClock(offset_ms).now_ms)
    load.interval_s = 1
    rules = f"rules: {{offline: {{battery_least_s: {outage.silent_s}}}}}"
    return Installation(folder / "gateway", broker, load.inventory(), offset_ms, rules), load


def untold_for_no_reason(gateway: Installation, load: Load) -> Counter[tuple[str, str, str]]:
    """Whoever should have been told; old news is not told any more when the queue itself brought what outdates it."""
    told = {(rule, asset) for rule, asset, _ in first_texts(gateway)}
    outdated = {asset for _, asset in load.cleared()} | {asset for rule, asset in told if rule == "overflow"}
    missing = untold(gateway, load)
    return Counter({text: n for text, n in missing.items() if text[0] != "over_two_thirds" or text[1] not in outdated})


def until_half_is_told(gateway: Installation, load: Load) -> None:
    until(lambda: first_texts(gateway).total() >= load.first_texts().total() // 4, 30)


def until_all_is_told(gateway: Installation, load: Load) -> None:
    until(lambda: not untold_for_no_reason(gateway, load), 30)


def hold(gateway: Installation, load: Load, capsys: pytest.CaptureFixture[str]) -> None:
    counts = examine(gateway, load, Toll(), untold_for_no_reason)
    assert gateway.rows("SELECT key FROM notification WHERE kind <> 'first'") == []
    with capsys.disabled():
        print(f"\n{counts}")  # noqa: T201 -- the counts are what one runs it for


@pytest.mark.parametrize("outage", OUTAGES)
def test_a_gateway_that_was_away_takes_in_everything_and_tells_nobody_of_it(
    tmp_path: Path, outage: Outage, capsys: pytest.CaptureFixture[str]
) -> None:
    with embedded_broker(tmp_path / "broker") as broker:
        gateway, load = installed(tmp_path, broker, outage)
        with ExitStack() as first, ExitStack() as second:
            first.enter_context(gateway.running())
            finish = second.enter_context(publishing(broker, load, RATE))
            until_half_is_told(gateway, load)
            first.close()
            outage.last()
            second.enter_context(gateway.running())
            load.phase = PHASES
            until_all_is_told(gateway, load)
            finish()  # and the gateway ends before it can miss anybody
            drain(gateway, load, untold_for_no_reason)
    hold(gateway, load, capsys)


@pytest.mark.parametrize("outage", OUTAGES)
def test_a_broker_that_was_away_brings_everything_and_nobody_is_told_of_it(
    tmp_path: Path, outage: Outage, capsys: pytest.CaptureFixture[str]
) -> None:
    port = free_port()
    with ExitStack() as first, ExitStack() as second:
        broker = first.enter_context(embedded_broker(tmp_path / "broker", port))
        gateway, load = installed(tmp_path, broker, outage)
        with gateway.running(), publishing(broker, load, RATE) as finish:
            until_half_is_told(gateway, load)
            first.close()
            outage.last()
            second.enter_context(embedded_broker(tmp_path / "broker", port))
            load.phase = PHASES
            until_all_is_told(gateway, load)
            finish()  # and the gateway ends before it can miss anybody
            drain(gateway, load, untold_for_no_reason)
    hold(gateway, load, capsys)
