"""The lists of the day: who gets one, of what stands at that hour, in which order, and when there is none."""

import dataclasses
from collections.abc import Mapping
from datetime import date, time
from typing import Final

import pytest
from msgspec.structs import replace

from alerts.alert import Alert
from alerts.calendars import DAY_MS, HOUR_MS, MINUTE_MS
from alerts.conditions.bins import BinMemory
from alerts.conditions.plants import PlantMemory
from alerts.conditions.state import Memory
from alerts.model import MessageKind, Owed, Severity
from alerts.notify.holds import Holds
from alerts.notify.lists import Crossing, Lists, Week, of_standing, weeks
from telemetry.inventory import Asset, Duty, Inventory
from telemetry.reading import Millis
from telemetry.segments import parts
from telemetry.terms import Role
from tests.alerts.notify import builders
from tests.alerts.notify.builders import CALENDAR, CAN, CATALOGUE, ESCALATION, NOON, PLANT, ROAD, clock
from tests.alerts.notify.builders import COUNTY as GOLDEN

LINE_PCT: Final = 66.7


def another(number: int) -> Asset:
    return dataclasses.replace(GOLDEN.assets[ROAD], id=f"ytan-{number:02}", short=f"柳潭{number}号", landmark=None)


MORE: Final = {each.id: each for each in (another(5), another(6), another(7))}
COUNTY: Final[Inventory] = dataclasses.replace(GOLDEN, assets={**GOLDEN.assets, **MORE})
HOLDS: Final[Holds] = dataclasses.replace(ESCALATION.holds, inventory=COUNTY)
LINES: Final[Mapping[str, float]] = {name: LINE_PCT for name, asset in COUNTY.assets.items() if asset.bin is not None}
LISTS: Final = Lists(COUNTY, HOLDS, CATALOGUE, LINES)


class Seen:
    """What stands, what is remembered of each asset, and who says nothing."""

    def __init__(self, *standing: Alert, silent: tuple[str, ...] = (), **fills: float) -> None:
        self.alerts = {each.episode: each for each in standing}
        self.silent = silent
        self.memories: dict[str, Memory] = {
            name.replace("_", "-"): BinMemory(fill_pct=fill) for name, fill in fills.items()
        }

    def memory(self, asset: str) -> Memory | None:
        return self.memories.get(asset)

    def hears(self, asset: str) -> bool:
        return asset not in self.silent


def alert(rule: str = "over_two_thirds", asset: str = ROAD, number: int = 1) -> Alert:
    return builders.alert(rule, asset, Severity.P3, number=number, at_ms=clock(6))


def made(due_ms: Millis, seen: Seen, lists: Lists = LISTS) -> list[Owed]:
    return lists.made(due_ms, due_ms, seen, lambda _: ())


def test_the_next_list_is_the_first_of_any_kind_and_the_same_is_not_made_twice() -> None:
    for after_ms, next_ms in (
        (clock(6, 30) - 1, clock(6, 30)),
        (clock(6, 30), clock(7)),
        (clock(17, 30) - 1, clock(17, 30)),
        (clock(17, 30), clock(6, 30, 10)),
    ):
        assert LISTS.next_ms(after_ms) == next_ms
    none = dataclasses.replace(HOLDS, policies=HOLDS.policies.model_copy(update={"lists": {}}))
    assert dataclasses.replace(LISTS, holds=none).next_ms(NOON) is None


def test_whoever_empties_gets_what_is_over_the_fullest_first() -> None:
    seen = Seen(
        *(alert(asset=each) for each in (ROAD, "ytan-05", "ytan-06", CAN)),
        alert("overflow", "ytan-06"),
        alert("hot_ash", "ytan-07"),
        alert("stopped", PLANT),
        alert(asset="gone"),
        ytan_03=70.0,
        ytan_05=90.0,
        ytan_06=80.0,
        ytan_04=99.0,
    )
    mine, driver = made(clock(6, 30), seen)
    assert (mine.to, driver.to) == ("cleaner-li", "driver-tang")
    assert mine.covers == (
        "over_two_thirds/ytan-05/1",
        "over_two_thirds/ytan-06/1",
        "overflow/ytan-06/1",
        "over_two_thirds/ytan-03/1",
    )
    assert mine.variables == {"day": "9日", "count": "3", "names": "柳潭5号、柳潭6号、柳潭3号池（村部东侧）"}
    assert driver.covers == (f"over_two_thirds/{CAN}/1",)
    assert (mine.step, mine.repeat) == (0, 0)
    assert (mine.rule, mine.kind, mine.severity, mine.asset) == ("list", MessageKind.DIGEST, "P3", "xiang")
    assert (mine.episode, mine.phone, mine.at_ms) == (
        "list/cleaner-li/20261208T223000Z",
        "13900000001",
        clock(6, 30),
    )


def test_what_is_as_full_or_of_which_no_level_is_known_stands_by_its_name_and_the_latter_last() -> None:
    seen = Seen(*(alert(asset=each) for each in ("ytan-07", "ytan-06", "ytan-05", ROAD)), ytan_07=80.0, ytan_05=80.0)
    seen.memories["ytan-06"] = PlantMemory()
    (mine,) = made(clock(6, 30), seen)
    assert mine.variables["names"] == "柳潭5号、柳潭7号、柳潭3号、柳潭6号"


def test_who_drives_a_route_gets_it_in_the_order_of_its_stops() -> None:
    route = dataclasses.replace(GOLDEN.routes["r1"], stops=("ytan-06", CAN, "ytan-05"))
    county = dataclasses.replace(COUNTY, routes={"r1": route})
    lists = dataclasses.replace(LISTS, inventory=county)
    seen = Seen(*(alert(asset=each) for each in (CAN, "ytan-05", "ytan-06")), ytan_05=99.0, ytan_04=90.0)
    (driver,) = made(clock(6, 30), seen, lists)
    assert (driver.to, driver.variables["names"]) == ("driver-tang", "柳潭6号、柳潭4号桶（小学门口）、柳潭5号")


@pytest.mark.parametrize(
    "state",
    [
        {"closed_ms": NOON},
        {"acked_ms": NOON},
        {"shelved_until_ms": NOON + DAY_MS},
        {"parent": "overflow/it/1"},
        {"owes": False},
    ],
)
def test_what_is_seen_to_or_quiet_sends_nobody_anywhere(state: dict[str, int | str | bool]) -> None:
    assert made(clock(6, 30), Seen(replace(alert(), **state), ytan_03=99.0)) == []
    assert len(made(clock(6, 30), Seen(replace(alert(), acked_ms=NOON, reason="quiet"), ytan_03=99.0))) == 1


def test_what_is_on_trial_is_in_no_list_until_that_is_over() -> None:
    """The sensor of the bin with rounds was installed on the 23rd of November, at eight in the morning."""
    for day, count in ((date(2026, 11, 30), 0), (date(2026, 12, 1), 1)):
        at_ms = CALENDAR.instant(day, time(6, 30))
        assert len(made(at_ms, Seen(alert(asset=CAN)))) == count
    ends_ms = CALENDAR.instant(date(2026, 11, 30), time(8))
    for at_ms, count in ((ends_ms - 1, 0), (ends_ms, 1)):
        assert len(LISTS.made(clock(6, 30), at_ms, Seen(alert(asset=CAN)), lambda _: ())) == count


def office(name: str, at_ms: Millis, seen: Seen, lists: Lists = LISTS) -> Mapping[str, str]:
    """What the dispatcher's list of an hour says."""
    (said,) = [each for each in made(at_ms, seen, lists) if each.template == name]
    assert said.to == "dispatch-wu"
    return said.variables


def test_the_morning_counts_what_stands_and_names_what_was_left_out() -> None:
    seen = Seen(
        replace(alert(asset=CAN), missed=1),
        replace(alert("overflow", CAN), missed=2),
        replace(alert(asset="ytan-05"), missed=1, acked_ms=NOON),
        alert("overflow"),
        replace(alert("overflow", "ytan-05"), closed_ms=NOON),
        replace(alert("overflow", "ytan-06"), parent="maintenance/ytan-06/1"),
        replace(alert("offline", PLANT), parent="gateway_offline/g07/1"),
        alert("stopped", PLANT),
        alert("overflow", "gone"),
        ytan_03=66.8,
        ytan_04=66.7,
        ytan_05=90.0,
        ytan_06=90.0,
        silent=("ytan-06",),
    )
    assert office("list_morning", clock(7), seen) == {
        "day": "9日",
        "over": "2",
        "full": "2",
        "stopped": "1",
        "troubled": "",
        "troubles": "",
        "silent": "1",
        "points": "1",
        "names": "柳潭4号桶（小学门口）",
    }
    bare = office("list_morning", clock(7), Seen(ytan_03=99.0))
    assert [bare[each] for each in ("over", "points", "names")] == ["1", "0.5", ""]


def test_only_who_dispatches_is_told_and_only_of_their_areas() -> None:
    there = Duty(Role.DISPATCHER, area="chetian")
    elsewhere = dataclasses.replace(GOLDEN.people["dispatch-wu"], duties=(there, Duty(Role.CREW, area="wushi")))
    county = dataclasses.replace(COUNTY, people={**COUNTY.people, "dispatch-wu": elsewhere})
    lists = dataclasses.replace(LISTS, inventory=county)
    seen = Seen(alert("overflow"), alert("stopped", PLANT), ytan_03=99.0)
    said = office("list_morning", clock(7), seen, lists)
    assert [said[each] for each in ("over", "full", "stopped")] == ["0", "0", "1"]


@pytest.mark.parametrize(
    ("standing", "troubled", "troubles"),
    [
        ((), "", ""),
        (("stopped",), "", ""),
        (("offline",), "", ""),
        (("level_high",), "1", "水位超高1"),
        (("stopped", "level_high", "dry_run"), "1", "水位超高1，停机1，空转1"),
        (("no_power", "not_restarted", "dry_run"), "1", "空转1，没启动1，停电1"),
        (("stopped", "level_high", "dry_run", "no_power"), "1", "水位超高1，停机1，空转1等"),
    ],
)
def test_the_troubles_of_plants_are_named_the_worst_first(
    standing: tuple[str, ...], troubled: str, troubles: str
) -> None:
    said = office("list_morning", clock(7), Seen(*(alert(rule, PLANT) for rule in standing)))
    assert (said["troubled"], said["troubles"]) == (troubled, troubles)


def test_what_another_trouble_explains_or_work_does_is_not_said_beside_it() -> None:
    power = alert("no_power", PLANT)
    for parent, said in (
        ("", "停机1，停电1"),
        ("no_power/it/1", "停电1"),
        ("gateway_offline/g07/1", "停机1，停电1"),
        ("planned_cut/it/1", "停电1"),
    ):
        seen = Seen(power, replace(alert("stopped", PLANT), parent=parent))
        assert office("list_morning", clock(7), seen)["troubles"] == said
    over = Seen(power, replace(alert("level_high", PLANT), closed_ms=NOON))
    assert office("list_morning", clock(7), over)["troubles"] == "停电1"


def test_the_afternoon_has_a_list_while_something_is_over_and_the_evening_names_the_first_two() -> None:
    full = Seen(ytan_03=70.0, ytan_04=66.7, ytan_05=90.0, ytan_06=80.0)
    said = office("list_afternoon", clock(15, 30), full)
    assert (said["over"], said["names"], said["time"]) == ("3", "柳潭3号池（村部东侧）、柳潭5号、柳潭6号", "")
    assert made(clock(15, 30), Seen(ytan_03=66.7)) == []
    evening = office("list_evening", clock(17, 30), full)
    assert (evening["over"], evening["names"]) == ("3", "柳潭5号、柳潭6号")
    assert office("list_evening", clock(17, 30), Seen())["over"] == "0"


@pytest.mark.parametrize(
    ("state", "hour", "told"),
    [
        ({"step": 1, "missed": 1}, 15, "17:30"),
        ({"step": 1, "missed": 2}, 15, "17:30"),
        ({"step": 1, "missed": 0}, 15, ""),
        ({"step": 1, "missed": 0}, 11, "17:30"),
        ({"step": 0, "missed": 1}, 15, ""),
        ({"step": 2, "missed": 1}, 15, ""),
        ({"step": 1, "missed": 1, "acked_ms": NOON}, 15, ""),
        ({"step": 1, "missed": 1}, 17, ""),
        ({"step": 1, "missed": 2}, 17, "17:30"),
        ({"step": 1, "missed": 2}, 18, ""),
    ],
)
def test_it_is_said_when_the_village_hears_where_that_is_certain(state: dict[str, int], hour: int, told: str) -> None:
    """Two missed rounds are reported at half past five; a round counts as missed half an hour after its end."""
    seen = Seen(replace(alert(asset=CAN), **state), ytan_04=99.0)
    (said,) = (
        each for each in LISTS.made(clock(15, 30), clock(hour), seen, lambda _: ()) if each.template == "list_afternoon"
    )
    assert said.variables["time"] == told


def test_where_of_one_it_is_not_certain_no_hour_is_said() -> None:
    sure = replace(alert(asset=CAN), step=1, missed=2)
    for seen, told in (
        (Seen(sure, ytan_04=99.0), "17:30"),
        (Seen(sure, ytan_04=99.0, ytan_05=99.0), ""),  # no alert of it
        (Seen(sure, replace(alert(), step=1, missed=2), ytan_04=99.0, ytan_03=99.0), ""),  # it has no rounds
        (Seen(replace(sure, rule="overflow"), ytan_04=99.0), ""),
        (Seen(sure, replace(alert(asset="ytan-05"), step=1), ytan_04=99.0), "17:30"),  # not over any more
    ):
        assert office("list_afternoon", clock(15, 30), seen)["time"] == told
    rules = HOLDS.policies.rules
    rule = rules["over_two_thirds"]
    first, second, *_ = rule.rounds
    at_five, before = (second.model_copy(update={"at": at}) for at in (time(17), time(16, 59)))
    once = replace(sure, missed=1)  # the round of the afternoon counts as missed at five
    for alone, steps, told in (
        (once, (first, at_five), "17:00"),
        (once, (first, before), ""),
        (sure, (first,), ""),
        (sure, (first, second.model_copy(update={"at": None})), ""),
        (sure, (first.model_copy(update={"at": time(16, 30)}), second), "17:30"),  # the first waits for no missed round
    ):
        policies = HOLDS.policies.model_copy(
            update={"rules": {**rules, "over_two_thirds": rule.model_copy(update={"rounds": steps})}}
        )
        lists = dataclasses.replace(LISTS, holds=dataclasses.replace(HOLDS, policies=policies))
        assert office("list_afternoon", clock(15, 30), Seen(alone, ytan_04=99.0), lists)["time"] == told


def test_at_noon_the_round_that_was_over_last_is_reckoned_up() -> None:
    start_ms = clock(7)
    for memory, template, done, left in (
        (BinMemory(fill_pct=50.0), "list_noon", "0", "1"),
        (BinMemory(fill_pct=50.0, emptied_ms=start_ms - 1), "list_noon", "0", "1"),
        (BinMemory(fill_pct=50.0, emptied_ms=start_ms), "list_noon_done", "1", None),
        (BinMemory(fill_pct=15.0), "list_noon_done", "1", None),
        (BinMemory(fill_pct=15.1), "list_noon", "0", "1"),
        (BinMemory(fill_pct=0.0), "list_noon_done", "1", None),
        (BinMemory(), "list_noon", "0", "1"),
        (PlantMemory(), "list_noon", "0", "1"),
    ):
        seen = Seen()
        seen.memories[CAN] = memory
        (said,) = made(clock(11, 45), seen)
        assert (said.to, said.template, said.variables["round"]) == ("dispatch-wu", template, "早班")
        assert said.variables["due"] == "1"
        assert said.variables.get("left") == left
        assert said.variables.get("done", done) == done
    assert made(clock(11, 45), Seen())[0].variables["names"] == "柳潭4号桶（小学门口）"
    assert LISTS.made(clock(11, 45), clock(10, 59), Seen(), lambda _: ()) == [], "no round of today is over"


def test_the_round_that_is_reckoned_up_is_the_one_that_was_over_last() -> None:
    """At five both rounds of the first bin are over, and the other has one in the morning alone."""
    collection = COUNTY.assets[CAN].collection
    assert collection is not None
    mornings = dataclasses.replace(collection, rounds=("am",))
    other = dataclasses.replace(COUNTY.assets["ytan-05"], collection=mornings)
    county = dataclasses.replace(COUNTY, assets={**COUNTY.assets, "ytan-05": other})
    lists = dataclasses.replace(LISTS, inventory=county)
    (said,) = lists.made(clock(11, 45), clock(17), Seen(), lambda _: ())
    assert (said.variables["round"], said.variables["due"]) == ("下午班", "2")


def long_named(number: int) -> Asset:
    return dataclasses.replace(another(number), short=f"柳潭村东头第{number}号大垃圾池")


def test_a_list_takes_two_sms_where_it_needs_them_and_never_three() -> None:
    for made_of, least in ((another, "柳潭18号等9处"), (long_named, "等9处")):
        bins = {each.id: each for each in (made_of(number) for number in range(11, 20))}
        county = dataclasses.replace(GOLDEN, assets={**GOLDEN.assets, **bins})
        lists = dataclasses.replace(LISTS, inventory=county)
        standing = Seen(*(alert(asset=each) for each in bins))
        (said,) = made(clock(6, 30), standing, lists)
        assert (len(parts(said.text)), least in said.text) == (2, True)
        ten = (*said.covers, "over_two_thirds/gone/1")
        again = of_standing(replace(said, covers=ten), standing.alerts, county, CATALOGUE)
        assert (again.text, again.covers) == (said.text, said.covers)


def test_of_what_no_level_is_known_stands_behind_what_is_empty_whatever_is_remembered_of_it() -> None:
    seen = Seen(*(alert(asset=each) for each in ("ytan-05", "ytan-06", "ytan-07", ROAD)), ytan_07=0.0)
    seen.memories[ROAD] = PlantMemory()
    seen.memories["ytan-06"] = BinMemory()
    (mine,) = made(clock(6, 30), seen)
    assert mine.variables["names"] == "柳潭7号、柳潭3号、柳潭5号、柳潭6号"


def small(rule: str, asset: str, device: str = "", number: int = 1) -> Alert:
    return replace(alert(rule, asset, number), severity=Severity.P4, device=device)


def test_on_mondays_a_crew_hears_what_is_to_be_repaired() -> None:
    """So many devices, of each kind how many, and where it has lasted longest; who has a told cause is left out."""
    seen = Seen(
        replace(small("battery_low", ROAD, "bin-0003"), raised_ms=clock(8)),
        small("clock_drift", ROAD, "another"),
        replace(small("stuck", CAN, "bin-0004"), raised_ms=clock(5)),
        replace(small("battery_low", CAN, "bin-0004"), raised_ms=clock(7)),
        replace(small("offline", "ytan-05", "x"), parent="gateway_offline/g07/1"),
        replace(small("offline", "ytan-06", "y"), severity=Severity.P3),
        small("tilted", "gone", "z"),
        small("tilted", "ytan-07"),
    )
    (said,) = made(clock(7, 30, 7), seen)
    assert (said.to, said.template) == ("crew-chen", "list_week")
    assert said.variables == {"day": "7日", "count": "4", "items": "换电池2，时钟不准1，卡住1，歪1", "short": "柳潭4号"}
    assert made(clock(7, 30, 8), seen) == [], "on a Tuesday"
    assert made(clock(7, 30, 7), Seen(replace(small("offline", ROAD), parent="gateway_offline/g07/1"))) == []


def village(crossings: list[Crossing], at_ms: Millis, lists: Lists = LISTS) -> list[Owed]:
    asked: list[Millis] = []

    def since(from_ms: Millis) -> list[Crossing]:
        asked.append(from_ms)
        return crossings

    said = lists.made(clock(8, day=7), at_ms, Seen(), since)
    assert all(each == clock(0, day=7) - 7 * DAY_MS for each in asked)
    return said


def test_a_village_hears_its_week_in_whole_hours_and_of_one_without_a_crossing_nothing() -> None:
    last_ms, at_ms = clock(0, day=7) - DAY_MS, clock(8, day=7)
    for lasted_ms, hours in ((1, "1"), (90 * MINUTE_MS + 1, "2"), (89 * MINUTE_MS, "1"), (5 * HOUR_MS, "5")):
        (said,) = village([Crossing(ROAD, last_ms, last_ms + lasted_ms)], at_ms)
        assert said.to == "sec-yang"
        assert said.variables == {
            "area": "柳潭村",
            "count": "1",
            "day": "6日",
            "hours": hours,
            "rank": "1",
            "short": "",
            "villages": "1",
        }
    (said,) = village([Crossing(ROAD, last_ms, last_ms + 1), Crossing(ROAD, last_ms + 2, None)], at_ms)
    assert (said.variables["count"], said.variables["short"]) == ("2", "柳潭3号")
    assert village([], at_ms) == []
    assert village([Crossing(ROAD, last_ms, None)], at_ms + DAY_MS) == [], "on a Tuesday"


def test_the_place_of_a_village_is_said_among_those_of_its_town() -> None:
    other = dataclasses.replace(another(8), areas=("chetian",))
    lists = dataclasses.replace(LISTS, inventory=dataclasses.replace(COUNTY, assets={**COUNTY.assets, other.id: other}))
    from_ms = clock(0, day=7) - DAY_MS
    for crossings, rank in (
        ([Crossing(ROAD, from_ms, from_ms + 1)], "2"),
        ([Crossing(ROAD, from_ms, from_ms + 1), *[Crossing(other.id, from_ms, from_ms + 1)] * 2], "1"),
    ):
        said = village(crossings, clock(8, day=7), lists)
        assert [(each.variables["villages"], each.variables["rank"]) for each in said] == [("2", rank)]


def test_a_week_begins_and_ends_at_midnight_and_villages_of_another_town_are_no_rivals() -> None:
    from_ms, to_ms = clock(0, day=1), clock(0, day=8)
    for crossing, week in (
        (Crossing(ROAD, from_ms - 9, from_ms), Week(0, 0, "", 1, 1)),
        (Crossing(ROAD, from_ms - 9, from_ms + 1), Week(1, 1, "", 1, 1)),
        (Crossing(ROAD, to_ms - 1, None), Week(1, 1, "", 1, 1)),
        (Crossing(ROAD, to_ms, to_ms + 9), Week(0, 0, "", 1, 1)),
        (Crossing(ROAD, from_ms - 9, to_ms + 9), Week(1, to_ms - from_ms, "", 1, 1)),
        (Crossing("gone", from_ms, to_ms), Week(0, 0, "", 1, 1)),
        (Crossing(PLANT, from_ms, to_ms), Week(0, 0, "", 1, 1)),
    ):
        assert weeks(COUNTY, [crossing], from_ms, to_ms) == {"ytan": week}
    in_town = dataclasses.replace(COUNTY.assets["ytan-07"], areas=("wushi",))
    county = dataclasses.replace(COUNTY, assets={**COUNTY.assets, in_town.id: in_town})
    found = weeks(county, [Crossing(in_town.id, from_ms, to_ms)], from_ms, to_ms)
    assert found == {"ytan": Week(0, 0, "", 1, 1)}, "a town is no village"
    areas = {
        "xi-town": dataclasses.replace(COUNTY.areas["wushi"], id="xi-town"),
        "xi": dataclasses.replace(COUNTY.areas["ytan"], id="xi", parent="xi-town"),
    }
    there = dataclasses.replace(in_town, areas=("xi",))
    two_towns = dataclasses.replace(COUNTY, areas={**COUNTY.areas, **areas}, assets={**COUNTY.assets, there.id: there})
    found = weeks(two_towns, [Crossing(ROAD, from_ms, from_ms + 1)], from_ms, to_ms)
    assert found == {"ytan": Week(1, 1, "", 1, 1), "xi": Week(0, 0, "", 1, 1)}


def waiting(*covers: str) -> Owed:
    names = {"day": "8日", "count": "2", "names": "柳潭3号、柳潭5号"}
    said = CATALOGUE.word("list_emptier", names, segments=2)
    return Owed(
        at_ms=NOON,
        rule="list",
        asset="xiang",
        episode="list/cleaner-li/1",
        severity="P3",
        kind=MessageKind.DIGEST,
        step=0,
        repeat=0,
        to="cleaner-li",
        phone="13900000001",
        channel="sms",
        text=said.text,
        template=said.template,
        variables=said.variables,
        covers=covers,
    )


def test_a_list_that_waited_names_what_still_stands_and_of_nothing_what_it_did() -> None:
    one, other = alert(), alert(asset="ytan-05")
    both = waiting(one.episode, other.episode)
    gone = replace(other, closed_ms=NOON)
    for standing in ({one.episode: one}, {one.episode: one, other.episode: gone}):
        said = of_standing(both, standing, COUNTY, CATALOGUE)
        assert said.covers == (one.episode,)
        assert said.variables == {"day": "8日", "count": "1", "names": "柳潭3号池（村部东侧）"}
        assert "柳潭3号池" in said.text
        assert said.text != both.text
    for standing in ({}, {one.episode: one, other.episode: other}, {other.episode: gone}):
        assert of_standing(both, standing, COUNTY, CATALOGUE) is both
    another = replace(both, template="digest")
    assert of_standing(another, {one.episode: one}, COUNTY, CATALOGUE) is another
    twice = alert("overflow")
    thrice = waiting(one.episode, twice.episode, other.episode)
    said = of_standing(thrice, {one.episode: one, twice.episode: twice}, COUNTY, CATALOGUE)
    assert (said.variables["count"], said.covers) == ("1", (one.episode, twice.episode))
