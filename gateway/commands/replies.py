"""What comes back by telephone, on its way into the county: receipts to rows, answers to the commands they stand for.

Called by the loop alone, inside its transaction. What an answer means is
``alerts.answers`` and ``alerts.notify.replies``.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Final, Protocol

import msgspec
from msgspec.structs import replace as replaced

from alerts.alert import Alert
from alerts.answers import (
    DIGITS,
    UNCLEAR_EVERY_MS,
    WITHIN_MS,
    Asked,
    Meaning,
    Receipt,
    Reply,
    find_asked,
    network_ms,
    phrase,
    understand,
)
from alerts.channels import Outcome
from alerts.delivery.delivery import NO_RECEIPT, Due, Lapse
from alerts.episodes.responses import Responses
from alerts.ledger.case import UNFINISHED, CaseCommand, CaseVerb, Refusal
from alerts.model import Event, Log
from alerts.notify.replies import ABOUT, UNCLEAR, Claim, Replies, StandingIn, is_due, sampled, standing
from alerts.operations.absences import Absence
from alerts.undo import UndoDict
from gateway.commands import callers
from gateway.commands.episodes import EpisodeCommand, EpisodeVerb, obey
from gateway.commands.numbers import NumberRecord, UnreachableNumbers
from gateway.journal.entry import Answered, Unreceipted
from gateway.pipeline import Pipeline
from telemetry.phone import is_mobile, is_same
from telemetry.reading import Millis, Reading

CLAIMS: Final = "claims"
"""The small mark that keeps what was claimed over a restart."""


class Memoir(Protocol):
    """What the journal remembers of a number."""

    def is_answered(self, channel: str, number: str) -> bool:
        """Whether this reply was dealt with before."""

    def told(self, phone: str, since_ms: Millis) -> list[Asked]:
        """What a number was told since then, the newest first."""

    def ended(self, episode: str) -> tuple[str, Millis] | None:
        """What an episode that is over was about, and when it ended."""


class Remembered(Memoir, NumberRecord, Protocol):
    """All of it."""


class InboundSms:
    """One ear for all channels."""

    def __init__(self, pipeline: Pipeline, memoir: Remembered, kept_claims: str | None = None) -> None:
        self._pipeline = pipeline
        self._memoir = memoir
        self._replies = Replies(pipeline.county.message_writer, pipeline.county.schedule, pipeline.absences)
        self._numbers = UnreachableNumbers(pipeline, memoir)
        kept = msgspec.json.decode(kept_claims, type=list[Claim]) if kept_claims else []
        self._claims = UndoDict(pipeline.undo, {claim.asset: claim for claim in kept})
        pipeline.follow_claims(self._claims, self.sampled)

    def heard(self, receipts: tuple[Receipt, ...], replies: tuple[Reply, ...], now_ms: Millis) -> None:
        """What a channel has collected, or a provider pushed."""
        self.receipts(receipts, now_ms)
        for said in replies:
            self._pipeline.barrier.attempt(partial(self.reply, said, now_ms), lambda _: None, "a reply")

    def receipts(self, said: tuple[Receipt, ...], now_ms: Millis) -> None:
        """Receipts, repeated and in any order."""
        self._pipeline.entry.receipts.extend(said)
        self._numbers.receipts(said, now_ms)

    def lapsed(self, due: Due, lapse: Lapse, at_ms: Millis) -> None:
        """A receipt did not come: what the courier lapse, and the next person where a fire waits."""
        entry = self._pipeline.entry
        reason = str((lapse.events[0].detail or {}).get("reason", "")) if lapse.events else ""
        entry.unreceipted.append(Unreceipted(due.notification_id, at_ms, reason, lapse.via, lapse.receipt_due_ms))
        entry.events += lapse.events
        self._numbers.lapsed(due, lapse, at_ms)
        if lapse.hurry:
            for episode in _subjects(due.owed.episode, due.owed.covers):
                self._hurry(episode, NO_RECEIPT, at_ms)

    def ended(self, notification_id: int, outcome: Outcome, event: Event | None, at_ms: Millis) -> None:
        """A try ended. Where it was the last, or a limit keeps it for long, the next person hears at once."""
        self._numbers.ended(notification_id, outcome, event, at_ms)
        if event is None:
            return
        said = event.detail or {}
        covers = said.get("covers")
        is_untold = event.event == "undelivered" and not said.get("call")  # a call comes beside a text
        if is_untold:
            self._pipeline.county.forget_text(str(said["phone"]), str(said["key"]), at_ms, self._pipeline.changes)
        for episode in _subjects(event.episode, covers if isinstance(covers, list) else ()):
            self._hurry(episode, event.event, at_ms, unreached=str(said["to"]) if is_untold else "")

    def look(self, now_ms: Millis) -> None:
        """Each minute: numbers that texts do not reach."""
        self._numbers.look(now_ms)

    def _hurry(self, episode: str, reason: str, at_ms: Millis, unreached: str = "") -> None:
        def hurry(hands: Responses, alert: Alert, _: object, log: Log) -> Alert:
            return hands.hurry(alert, reason, at_ms, log, unreached)

        if self._pipeline.county.is_open(episode):
            self._pipeline.respond(episode, hurry, at_ms)

    def reply(self, said: Reply, now_ms: Millis) -> None:
        """What somebody wrote: kept whatever it is, and done if it is understood."""
        entry = self._pipeline.entry
        again = any((kept.reply.channel, kept.reply.number) == (said.channel, said.number) for kept in entry.answers)
        if again or self._memoir.is_answered(said.channel, said.number):
            return
        written_ms = network_ms(said.at_ms, now_ms)
        told = self._memoir.told(said.phone, written_ms - WITHIN_MS)
        understood = understand(said.text)
        meaning = understood.meaning
        asked = None if meaning is Meaning.UNCLEAR else find_asked(understood, told, written_ms, self._stands)
        if asked is None:
            people = self._pipeline.inventory.reached_at(said.phone)
            person = people[0].id if people else ""
            is_call = meaning is Meaning.CALLBACK and not understood.code
            entry.answers.append(Answered(said, meaning if is_call else Meaning.UNCLEAR, person))
            if is_call:  # about nothing
                callers.ask(said, person, (), self._pipeline, now_ms)
            else:
                self._say_so(person, said.phone, told, now_ms)
            return
        about = next(iter(self._standing(asked)), asked.episode) if len(asked.episodes) == 1 else asked.episode
        entry.answers.append(Answered(said, meaning, asked.person, about))
        if meaning is Meaning.CALLBACK:
            callers.ask(said, asked.person, asked.episodes, self._pipeline, now_ms)
        for deed in self._deeds(asked, meaning, now_ms):  # each for itself: the answer is kept, and told once
            self._pipeline.barrier.attempt(deed, lambda _: None, f"an answer about {asked.episode}")

    def _standing(self, asked: Asked) -> list[str]:
        """The episodes of a text that are not over."""
        return [each for each in asked.episodes if self._pipeline.county.is_open(each)]

    def _stands(self, asked: Asked) -> bool:
        """Whether what a text is about is not over."""
        if self._standing(asked) or self._pipeline.absences.get(asked.episode) is not None:
            return True
        case = self._pipeline.ledger.cases.get(asked.episode)
        return case is not None and case.state in UNFINISHED

    def _deeds(self, asked: Asked, meaning: Meaning, now_ms: Millis) -> Iterator[Callable[[], None]]:
        """What follows from an answer, each for itself. Of what was about no case nothing does."""
        absence, alerts = self._pipeline.absences.get(asked.episode), self._pipeline.county.alerts
        standing = self._standing(asked)
        if absence is not None:
            yield partial(self._stand_in, absence, asked, meaning, now_ms)
        elif asked.episode in self._pipeline.ledger.cases:
            yield partial(self._work_off, asked, meaning, now_ms)
        elif not standing:
            yield partial(self._say_over, asked, now_ms)
        elif meaning is Meaning.DECLINED and len(standing) > 1:
            yield partial(self._decline_all, [alerts[each] for each in standing], asked, now_ms)
        else:
            for number, episode in enumerate(standing):
                yield partial(self._do, replace(asked, episode=episode), meaning, now_ms, is_first=number == 0)

    def _stand_in(self, absence: Absence, asked: Asked, meaning: Meaning, now_ms: Millis) -> None:
        """Whoever was asked to stand in says so, or not."""
        county, absences = self._pipeline.county, self._pipeline.absences
        said = StandingIn(county.message_writer).hear_answer(absence, asked.person, meaning, now_ms, absences)
        county.post(said, self._pipeline.changes)

    def _work_off(self, asked: Asked, meaning: Meaning, now_ms: Millis) -> None:
        """1 to a text of the ledger: they say that it is done; anything else is a line in its history."""
        ledger = self._pipeline.ledger
        case, digit = ledger.cases[asked.episode], next(key for key, each in DIGITS.items() if each is meaning)
        said = CaseCommand(verb=CaseVerb.NOTE, case=case.id, by=asked.person, channel="sms", reason=f"短信回{digit}")
        if case.state not in UNFINISHED and case.asset in self._pipeline.inventory.assets:
            self._pipeline.say(*self._replies.over(asked, {case.asset: case.verified_ms or now_ms}, now_ms))
        done = ledger.act(replaced(said, verb=CaseVerb.FIX), now_ms) if meaning is Meaning.DONE else None
        if done is None or isinstance(done, Refusal):
            ledger.act(said, now_ms)

    def _say_over(self, asked: Asked, now_ms: Millis) -> None:
        """What they answer is over: they hear since when, so that nobody goes for nothing."""
        message_writer = self._pipeline.county.message_writer
        ended = [found for each in asked.episodes if (found := self._ended(each)) is not None]
        over = {
            asset: at_ms for asset, at_ms in ended if message_writer.inventory.knows(asset)
        }  # what is retired is not over
        if over and asked.person in message_writer.inventory.people:
            self._pipeline.say(*self._replies.over(asked, over, now_ms))

    def _ended(self, episode: str) -> tuple[str, Millis] | None:
        """What an episode that is over was about and when it ended; one that ended just now is in no journal yet."""
        alert = self._pipeline.changes.alerts.get(episode) or self._pipeline.county.alerts.get(episode)
        return self._memoir.ended(episode) if alert is None else (alert.asset, alert.closed_ms)

    def _decline_all(self, alerts: list[Alert], asked: Asked, now_ms: Millis) -> None:
        """Nobody goes for what one text named: others hear of it in one text as well."""
        self._pipeline.say(*self._replies.declined_all(alerts, asked, now_ms))

    def _do(self, asked: Asked, meaning: Meaning, now_ms: Millis, *, is_first: bool) -> None:
        """What follows from an answer about one episode; of several in one text only the first tells others."""
        pipeline, county = self._pipeline, self._pipeline.county
        alert = county.alerts[asked.episode]
        said = self._replies.hear_answer(alert, asked, meaning, county.memory(alert.asset), now_ms)
        pipeline.say(*(each for each in said if is_first or isinstance(each, Event)))
        words = phrase(asked.text) if meaning is Meaning.DOUBTED else ""
        if words or (alert.doubts and meaning is Meaning.DONE):
            by = asked.person
            pipeline.respond(asked.episode, lambda hands, each, _, __: hands.contradict(each, by, words), now_ms)
        if meaning is Meaning.DONE:
            obey(
                EpisodeCommand(verb=EpisodeVerb.ACK, episode=asked.episode, by=asked.person, channel="sms"),
                county,
                now_ms,
                pipeline.changes,
            )
            if alert.rule in ABOUT and not alert.closed_ms:
                self._claims[alert.asset] = Claim(alert.asset, alert.episode, asked.person, now_ms)
                self._keep_claims(now_ms)

    def sampled(self, reading: Reading) -> None:
        """A usable sample of a bin about which somebody said that it is done."""
        now_ms, county = reading.received_ms, self._pipeline.county
        claim = sampled(self._claims[reading.asset], reading.observed_ms)
        alert = county.alerts.get(claim.episode)
        if alert is None or alert.closed_ms or is_due(claim):
            del self._claims[reading.asset]
            if alert is not None and not alert.closed_ms and not alert.recovering:
                memory = county.memory(claim.asset)
                self._pipeline.say(*self._replies.unseen(claim, alert, memory, now_ms))
        else:
            self._claims[reading.asset] = claim
        self._keep_claims(now_ms)

    def _keep_claims(self, now_ms: Millis) -> None:
        kept = standing(self._claims.values(), now_ms)
        for asset in self._claims.keys() - {claim.asset for claim in kept}:
            del self._claims[asset]
        self._pipeline.keep(CLAIMS, kept)

    def _say_so(self, person: str, phone: str, told: list[Asked], now_ms: Millis) -> None:
        """At most once an hour a number, and to nothing that is no mobile phone: machines would answer for ever."""
        waiting = [owed for owed in self._pipeline.changes.log if getattr(owed, "template", "") == UNCLEAR]
        lately = any(asked.template == UNCLEAR and asked.at_ms > now_ms - UNCLEAR_EVERY_MS for asked in told)
        if lately or any(is_same(owed.phone, phone) for owed in waiting if hasattr(owed, "phone")):
            return
        if is_mobile(phone):
            self._pipeline.say(self._replies.unclear(person, phone, now_ms))


def _subjects(episode: str, covers: Iterable[str]) -> Iterable[str]:
    """Every episode that a text speaks of, each once."""
    return dict.fromkeys((episode, *covers))
