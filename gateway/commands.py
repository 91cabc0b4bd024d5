"""What the rim asks of the loop through the inbox, and what the loop answers once it is durable.

Values only; who decides them is ``pipeline.py``, who asks for them is the desk's API and the timer.
"""

from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct

from alerts.conditions.thresholds import Place, Value
from alerts.episodes.forecast import Foreseen
from alerts.episodes.maintenance import Declared, Wish
from alerts.ledger.asking import CaseCommand, Register
from alerts.ledger.case import Case
from alerts.notify.holds import TrialKind
from alerts.operations.absences import Absence
from alerts.operations.extra_rounds import ExtraRound
from telemetry.reading import Millis

__all__ = [
    "AbsenceDone",
    "AbsenceList",
    "AbsenceVerdict",
    "Away",
    "Back",
    "CalledBack",
    "Case",
    "CaseCommand",
    "CaseDone",
    "CaseVerdict",
    "CommandVerdict",
    "Declare",
    "Declared",
    "Done",
    "EndTrial",
    "EpisodeCommand",
    "EpisodeVerb",
    "Extra",
    "ExtraDone",
    "ExtraList",
    "ExtraVerdict",
    "Foresee",
    "Foreseen",
    "LookAgain",
    "NoExtra",
    "NotDurable",
    "NotPossible",
    "Register",
    "Resend",
    "SetFigure",
    "Tick",
    "TrialKind",
    "UnknownCase",
    "UnknownEpisode",
    "UnknownPerson",
    "WhichExtras",
    "WhichWindows",
    "WhoIsAway",
    "WindowVerdict",
    "Wish",
    "Withdraw",
]


class EpisodeVerb(StrEnum):
    """What a person may ask about an episode."""

    ACK = "ack"
    """Seen: the chain stops (T9)."""
    RESET = "reset"
    """Looked at: a latched fire is over (T12)."""
    SHELVE = "shelve"
    """Quiet until ``until_ms``, for a ``reason`` (T13)."""
    UNSHELVE = "unshelve"
    DISPATCH = "dispatch"
    """Told now to whoever is due first, or to the person ``to``: 派 and 改派."""
    NOTE = "note"
    """A line in its story, in ``reason`` (备注)."""
    FINISH = "finish"
    """Its case is done, ``reason`` says how (办结); closed only when that was seen. A fire is reset by it."""
    DOUBT = "doubt"
    """It is not so, for a ``reason`` (误报): the chain stops and the sensor is to be checked."""


class EpisodeCommand(Struct, frozen=True, kw_only=True):
    """A person, named by their inventory id in ``by``, asks something about an episode.

    ``channel`` says by what way they asked (``desk``, ``cli``, ``sms``, ``api``), ``origin`` from where, for the audit.
    ``looked`` names who has been at a fire and looked, when it is said to be over; who resets one and names nobody has
    looked themselves.
    """

    verb: EpisodeVerb
    episode: str
    by: str
    channel: str = "desk"
    origin: str = ""
    to: str = ""
    reason: str = ""
    until_ms: Millis = 0
    looked: str = ""


class EndTrial(Struct, frozen=True, kw_only=True):
    """转正式: the trial of an area, an asset or a device is over, and its alerts are told from now on."""

    kind: TrialKind
    name: str
    by: str
    channel: str = "desk"
    origin: str = ""


class LookAgain(Struct, frozen=True, kw_only=True):
    """What was refused for a reason is put through the line once more: what refused it has been mended."""

    reason: str
    by: str
    channel: str = "desk"
    origin: str = ""


class SetFigure(Struct, frozen=True, kw_only=True):
    """A figure of a rule is another for an area and all below it, or for an asset; without a value, the file's again.

    ``channel`` and ``origin`` are as in ``EpisodeCommand``.
    """

    place: Place
    name: str
    rule: str
    figure: str
    value: Value | None
    by: str
    reason: str
    channel: str = "desk"
    origin: str = ""


class Declare(Struct, frozen=True, kw_only=True):
    """A person says that something is worked on, or that its power will be cut; answered with ``Declared``."""

    wish: Wish
    by: str
    channel: str = "desk"
    origin: str = ""


class Withdraw(Struct, frozen=True, kw_only=True):
    """A person ends such a window, or takes it back before it began; answered with what it was."""

    window: str
    by: str
    channel: str = "desk"
    origin: str = ""


class WhichWindows(Struct, frozen=True):
    """Which windows stand? Answered with a tuple of ``Declared``."""


class Resend(Struct, frozen=True):
    """What came since then is to be written to InfluxDB again."""

    since_ms: Millis


class CalledBack(Struct, frozen=True, kw_only=True):
    """已回电: a person has called somebody who asked for it; ``caller`` is their id in the list of those who wait."""

    caller: str
    by: str
    channel: str = "desk"
    origin: str = ""


class Away(Struct, frozen=True, kw_only=True):
    """请假: a person is away; texts to them go to who stands in (by default the inventory's)."""

    person: str
    from_ms: Millis
    until_ms: Millis
    by: str
    stand_in: str = ""
    reason: str = ""
    channel: str = "desk"
    origin: str = ""


class Back(Struct, frozen=True, kw_only=True):
    """An absence is cancelled, or over before its time."""

    absence: str
    by: str
    channel: str = "desk"
    origin: str = ""


class WhoIsAway(Struct, frozen=True):
    """Which absences are not over, and which villages nobody empties now."""


class Extra(Struct, frozen=True, kw_only=True):
    """加收: an extra round for a village or a bin."""

    place: str
    from_ms: Millis
    until_ms: Millis
    by: str
    reason: str = ""
    channel: str = "desk"
    origin: str = ""


class NoExtra(Struct, frozen=True, kw_only=True):
    """An extra round is cancelled."""

    extra: str
    by: str
    channel: str = "desk"
    origin: str = ""


class WhichExtras(Struct, frozen=True):
    """Which extra rounds there are."""


class Foresee(Struct, frozen=True, kw_only=True):
    """Who would be told, and when, if a rule stood on an asset from ``at_ms`` on? Answered with ``Foreseen``."""

    rule: str
    asset: str
    at_ms: Millis


class Tick(Struct, frozen=True):
    """The alarm clock rang for ``due_ms``; a tick too many changes nothing (law L4)."""

    due_ms: Millis


class Done(Struct, frozen=True):
    """The command took effect at ``at_ms`` and is durable; ``event`` names what it became (``acked``, ``reset``)."""

    at_ms: Millis
    event: str


class UnknownEpisode(Struct, frozen=True):
    """Nobody knows the episode."""


class UnknownPerson(Struct, frozen=True):
    """The inventory has no such person."""


class NotPossible(Struct, frozen=True):
    """The episode does not allow it now (a reset while it still burns); ``reason`` is a sentence for a person.

    ``why`` is its name where it has one, for whoever says it in other words.
    """

    reason: str
    why: str = ""


class NotDurable(Struct, frozen=True):
    """The journal could not take it; nothing happened. ``reason`` is a sentence for a person."""

    reason: str


class CaseDone(Struct, frozen=True):
    """It is in the ledger and durable since ``at_ms``: the case as it stands now."""

    at_ms: Millis
    case: Case


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


class ExtraDone(Struct, frozen=True):
    """It is ordered, or cancelled, and durable since ``at_ms``."""

    at_ms: Millis
    event: str
    extra: ExtraRound


class ExtraList(Struct, frozen=True):
    """The extra rounds that are not over for long."""

    at_ms: Millis
    extras: tuple[ExtraRound, ...]


class UnknownCase(Struct, frozen=True):
    """The ledger has no such case, or has settled it."""

    settled: bool


CommandVerdict: TypeAlias = Done | UnknownEpisode | UnknownPerson | NotPossible | NotDurable
AbsenceVerdict: TypeAlias = AbsenceDone | UnknownPerson | NotPossible | NotDurable
ExtraVerdict: TypeAlias = ExtraDone | UnknownPerson | NotPossible | NotDurable
CaseVerdict: TypeAlias = CaseDone | UnknownCase | UnknownPerson | NotPossible | NotDurable
WindowVerdict: TypeAlias = Declared | tuple[Declared, ...] | UnknownPerson | NotPossible | NotDurable
