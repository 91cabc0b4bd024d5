"""The composition root: one straight function that puts the gateway together, runs it and takes it apart again.

Everything is wired here and nothing is decided here. What starts last stops first.
"""

import gc
import resource
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import ExitStack, closing, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from alerts.channels import Channel, Filing
from alerts.delivery.courier import Courier
from gateway import client, imports, shipped, start
from gateway.barrier import patiently
from gateway.client import CONTROL, control_token
from gateway.clock import Clock, SettableClock, WallClock, monotonic_s
from gateway.commands.command import Context
from gateway.commands.dispatcher import CommandDispatcher
from gateway.commands.replies import CLAIMS, InboundSms
from gateway.commands.thresholds import TUNED
from gateway.desk.http import application
from gateway.desk.photos import FOLDER as PHOTOS
from gateway.desk.present import Desk, opened
from gateway.desk.server import MOST, Limits, bind, serving
from gateway.desk.users import NAME as USERS
from gateway.desk.users import UserFile, UsersUnavailable
from gateway.examining import PART as SOUNDNESS
from gateway.examining import Examiner
from gateway.files import tighten
from gateway.health import Health, Part
from gateway.imports import FORMER
from gateway.inbox import Inbox
from gateway.influx.streams import SENT
from gateway.journal.database import JournalUnavailable, Problem
from gateway.journal.entry import Entry, InventoryBody
from gateway.journal.place import make_folder, size_bytes
from gateway.journal.reader import JournalReader, glance
from gateway.journal.restore import Restored
from gateway.journal.writer import Journal
from gateway.lines import Lines
from gateway.lines import opened as lines_of
from gateway.logs import logger
from gateway.loop import BROKER, FILTERS, JOURNAL, READY, RETRY_S, Backoff, JournalFilters, Loop, Stopping
from gateway.metrics import Metrics
from gateway.mqtt.source import MqttSource
from gateway.pipeline import Pipeline
from gateway.requests import ROUND_S, Collector, Housekeep, JournalPort, Tick, rounds
from gateway.rollups.scope import ROLLUPS, RollupScope
from gateway.rollups.thread import RollupThread
from gateway.settings import Settings, SettingsFault
from gateway.timer import Timer
from gateway.watching.heartbeat import beating
from gateway.watching.self_check import watchman
from telemetry.inventory import Inventory

if TYPE_CHECKING:
    from gateway.influx.sender import Sender
    from gateway.worker import Worker

_log = logger(__name__)

COURIER: Final = "courier"
INVENTORY: Final = "inventory"
HOUSEKEEPING_S: Final = 60.0
MEGABYTE: Final = 1 << 20
_NAMED: Final = 10
"""So many files of which others had rights are named in the log."""
OWN_FILES: Final = 400
"""Kept for journal, broker, courier, InfluxDB and what a page reads while it is made: a fire must find one,
however many browsers there are (law L10)."""
ENOUGH_FILES: Final = 65_536
LEAST_CONNECTIONS: Final = 8
HOPELESS: Final = frozenset(
    {Problem.READ_ONLY, Problem.UNWRITABLE, Problem.NEWER, Problem.FOREIGN, Problem.EMPTY, Problem.LEFT_BEHIND}
)
"""What waiting does not mend: the gateway says so and ends. A locked, full or damaged journal is waited for."""


def run(
    settings: Settings,
    *,
    clock: SettableClock | None = None,
    watch: Callable[[Entry], None] = lambda _entry: None,
    stopping: threading.Event | None = None,
    welcome: str = "",
    inbox: Inbox | None = None,
) -> None:
    """Runs the gateway until it is told to stop; ``SettingsFault`` or ``PolicyFault`` when it cannot start.

    ``welcome`` is the key of a demo's link to the desk, ``inbox`` the one into which its actors post; in production
    there is neither.
    """
    clock, stopping = clock or WallClock(), stopping or threading.Event()
    with suppress(Stopping), ExitStack() as stack:
        inbox = stack.enter_context(closing(Inbox() if inbox is None else inbox))
        signals = _Signals(stopping, inbox.wake)
        health, metrics = Health((BROKER, JOURNAL, SOUNDNESS, COURIER), monotonic_s), Metrics()
        lines = lines_of(settings)
        _tighten(settings, lines.channels.values())
        limits = Limits(most=max(LEAST_CONNECTIONS, min(MOST, _raise_file_limit() - OWN_FILES)))
        bound = stack.enter_context(closing(bind(settings.desk.listen)))
        token = _token(settings)
        desk = _desk(settings, inbox, clock, welcome)
        pages = application(settings.journal.path, desk, health, metrics, token, lines.hooks)
        stack.enter_context(serving(pages, bound, limits, settings.desk.proxies))
        journal = stack.enter_context(closing(_journal(settings, health, signals)))
        backoff = Backoff(health, metrics, signals.stopping)
        restored, inventory, pipeline = _resumed(settings, journal, lines, backoff, clock, health)
        imported = pipeline.entry.inventory or restored.inventory
        senders = _senders(settings, pipeline, imported, inbox, health, metrics, clock)
        scope = RollupScope.of(inventory, pipeline.county.plans, dict(pipeline.entry.known))
        feed = stack.enter_context(opened(desk, pipeline, restored.meta))
        rollups = RollupThread(settings.journal.path, inbox, clock, scope, metrics)
        port = stack.enter_context(closing(JournalPort(settings.journal.path, inbox)))
        courier = Courier(
            port, lines.channels, clock.now_ms, lines.routes, lines.caps, health.couriered, pipeline.nights
        )
        collector = Collector(settings.journal.path, inbox, lines.channels, clock.now_ms)
        timer = Timer(clock, lambda due_ms: _ring(inbox, due_ms))
        filters = JournalFilters(journal, restored.meta.get(FILTERS), pipeline.barrier)
        source = MqttSource(settings.mqtt, filters, clock.now_ms, monotonic_s)
        stack.callback(source.stop)
        loop = Loop(
            pipeline,
            journal,
            source,
            inbox,
            CommandDispatcher(
                Context(
                    pipeline,
                    journal,
                    telephone=InboundSms(pipeline, journal, restored.meta.get(CLAIMS)),
                    watchman=watchman(settings.watch, pipeline, clock, health, metrics, restored.meta),
                    go_on=lambda: inbox.post(Housekeep()),
                    keep_days=settings.journal.keep_days,
                    resend=[sender.resend for sender in senders],
                )
            ),
            clock=clock,
            heard_ms=restored.heartbeat_ms,
            unsnapshotted=restored.last_reading_id - restored.snapshot_position,
            health=health,
            metrics=metrics,
            wake_at=timer.wake_at,
            owe=courier.wake,
            watch=_both(feed.take, _both(_replan_rollups(scope, pipeline), watch)),
            stopping=signals.stopping,
            clock_was_set=timer.realign,
        )
        _ask_gauges(settings.journal.path, inbox, health, metrics, source, clock)
        timer.every(HOUSEKEEPING_S, "housekeeping", partial(inbox.post, Housekeep()))
        timer.every(ROUND_S, "round", rounds(settings.journal.path, inbox, clock))
        _keep_boards(settings, inventory, health, clock, timer)
        examiner = Examiner(settings.journal.path, health, metrics)
        threads: tuple[Timer | Courier | Worker, ...] = (timer, courier, collector, rollups, examiner, *senders)
        for beside in threads:
            beside.start()
            stack.callback(beside.stop)
        stack.enter_context(beating(settings.watch, inventory.county.id, health, metrics, clock, client.beat))
        health.report(COURIER, Part(ready=True, state=f"sends through {', '.join(settings.sms.names)}"))
        _log.info("started", broker=settings.mqtt.url, journal=str(settings.journal.path), desk=settings.desk.listen)
        gc.freeze()  # what a start has built stays: the collector need not look through a county of it again and again
        loop.run()
        _log.info("stopped")


def _resumed(
    settings: Settings, journal: Journal, lines: Lines, backoff: Backoff, clock: SettableClock, health: Health
) -> tuple[Restored, Inventory, Pipeline]:
    """What the journal remembers under today's inventory and policy files; a read that is refused is waited for."""

    def resume() -> tuple[Restored, Inventory, Pipeline]:
        restored = journal.restore()
        clock.go_on_from(restored.latest_ms)
        path, mark = settings.inventory.path, restored.meta.get(FORMER)
        done = imports.imported(path, restored.inventory, mark, clock.now_ms())
        health.report(INVENTORY, imports.report(done, path))
        pipeline = start.resumed(
            done.inventory,
            shipped.policy_files(settings.alerts),
            journal,
            restored,
            clock.now_ms(),
            backoff.wait,
            imported=done.body,
            calls=lines.calls,
        )
        return restored, done.inventory, pipeline

    return patiently(resume, backoff.wait)


def _senders(
    settings: Settings,
    pipeline: Pipeline,
    imported: InventoryBody | None,
    inbox: Inbox,
    health: Health,
    metrics: Metrics,
    clock: Clock,
) -> "list[Sender]":
    """What carries the journal's streams to InfluxDB, where one is configured."""
    if settings.influxdb is None:
        return []
    from gateway.influx.opening import opened as senders_for  # noqa: PLC0415 its library takes long, and few need it

    at_ms = clock.now_ms() if imported is None else imported.imported_ms
    made = senders_for(
        settings.influxdb,
        settings.journal.path,
        county=pipeline.county,
        imported_ms=at_ms,
        inbox=inbox,
        health=health,
        metrics=metrics,
        clock=clock,
    )
    return list(made)


def _keep_boards(settings: Settings, inventory: Inventory, health: Health, clock: Clock, timer: Timer) -> None:
    """Episodes go onto Grafana's boards, where there is a Grafana."""
    if settings.grafana is None:
        return
    from gateway.boards import EVERY_S, Annotations  # noqa: PLC0415 its library takes long, and few need it

    annotations = Annotations(settings, inventory, health, clock.now_ms)
    timer.every(EVERY_S, "boards", annotations.keep, at_once=True)


def _ask_gauges(
    journal: Path, inbox: Inbox, health: Health, metrics: Metrics, source: MqttSource, clock: Clock
) -> None:
    """Lets those gauges ask that nobody feeds; on the HTTP thread, so each looks at the journal by itself."""

    def oldest_owed_s() -> float:
        count, since_ms = glance(journal, JournalReader.owed, (0, 0))
        return (clock.now_ms() - since_ms) / 1_000 if count else 0.0

    metrics.ask(
        (metrics.notifications_owed, lambda: glance(journal, JournalReader.owed, (0, 0))[0]),
        (metrics.oldest_owed_seconds, oldest_owed_s),
        (metrics.inbox_depth, lambda: inbox.depth),
        (metrics.sessions_lost, lambda: source.state.sessions_lost),
        (metrics.thrown_out, lambda: source.state.thrown_out),
        (metrics.reconnects, lambda: source.state.reconnects),
        (metrics.loop_age_seconds, lambda: health.loop_age_s),
        (metrics.commit_age_seconds, lambda: health.commit_age_s),
        (metrics.journal_bytes, lambda: size_bytes(journal)),
    )


class _Signals:
    """What signals ask of a gateway that is a process of its own; one inside another program is stopped by that.

    A handler interrupts whatever the main thread does, the log's own lock included: it only writes down and wakes.
    """

    def __init__(self, stopping: threading.Event, wake: Callable[[], None]) -> None:
        self._stopping = stopping
        self._wake = wake
        self._came: list[int] = []
        if threading.current_thread() is not threading.main_thread():
            return
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._note)

    def stopping(self) -> bool:
        """Whether it is to stop; asked in each turn, and whatever signal came since is said in the log."""
        while self._came:
            number = self._came.pop(0)
            # Whose terminal hangs up wants it to end; a service is asked to reload, which only a start does.
            if number == signal.SIGHUP and not sys.stderr.isatty():
                remedy = "configuration and inventory are read at a start: restart the gateway to have them taken"
                _log.warning("not_reloaded", signal="SIGHUP", remedy=remedy)
            else:
                _log.info("stopping", signal=signal.Signals(number).name)
                self._stopping.set()
        return self._stopping.is_set()

    def _note(self, number: int, _frame: object) -> None:
        self._came.append(number)
        self._wake()


def _both(first: Callable[[Entry], None], second: Callable[[Entry], None]) -> Callable[[Entry], None]:
    def watch(entry: Entry) -> None:
        first(entry)
        second(entry)

    return watch


def _replan_rollups(scope: RollupScope, pipeline: Pipeline) -> Callable[[Entry], None]:
    """The rollups follow a changed parameter once it is durable."""

    def follow(entry: Entry) -> None:
        if TUNED in entry.meta:
            scope.replan(pipeline.county.plans)

    return follow


def _raise_file_limit() -> int:
    """How many files and sockets this process may have open, raised as far as the hard limit lets anybody use it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = ENOUGH_FILES if hard == resource.RLIM_INFINITY else min(hard, ENOUGH_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):  # a sandbox may forbid it; then it is as it was
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            return wanted
    return ENOUGH_FILES if soft == resource.RLIM_INFINITY else soft


def _ring(inbox: Inbox, due_ms: int) -> None:
    """A full inbox keeps the loop awake anyway, and the loop looks at what is due in every turn."""
    inbox.post(Tick(due_ms))
    inbox.wake()


def _tighten(settings: Settings, channels: Iterable[Channel]) -> None:
    """What stands here from before is its owner's alone, too; the journal's folder may have others in it, and stays."""
    journal = settings.journal.path
    ours = (journal.parent / name for name in (CONTROL, USERS, PHOTOS))
    beside = (part for name in (journal.name, USERS) for part in journal.parent.glob(f"{name}*"))
    folders = (channel.folder for channel in channels if isinstance(channel, Filing))
    tightened = tighten(*ours, *beside, *folders)
    if tightened:
        few = [str(path) for path in tightened[:_NAMED]]
        _log.warning("rights_tightened", paths=few, count=len(tightened), remedy="only their owner may read them now")


def _token(settings: Settings) -> str:
    try:
        make_folder(settings.journal.path.parent)
        return control_token(settings.journal.path)
    except OSError as error:
        folder, why = settings.journal.path.parent, (error.strerror or str(error)).lower()
        remedy = "give the gateway's user the right to write it, or name another [journal] path"
        raise SettingsFault([f"{folder} takes no file: {why}; {remedy}"]) from None


def _desk(settings: Settings, inbox: Inbox, clock: Clock, welcome: str) -> Desk:
    try:
        users = UserFile.beside(settings.journal.path)
    except UsersUnavailable as trouble:
        raise SettingsFault([str(trouble)]) from None
    desk = settings.desk
    wall_ms = WallClock().now_ms
    return Desk(settings.journal.path, users, inbox, clock.now_ms, wall_ms, welcome, desk.ground, behind_tls=desk.https)


def _journal(settings: Settings, health: Health, signals: _Signals) -> Journal:
    """Opens it for those who read on at their own pace; one that is locked, full or damaged is waited for."""
    consumers = (ROLLUPS,) if settings.influxdb is None else (ROLLUPS, *SENT)
    limit = None if settings.journal.max_mb is None else settings.journal.max_mb * MEGABYTE
    while True:
        try:
            with ExitStack() as undo:
                journal = undo.enter_context(closing(Journal.open(settings.journal.path, max_bytes=limit)))
                journal.admit(consumers)
                undo.pop_all()
        except JournalUnavailable as trouble:
            if trouble.problem in HOPELESS or signals.stopping():
                raise SettingsFault([str(trouble)]) from None
            health.report(JOURNAL, Part(ready=False, state=trouble.problem, remedy=str(trouble)))
            health.turned()
            _log.error("journal_unavailable", problem=str(trouble.problem), remedy=str(trouble))
            select.select([], [], [], RETRY_S)
        else:
            health.report(JOURNAL, READY)
            return journal
