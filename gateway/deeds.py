"""What comes out of the inbox, done on the loop's thread and inside its transaction; the answer waits for the commit.

Each item's meaning is elsewhere: a command's in ``orders``, the ledger's in ``desk_work``, an answer's in ``hearing``.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from alerts.delivery.courier import Clearance
from alerts.episodes.trouble import Trouble
from alerts.refusals import Refused
from alerts.undo import Undoable
from gateway import absence_work, calling, desk_work, extra_work, figuring, maintaining
from gateway.again import looked_again
from gateway.commands import (
    Away,
    Back,
    CalledBack,
    CaseCommand,
    CommandVerdict,
    Declare,
    Done,
    EndTrial,
    EpisodeCommand,
    EpisodeVerb,
    Extra,
    Foresee,
    LookAgain,
    NoExtra,
    NotDurable,
    NotPossible,
    Register,
    Resend,
    SetFigure,
    UnknownEpisode,
    WhichExtras,
    WhichWindows,
    WhoIsAway,
    Withdraw,
)
from gateway.hearing import InboundSms
from gateway.inbox import Inbox
from gateway.journal.entry import AttemptEnded, AttemptStarted, Rolled
from gateway.journal.writer import Journal
from gateway.orders import obey
from gateway.pipeline import UNSETTLED, Pipeline
from gateway.requests import Begin, DealtWith, End, Heard, Housekeep, Lapsed, Round
from gateway.watching.watchman import Watchman
from gateway.welcoming import Welcome
from telemetry.phone import is_same
from telemetry.reading import Millis

AGAIN: Final = Housekeep()


class CommandDispatcher(Undoable):
    """Not thread-safe: the loop owns it. ``now_ms`` is the instant of the turn, however long that takes."""

    def __init__(
        self,
        pipeline: Pipeline,
        journal: Journal,
        inbox: Inbox[Any],
        *,
        hearing: InboundSms,
        watchman: Watchman,
        keep_days: int,
        resend: Sequence[Callable[[Millis], None]],
    ) -> None:
        super().__init__(pipeline.undo)
        self.watchman = watchman
        self.past_changed = False
        """Whether something of the past was taken in, so that no start may step through it as if it came now."""
        self._pipeline = pipeline
        self._journal = journal
        self._inbox = inbox
        self._hearing = hearing
        self._keep_days = keep_days
        self._resend = resend

    def do(self, item: object, now_ms: Millis) -> object:
        """What is asked for, as a whole or not at all, and the answer to it."""
        about = type(item).__name__
        return self._pipeline.barrier.attempt(partial(self._do, item, now_ms), self.failed, about)

    def look_around(self, now_ms: Millis, *, heard: bool, live: bool) -> None:
        """The end of a turn: the watchman hears whether a device spoke in it, and whether we are subscribed."""
        watch = partial(self.watchman.turn, now_ms, heard=heard, live=live)
        self._pipeline.barrier.attempt(watch, lambda _: None, "the watchman")

    @staticmethod
    def failed(bug: Exception) -> object:
        """The answer to what failed by our own mistake; nothing came of it."""
        return NotDurable(
            f"a mistake of the program stopped this ({type(bug).__name__}); nothing happened, see its log"
        )

    def _do(self, item: object, now_ms: Millis) -> object:
        match item:
            case EpisodeCommand():
                return self._command(item, now_ms)
            case (
                Register()
                | CaseCommand()
                | EndTrial()
                | SetFigure()
                | Declare()
                | Withdraw()
                | WhichWindows()
                | Foresee()
            ):
                return self._wished(item, now_ms)
            case CalledBack() | Away() | Back() | WhoIsAway() | Extra() | NoExtra() | WhichExtras():
                return self._written_down(item, now_ms)
            case LookAgain():
                self.past_changed = True
                return looked_again(item, self._pipeline, self._journal, now_ms)
            case Welcome():
                return self._hearing.welcome(item, now_ms)
            case Resend(since_ms):
                return self._send_again(since_ms, now_ms)
            case Begin():
                return self._begin(item)
            case Housekeep():
                self._expire(now_ms)
            case _:
                self._enter(item, now_ms)
        return None

    def _wished(
        self,
        item: Register | CaseCommand | EndTrial | SetFigure | Declare | Withdraw | WhichWindows | Foresee,
        now_ms: Millis,
    ) -> object:
        """What people want that is about no episode: of the ledger, of trials, figures, and declared work."""
        pipeline = self._pipeline
        pipeline.advance(now_ms)
        match item:
            case Register() | CaseCommand():
                return desk_work.done(item, pipeline, now_ms, self._journal.knows_case)
            case EndTrial():
                return desk_work.trial_ended(item, pipeline, now_ms)
            case Foresee(rule=rule, asset=asset, at_ms=at_ms):
                said = pipeline.foresee(rule, asset, at_ms)
                return NotPossible(said.sentence, said.why) if isinstance(said, Refused) else said
            case SetFigure():
                return figuring.done(item, pipeline, now_ms)
            case _:
                return maintaining.done(item, pipeline, now_ms)

    def _written_down(
        self, item: CalledBack | Away | Back | WhoIsAway | Extra | NoExtra | WhichExtras, now_ms: Millis
    ) -> object:
        """What the dispatcher writes down beside the ledger: whom they called, who is away, and extra rounds."""
        pipeline = self._pipeline
        pipeline.advance(now_ms)
        if isinstance(item, CalledBack):
            return calling.done(item, pipeline, now_ms)
        if isinstance(item, Away | Back | WhoIsAway):
            return absence_work.answered(item, pipeline, now_ms)
        return extra_work.answered(item, pipeline, now_ms)

    def _enter(self, item: object, now_ms: Millis) -> None:
        """What others beside the loop have done or seen, and wait to see durable; a tick is only a turn."""
        entry = self._pipeline.entry
        match item:
            case End(number, at_ms, via, outcome, step, event):
                self._hearing.ended(item)
                ended = AttemptEnded(number, at_ms, outcome, step.next_attempt_ms, via, step.via, step.receipt_due_ms)
                entry.attempts.append(ended)
                entry.events += () if event is None else (event,)
            case Lapsed():
                self._hearing.lapsed(item)
            case Heard(receipts, replies):
                self._hearing.heard(receipts, replies, now_ms)
            case DealtWith(consumer, position, filed):
                self._pipeline.file(filed)
                entry.consumed[consumer] = position
            case Rolled():
                entry.rolled.append(item)
            case Trouble():
                self._pipeline.county.watch(item, now_ms, self._pipeline.changes)
            case Round(rows):
                self.watchman.round(rows, now_ms)
                self._hearing.numbers.look(now_ms)

    def _expire(self, now_ms: Millis) -> None:
        """Not soon after a long deafness: the clock may have been set wrong, and what is let go does not come back."""
        until_ms = self._pipeline.county.unsettled_until_ms
        if now_ms < until_ms:
            self._pipeline.entry.meta[UNSETTLED] = str(until_ms)
            return
        expired = self._journal.expire(now_ms, self._keep_days)
        if expired.rows:
            self._inbox.post(AGAIN)
        else:
            self.watchman.folded(self._journal.fold(), now_ms)

    def _begin(self, asked: Begin) -> Clearance:
        """A try may begin unless what it is about has been seen to or is over since."""
        owed = asked.due.owed
        wanted = self._pipeline.ledger.is_wanted(owed)
        if wanted is not None:
            return self._clear(asked, "" if wanted else "closed")
        return self._clear(asked, self._pipeline.county.no_longer_owed(owed, asked.at_ms))

    def _clear(self, asked: Begin, not_owed: str) -> Clearance:
        if not_owed:
            self._pipeline.entry.dropped.append((asked.due.owed.key, not_owed))
            return Clearance.NO_LONGER_OWED
        pipeline, owed = self._pipeline, asked.due.owed
        phone = pipeline.county.readdress(owed, asked.at_ms, pipeline.changes)
        if phone is None:
            pipeline.entry.dropped.append((owed.key, "person_left"))
            return Clearance.NO_LONGER_OWED
        if not is_same(phone, owed.phone):
            pipeline.entry.readdressed[asked.due.notification_id] = phone
            return Clearance.ADDRESSED_ANEW
        pipeline.entry.attempts.append(AttemptStarted(asked.due.notification_id, asked.at_ms))
        return Clearance.GRANTED

    def _send_again(self, since_ms: Millis, now_ms: Millis) -> CommandVerdict:
        if not self._resend:
            return NotPossible("nothing is written to InfluxDB: the configuration has no [influxdb]")
        for resend in self._resend:
            resend(since_ms)
        return Done(now_ms, "resending")

    def _command(self, command: EpisodeCommand, now_ms: Millis) -> CommandVerdict:
        county = self._pipeline.county
        self._pipeline.advance(now_ms)
        if command.episode in self._pipeline.ledger.cases:
            return desk_work.answered(command, self._pipeline, now_ms)
        if command.episode not in county.alerts and not self._journal.knows(command.episode):
            return UnknownEpisode()
        if command.verb is EpisodeVerb.FINISH:
            return desk_work.finished(command, self._pipeline, now_ms)
        return obey(command, county, now_ms, self._pipeline.changes)
