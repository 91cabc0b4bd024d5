"""The hours before the visitor comes: what the county says in them goes through the real line on a virtual clock.

Loop, journal and courier are the gateway's own, turned by one thread as fast as they go; nothing is made up. The
gateway that is started afterwards goes on from the journal as after any restart.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing
from typing import Final

from alerts.delivery.courier import Courier
from firmware_sim.radio import TimedUplink
from gateway import shipped, start
from gateway.clock import StandingClock, monotonic_s
from gateway.commands.command import A, Command, Context, NotDurable
from gateway.commands.dispatcher import CommandDispatcher
from gateway.commands.replies import InboundSms
from gateway.health import Health, Part
from gateway.imports import FORMER, imported
from gateway.inbox import Answer, Inbox, Unanswered
from gateway.journal.entry import Entry
from gateway.journal.writer import Journal
from gateway.lines import opened as lines_of
from gateway.loop import Loop
from gateway.metrics import Metrics
from gateway.mqtt.link import Batch, SessionPhase, SessionState, Version
from gateway.requests import Housekeep, JournalPort
from gateway.rollups.scope import ROLLUPS
from gateway.settings import Settings
from gateway.watching.self_check import watchman
from telemetry.reading import Millis
from telemetry.wire import Uplink

STEP_MS: Final = 5 * 60_000
"""The virtual clock stands at each fifth minute: a list of half past six leaves at half past six."""


class _Script:
    """A source that has what was put into it, and is always subscribed."""

    def __init__(self) -> None:
        self.uplinks: list[Uplink] = []
        part = Part(ready=True, state="subscribed")
        self.state = SessionState(
            SessionPhase.LIVE, part, 1, Version.FIVE, session_present=True, sessions_lost=0, reconnects=0
        )

    def wait(self, timeout_s: float, extra_fds: list[int]) -> Batch:
        """See ``loop.Source``; it never waits."""
        del timeout_s, extra_fds
        taken, self.uplinks = self.uplinks, []
        return Batch(taken, [0] * len(taken), 1)

    def ack(self, batch: Batch) -> int:
        """See ``loop.Source``."""
        return len(batch.mids)


class _Port(JournalPort):
    """The courier's side of the journal where courier and loop are one thread."""

    def __init__(self, settings: Settings, inbox: Inbox, turn: Callable[[], None]) -> None:
        super().__init__(settings.journal.path, inbox)
        self._turn = turn

    def _posted(self, item: Command[A]) -> A | NotDurable | Unanswered:
        answer = self._inbox.post(item)
        self._turn()
        return answer.wait(0.0) if isinstance(answer, Answer) else answer


def lived(
    settings: Settings,
    uplinks: Iterator[TimedUplink],
    from_ms: Millis,
    until_ms: Millis,
    watch: Callable[[Entry], None],
) -> TimedUplink | None:
    """Takes everything that is said before ``until_ms``; answers the first uplink that was not, if there is one."""
    clock, script = StandingClock(from_ms), _Script()
    health, metrics = Health((), monotonic_s), Metrics()
    with ExitStack() as stack:
        inbox: Inbox = stack.enter_context(closing(Inbox()))
        journal = stack.enter_context(closing(Journal.open(settings.journal.path)))
        journal.admit((ROLLUPS,))
        restored = journal.restore()
        done = imported(settings.inventory.path, restored.inventory, restored.meta.get(FORMER), from_ms)
        policy_files = shipped.policy_files(settings.alerts)
        pipeline = start.resumed(done.inventory, policy_files, journal, restored, from_ms, imported=done.body)
        loop = Loop(
            pipeline,
            journal,
            script,
            inbox,
            CommandDispatcher(
                Context(
                    pipeline,
                    journal,
                    telephone=InboundSms(pipeline, journal),
                    watchman=watchman(settings.watch, pipeline, clock, health, metrics, restored.meta),
                    go_on=lambda: inbox.post(Housekeep()),
                    keep_days=settings.journal.keep_days,
                    resend=(),
                )
            ),
            clock=clock,
            heard_ms=None,
            unsnapshotted=0,
            health=health,
            metrics=metrics,
            wake_at=lambda _due: None,
            owe=lambda: None,
            watch=watch,
            stopping=lambda: True,
        )
        lines = lines_of(settings)
        port = stack.enter_context(closing(_Port(settings, inbox, loop.turn)))
        courier = Courier(port, lines.channels, clock.now_ms, lines.routes, lines.caps, nights=pipeline.nights)
        rest = None
        for now_ms, said, upcoming in _steps(uplinks, from_ms, until_ms):
            clock.at_ms, script.uplinks, rest = now_ms, said, upcoming
            loop.turn()
            while courier.run_once(now_ms):
                pass
        loop.run()  # told to stop before its first turn: it leaves a snapshot
    return rest


def _steps(
    uplinks: Iterable[TimedUplink], from_ms: Millis, until_ms: Millis
) -> Iterator[tuple[Millis, list[Uplink], TimedUplink | None]]:
    """Each stop of the clock with what was said up to it; and the uplink at which the last one ended."""
    said: list[Uplink] = []
    now_ms = from_ms
    for uplink in uplinks:
        while uplink.at_ms > now_ms:
            yield now_ms, said, uplink
            if now_ms >= until_ms:
                return
            said, now_ms = [], now_ms + STEP_MS
        said.append(Uplink(uplink.at_ms, uplink.topic, uplink.payload))
    yield now_ms, said, None
