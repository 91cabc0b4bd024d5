"""请假, done on the loop's thread: an absence written down or ended, kept over a restart, and who stands in asked once.

It joins absences, county and entry, and decides nothing: what is possible is ``alerts.operations.absences``.
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Self

from msgspec import Struct

from alerts.calendars import iso
from alerts.model import Actor, Refused
from alerts.notify.replies import StandingIn
from alerts.operations.absences import Absence
from gateway.commands.command import Context, Done, PersonalCommand, SignedCommand
from gateway.commands.fields import ID, CommandRoute, CommandWords, MomentField, TextField
from gateway.pipeline import Pipeline
from telemetry.reading import Millis

ABSENCES: Final = "absences"
"""The small mark that keeps them over a restart."""
ADDED: Final = "absence_added"


class AbsenceDone(Done, frozen=True):
    """It is written down, or ended."""

    absence: Absence


class AbsenceList(Struct, frozen=True):
    """Who is away or will be, and the areas, by id, with a bin that nobody empties at ``at_ms``."""

    at_ms: Millis
    absences: tuple[Absence, ...]
    uncovered: tuple[str, ...]


class RecordAbsence(SignedCommand[AbsenceDone], frozen=True, kw_only=True):
    """请假: a person is away; texts to them go to who stands in (by default the inventory's)."""

    person: str
    until_ms: Millis
    from_ms: Millis = 0
    stand_in: str = ""
    reason: str = ""

    @property
    def named(self) -> tuple[str, ...]:
        """Who asks, and who is away."""
        return (self.by, self.person)

    def carry_out(self, context: Context, now_ms: Millis) -> AbsenceDone | Refused:
        """Who stands in is asked by SMS."""
        wanted = Absence(
            id="",
            person=self.person,
            stand_in=self.stand_in,
            from_ms=self.from_ms,
            until_ms=self.until_ms,
            reason=self.reason,
            by=self.by,
        )
        return _settle(context.pipeline.absences.add(wanted, now_ms), ADDED, self.actor, context.pipeline, now_ms)


class EndAbsence(SignedCommand[AbsenceDone], frozen=True, kw_only=True):
    """An absence is cancelled, or over before its time."""

    absence: str

    def carry_out(self, context: Context, now_ms: Millis) -> AbsenceDone | Refused:
        """Nobody is told."""
        ended = context.pipeline.absences.end(self.absence, now_ms)
        return _settle(ended, "absence_ended", self.actor, context.pipeline, now_ms)


class ListAbsences(PersonalCommand[AbsenceList], frozen=True):
    """Which absences are not over, and which villages nobody empties now."""

    def act(self, context: Context, now_ms: Millis) -> AbsenceList:
        """Nothing is changed by it."""
        absences = context.pipeline.absences
        return AbsenceList(now_ms, absences.list_current(now_ms), absences.uncovered(now_ms))


def _settle(
    found: Absence | Refused, event: str, actor: Actor, pipeline: Pipeline, now_ms: Millis
) -> AbsenceDone | Refused:
    """Its row for the audit, the text to who stands in, and the mark."""
    if isinstance(found, Refused):
        return found
    county, changes, writer = pipeline.county, pipeline.changes, StandingIn(pipeline.county.message_writer)
    pipeline.say(writer.row(event, found, actor, now_ms))
    if event == ADDED:
        county.post([writer.asked(found, now_ms, pipeline.by_day(now_ms))], changes)
    county.arrange(now_ms, changes)
    pipeline.keep(ABSENCES, pipeline.absences.list_current(now_ms))
    return AbsenceDone(now_ms, event, found)


@dataclass(frozen=True)
class AbsenceBody:
    """An absence as it is kept; times in ISO 8601 UTC."""

    absence: str
    person: str
    stand_in: str
    begins: str
    ends: str
    reason: str
    by: str

    @classmethod
    def of(cls, said: AbsenceDone | Absence) -> Self:
        """That one, or the one that was written down or ended."""
        kept = said.absence if isinstance(said, AbsenceDone) else said
        begins, ends = iso(kept.from_ms), iso(kept.until_ms)
        return cls(kept.id, kept.person, kept.stand_in, begins, ends, kept.reason, kept.by)


@dataclass(frozen=True)
class RosterBody:
    """Who is away or will be, and the areas with a bin that nobody empties now."""

    at: str
    absences: list[AbsenceBody]
    uncovered: list[str]

    @classmethod
    def of(cls, said: AbsenceList) -> Self:
        """As the loop listed them."""
        return cls(iso(said.at_ms), [AbsenceBody.of(each) for each in said.absences], [*said.uncovered])


COMMANDS: Final = (
    CommandRoute(
        ListAbsences,
        "/api/v1/absences",
        "roster",
        "Absences that are not over, what begins first first.",
        method="GET",
        place=20,
        answer=RosterBody,
    ),
    CommandRoute(
        RecordAbsence,
        "/api/v1/absences",
        "add",
        "请假: answers when it is durable; who stands in is asked by SMS.",
        "AwayBody",
        """Who is away, from when to when (ISO 8601 with its zone), who stands in; ``by`` writes it down.

Without ``begins`` from now on; without ``stand_in`` the one whom the inventory names.""",
        {
            "person": ID,
            "ends": MomentField("until_ms"),
            "by": ID,
            "begins": MomentField("from_ms"),
            "stand_in": TextField(64),
            "reason": TextField(200, strip=True),
        },
        status=HTTPStatus.CREATED,
        stranger="the inventory has no person {by} or {person}: name their ids",
        place=20,
        answer=AbsenceBody,
    ),
    CommandRoute(
        EndAbsence,
        "/api/v1/absences/end",
        "end",
        "销假: from now on texts go to the person again; answers when it is durable.",
        "BackBody",
        "Which absence ends now, or does not begin at all; ``by`` says so.",
        {"absence": TextField(200, 1), "by": ID},
        stranger="the inventory has no person {by}: name their ids",
        place=20,
        answer=AbsenceBody,
    ),
)

_AWAY: Final = ("away", "请假")
"""How the audit of the desk calls both."""
WORDS: Final = (
    CommandWords(RecordAbsence, _AWAY, {ADDED: ("请假", "已记下请假，短信改发代班人，并问了能不能去")}),
    CommandWords(EndAbsence, _AWAY, {"absence_ended": ("销假", "已销假，短信照常发给本人")}),
)
