"""A real gateway in this process without a broker: loop, journal, courier, desk; a test says what comes and when.

Nothing is judged here. Its clock stands still until a test moves it, and a text goes into a list.
"""

import json
import select
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from datetime import datetime
from ipaddress import ip_network
from pathlib import Path
from time import monotonic
from typing import Final

from alerts.answers import reply
from alerts.delivery.courier import Courier
from gateway import shipped, start
from gateway.clock import Face, WallClock, monotonic_s
from gateway.commands.command import Context
from gateway.commands.dispatcher import CommandDispatcher
from gateway.commands.replies import InboundSms
from gateway.desk.http import application
from gateway.desk.present import Desk, opened
from gateway.desk.server import bind, serving
from gateway.desk.users import User, UserFile, UserRole
from gateway.health import Health, Part
from gateway.imports import profiles
from gateway.inbox import Inbox
from gateway.journal.writer import Journal
from gateway.lines import Pushed
from gateway.loop import Loop
from gateway.metrics import Metrics
from gateway.mqtt.link import Batch, SessionPhase, SessionState, Version
from gateway.requests import Housekeep, JournalPort, ReceiptsAndReplies
from gateway.settings import Endpoint, Tiles, Watch
from gateway.watching.self_check import watchman
from telemetry.inventory import Inventory
from telemetry.inventory.file import parse
from telemetry.reading import Millis
from telemetry.wire import Uplink
from tests.fakes import RecordingChannel

COUNTY: Final = Path(__file__).with_name("desk_county.yaml")
PASSWORD: Final = "a long enough word"  # noqa: S105 nobody has it but these tests
_HASH: Final = "$argon2id$v=19$m=8,t=1,p=1$zrI70C6UlPV1HG/DTtv7iw$FgM5z024mygrLwYHC2qaSUc5gC2496nHziZAXQE0lnM"
"""What is kept of it, at argon2's smallest cost: every test logs in. The house's own cost is for test_login.py."""
USERS: Final = (
    User("lin", UserRole.DISPATCHER, person="lin"),
    User("wu", UserRole.ADMIN),
    User("guest", UserRole.VIEWER),
    User("shi", UserRole.DISPATCHER, area="shiqiao", person="lin"),
    User("gang", UserRole.CREW, area="shiqiao", person="he"),
)
MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS
INTERVAL_MS: Final = 20 * MINUTE_MS


def inventory() -> Inventory:
    """The county of the desk's tests."""
    found = parse(COUNTY.read_text("utf-8"), COUNTY.name, profiles()).inventory
    assert found is not None
    return found


def on_demand() -> Inventory:
    """The same where no bin has rounds, so that whatever overflows is told at once."""
    county = inventory()
    assets = {name: replace(asset, collection=None) for name, asset in county.assets.items()}
    return replace(county, assets=assets)


def at(day: int, hour: int, minute: int = 0) -> Millis:
    """An instant of November by the county's clock."""
    return round(datetime.fromisoformat(f"2026-11-{day:02}T{hour:02}:{minute:02}:00+08:00").timestamp() * 1_000)


class HandClock:
    """Stands still until it is moved."""

    def __init__(self, now_ms: Millis) -> None:
        self.now = now_ms

    def now_ms(self) -> Millis:
        return self.now

    def wait_s(self, until_ms: Millis) -> float:
        return max(0.0, (until_ms - self.now) / 1_000)

    def face(self) -> Face:
        return Face(self.now, 0.0, 0.0)  # it leaps, and nobody is deaf meanwhile

    def behind_s(self) -> float:
        return 0.0

    def go_on_from(self, at_ms: Millis) -> None:
        self.now = max(self.now, at_ms)


class Script:
    """A source of uplinks that are put into it; it is always subscribed."""

    def __init__(self) -> None:
        self.uplinks: deque[Uplink] = deque()
        part = Part(ready=True, state="subscribed")
        self.state = SessionState(
            SessionPhase.LIVE, part, 1, Version.FIVE, session_present=True, sessions_lost=0, reconnects=0
        )

    def wait(self, timeout_s: float, extra_fds: list[int]) -> Batch:
        if not self.uplinks:
            select.select(extra_fds, [], [], min(timeout_s, 0.02))
        taken = [self.uplinks.popleft() for _ in range(len(self.uplinks))]
        return Batch(taken, [0] * len(taken), 1)

    def ack(self, batch: Batch) -> int:
        return len(batch.mids)


class DeskGateway:
    """What a test holds: the clock, the devices, the texts that went out, and where the desk is."""

    def __init__(
        self, url: str, journal: Path, desk: Desk, clock: HandClock, script: Script, loop: "CountingLoop"
    ) -> None:
        self.url = url
        self.journal = journal
        self.desk = desk
        self.clock = clock
        self.channel = RecordingChannel()
        self._script = script
        self._loop = loop
        self._seq = self._replies = 0
        self.levels = {"bin-0101": 30.0, "bin-0102": 30.0, "bin-0201": 30.0}
        """How full each bin is; one that is taken out falls silent."""

    def at(self, now_ms: Millis) -> None:
        """It is this late now: meanwhile every device has said what it sees, and everything due has happened."""
        while self.clock.now + INTERVAL_MS <= now_ms:
            self.clock.now += INTERVAL_MS
            for device, level in self.levels.items():
                self.bin(device, level)
            self.plant()
            self.settle()
        self.clock.now = now_ms
        self.settle()

    def plant(self) -> None:
        """One sample of the plant, which runs, now."""
        self._seq += 1
        values = {"flow_m3h": 1.6, "pump_current_a": 6.1, "level_mm": 700, "mains_on": 1}
        self.send("plant-0101", {"v": 1, "boot": 1, "seq": self._seq, "ts": self.clock.now, "readings": values})

    def bin(self, device: str, fill_pct: float, temperature_c: float = 20.0) -> None:
        """One sample of a bin, now."""
        self._seq += 1
        values = {"distance_mm": 1250 - 10 * fill_pct, "temperature_c": temperature_c, "battery_pct": 90}
        self.send(device, {"v": 1, "boot": 1, "seq": self._seq, "ts": self.clock.now, "readings": values})

    def sent_before(self, seq: int) -> None:
        """The devices go on counting from there, as after a restart of the gateway alone."""
        self._seq = seq

    def filled(self, device: str, fill_pct: float) -> None:
        """Two samples an interval apart: enough for every rule of levels."""
        self.levels[device] = fill_pct
        self.at(self.clock.now + 2 * INTERVAL_MS)

    def send(self, device: str, said: object) -> None:
        """Whatever a device may say."""
        payload = said if isinstance(said, bytes) else json.dumps(said).encode()
        self._script.uplinks.append(Uplink(self.clock.now, f"cunjing/v1/hewan/{device}/telemetry", payload))

    def settle(self) -> None:
        """Until the loop has taken everything, the courier has nothing to do and the desk knows it."""
        turned = self._loop.turns
        until(lambda: not self._script.uplinks and self._loop.turns > turned + 2)
        with self.desk.journal() as journal:
            until(lambda: journal.due_notification(self.clock.now) is None)
        feed = self.desk.present.feed
        until(lambda: feed.waiting == 0)

    def answered(self, person: str, text: str) -> None:
        """Somebody replies by SMS, from the number of the inventory."""
        self.says(self.desk.present.inventory.people[person].phone, text)

    def says(self, phone: str, text: str) -> None:
        """Whoever has a number writes to us."""
        self._replies += 1
        said = reply("sms", f"{self._replies}", phone, text, self.clock.now)
        self.desk.inbox.post(ReceiptsAndReplies(replies=(said,)))
        self.settle()

    def open_rules(self) -> dict[str, str]:
        """Open episodes as the desk knows them, by id to their rule."""
        with self.desk.present.feed.present() as projection:
            return {episode: alert.rule for episode, alert in projection.open.items()}


class CountingLoop(Loop):
    """A loop that says how often it has turned."""

    turns = 0

    def turn(self) -> None:
        super().turn()
        self.turns += 1


@contextmanager
def desk_gateway(
    folder: Path,
    now_ms: Millis,
    welcome: str = "",
    county: Inventory | None = None,
    hooks: Mapping[str, Pushed] | None = None,
    via: str = "sms",
    tiles: Tiles | None = None,
    proxy: str = "",
) -> Iterator[DeskGateway]:
    """Runs it while the context lasts."""
    clock, script, stopping = HandClock(now_ms), Script(), threading.Event()
    path = folder / "journal.db"
    users = UserFile.beside(path)
    demo = [User("demo", UserRole.DISPATCHER, person="lin", demo=True)] if welcome else []
    for user in (*USERS, *demo):
        users.keep(user, _HASH, now_ms)
    with ExitStack() as stack:
        inbox: Inbox = stack.enter_context(closing(Inbox()))
        health, metrics = Health((), monotonic_s), Metrics()
        desk = Desk(path, users, inbox, clock.now_ms, WallClock().now_ms, welcome, tiles)
        bound = bind(Endpoint("127.0.0.1", 0))
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        pages = application(path, desk, health, metrics, "hush", hooks or {})
        stack.enter_context(serving(pages, bound, proxies=[ip_network(proxy)] if proxy else []))
        journal = stack.enter_context(closing(Journal.open(path)))
        restored = journal.restore()
        pipeline = start.resumed(county or inventory(), shipped.policy_files(), journal, restored, now_ms)
        feed = stack.enter_context(opened(desk, pipeline, restored.meta))
        port = stack.enter_context(closing(JournalPort(path, inbox)))
        channel = RecordingChannel()
        courier = Courier(port, {via: channel}, clock.now_ms)
        loop = CountingLoop(
            pipeline,
            journal,
            script,
            inbox,
            CommandDispatcher(
                Context(
                    pipeline,
                    journal,
                    telephone=InboundSms(pipeline, journal),
                    watchman=watchman(Watch(), pipeline, clock, health, metrics, {}),
                    go_on=lambda: inbox.post(Housekeep()),
                    keep_days=14,
                    resend=(),
                )
            ),
            clock=clock,
            heard_ms=None,
            unsnapshotted=0,
            health=health,
            metrics=metrics,
            wake_at=lambda _due: None,
            owe=courier.wake,
            watch=feed.take,
            stopping=stopping.is_set,
        )
        thread = threading.Thread(target=loop.run, name="loop")
        courier.start()
        thread.start()
        try:
            made = DeskGateway(url, path, desk, clock, script, loop)
            made.channel = channel
            made.settle()
            yield made
        finally:
            courier.stop()
            stopping.set()
            inbox.wake()
            thread.join()


def until(reached: Callable[[], bool], timeout_s: float = 240.0) -> None:
    """Waits for something real to come about."""
    deadline = monotonic() + timeout_s
    while not reached():
        assert monotonic() < deadline, f"waited {timeout_s} s in vain"
        threading.Event().wait(0.01)
