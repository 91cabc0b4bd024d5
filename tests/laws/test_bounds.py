"""Within its bound somebody who can act is told of whatever P1 or P2 stands: at every quarter of an hour of a week.

``Pipeline.foresee`` is swept over rules, assets, rosters and absences against the bounds of alerting.md §4, which stand
here a second time, by hand; and seeded cells are lived through the real pipeline, which must tell the same person then.
"""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import time
from functools import cache
from typing import Final, NamedTuple

import pytest

from alerts.episodes.rehearsal import Foreseen
from alerts.model import URGENT, Owed
from alerts.operations.absences import Absence
from alerts.people import EMPTIER, holders
from gateway import shipped, start
from gateway.pipeline import Pipeline
from gateway.replay import Memory
from telemetry.inventory import Asset, Duty, Inventory, Person
from telemetry.reading import Millis, Sample, Values
from telemetry.terms import Hours, Role
from telemetry.wire import Uplink
from tests.bounds import bound_ms, local, waited_for_ms
from tests.strategies import wire_bytes, wire_form
from tests.telling_county import COUNTY, DAY, HOUR, MINUTE

MONDAY: Final = 1_795_363_200_000
"""2026-11-23 00:00 in the county."""
QUARTER: Final = 15 * MINUTE
OFFICE: Final = Hours(time(8), time(18))
ASSETS: Final = ("pool", "road", "round", "plant", "works")
ABSENT: Final = (("cleaner", "shared"), ("crew", "office"), ("office", "leader"))
"""Each of the three is away on some days of the week, with who stands in."""


class Roster(NamedTuple):
    """Who has duty when."""

    name: str
    inventory: Inventory
    away: bool


def _in_office_hours(person: Person) -> Person:
    """Crews and dispatchers have duty while the office is open, and nobody else changes."""
    duties = tuple(
        replace(duty, hours=OFFICE) if duty.role in {Role.CREW, Role.DISPATCHER} else duty for duty in person.duties
    )
    return replace(person, duties=duties)


def _all_in_office_hours(person: Person) -> Person:
    return replace(person, duties=tuple(replace(duty, hours=OFFICE) for duty in person.duties))


def _by_twos(person: Person) -> Person:
    """The same duty in the morning and in the evening, and nobody at noon."""
    halves = (Hours(time(6), time(11)), Hours(time(15), time(21)))
    return replace(person, duties=tuple(replace(duty, hours=half) for duty in person.duties for half in halves))


def _with_people(change: object) -> Inventory:
    assert callable(change)
    return replace(COUNTY, people={person.id: change(person) for person in COUNTY.people.values()})


QUICK: Final = ("as shipped", "crews and dispatchers in office hours")
"""Rosters of the default run; the others are stranger, and swept by name."""
ROSTERS: Final = tuple(
    Roster(f"{name}{', with absences' if away else ''}", inventory, away)
    for name, inventory in {
        "as shipped": COUNTY,
        "crews and dispatchers in office hours": _with_people(_in_office_hours),
        "everybody in office hours": _with_people(_all_in_office_hours),
        "mornings and evenings": _with_people(_by_twos),
    }.items()
    for away in (False, True)
)


@cache
def _line(name: str) -> Pipeline:
    (roster,) = (roster for roster in ROSTERS if roster.name == name)
    pipeline = start.anew(roster.inventory, shipped.policy_files(), Memory(), MONDAY - DAY)
    pipeline.county.listen(MONDAY - DAY, None, pipeline.changes, started=True)
    if roster.away:
        pipeline.absences.restore(_absences())
    return pipeline


def _absences() -> Iterator[Absence]:
    for number, (person, stand_in) in enumerate(ABSENT):
        from_ms = MONDAY + number * DAY + 10 * HOUR
        yield Absence(
            id=f"absence/{person}/{number}",
            person=person,
            stand_in=stand_in,
            from_ms=from_ms,
            until_ms=from_ms + 2 * DAY,
        )


def _urgent(asset: Asset) -> Iterator[str]:
    """Every rule of P1 or P2 that watches an asset."""
    for slot in _line(ROSTERS[0].name).county.plans[asset.id].slots:
        if slot.rule.severity_of(asset, {}) in URGENT:
            yield slot.rule.kind


CELLS: Final = [(kind, asset) for asset in ASSETS for kind in _urgent(COUNTY.assets[asset])]


def test_the_sweep_walks_every_urgent_rule() -> None:
    common = _line(ROSTERS[0].name).thresholds.rules.common
    urgent = {kind for kind, rule in common.items() if getattr(rule, "severity", None) in URGENT}
    assert {kind for kind, _ in CELLS} == urgent
    assert len(CELLS) >= 12


@pytest.mark.parametrize(
    "roster",
    [
        pytest.param(roster, id=roster.name, marks=() if roster.name.startswith(QUICK) else pytest.mark.deep)
        for roster in ROSTERS
    ],
)
def test_somebody_is_told_in_time_at_every_quarter_of_an_hour_of_a_week(roster: Roster) -> None:
    line = _line(roster.name)
    late = []
    for kind, asset in CELLS:
        for at_ms in range(MONDAY, MONDAY + 7 * DAY, QUARTER):
            said = line.foresee(kind, asset, at_ms, first=True)
            assert isinstance(said, Foreseen)
            told_ms = said.told[0].at_ms if said.told else None
            latest_ms = _latest_ms(roster, kind, asset, at_ms)
            if told_ms is None or told_ms > latest_ms:
                late.append((kind, asset, _shown(at_ms), _shown(told_ms or 0), _shown(latest_ms)))
            assert not any(row.event == "dropped" for row in said.reasons), said.reasons
    assert late == []


def test_the_bounds_of_the_page_are_those_of_the_papers() -> None:
    line = _line(ROSTERS[0].name)
    for kind, asset in CELLS:
        for at_ms in range(MONDAY, MONDAY + DAY, QUARTER):
            said = line.foresee(kind, asset, at_ms, first=True)
            assert isinstance(said, Foreseen)
            assert said.bound_ms == bound_ms(kind, COUNTY.assets[asset], at_ms), (kind, asset, _shown(at_ms))


def _latest_ms(roster: Roster, kind: str, asset: str, at_ms: Millis) -> Millis:
    """The bound; or when the first of any step comes on duty, if nobody has duty before. What is kept gathers first."""
    found = roster.inventory.assets[asset]
    within_ms = bound_ms(kind, found, at_ms)
    there_ms = _first_duty_ms(roster, kind, asset, max(at_ms, waited_for_ms(kind, found, at_ms)))
    there_ms = max(there_ms, waited_for_ms(kind, found, there_ms))  # who comes while a round runs is not told before
    return max(within_ms, there_ms + 2 * MINUTE)


def _first_duty_ms(roster: Roster, kind: str, asset: str, at_ms: Millis) -> Millis:
    """When somebody of any step has duty and may be told: before that nobody can be."""
    steps = _roles(kind)
    found = roster.inventory.assets[asset]
    duties = [
        duty
        for role in steps
        for holder in holders(roster.inventory, role, found.areas, found)
        for duty in holder.duties
    ]
    if kind == "fire":
        return at_ms
    return min(_duty_ms(duty, at_ms) for duty in duties)


@cache
def _roles(kind: str) -> tuple[str, ...]:
    """The roles of a rule's steps, all of them."""
    policies = _line(ROSTERS[0].name).county.decider.escalation.holds.policies
    return tuple(dict.fromkeys(role for step in policies.of(kind).steps for role in step.roles)) or (EMPTIER,)


def _duty_ms(duty: Duty, at_ms: Millis) -> Millis:
    """From then on, by quarters of an hour, when it is day and somebody has this duty."""
    at = at_ms
    while True:
        clock = local(at)
        if 6 * 60 + 30 <= clock.hour * 60 + clock.minute < 21 * 60 and (
            duty.hours is None or clock.time() in duty.hours
        ):
            return at
        at = at - at % QUARTER + QUARTER


def _shown(at_ms: Millis) -> str:
    return f"{local(at_ms):%a %H:%M}"


# --- the same, lived


RAISES: Final = {
    "overflow": (Values(full_flag=1.0), Values(full_flag=1.0)),
    "hot_ash": (Values(temperature_c=30.0), Values(temperature_c=52.0)),
    "fire": (Values(fire_flag=1.0),),
    "level_high": (Values(float_high=1.0, flow_m3h=3.0), Values(float_high=1.0, flow_m3h=3.0)),
    "no_power": (Values(mains_on=0.0),),
}
"""What a device says until the rule is raised by its last word."""
CALM: Final = {"bin": Values(distance_mm=900.0, temperature_c=30.0), "plant": Values(level_mm=400.0, flow_m3h=3.0)}


@pytest.mark.parametrize("part", range(4))
def test_what_is_foreseen_is_what_the_pipeline_does(part: int) -> None:
    draw = random.Random(part)
    for _ in range(50):
        kind, asset = draw.choice([cell for cell in CELLS if cell[0] in RAISES])
        roster = draw.choice(ROSTERS)
        at_ms = MONDAY + draw.randrange(7 * 24 * 4) * QUARTER
        foreseen, lived = _foreseen_and_lived(kind, asset, roster, at_ms)
        assert lived == foreseen, (kind, asset, roster.name, _shown(at_ms))


def _foreseen_and_lived(kind: str, asset: str, roster: Roster, at_ms: Millis) -> tuple[object, object]:
    """Who is told first, when and in which words' name: as it was foreseen just before, and as it was."""
    line = _Lived(roster, at_ms)
    says = RAISES[kind]
    if len(says) > 1:
        line.say(asset, says[0], at_ms - 10 * MINUTE)
    foreseen = line.pipeline.foresee(kind, asset, at_ms, first=True)
    assert isinstance(foreseen, Foreseen)
    line.say(asset, says[-1], at_ms)
    return _first(list(foreseen.told)), line.first_told(kind, asset, says[-1], at_ms + 2 * DAY)


def _first(told: list[Owed]) -> object:
    return sorted({(owed.to, owed.at_ms, owed.template, owed.kind) for owed in told if owed.at_ms == told[0].at_ms})


class _Lived:
    """A county of which every device speaks, and one says what raises a rule."""

    def __init__(self, roster: Roster, at_ms: Millis) -> None:
        self._begins_ms = at_ms - 30 * MINUTE
        self.pipeline = start.anew(roster.inventory, shipped.policy_files(), Memory(), self._begins_ms)
        self.pipeline.county.listen(self._begins_ms, None, self.pipeline.changes, started=True)
        if roster.away:
            self.pipeline.absences.restore(_absences())
        self._inventory = roster.inventory
        self._seq = 0
        self._all_speak(self._begins_ms, "")
        self.pipeline.finish()

    def say(self, asset: str, values: Values, at_ms: Millis) -> None:
        self._seq += 1
        (device,) = self._inventory.devices_of[asset]
        payload = wire_bytes(wire_form(Sample(1, self._seq, values)))
        self.pipeline.take(Uplink(at_ms, f"cunjing/v1/xia/{device.id}/telemetry", payload))

    def first_told(self, kind: str, asset: str, values: Values, until_ms: Millis) -> object:
        """Who is told first of it, with all that leave at that instant."""
        at_ms = self._begins_ms + 30 * MINUTE
        while at_ms < until_ms:
            about = [
                said
                for said in self.pipeline.list_said()
                if isinstance(said, Owed)
                and any(each.startswith(f"{kind}/{asset}/") for each in said.covers or (said.episode,))
            ]
            if about:
                return _first(about)
            at_ms += 10 * MINUTE
            self._all_speak(at_ms, asset)
            self.say(asset, values, at_ms)
        return None

    def _all_speak(self, at_ms: Millis, but: str) -> None:
        for asset in self._inventory.assets.values():
            if asset.id != but:
                self.say(asset.id, CALM[asset.kind], at_ms)
