"""Whom to tell and when, as data: the shape of ``config/escalation.yaml``.

Only values and their checks; what they mean for an episode is ``escalation``, and how long a text waits is ``holds``.
"""

import re
from copy import deepcopy
from datetime import time
from functools import lru_cache
from typing import Annotated, Any, Final

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, ValidationError

from alerts.model import Severity
from telemetry.reading import Millis
from telemetry.terms import Hours, Role

_SPAN: Final = re.compile(r"(\d+(?:\.\d+)?)(s|min|h)")
_UNIT_MS: Final = {"s": 1_000, "min": 60_000, "h": 3_600_000}
_HOURS: Final = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")
_TIME: Final = re.compile(r"(\d\d):(\d\d)")


class PolicyFault(ValueError):  # noqa: N818 -- a fault in what was written, said in a sentence
    """A rule or escalation file that cannot be used; its text names file, place and remedy."""


def _span(raw: object) -> Millis:
    if raw == 0:
        return 0
    match = _SPAN.fullmatch(str(raw))
    if match is None:
        raise ValueError(f"{raw!r} is not a span: write it like 30min, 4h or 90s")
    return round(float(match[1]) * _UNIT_MS[match[2]])


def _hours(raw: object) -> Hours:
    match = _HOURS.fullmatch(str(raw))
    if match is None:
        raise ValueError(f'{raw!r} is not a span of the day: write it like "06:00-19:00"')
    return Hours(time(int(match[1]), int(match[2])), time(int(match[3]), int(match[4])))


def _time(raw: object) -> time:
    match = _TIME.fullmatch(str(raw))
    if match is None:
        raise ValueError(f'{raw!r} is not a time of day: write it like "17:30"')
    return time(int(match[1]), int(match[2]))


Span = Annotated[Millis, BeforeValidator(_span)]
DayHours = Annotated[Hours, BeforeValidator(_hours)]
DayTime = Annotated[time, BeforeValidator(_time), PlainSerializer(lambda at: f"{at:%H:%M}", when_used="json")]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class StepPolicy(_Section):
    """One step: whom, how long after step 0 left, in which hours, and how much time it allows if none follows."""

    roles: tuple[str, ...] = Field(min_length=1)
    after: Span = 0
    hours: DayHours | None = None
    allow: Span = 0
    missed_rounds: int = 0
    at: DayTime | None = None
    text: str


class Telling(_Section):
    """How much one number is told (alerting.md §4, grouping, budget, storm mode); P1 is apart from all of it."""

    fold_p2: Span = 2 * 60_000
    """How long after a text the next P2 waits, so that they go together."""
    fold_p3: Span = 15 * 60_000
    budget: dict[Span, int] = Field(default={15 * 60_000: 5, 3_600_000: 11, 24 * 3_600_000: 30}, min_length=1)
    """How many texts at most within which time."""
    cap_a_day: int = Field(default=4, ge=1)
    """How many a day for who empties and cleans."""
    over_a_day: int = Field(default=3, ge=0)
    """So many P2 a day, of assets not told of that day, leave at once although the number has had all it may get."""
    over_within: Span = 30 * 60_000
    """More of them gather so long, and leave as one."""
    untold_again: Span = 3_600_000
    """A P1 or P2 whose text no provider took for anybody is told afresh so long after the last was refused."""
    storm_begins: int = Field(default=10, ge=1)
    """More than so many within the window are a storm."""
    storm_ends: int = Field(default=5, ge=1)
    storm_window: Span = 10 * 60_000
    storm_first: Span = 60_000
    storm_budget: tuple[Span, int] = (30 * 60_000, 3)
    outage_share: float = Field(default=0.6, gt=0, le=1)
    """So much of an area fallen silent in one window is an outage; it keeps those concerned in a storm."""
    outage_least: int = Field(default=3, ge=1)
    outage_fresh: float = Field(default=0.5, gt=0, le=1)
    """So much of it speaking again is its end."""
    outage_window: Span = 60 * 60_000


class Policy(_Section):
    """How one rule is told. Without steps it tells nobody."""

    steps: tuple[StepPolicy, ...] = ()
    lead: Span = 0
    """How long after the raise step 0 is due."""
    gather: Span = 0
    """How long a message waits for its like, so that they leave as one text."""
    waits_for_parent: bool = False
    """Whether its messages wait one interval for a cause that explains them."""
    any_hour: bool = False
    """Duty, trial and quiet hours do not hold it."""
    notice: bool = False
    """Its first message is a notice: the house speaks of itself, and there is no case to work off."""
    although_small: bool = False
    """Its P4 are told, too; others of P4 stand in the weekly list alone."""
    together: int = 0
    """Fewer people than this told in step 0 calls the next step at once: nobody is sent to a fire alone."""
    hours: DayHours | None = None
    """When step 0 may leave by day; outside it waits for the morning."""
    roadside_hours: DayHours | None = None
    clock: DayHours | None = None
    """The hours of the day that offsets count."""
    night_from_m3d: float | None = None
    """From this design on the night does not hold it."""
    repeats: tuple[Span, ...] = ()
    cleared_text: str = ""
    """The closing word; of a level that an emptying ends, only where the emptying was seen."""
    receded_text: str = "overflow_receded"
    """The closing word where a level fell by itself, and the bin is to be emptied all the same."""
    below_text: str = "overflow_over"
    """The same where it fell below the line."""
    refuted_text: str = ""
    """The closing word where what it was raised by is known to be broken; empty: as any other end."""
    waits_for_round: bool = False
    """Whether a step leaves a bin to a round of its own that runs or is near."""
    round_last: Span = 0
    """How long before that round's end it is told where the bin has priority or stands beside a road."""
    rounds: tuple[StepPolicy, ...] = ()
    """The steps for a bin that has collection rounds."""

    def tells(self, severity: Severity) -> bool:
        """Whether anybody is told of an episode that matters so much."""
        return bool(self.steps) and (self.although_small or severity is not Severity.P4)


class CaseRule(_Section):
    """What a rule asks of a case: its words, its standard, how much time it gives, and what a sensor sees of it."""

    says: str = Field(min_length=1, max_length=14)
    standard: str = ""
    within: Span
    hours: DayHours | None = None
    """The hours of the day that its time counts."""
    seen: tuple[str, ...] = ()
    """The emptyings and the ends of episodes by which a sensor sees that it is done; without any a person looks."""
    of_silence: bool = False
    """The matter is that no data come, so that a silent sensor proves nothing."""


class LedgerPolicy(_Section):
    """The ledger: how long what may take, and who is above whom."""

    told: DayHours = Hours(time(7), time(19))
    given_within: Span = 14_400_000
    """So long at most what somebody reported may be nobody's before a dispatcher hears of it."""
    close_after: Span = 604_800_000
    recurs_within: Span = 604_800_000
    verify_within: Span = 86_400_000
    overdue_every: Span = 86_400_000
    longest_deferral: Span = 7_776_000_000
    ladder: tuple[Role, ...] = (Role.VILLAGE_HEAD, Role.TOWN_LEADER, Role.DISPATCHER)
    plant_ladder: tuple[Role, ...] = (Role.DISPATCHER, Role.TOWN_LEADER)
    rules: dict[str, CaseRule] = Field(default_factory=dict)

    def of(self, rule: str) -> CaseRule:
        """What a rule asks; one that is not named gives a day (立行立改)."""
        return self.rules.get(rule) or CaseRule.model_validate({"says": rule[:14], "within": "24h"})


class MaintenancePolicy(_Section):
    """Windows of work: who may declare one for what is in their area, and how long it may last at most."""

    declared_by: tuple[Role, ...] = (Role.DISPATCHER, Role.TOWN_LEADER)
    longest: Span = Field(default=720 * 3_600_000, gt=0)


class Policies(_Section):
    """The whole escalation file."""

    quiet: DayHours
    morning: DayTime
    round_grace: Span
    round_notice: Span
    at_once: DayHours
    trial: Span
    parent_least: Span
    parent_most: Span
    telling: Telling = Telling()
    lists: dict[str, DayTime] = Field(default_factory=dict)
    """When which list is made; one that is not named is not made."""
    ack_timeout: dict[str, Span] = Field(default={"P1": 30 * 60_000, "P2": 4 * 3_600_000, "P3": 24 * 3_600_000})
    """How long an acknowledgement holds while it still stands (T10)."""
    shelf: dict[str, Span] = Field(default={"cleaner": 8 * 3_600_000, "dispatcher": 24 * 3_600_000})
    """How long a role may keep an episode quiet (T13); one that is not named as long as a cleaner."""
    rules: dict[str, Policy]
    ledger: LedgerPolicy = LedgerPolicy()
    maintenance: MaintenancePolicy = MaintenancePolicy()

    def of(self, rule: str) -> Policy:
        """The policy of a rule; one that is not named tells nobody."""
        return self.rules.get(rule, _SILENT)


_SILENT: Final = Policy()


def load(text: str, name: str) -> Policies:
    """Reads an escalation file; raises ``PolicyFault`` naming file, place and remedy."""
    try:
        return Policies.model_validate(document(text, name))
    except ValidationError as error:
        raise fault(name, error) from error


def document(text: str, name: str) -> dict[str, Any]:
    """A YAML mapping from a policy file; raises ``PolicyFault``."""
    try:
        raw = _yaml(text)
    except yaml.YAMLError as error:
        raise PolicyFault(f"{name}: not YAML: {error}") from error
    if not isinstance(raw, dict):
        raise PolicyFault(f"{name}: must be a mapping at its top level")
    return deepcopy(raw)  # whoever reads it may take it apart


@lru_cache(maxsize=8)
def _yaml(text: str) -> object:
    """Reading takes longer than all the rest of a start, and laws and scenarios start a county thousands of times."""
    return yaml.safe_load(text)


def fault(name: str, error: ValidationError) -> PolicyFault:
    """The first thing wrong, with its place."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    remedy = "no such key; remove it or mend its spelling" if first["type"] == "extra_forbidden" else first["msg"]
    return PolicyFault(f"{name}: {where}: {remedy}")
