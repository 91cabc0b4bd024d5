"""What is on trial and until when, and the night, the hours and the rounds that a text waits for, from both sides."""

import dataclasses
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Final, TypeVar

import pytest

from alerts.alert import Alert
from alerts.build import assemble_whole
from alerts.calendars import RoundSlot
from alerts.model import Severity
from alerts.notify.holds import Ended, Holds, Trial, TrialKind, Trials, trial_ended
from alerts.undo import UndoLog
from gateway import imports, shipped
from telemetry.inventory import Area, Asset, Device, Inventory
from telemetry.reading import Millis
from telemetry.terms import Hours

COUNTY: Final = imports.checked(Path(__file__).parents[2] / "golden" / "inventory" / "county.yaml")
HOLDS: Final[Holds] = assemble_whole(COUNTY, shipped.policy_files()).county.decider.escalation.holds
USUAL_MS: Final = HOLDS.policies.trial
WITHOUT_ROUNDS, POOL, PLANT = COUNTY.assets  # the first beside a road and with priority
NEW: Final = datetime(2026, 11, 23, tzinfo=UTC)
"""When the sensors of the pool with rounds and of the plant were installed."""
EARLY, LATE = NEW + timedelta(days=1), NEW + timedelta(days=30)
T = TypeVar("T", Area, Asset, Device)


def ms(at: datetime) -> Millis:
    return round(at.timestamp() * 1000)


def clock(hour: int, minute: int = 0, day: int = 22) -> Millis:
    return HOLDS.calendar.instant(date(2026, 11, day), time(hour, minute))


def dated(dates: Mapping[str, datetime | None], county: Inventory = COUNTY) -> Inventory:
    """The county with these dates for what is on trial, whatever it is."""

    def put(things: Mapping[str, T]) -> dict[str, T]:
        return {
            name: dataclasses.replace(thing, trial_until=dates.get(name, thing.trial_until))
            for name, thing in things.items()
        }

    return dataclasses.replace(county, areas=put(county.areas), assets=put(county.assets), devices=put(county.devices))


def alert(rule: str = "overflow", asset: str = POOL, severity: Severity = Severity.P2, device: str = "") -> Alert:
    return Alert(
        episode=f"{rule}/{asset}/1",
        rule=rule,
        asset=asset,
        device=device,
        severity=severity,
        raised_ms=clock(12),
        since_ms=clock(12),
        detail={},
    )


def with_asset(asset: str, **changes: object) -> Holds:
    """The county's holds with one of its assets so."""
    other = dataclasses.replace(COUNTY.assets[asset], **changes)  # type: ignore[arg-type] # named by each test
    return dataclasses.replace(HOLDS, inventory=dataclasses.replace(COUNTY, assets={**COUNTY.assets, asset: other}))


def test_what_is_new_is_on_trial_from_its_first_sensor_on() -> None:
    trials = Trials(COUNTY, USUAL_MS)
    assert trials.of_asset(COUNTY.assets[POOL]) == ms(NEW) + USUAL_MS
    for days in (-1, 1):
        second = dataclasses.replace(COUNTY.devices["bin-0004"], id="second", installed_at=NEW + timedelta(days=days))
        two = dataclasses.replace(COUNTY, devices={**COUNTY.devices, "second": second})
        first = min(NEW, second.installed_at)
        assert Trials(two, USUAL_MS).of_asset(two.assets[POOL], "second") == ms(first) + USUAL_MS
    bare = dataclasses.replace(COUNTY, devices={})
    assert Trials(bare, USUAL_MS).of_asset(bare.assets[POOL]) == 0


@pytest.mark.parametrize(
    ("dates", "until"),
    [
        ({POOL: EARLY}, EARLY),
        ({"bin-0004": EARLY}, EARLY),
        ({"bin-0003": LATE}, NEW + timedelta(milliseconds=USUAL_MS)),  # another asset's
        ({"ytan": EARLY}, EARLY),
        ({"wushi": EARLY}, EARLY),
        ({"chetian": LATE}, NEW + timedelta(milliseconds=USUAL_MS)),
        ({POOL: EARLY, "bin-0004": LATE}, LATE),
        ({POOL: LATE, "bin-0004": EARLY}, LATE),
        ({POOL: EARLY, "ytan": LATE}, LATE),
        ({"ytan": EARLY, "wushi": LATE}, LATE),
        ({"ytan": LATE, "wushi": EARLY}, LATE),
        ({POOL: EARLY + timedelta(milliseconds=1)}, EARLY + timedelta(milliseconds=1)),
    ],
)
def test_a_date_of_a_thing_or_of_where_it_is_takes_the_place_of_the_usual_trial(
    dates: Mapping[str, datetime], until: datetime
) -> None:
    """Of several the latest counts; a device's holds what it feeds."""
    inventory = dated(dates)
    trials = Trials(inventory, USUAL_MS)
    assert trials.of_alert(alert(device="bin-0004")) == ms(until)
    if "bin-0004" in dates:
        only = {name: at for name, at in dates.items() if name == POOL}
        others = ms(only[POOL]) if only else ms(NEW) + USUAL_MS
        assert trials.of_alert(alert(device="another")) == others


def test_at_a_border_a_date_of_either_place_counts() -> None:
    usual = Trial(TrialKind.ASSET, POOL, ms(NEW) + USUAL_MS, usual=True)
    for until, of_it, running in (
        ({"chetian": EARLY}, EARLY, False),
        ({"ytan": EARLY}, EARLY, False),
        ({}, None, True),
    ):
        county = dated({"chetian": None, **until})
        border = dataclasses.replace(county.assets[POOL], areas=("ytan", "chetian"))
        trials = Trials(dataclasses.replace(county, assets={**county.assets, POOL: border}), USUAL_MS)
        assert trials.of_asset(border) == (usual.until_ms if of_it is None else ms(of_it))
        assert [each for each in trials.running(ms(NEW)) if each.name == POOL] == [usual] * running


def test_what_is_about_no_asset_is_on_trial_where_it_is() -> None:
    trials = Trials(dated({"ytp": EARLY}), USUAL_MS)
    found = [trials.of_alert(alert("gateway_offline", each)) for each in ("g07", "ytp", "ytan", "wushi", "xiang")]
    assert found == [ms(EARLY), ms(EARLY), ms(EARLY), 0, 0]


def test_what_runs_is_named_by_its_kind_and_what_is_new_without_a_date_is_marked() -> None:
    """A date that is over is a date all the same: what it is of is not new."""
    inventory = dated({"chetian": EARLY, "bin-0003": EARLY, WITHOUT_ROUNDS: EARLY})
    trials = Trials(inventory, USUAL_MS)
    early = [
        Trial(TrialKind.AREA, "chetian", ms(EARLY)),
        Trial(TrialKind.ASSET, WITHOUT_ROUNDS, ms(EARLY)),
        Trial(TrialKind.ASSET, POOL, ms(NEW) + USUAL_MS, usual=True),
        Trial(TrialKind.DEVICE, "bin-0003", ms(EARLY)),
    ]
    assert list(trials.running(ms(EARLY) - 1)) == early
    assert list(trials.running(ms(EARLY))) == [early[2]]
    assert list(trials.running(ms(NEW) + USUAL_MS - 1)) == [early[2]]
    assert list(trials.running(ms(NEW) + USUAL_MS)) == []
    assert [each.usual for each in early] == [False, False, True, False]


def test_the_end_of_a_trial_is_its_own_but_an_areas_takes_what_is_new_there_with_it() -> None:
    inventory = dated({"chetian": None, "wushi": None, "bin-0003": LATE, WITHOUT_ROUNDS: LATE})
    usual = [(TrialKind.ASSET, POOL), (TrialKind.ASSET, PLANT)]
    for kind, name, expected in (
        (TrialKind.ASSET, POOL, usual[:1]),
        (TrialKind.AREA, "ytan", usual[:1]),
        (TrialKind.AREA, "chetian", usual[1:]),
        (TrialKind.AREA, "wushi", usual),
        (TrialKind.DEVICE, POOL, []),
        (TrialKind.ASSET, "wushi", []),
        (TrialKind.DEVICE, "bin-0003", [(TrialKind.DEVICE, "bin-0003")]),
        (TrialKind.ASSET, WITHOUT_ROUNDS, [(TrialKind.ASSET, WITHOUT_ROUNDS)]),
    ):
        trials = Trials(inventory, USUAL_MS)
        before = list(trials.running(ms(EARLY)))
        ended = trials.end(kind, name, ms(EARLY))
        assert [(each.kind, each.name) for each in ended] == expected
        assert list(trials.running(ms(EARLY))) == [each for each in before if each not in ended]
        assert trials.list_ended() == [Ended(each.kind, each.name, ms(EARLY), each.until_ms) for each in ended]
        assert trials.end(kind, name, ms(EARLY)) == []


def test_what_was_ended_stays_so_until_the_inventory_has_another_date_for_it() -> None:
    inventory = dated({POOL: EARLY, "bin-0004": EARLY, "wushi": EARLY, "chetian": None})
    trials = Trials(inventory, USUAL_MS)
    at_ms = ms(NEW)
    for kind, name in ((TrialKind.ASSET, POOL), (TrialKind.DEVICE, "bin-0004"), (TrialKind.AREA, "wushi")):
        assert trials.of_alert(alert(device="bin-0004")) == ms(EARLY)
        trials.end(kind, name, at_ms)
    assert trials.of_alert(alert(device="bin-0004")) == at_ms
    again = Trials(inventory, USUAL_MS)
    again.restore(trials.list_ended())
    assert again.of_alert(alert(device="bin-0004")) == at_ms
    assert again.anew().of_alert(alert(device="bin-0004")) == ms(EARLY)
    for name in (POOL, "bin-0004", "wushi"):
        later = Trials(dated({name: LATE}, inventory), USUAL_MS)
        later.restore(trials.list_ended())
        assert later.of_alert(alert(device="bin-0004")) == ms(LATE)


def test_what_is_new_is_told_of_from_the_instant_in_which_its_trial_was_ended() -> None:
    trials = Trials(COUNTY, USUAL_MS)
    trials.end(TrialKind.ASSET, POOL, ms(EARLY))
    assert trials.of_asset(COUNTY.assets[POOL]) == ms(EARLY)
    other = Trials(COUNTY, 2 * USUAL_MS)
    other.restore(trials.list_ended())
    assert other.of_asset(COUNTY.assets[POOL]) == ms(NEW) + 2 * USUAL_MS, "another trial than the one that was ended"
    assert other.anew().of_asset(COUNTY.assets[POOL]) == ms(NEW) + 2 * USUAL_MS


def test_of_what_is_gone_no_end_is_remembered() -> None:
    trials = Trials(COUNTY, USUAL_MS)
    there = [
        Ended(TrialKind.AREA, "ytan", 1, 2),
        Ended(TrialKind.ASSET, POOL, 1, 2),
        Ended(TrialKind.DEVICE, "bin-0004", 1, 2),
    ]
    gone = [Ended(kind, name, 1, 2) for kind, name in zip(TrialKind, (POOL, "bin-0004", "ytan"), strict=True)]
    trials.restore([*there, *gone])
    assert trials.list_ended() == there


def test_a_refused_turn_takes_back_what_it_ended() -> None:
    undo = UndoLog()
    trials = Trials(COUNTY, USUAL_MS, undo)
    for _ in range(2):
        savepoint = undo.savepoint()
        trials.end(TrialKind.ASSET, POOL, ms(EARLY))
        undo.rollback(savepoint)
        undo.release()
        assert trials.list_ended() == []
        trials.restore([])  # what a start has taken over is noted like what was there before


@pytest.mark.parametrize(
    ("kind", "name", "asset"),
    [
        (TrialKind.AREA, "ytan", ""),
        (TrialKind.ASSET, POOL, POOL),
        (TrialKind.DEVICE, "bin-0004", POOL),
        (TrialKind.DEVICE, "gone", ""),
        (TrialKind.AREA, "bin-0004", ""),
    ],
)
def test_the_row_of_an_end_says_of_what_it_is_and_what_else_ended(kind: TrialKind, name: str, asset: str) -> None:
    row = trial_ended(COUNTY, kind, name, [Trial(kind, name, 1), Trial(kind, "other", 1)], {"by": "lin"}, clock(12))
    assert (row.at_ms, row.event, row.rule, row.asset) == (clock(12), "trial_ended", "", asset)
    assert row.detail == {"by": "lin", "kind": str(kind), "name": name, "ended": [name, "other"]}


def test_a_fire_and_whatever_its_rule_says_so_of_ask_for_no_hour() -> None:
    assert HOLDS.is_free(alert("overflow", severity=Severity.P1))
    assert HOLDS.is_free(alert("fire", severity=Severity.P2))
    assert not HOLDS.is_free(alert())


@pytest.mark.parametrize(
    ("rule", "asset", "design_m3d", "passes"),
    [
        ("level_high", PLANT, 99.9, False),
        ("level_high", PLANT, 100.0, True),
        ("stopped", PLANT, 100.0, False),
        ("level_high", POOL, 100.0, False),
        ("level_high", "gone", 100.0, False),
        ("fire", POOL, 1.0, True),
    ],
)
def test_high_water_in_a_large_plant_passes_the_night(rule: str, asset: str, design_m3d: float, passes: bool) -> None:  # noqa: FBT001 -- of the table
    design = COUNTY.assets[PLANT].plant
    assert design is not None
    holds = with_asset(PLANT, plant=dataclasses.replace(design, design_m3d=design_m3d))
    assert holds.passes_night(alert(rule, asset)) is passes
    assert holds.before_night(alert(rule, asset), clock(12), clock(23)) == (clock(23) if passes else clock(20, 59))


def test_the_night_begins_and_ends_on_the_minute() -> None:
    night = [HOLDS.is_night(at_ms) for at_ms in (clock(21) - 1, clock(21), clock(6) - 1, clock(6))]
    assert night == [False, True, True, False]


def test_a_p2_that_would_wait_into_the_night_is_told_in_the_last_minute_of_the_day() -> None:
    evening, late, night = clock(20, 59), clock(20, 59) + 30_000, clock(21)
    for from_ms, due_ms, expected in (
        (clock(12), clock(20), clock(20)),
        (clock(12), night - 1, night - 1),
        (clock(12), night, evening),
        (clock(12), clock(5, 59, 23), evening),
        (evening, night, evening),
        (late, night, late),
        (night, clock(22), clock(22)),
        (clock(5, 59), clock(23), clock(23)),  # by night there is no day to be told in
    ):
        assert HOLDS.before_night(alert(), from_ms, due_ms) == expected
    for severity in (Severity.P1, Severity.P3):
        assert HOLDS.before_night(alert(severity=severity), clock(12), night) == night


def test_what_was_owed_by_day_wakes_nobody_in_another_form() -> None:
    day, later, night, deep = clock(12), clock(13), clock(23), clock(23, 30)
    for owed_ms, at_ms, expected in ((day, night, day), (day, later, later), (night, deep, deep), (night, day, day)):
        assert HOLDS.owed_anew_ms(owed_ms, at_ms) == expected


def test_beside_a_road_step_0_leaves_until_night_and_elsewhere_until_evening() -> None:
    day, until_night = Hours(time(6), time(19)), Hours(time(6), time(21))
    for rule, asset, hours in (
        ("overflow", WITHOUT_ROUNDS, until_night),
        ("overflow", POOL, day),
        ("overflow", "gone", day),
        ("number_dead", WITHOUT_ROUNDS, Hours(time(7), time(19))),
        ("fire", WITHOUT_ROUNDS, None),
    ):
        assert HOLDS.first_hours(alert(rule, asset)) == hours


def test_only_what_a_plan_comes_to_has_rounds() -> None:
    assert [HOLDS.has_rounds(alert(asset=each)) for each in (POOL, WITHOUT_ROUNDS, PLANT, "gone")] == [
        True,
        False,
        False,
        False,
    ]


@pytest.mark.parametrize("word", ["roadside", "priority"])
def test_beside_a_road_a_bin_is_told_of_between_its_rounds_and_by_day(word: str) -> None:
    """An hour before a round that will do it begins, and while it runs, nobody is told."""
    holds = with_asset(POOL, **{word: True})
    asset = holds.inventory.assets[POOL]
    for at_ms, expected in (
        (clock(5, 59), None),
        (clock(11) - 1, None),
        (clock(11), clock(11)),
        (clock(13, 30) - 1, clock(13, 30) - 1),
        (clock(13, 30), None),
        (clock(16, 30) - 1, None),
        (clock(16, 30), clock(16, 30)),
        (clock(17) - 1, clock(17) - 1),
        (clock(17), None),  # what could be told at 6:30 is near the round at 7:00
    ):
        assert holds.between_rounds(asset, at_ms) == expected
    assert HOLDS.between_rounds(COUNTY.assets[POOL], clock(12)) is None


def test_where_no_round_comes_a_bin_beside_a_road_is_told_of_by_day_or_in_the_morning() -> None:
    asset = COUNTY.assets[WITHOUT_ROUNDS]
    for at_ms, expected in (
        (clock(6) - 1, clock(6, 30)),
        (clock(6), clock(6)),
        (clock(12), clock(12)),
        (clock(17), clock(6, 30, 23)),
    ):
        assert HOLDS.between_rounds(asset, at_ms) == expected


def test_a_round_counts_as_missed_half_an_hour_after_its_end() -> None:
    asset = COUNTY.assets[POOL]
    for after_ms, due_ms in (
        (clock(7), clock(11, 30)),
        (clock(11, 30) - 1, clock(11, 30)),
        (clock(11, 30), clock(17)),
        (clock(17), clock(11, 30, 23)),
    ):
        assert HOLDS.round_due(asset, after_ms) == due_ms
    assert HOLDS.round_due(COUNTY.assets[WITHOUT_ROUNDS], clock(12)) == 0


def test_the_round_that_falls_due_is_found_again_unless_it_is_in_no_plan_any_more() -> None:
    asset = COUNTY.assets[POOL]
    assert HOLDS.round_of(asset, clock(11, 30)) == RoundSlot(clock(7), clock(11))
    assert HOLDS.round_of(asset, clock(17)) == RoundSlot(clock(14, 30), clock(16, 30))
    assert HOLDS.round_of(asset, clock(11, 30) + 1) is None
    assert HOLDS.round_of(asset, clock(11, 30) - 1) is None
    assert HOLDS.round_of(dataclasses.replace(asset, collection=None), clock(11, 30)) is None
