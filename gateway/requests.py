"""What other threads ask of the loop besides people's commands, and the two of the telephone that ask it.

The courier's port, and the thread that fetches receipts and replies from the channels that can be asked. Only the loop
writes the journal; who wants something written posts it here and waits until it is durable. What cannot be made durable
now is fetched again: providers keep it, and twice is once.
"""

from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

from alerts.answers import Receipt, Reply
from alerts.channels import Channel, Outcome, Reporting, Unreachable
from alerts.delivery.courier import Clearance, PortUnavailable
from alerts.delivery.delivery import Due, Lapse, NextTry
from alerts.episodes.decide import Trouble
from alerts.model import Event
from gateway.barrier import WORLD
from gateway.clock import Clock, monotonic_s
from gateway.commands.command import A, Command, Context, NotDurable
from gateway.inbox import Inbox, Unanswered
from gateway.journal.database import JournalUnavailable
from gateway.journal.entry import AttemptEnded, AttemptStarted, Consumer, Quarantined, Rolled
from gateway.journal.reader import JournalReader
from gateway.logs import logger
from gateway.pipeline import UNSETTLED
from gateway.watching.self_check import OverdueRows, allowed_ms
from gateway.worker import Worker
from telemetry.phone import is_same
from telemetry.reading import Millis

_log = logger(__name__)

DURABLE_WITHIN_S: Final = 30.0


class Begin(Command[Clearance], frozen=True):
    """The courier is about to try a notification; answered with a ``Clearance`` once that is durable."""

    due: Due
    at_ms: Millis

    def do(self, context: Context, now_ms: Millis) -> Clearance:  # noqa: ARG002 -- a try has an instant of its own
        """A try may begin unless what it is about has been seen to or is over since."""
        pipeline, owed = context.pipeline, self.due.owed
        wanted = pipeline.ledger.is_wanted(owed)
        settled = "" if wanted else "closed"
        not_owed = pipeline.county.no_longer_owed(owed, self.at_ms) if wanted is None else settled
        phone = None if not_owed else pipeline.county.readdress(owed, self.at_ms, pipeline.changes)
        if phone is None:
            pipeline.entry.dropped.append((owed.key, not_owed or "person_left"))
            return Clearance.NO_LONGER_OWED
        if not is_same(phone, owed.phone):
            pipeline.entry.readdressed[self.due.notification_id] = phone
            return Clearance.ADDRESSED_ANEW
        pipeline.entry.attempts.append(AttemptStarted(self.due.notification_id, self.at_ms))
        return Clearance.GRANTED


class End(Command[None], frozen=True):
    """A try by a channel ended; answered with ``None`` once that is durable."""

    notification_id: int
    at_ms: Millis
    via: str
    outcome: Outcome
    step: NextTry
    event: Event | None

    def do(self, context: Context, now_ms: Millis) -> None:  # noqa: ARG002 -- a try has an instant of its own
        """Its row, and what the end of it leads to."""
        context.telephone.ended(self.notification_id, self.outcome, self.event, self.at_ms)
        step, entry = self.step, context.pipeline.entry
        entry.attempts.append(
            AttemptEnded(
                self.notification_id,
                self.at_ms,
                self.outcome,
                step.next_attempt_ms,
                self.via,
                step.via,
                step.receipt_due_ms,
            )
        )
        entry.events += () if self.event is None else (self.event,)


class Lapsed(Command[None], frozen=True):
    """A receipt did not come, or was a bad one; answered with ``None`` once what follows is durable."""

    due: Due
    at_ms: Millis
    lapse: Lapse

    def do(self, context: Context, now_ms: Millis) -> None:  # noqa: ARG002 -- a lapse has an instant of its own
        """What follows from it."""
        context.telephone.lapsed(self.due, self.lapse, self.at_ms)


class ReceiptsAndReplies(Command[None], frozen=True):
    """What came back by telephone; answered with ``None`` once it is durable. Telling it again changes nothing."""

    receipts: tuple[Receipt, ...] = ()
    replies: tuple[Reply, ...] = ()

    def do(self, context: Context, now_ms: Millis) -> None:
        """Receipts first, then each reply for itself."""
        context.telephone.heard(self.receipts, self.replies, now_ms)


class DealtWith(Command[None], frozen=True):
    """A consumer has dealt with its stream up to ``position``; answered once that is durable, with what was filed."""

    consumer: Consumer
    position: int
    filed: tuple[Quarantined, ...] = ()

    def do(self, context: Context, now_ms: Millis) -> None:  # noqa: ARG002 -- a position has no time
        """What it filed lies in quarantine, and its position is a row."""
        context.pipeline.file(self.filed)
        context.pipeline.entry.consumed[self.consumer] = self.position


class WatchRound(Command[None], frozen=True):
    """The watchman's round of each minute, with what the journal's rows say."""

    rows: OverdueRows

    def do(self, context: Context, now_ms: Millis) -> None:
        """The watchman's, and that of numbers which texts do not reach."""
        context.watchman.round(self.rows, now_ms)
        context.telephone.look(now_ms)


class Housekeep(Command[None], frozen=True):
    """Time for a snapshot and one step of retention."""

    def do(self, context: Context, now_ms: Millis) -> None:
        """Not soon after a long deafness: the clock may have been set wrong, and what is let go does not come back."""
        pipeline = context.pipeline
        until_ms = pipeline.county.unsettled_until_ms
        if now_ms < until_ms:
            pipeline.keep(UNSETTLED, until_ms)
            return
        if context.journal.expire(now_ms, context.keep_days).rows:
            context.go_on()
        else:
            context.watchman.folded(context.journal.fold(), now_ms)


class Tick(Command[None], frozen=True):
    """The alarm clock rang for ``due_ms``; a tick too many changes nothing (law L4)."""

    due_ms: Millis

    def do(self, context: Context, now_ms: Millis) -> None:
        """It is only a turn, which looks for what is due."""


class Watched(Command[None], frozen=True):
    """A part of the house needs a person, or works again."""

    trouble: Trouble

    def do(self, context: Context, now_ms: Millis) -> None:
        """A notice, or its end."""
        context.pipeline.watch(self.trouble, now_ms)


class KeepRollups(Command[None], frozen=True):
    """Rollups to be made durable."""

    rolled: Rolled

    def do(self, context: Context, now_ms: Millis) -> None:  # noqa: ARG002 -- a rollup has hours of its own
        """Rows of the next commit."""
        context.pipeline.entry.rolled.append(self.rolled)


def made_durable(inbox: Inbox, item: Command[A]) -> A | NotDurable | Unanswered:
    """What the loop answers once it is durable; ``Unanswered`` or ``NotDurable`` where it has to be asked again."""
    answer = inbox.post(item, DURABLE_WITHIN_S)
    return answer if isinstance(answer, Unanswered) else answer.wait(DURABLE_WITHIN_S)


ROUND_S: Final = 60.0


def rounds(journal: Path, inbox: Inbox, clock: Clock) -> Callable[[], None]:
    """What the alarm clock calls each minute: rows are looked at beside the loop, which is then asked for a round."""

    def look() -> None:
        before_ms = clock.now_ms() - allowed_ms(clock)
        try:
            with closing(JournalReader.open(journal)) as reader:
                rows = OverdueRows(*reader.overdue(before_ms))
        except JournalUnavailable as trouble:
            _log.warning("no_round", reason=str(trouble))
        else:
            inbox.post(WatchRound(rows))

    return look


class JournalPort:
    """The courier's side of the journal: it reads by itself and lets the loop write. For the courier's thread alone."""

    def __init__(self, path: Path, inbox: Inbox) -> None:
        self._path = path
        self._inbox = inbox
        self._reader: JournalReader | None = None
        self._found: Due | None = None

    def due(self, now_ms: Millis) -> Due | None:
        """See ``courier.Port``."""
        try:
            if self._reader is None:
                self._reader = JournalReader.open(self._path)
            self._found = self._reader.due_notification(now_ms)
        except WORLD as trouble:
            self.close()
            raise PortUnavailable(str(trouble)) from trouble
        return self._found

    def started(self, notification_id: int, at_ms: Millis) -> Clearance:
        """See ``courier.Port``."""
        return self._ask(Begin(self._found_due(notification_id), at_ms))

    def ended(
        self, notification_id: int, at_ms: Millis, via: str, outcome: Outcome, step: NextTry, event: Event | None
    ) -> None:
        """See ``courier.Port``."""
        self._ask(End(notification_id, at_ms, via, outcome, step, event))

    def lapsed(self, notification_id: int, at_ms: Millis, lapse: Lapse) -> None:
        """See ``courier.Port``."""
        self._ask(Lapsed(self._found_due(notification_id), at_ms, lapse))

    def _found_due(self, notification_id: int) -> Due:
        if self._found is None or self._found.notification_id != notification_id:
            raise PortUnavailable(f"notification {notification_id} is not the one that was found due")
        return self._found

    def close(self) -> None:
        """Lets go of the file."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _ask(self, item: Command[A]) -> A:
        value = self._posted(item)
        if isinstance(value, Unanswered):
            raise PortUnavailable("the journal did not make it durable in time")
        if isinstance(value, NotDurable):
            raise PortUnavailable(value.reason)
        return value

    def _posted(self, item: Command[A]) -> A | NotDurable | Unanswered:
        return made_durable(self._inbox, item)


AWAITED_MOST: Final = 200
"""So many texts are asked about in one go, the newest first."""
AWAITED_SINCE_MS: Final[Millis] = 72 * 3_600_000
"""No provider knows of a receipt later than this."""
_IDLE_S: Final = 60.0


class Collector(Worker):
    """The thread around all channels that report; there is none where nothing can be asked."""

    ends_within_s = 10.0

    def __init__(
        self, journal: Path, inbox: Inbox, channels: Mapping[str, Channel], now_ms: Callable[[], Millis]
    ) -> None:
        super().__init__("collector")
        self._journal = journal
        self._inbox = inbox
        self._channels = {name: channel for name, channel in channels.items() if isinstance(channel, Reporting)}
        self._now_ms = now_ms

    def start(self) -> None:
        """Starts the thread, where there is anything to ask."""
        if self._channels:
            super().start()

    def collect(self, name: str) -> bool:
        """Asks one channel once; ``False`` when it, or the journal, must be asked again later."""
        channel = self._channels[name]
        now_ms = self._now_ms()
        try:
            with closing(JournalReader.open(self._journal)) as reader:
                awaited = reader.awaited(name, now_ms - AWAITED_SINCE_MS, AWAITED_MOST)
            collected = channel.collect(awaited, now_ms)
            if collected.receipts or collected.replies:
                heard = ReceiptsAndReplies(collected.receipts, collected.replies)
                if isinstance(made_durable(self._inbox, heard), Unanswered | NotDurable):
                    return False
                channel.taken(collected)
        except (Unreachable, *WORLD) as trouble:
            _log.warning("not_collected", channel=name, reason=str(trouble))
            return False
        return True

    def _run(self) -> None:
        due_s = dict.fromkeys(self._channels, 0.0)
        while not self._stopping.is_set():
            now_s = monotonic_s()
            for name, channel in self._channels.items():
                if due_s[name] <= now_s and not self._stopping.is_set():
                    self.collect(name)
                    due_s[name] = monotonic_s() + channel.every_s
            self._stopping.wait(max(0.0, min(min(due_s.values()) - monotonic_s(), _IDLE_S)))
