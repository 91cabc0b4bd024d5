"""Parameters that people set over the file's: whom a change concerns, what it comes to, what fits no more."""

import json
from collections.abc import Iterator
from itertools import islice
from typing import Final

import msgspec
import pytest
from msgspec.structs import replace

from alerts.build import Assembled, assemble_whole
from alerts.conditions.thresholds import (
    MOST,
    ThresholdInForce,
    ThresholdKey,
    Thresholds,
    ThresholdScope,
    Tuned,
    Value,
    Weighed,
)
from alerts.rules.over_two_thirds import OverTwoThirds
from telemetry.inventory.file import parse
from tests.scenario_run import policy_files
from tests.telling_county import COUNTY, WRITTEN

SHIPPED: Final = OverTwoThirds().raise_pct
FILE: Final = policy_files("areas: {hetian: {over_two_thirds: {raise_pct: 65}}}")
"""Nothing but that is said in the rules file."""
ASSET_LIUTAN: Final = ThresholdKey(ThresholdScope.ASSET, "liutan", "over_two_thirds", "raise_pct")
BINS: Final = ("pool", "road", "round", "far", "new")


def at(name: str, parameter: str = "raise_pct", rule: str = "over_two_thirds") -> ThresholdKey:
    place = ThresholdScope.AREA if name in COUNTY.areas else ThresholdScope.ASSET
    return ThresholdKey(place, name, rule, parameter)


def tuned(name: str, value: Value | None, parameter: str = "raise_pct", rule: str = "over_two_thirds") -> Tuned:
    return Tuned(at=at(name, parameter, rule), value=value, by="office", reason="赶集", since_ms=7)


@pytest.fixture
def made() -> Assembled:
    return assemble_whole(COUNTY, FILE)


@pytest.fixture
def thresholds(made: Assembled) -> Thresholds:
    return made.thresholds


def weigh(thresholds: Thresholds, wish: Tuned) -> Weighed:
    weighed = thresholds.weigh(wish, {asset.id: thresholds.plan(asset) for asset in COUNTY.assets.values()})
    assert isinstance(weighed, Weighed), weighed
    return weighed


def refused(thresholds: Thresholds, wish: Tuned) -> str:
    told = thresholds.weigh(wish, {asset.id: thresholds.plan(asset) for asset in COUNTY.assets.values()})
    assert isinstance(told, str)
    return told


def lines(thresholds: Thresholds) -> list[float]:
    """Where the line of each bin is drawn by its plan."""
    plans = (thresholds.plan(COUNTY.assets[name]) for name in BINS)
    return [getattr(plan.slots[plan.place["over_two_thirds"]].rule, "raise_pct") for plan in plans]  # noqa: B009 -- a bin's


def bins(weighed: Weighed) -> list[str]:
    """Those of which the plan is another one; that of a plant may be made anew and says the same."""
    return [name for name in weighed.plans if name in BINS]


def test_a_parameter_of_one_asset_concerns_it_alone_and_counts_once_it_is_accepted(thresholds: Thresholds) -> None:
    weighed = weigh(thresholds, tuned("pool", 60))
    assert (list(weighed.plans), weighed.was, weighed.now) == (["pool"], SHIPPED, 60)
    assert (lines(thresholds), thresholds.list_tuned()) == ([SHIPPED, SHIPPED, SHIPPED, 65, 65], [])
    thresholds.accept(weighed)
    assert (lines(thresholds), thresholds.list_tuned()) == ([60, SHIPPED, SHIPPED, 65, 65], [tuned("pool", 60)])
    assert weighed.plans["pool"] == thresholds.plan(COUNTY.assets["pool"])


def test_a_parameter_of_an_area_concerns_what_is_below_it_and_has_no_nearer_word(thresholds: Thresholds) -> None:
    thresholds.accept(weigh(thresholds, tuned("pool", 60)))
    liutan = weigh(thresholds, tuned("liutan", 62))
    assert (bins(liutan), liutan.was, liutan.now) == (["road", "round"], SHIPPED, 62)
    town = weigh(thresholds, tuned("qingshi", 58))
    assert (bins(town), town.was, town.now) == (["road", "round"], SHIPPED, 58)
    hetian = weigh(thresholds, tuned("hetian", 59))
    assert (bins(hetian), hetian.was, hetian.now) == (["far", "new"], 65, 59)
    thresholds.accept(town)
    thresholds.accept(weigh(thresholds, tuned("hetian", 59)))
    assert lines(thresholds) == [60, 58, 58, 59, 59]


def test_whom_a_parameter_does_not_concern_is_not_looked_at(thresholds: Thresholds) -> None:
    for name, concerned in (("pool", ("pool",)), ("liutan", ("pool", "road", "round", "works"))):
        plans = {asset: thresholds.plan(COUNTY.assets[asset]) for asset in concerned}
        assert isinstance(thresholds.weigh(tuned(name, 60), plans), Weighed)


def test_an_asset_that_is_named_like_its_area_is_another_place() -> None:
    parsed = parse(
        WRITTEN.replace("{id: road,", "{id: liutan,").replace("asset: road", "asset: liutan"),
        "named.yaml",
        frozenset({"native"}),
    )
    assert parsed.inventory is not None
    thresholds = assemble_whole(parsed.inventory, FILE, [replace(tuned("road", 60), at=ASSET_LIUTAN)]).thresholds
    plans = {asset.id: thresholds.plan(asset) for asset in parsed.inventory.assets.values()}
    weighed = thresholds.weigh(tuned("liutan", 62), plans)
    assert isinstance(weighed, Weighed)
    assert (bins(weighed), weighed.was, weighed.now) == (["pool", "round"], SHIPPED, 62)
    assert [thresholds.area_of(each) for each in (ASSET_LIUTAN, at("liutan"))] == ["liutan", "liutan"]


def test_what_comes_to_nothing_else_changes_no_plan(thresholds: Thresholds) -> None:
    same = weigh(thresholds, tuned("pool", SHIPPED))
    assert (dict(same.plans), same.was, same.now) == ({}, SHIPPED, SHIPPED)
    assert list(same.kept) == [at("pool")]


def test_it_is_set_again_and_without_a_value_it_is_as_the_file_says(thresholds: Thresholds) -> None:
    thresholds.accept(weigh(thresholds, tuned("hetian", 60)))
    thresholds.accept(weigh(thresholds, tuned("pool", 61)))
    again = weigh(thresholds, tuned("hetian", 63))
    assert (again.was, again.now) == (60, 63)
    thresholds.accept(again)
    assert {each.at: each.value for each in thresholds.list_tuned()} == {at("pool"): 61, at("hetian"): 63}
    back = weigh(thresholds, tuned("hetian", None))
    assert (bins(back), back.was, back.now) == (["far", "new"], 63, 65)
    thresholds.accept(back)
    assert (lines(thresholds), thresholds.list_tuned()) == ([61, SHIPPED, SHIPPED, 65, 65], [tuned("pool", 61)])
    thresholds.accept(weigh(thresholds, tuned("pool", None)))
    assert (lines(thresholds), thresholds.list_tuned()) == ([SHIPPED, SHIPPED, SHIPPED, 65, 65], [])


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        (tuned("pool", 120), "raise_pct: Input should be less than 100"),
        (tuned("pool", 50), "clear_pct must be below raise_pct"),
        (tuned("nowhere", 60), "the inventory has no such asset"),
        (tuned("nowhere", None), "there is no asset nowhere"),
        (tuned("pool", None, "raise"), "over_two_thirds has no figure raise"),
        (tuned("pool", None, rule="fyre"), "fyre has no figure raise_pct"),
        (tuned("pool", "over_two_thirds", "kind"), "over_two_thirds has no figure kind"),
        (tuned("liutan", None, "raise"), "there is no area liutan"),
    ],
)
def test_what_cannot_be_is_told_in_a_sentence(thresholds: Thresholds, wish: Tuned, told: str) -> None:
    assert told in refused(thresholds, wish)


def every_parameter() -> Iterator[Tuned]:
    """Each as it is anyway."""
    rules = assemble_whole(COUNTY, FILE).thresholds.rules
    for asset in COUNTY.assets.values():
        for rule in rules.of(asset).values():
            if rule.applies(asset.kind):
                said = rule.model_dump(mode="json", exclude={"kind"})
                yield from (tuned(asset.id, value, parameter, rule.kind) for parameter, value in said.items())


def test_five_hundred_parameters_may_differ_and_one_more_may_not(thresholds: Thresholds) -> None:
    assert MOST == 500
    *most, last, over = islice(every_parameter(), MOST + 1)
    assert len(most) == MOST - 1
    thresholds.accept(weigh(thresholds, most[0])._replace(kept={each.at: each for each in most}))
    thresholds.accept(weigh(thresholds, last))
    assert len(thresholds.list_tuned()) == MOST
    assert refused(thresholds, over).startswith("500 figures differ already")
    assert len(weigh(thresholds, most[0]).kept) == MOST, "another value for one that differs"
    assert len(weigh(thresholds, tuned(most[0].at.name, None, most[0].at.parameter, most[0].at.rule)).kept) == MOST - 1


def test_where_more_differ_from_of_old_they_stay_and_may_be_set_again(thresholds: Thresholds) -> None:
    *old, new = islice(every_parameter(), MOST + 2)
    thresholds.accept(weigh(thresholds, old[0])._replace(kept={each.at: each for each in old}))
    assert len(weigh(thresholds, old[0]).kept) == MOST + 1
    assert refused(thresholds, new).startswith("500 figures differ already")


def test_a_parameter_that_fits_no_more_does_not_count_is_kept_and_gives_way_to_another(made: Assembled) -> None:
    kept = [tuned("pool", 60), tuned("gone", 61), tuned("road", 50), tuned("road", 40, "clear_pct"), tuned("far", 59)]
    thresholds = assemble_whole(COUNTY, FILE, kept).thresholds
    assert thresholds.unfit == (kept[1], kept[2]), "one at a time, in their order: 50 is below where it clears"
    assert (lines(thresholds), thresholds.list_tuned()) == ([60, SHIPPED, SHIPPED, 59, 65], kept)
    other = weigh(thresholds, tuned("new", 58))
    assert bins(other) == ["new"]
    thresholds.accept(other)
    assert (thresholds.unfit, thresholds.list_tuned()) == ((kept[1], kept[2]), [*kept, tuned("new", 58)])
    mended = weigh(thresholds, tuned("road", 52))
    assert (bins(mended), mended.was, mended.now) == (["road"], SHIPPED, 52)
    thresholds.accept(mended)
    assert list(thresholds.unfit) == [kept[1]]
    assert lines(thresholds) == [60, 52, SHIPPED, 59, 58]
    anew = thresholds.anew()
    assert (anew.list_tuned(), anew.unfit, lines(anew)) == ([], (), lines(made.thresholds))
    anew.restore(kept)
    assert (anew.list_tuned(), anew.unfit) == (kept, (kept[1], kept[2]))
    anew.restore([])
    assert (anew.list_tuned(), anew.unfit, lines(anew)) == ([], (), lines(made.thresholds))


def test_a_parameter_stands_with_where_it_is_said_and_who_said_it(thresholds: Thresholds) -> None:
    def standing(asset: str, rule: str = "over_two_thirds", parameter: str = "raise_pct") -> ThresholdInForce | None:
        return thresholds.standing(COUNTY.assets[asset], rule, parameter)

    assert [standing(name) for name in ("pool", "far")] == [
        ThresholdInForce(SHIPPED, "", None),
        ThresholdInForce(65, "hetian", None),
    ]
    for wish in (tuned("pool", 60), tuned("hetian", 61), tuned("qingshi", 62)):
        thresholds.accept(weigh(thresholds, wish))
    assert [standing(name) for name in ("pool", "road", "far")] == [
        ThresholdInForce(60, "pool", tuned("pool", 60)),
        ThresholdInForce(62, "qingshi", tuned("qingshi", 62)),
        ThresholdInForce(61, "hetian", tuned("hetian", 61)),
    ]
    assert [standing("pool", "fyre"), standing("pool", parameter="raise"), standing("plant")] == [None, None, None]
    assert [standing("pool", "no_power", "off_delay_s"), standing("pool", "gateway_offline", "least")] == [None, None]


def test_journals_keep_what_was_set_under_the_operators_word() -> None:
    kept = msgspec.json.encode([tuned("pool", 60)])
    assert json.loads(kept) == [
        {
            "at": {"place": "asset", "name": "pool", "rule": "over_two_thirds", "figure": "raise_pct"},
            "value": 60,
            "by": "office",
            "reason": "赶集",
            "since_ms": 7,
        }
    ]
    assert msgspec.json.decode(kept, type=list[Tuned]) == [tuned("pool", 60)]


def test_a_parameter_counts_in_the_area_of_its_place(thresholds: Thresholds) -> None:
    assert [thresholds.area_of(at(name)) for name in ("liutan", "qingshi", "pool", "plant")] == [
        *("liutan", "qingshi", "liutan", "hetian")
    ]
    nowhere = (ThresholdKey(place, "nowhere", "over_two_thirds", "raise_pct") for place in ThresholdScope)
    assert [thresholds.area_of(each) for each in nowhere] == ["", ""]
    assert thresholds.area_of(ASSET_LIUTAN) == ""


def test_what_the_line_takes_back_was_not_set(made: Assembled) -> None:
    thresholds = made.thresholds
    savepoint = made.undo.savepoint()
    thresholds.accept(weigh(thresholds, tuned("pool", 60)))
    made.undo.rollback(savepoint)
    assert (lines(thresholds)[0], thresholds.list_tuned()) == (SHIPPED, [])
