"""A living county on one machine: embedded broker, simulated devices, the real gateway, and the picture of it.

Only wiring: the gateway is the production one, told another clock. Everything that it starts, it ends. Of the outbox
folder it only reads what has gone out.
"""

import json
import logging
import signal
import sys
import threading
import webbrowser
from contextlib import nullcontext
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.live import Live

from alerts.policy import PolicyFault
from firmware_sim.publish import Broker, BrokerError, publish
from firmware_sim.scenario import PlaceNames
from firmware_sim.traces import TimedUplink, statuses, trace
from gateway import app, imports, logs
from gateway.client import desk_url
from gateway.clock import ScaledClock, monotonic_s
from gateway.demo import past, stage, view
from gateway.demo.cast import Cast
from gateway.demo.story import DemoStory, SentText
from gateway.embedded_broker import BrokerFault, Embedded, embedded_broker, free_port
from gateway.inbox import Inbox, Unanswered
from gateway.journal.entry import Entry
from gateway.replay import millis
from gateway.settings import SettingsFault

if TYPE_CHECKING:
    from collections.abc import Iterator

DEFAULT_FOLDER: Final = Path("data/demo")
READY_WITHIN_S: Final = 15.0
FRAME_S: Final = 0.25


def run(speed: float, seconds: float | None, data: Path | None, port: int, names: PlaceNames, *, browser: bool) -> int:
    """Runs the demo until Ctrl-C or for ``seconds``; 0 when it ended so, 1 when a part of it could not go on."""
    stopping = threading.Event()
    _end_on_signals(stopping)
    logs.configure(level=logging.ERROR)
    try:
        folder = stage.cleared(data or DEFAULT_FOLDER)
        with embedded_broker(folder / "broker") as broker:
            play = _Play(folder, broker, speed, port or free_port(), names, stopping)
            play.run(seconds, browser=browser)
    except (SettingsFault, BrokerFault) as fault:
        sys.stderr.write(f"{fault}\n")
        return 1
    return 0


class _Play:
    """One performance: its folder, its clock, its threads and what the visitor sees of them."""

    def __init__(
        self, folder: Path, broker: Embedded, speed: float, port: int, names: PlaceNames, stopping: threading.Event
    ) -> None:
        self._calendar = stage.shanghai()
        self._begins_ms = stage.begins_ms(self._calendar)
        self._scene = stage.scenario(self._begins_ms, names)
        self._uplinks: Iterator[TimedUplink] = trace(self._scene)
        self._settings = stage.settings(folder, self._scene, broker, port)
        inventory = imports.checked(self._settings.inventory.path)
        dispatcher = stage.dispatcher(inventory)
        self._welcome = stage.welcome(folder, dispatcher)
        self._broker = broker
        self._speed = speed
        self._stopping = stopping
        self._clock = ScaledClock(self._begins_ms, speed)
        self._outbox = _OutboxFolder(folder / "outbox")
        self._story = DemoStory(inventory)
        self._cast = Cast(inventory, dispatcher)
        self._inbox: Inbox = Inbox()
        self._listening = threading.Event()
        self._faults: list[str] = []

    def run(self, seconds: float | None, *, browser: bool) -> None:
        """The past, then the gateway, then the county; both are ended and waited for."""
        self._live_through_the_night()
        threads = [threading.Thread(target=self._gateway, name="gateway")]
        threads[0].start()
        try:
            self._await_gateway()
            threads.append(threading.Thread(target=self._county, name="county"))
            self._clock.start()
            threads[1].start()
            self._show(seconds, browser=browser)
        finally:
            self._stopping.set()
            for thread in threads:
                thread.join()
        if self._faults:
            raise SettingsFault(self._faults)

    def _live_through_the_night(self) -> None:
        start_ms = self._scene.start_ms
        first = past.lived(self._settings, self._uplinks, start_ms, self._begins_ms, self._story.commit)
        if first is not None:
            self._uplinks = chain((first,), self._uplinks)

    @property
    def _link(self) -> str:
        return f"{desk_url(self._settings.desk.listen)}/welcome/{self._welcome}"

    def _await_gateway(self) -> None:
        waited_s = 0.0
        while not self._listening.wait(FRAME_S) and not self._stopping.is_set():
            waited_s += FRAME_S
            if waited_s > READY_WITHIN_S:
                raise SettingsFault([f"the gateway did not hear {self._broker.name} within {READY_WITHIN_S:g} s"])

    def _gateway(self) -> None:
        try:
            app.run(
                self._settings,
                clock=self._clock,
                watch=self._commit,
                stopping=self._stopping,
                welcome=self._welcome,
                inbox=self._inbox,
            )
        except (SettingsFault, PolicyFault) as fault:
            self._faults.append(str(fault))
        finally:
            self._stopping.set()

    def _county(self) -> None:
        broker = Broker("127.0.0.1", self._broker.port, self._broker.username, self._broker.password)
        mqtt5 = self._broker.protocol != "3.1.1"
        first = statuses(self._scene)
        try:
            publish(self._uplinks, broker, self._stopping, self._clock.now_ms, self._speed, first, mqtt5=mqtt5)
        except BrokerError as error:
            self._faults.append(str(error))
            self._stopping.set()

    def _commit(self, entry: Entry) -> None:
        """Called by the gateway's own thread after each commit."""
        self._story.commit(entry)
        self._cast.commit(entry)
        if entry.heartbeat_ms is not None:
            self._listening.set()

    def _show(self, seconds: float | None, *, browser: bool) -> None:
        console = Console()
        if console.is_terminal and browser:
            webbrowser.open(self._link)
        elif not console.is_terminal:
            console.print(view.desk(self._link), soft_wrap=True)
        begun, ends_s = self._clock.now_ms(), None if seconds is None else monotonic_s() + seconds
        with Live(console=console, screen=True, auto_refresh=False) if console.is_terminal else nullcontext() as live:
            while not self._stopping.wait(FRAME_S) and (ends_s is None or monotonic_s() < ends_s):
                self._act()
                self._story.tell(self._outbox.fresh())
                if live is None:
                    self._log(console)
                else:
                    self._story.unsaid.clear()
                    now_ms, height = self._clock.now_ms(), console.height
                    live.update(
                        view.picture(self._story, self._calendar, now_ms, self._speed, height, self._link), refresh=True
                    )
        self._story.tell(self._outbox.fresh())
        spans = (view.clock(self._calendar, at_ms) for at_ms in (begun, self._clock.now_ms()))
        console.print(view.summary(self._story, *spans), soft_wrap=True)

    def _act(self) -> None:
        """Whatever the demo's own people have to do by now, since no visitor has."""
        for part, item in self._cast.due(self._clock.now_ms()):
            if self._inbox.post(item) is not Unanswered.FULL:
                self._cast.played(part)

    def _log(self, console: Console) -> None:
        """One line an occurrence, for those without a terminal."""
        while self._story.unsaid:
            console.print(view.tell_line(self._story, self._calendar, self._story.unsaid.popleft()), soft_wrap=True)


class _OutboxFolder:
    """What the outbox channel has delivered, each text once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: set[str] = set()

    def fresh(self) -> list[SentText]:
        """Texts that were not there when last asked, in the order of their names."""
        names = sorted(path.name for path in self._folder.glob("*.json") if path.name not in self._seen)
        self._seen.update(names)
        return [self._read(name) for name in names]

    def _read(self, name: str) -> SentText:
        text = json.loads((self._folder / name).read_text("utf-8"))
        return SentText(millis(text["at"]), text["to"], text["phone"], text["text"])


def _end_on_signals(stopping: threading.Event) -> None:
    """Ctrl-C and SIGTERM end the demo as its own end would, so that no broker outlives it."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _signal, _frame: stopping.set())
