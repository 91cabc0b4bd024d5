"""请假, done on the loop's thread: an absence written down or ended, kept over a restart, and who stands in asked once.

It joins absences, county and entry, and decides nothing: what is possible is ``alerts.operations.absences``.
"""

from typing import Final, TypeAlias

import msgspec
from msgspec import Struct

from alerts.notify.replies import StandingIn
from alerts.operations.absences import Absence
from alerts.refusals import Refused
from gateway.commands.command import Context, NotPossible, PersonalCommand, SignedCommand, UnknownPerson
from gateway.pipeline import Pipeline
from telemetry.reading import Millis

ABSENCES: Final = "absences"
"""The small mark that keeps them over a restart."""


class AbsenceDone(Struct, frozen=True):
    """It is written down, or ended, and durable since ``at_ms``."""

    at_ms: Millis
    event: str
    absence: Absence


class AbsenceList(Struct, frozen=True):
    """Who is away or will be, and the areas, by id, with a bin that nobody empties at ``at_ms``."""

    at_ms: Millis
    absences: tuple[Absence, ...]
    uncovered: tuple[str, ...]


AbsenceVerdict: TypeAlias = AbsenceDone | UnknownPerson | NotPossible


class RecordAbsence(SignedCommand[AbsenceVerdict], frozen=True, kw_only=True):
    """请假: a person is away; texts to them go to who stands in (by default the inventory's)."""

    person: str
    from_ms: Millis
    until_ms: Millis
    stand_in: str = ""
    reason: str = ""

    def act(self, context: Context, now_ms: Millis) -> AbsenceVerdict:
        """See ``arrange``."""
        return arrange(self, context.pipeline, now_ms)


class EndAbsence(SignedCommand[AbsenceVerdict], frozen=True, kw_only=True):
    """An absence is cancelled, or over before its time."""

    absence: str

    def act(self, context: Context, now_ms: Millis) -> AbsenceVerdict:
        """See ``arrange``."""
        return arrange(self, context.pipeline, now_ms)


class ListAbsences(PersonalCommand[AbsenceList], frozen=True):
    """Which absences are not over, and which villages nobody empties now."""

    def act(self, context: Context, now_ms: Millis) -> AbsenceList:
        """Nothing is changed by it."""
        absences = context.pipeline.absences
        return AbsenceList(now_ms, absences.list_current(now_ms), absences.uncovered(now_ms))


def arrange(wish: RecordAbsence | EndAbsence, pipeline: Pipeline, now_ms: Millis) -> AbsenceVerdict:
    """The verdict on a wish, to hand back once it is durable."""
    absences, people = pipeline.absences, pipeline.county.inventory.people
    writer = StandingIn(pipeline.county.message_writer)
    named = [wish.by, *((wish.person,) if isinstance(wish, RecordAbsence) else ())]
    if not all(each in people for each in named):
        return UnknownPerson()
    if isinstance(wish, EndAbsence):
        found = absences.end(wish.absence, now_ms)
    else:
        wanted = Absence(
            id="",
            person=wish.person,
            stand_in=wish.stand_in,
            from_ms=wish.from_ms,
            until_ms=wish.until_ms,
            reason=wish.reason,
            by=wish.by,
        )
        found = absences.add(wanted, now_ms)
    if isinstance(found, Refused):
        return NotPossible(found.sentence, found.why)
    event = "absence_ended" if isinstance(wish, EndAbsence) else "absence_added"
    pipeline.changes.log.append(writer.row(event, found, wish.actor, now_ms))
    if isinstance(wish, RecordAbsence):
        pipeline.county.post([writer.asked(found, now_ms, pipeline.by_day(now_ms))], pipeline.changes)
    pipeline.county.arrange(now_ms, pipeline.changes)
    pipeline.entry.meta[ABSENCES] = encode_current(pipeline, now_ms)
    return AbsenceDone(now_ms, event, found)


def encode_current(pipeline: Pipeline, now_ms: Millis) -> str:
    """Those that are not over, as the mark keeps them."""
    return msgspec.json.encode(pipeline.absences.list_current(now_ms)).decode()


def restore(pipeline: Pipeline, mark: str | None) -> None:
    """Takes them over at a start."""
    if mark:
        pipeline.absences.restore(msgspec.json.decode(mark, type=list[Absence]))
