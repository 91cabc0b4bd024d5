"""What a text about several says, in which words, to whom, and what it stands for."""

import dataclasses
from typing import Final

import pytest
from msgspec.structs import replace

from alerts.calendars import HOUR_MS, MINUTE_MS
from alerts.model import MessageKind, Owed
from alerts.notify import texts
from alerts.notify.digest import Digest
from alerts.notify.lists import LIST
from alerts.notify.schedule import Schedule
from alerts.operations.absences import ABSENCE
from alerts.policy import Policy
from gateway import shipped
from telemetry.reading import Millis
from telemetry.segments import parts
from tests.alerts.notify.builders import (
    CALENDAR,
    CAN,
    CATALOGUE,
    COUNTY,
    ESCALATION,
    NOON,
    PLANT,
    ROAD,
    alert_of,
    clock,
    owed,
)

TWO_THIRDS_PCT: Final = 66.7

LATE: Final[Millis] = clock(12, 20)
LINES: Final = {ROAD: TWO_THIRDS_PCT, CAN: TWO_THIRDS_PCT}
DIGEST: Final = Digest(COUNTY, CALENDAR, ESCALATION.schedule, CATALOGUE, LINES)


def several(*messages: Owed, digest: Digest = DIGEST, at_ms: Millis = LATE, known: bool = True) -> Owed:
    """The one text that leaves instead of these."""
    alerts = (
        {each.episode: alert_of(each, NOON - (nth * MINUTE_MS)) for nth, each in enumerate(messages)} if known else {}
    )
    (said,) = digest.together(messages, alerts, at_ms)
    return said


def test_whoever_is_told_gets_one_text_and_one_more_for_each_line_and_each_list() -> None:
    power = [owed("no_power", PLANT, number=each) for each in (1, 2)]
    listed, asked = owed(LIST), owed(ABSENCE)
    goes_on = replace(owed(kind=MessageKind.CLEARED, number=7), covers=("over_two_thirds/it/1",))
    rest = [owed(number=3), owed(number=4)]
    other = owed(to="sec-yang")
    messages = [power[0], rest[0], listed, asked, goes_on, power[1], other, rest[1]]
    said = list(DIGEST.together(messages, {}, LATE))
    assert [(each.to, each.rule, each.covers) for each in said] == [
        ("cleaner-li", "no_power", tuple(each.episode for each in power)),
        ("cleaner-li", "overflow", tuple(each.episode for each in rest)),
        ("cleaner-li", LIST, ()),
        ("cleaner-li", ABSENCE, ()),
        ("cleaner-li", "overflow", goes_on.covers),
        ("sec-yang", "overflow", ()),
    ]
    assert [each.at_ms for each in said] == [LATE] * len(said)
    assert said[2:] == [replace(each, at_ms=LATE) for each in (listed, asked, goes_on, other)], "alone as it was"


def test_a_word_that_something_is_over_goes_with_others_unless_it_asks_for_something() -> None:
    over = [owed(kind=MessageKind.CLEARED, number=each) for each in (1, 2)]
    assert several(*over).covers == tuple(each.episode for each in over)
    first = replace(owed(), covers=("overflow/other/1",))
    assert len(list(DIGEST.together([first, owed(number=2)], {}, LATE))) == 1


FIRST, LATER, OVER, AGAIN = MessageKind.FIRST, MessageKind.ESCALATION, MessageKind.CLEARED, MessageKind.REPEAT


@pytest.mark.parametrize(
    ("rules", "kinds", "template"),
    [
        (("overflow", "overflow"), (FIRST, FIRST), "overflow_several"),
        (("overflow", "over_two_thirds"), (FIRST, MessageKind.FRESH), "fill_several"),
        (("over_two_thirds", "over_two_thirds"), (FIRST, FIRST), "fill_several"),
        (("overflow", "hot_ash"), (FIRST, FIRST), "several"),
        (("stopped", "stopped"), (FIRST, FIRST), "stopped_several"),
        (("stopped", "level_high"), (FIRST, FIRST), "several"),
        (("no_power", "no_power"), (FIRST, FIRST), "no_power_several"),
        (("overflow", "overflow"), (OVER, OVER), "several_over"),
        (("no_power", "no_power"), (OVER, OVER), "several_over"),
        (("overflow", "overflow"), (LATER, LATER), "several_late"),
        (("overflow", "overflow"), (AGAIN, AGAIN), "several"),
        (("overflow", "overflow"), (FIRST, LATER), "several"),
        (("overflow", "overflow"), (OVER, LATER), "several"),
    ],
)
def test_what_is_of_one_kind_has_its_own_words(
    rules: tuple[str, str], kinds: tuple[MessageKind, MessageKind], template: str
) -> None:
    messages = [owed(rule, ROAD, kind, number=nth) for nth, (rule, kind) in enumerate(zip(rules, kinds, strict=True))]
    assert several(*messages).template == template


@pytest.mark.parametrize(("kind", "template"), [(FIRST, "no_power_feeder"), (OVER, "power_back_feeder")])
def test_plants_on_one_line_are_told_of_by_its_name(kind: MessageKind, template: str) -> None:
    said = several(*(owed("no_power", PLANT, kind, number=each) for each in (1, 2)))
    assert (said.template, said.variables["feeder"], said.variables["count"]) == (template, "北线", "2")
    assert list(DIGEST.together([owed("stopped", PLANT), owed("stopped", PLANT, number=2)], {}, LATE)) == [
        several(owed("stopped", PLANT), owed("stopped", PLANT, number=2), known=False)
    ]
    plant = COUNTY.assets[PLANT]
    assert plant.plant is not None
    bare = dataclasses.replace(plant, plant=dataclasses.replace(plant.plant, feeder=None))
    alone = dataclasses.replace(DIGEST, inventory=dataclasses.replace(COUNTY, assets={**COUNTY.assets, PLANT: bare}))
    expected = "no_power_several" if kind is FIRST else "several_over"
    assert several(*(owed("no_power", PLANT, kind, number=n) for n in (1, 2)), digest=alone).template == expected


def test_where_the_catalogue_has_no_word_for_several_overflows_they_are_bins_over_the_line() -> None:
    old = shipped.policy_files().texts.replace("overflow_several:", "another_several:")
    catalogue = texts.load(old, "texts.yaml", "湘阳环卫")
    said = several(owed(), owed(asset=CAN), digest=dataclasses.replace(DIGEST, texts=catalogue))
    assert said.template == "fill_several"
    assert said.variables["names"] == "柳潭3号池（村部东侧）满出来了、柳潭4号桶（小学门口）满出来了"


def test_rounds_are_missed_where_all_of_them_were() -> None:
    """The round is the last that was over, of today or of the day before."""
    messages = [owed("over_two_thirds", CAN, number=each) for each in (1, 2)]
    alerts = {each.episode: replace(alert_of(each), missed=1) for each in messages}
    for at_ms, name in ((clock(11), "早班"), (clock(17), "下午班"), (clock(10), "下午班")):
        (said,) = DIGEST.together(messages, alerts, at_ms)
        assert (said.template, said.variables["round"]) == ("rounds_missed", name)
    alerts[messages[1].episode] = alert_of(messages[1])
    for known in (alerts, {}):
        (said,) = DIGEST.together(messages, known, NOON)
        assert said.template == "fill_several"
    of_others = [owed("overflow", CAN, number=each) for each in (1, 2)]
    alerts = {each.episode: replace(alert_of(each), missed=1) for each in of_others}
    assert [each.template for each in DIGEST.together(of_others, alerts, NOON)] == ["overflow_several"]


def test_a_few_places_are_named_by_their_landmarks_and_more_by_their_short_names() -> None:
    """Of one that overflows that is said where others only are over the line."""
    messages = [owed(asset=ROAD), owed("over_two_thirds", CAN)]
    assert several(*messages).variables["names"] == "柳潭3号池（村部东侧）满出来了、柳潭4号桶（小学门口）"
    three = several(*messages, owed("over_two_thirds", PLANT))
    assert three.variables["names"] == "柳潭3号池（村部东侧）满出来了、柳潭4号桶（小学门口）、禾田站（河边桥头）"
    four = several(*messages, owed("over_two_thirds", PLANT), owed("over_two_thirds", ROAD, number=4))
    assert four.variables["names"] == "柳潭3号满出来了、柳潭4号、禾田站、柳潭3号"
    beside = several(owed("stopped", PLANT), owed("stopped", "wushi"))
    assert beside.variables["names"] == "禾田站（河边桥头）、青石镇", "what is no asset has its name alone"
    only = several(owed(asset=ROAD), owed(asset=CAN))
    assert only.variables["names"] == "柳潭3号池（村部东侧）、柳潭4号桶（小学门口）"


def test_all_sorts_are_named_with_what_happened_there() -> None:
    said = several(
        owed("stopped", PLANT),
        owed("overflow", ROAD, LATER),
        replace(owed("overflow", CAN, OVER), template="emptied_meanwhile"),
        replace(owed("overflow", CAN, OVER, number=2), template="unknown"),
        owed("gateway_offline", "g07"),
        owed("area_of", "wushi", LATER),
        owed("stopped", "gone"),
    )
    assert said.variables["items"] == (
        "禾田站停机、柳潭3号满溢、柳潭4号已清、柳潭4号不再往外满、柳潭村部网关网关断了、青石镇area_of、停机"
    )
    assert (said.rule, said.kind, said.asset) == ("digest", MessageKind.DIGEST, "xiang")


def disputed(message: Owed) -> Owed:
    return replace(message, variables={"doubt": "李大姐说没满"})


def test_what_somebody_disputes_is_named_before_a_list_is_cut() -> None:
    few = [owed(number=1), owed(number=2), disputed(owed(asset=CAN))]
    assert several(*few).variables["names"].endswith("、柳潭4号桶（小学门口）（李大姐说没满）")
    assert several(*few, owed(number=9)).variables["names"] == "柳潭4号（李大姐说没满）、柳潭3号、柳潭3号、柳潭3号"


@pytest.mark.parametrize(
    ("messages", "line"),
    [
        ((owed("over_two_thirds", CAN), owed()), "线"),
        ((replace(owed("over_two_thirds", CAN), variables={"crossed": "过三分之二"}), owed()), "三分之二"),
        ((replace(owed("over_two_thirds", CAN), variables={"crossed": "过线"}), owed()), "线"),
        ((replace(owed("over_two_thirds", CAN), variables={"crossed": "过三分之二"}), owed(asset=PLANT)), "线"),
        ((owed("over_two_thirds", CAN), owed("over_two_thirds", ROAD)), "线"),
    ],
)
def test_the_line_is_named_where_all_are_over_the_same(messages: tuple[Owed, Owed], line: str) -> None:
    assert several(*messages).variables["line"] == line


def test_a_text_for_several_is_as_urgent_as_the_worst_and_asks_until_the_first_is_due() -> None:
    bins = [owed("over_two_thirds", CAN, number=2), owed("overflow", ROAD)]
    said = several(*bins)
    assert (said.severity, said.episode, said.at_ms) == ("P2", bins[0].episode, LATE)
    assert said.covers == tuple(each.episode for each in bins)
    assert said.variables["day"] == "9日"
    assert said.variables["deadline"] == "9日14点", "an overflow goes to the village two hours after its first text"
    alone = several(*(replace(each, step=2) for each in bins[1:]), owed(asset=CAN, number=3))
    assert alone.variables["deadline"] == "9日14点"


def test_a_text_that_hurries_names_no_far_day_and_one_of_which_nothing_is_known_the_present() -> None:
    for digest_at, far in ((clock(18, 30), "10日7点半"), (NOON, "9日14点")):
        said = several(owed(), owed(number=2), at_ms=digest_at)
        assert said.variables["deadline"] == far
    said = several(owed(), owed(number=2), known=False)
    assert said.variables["deadline"] == "9日12点"
    rules, slow = ESCALATION.holds.policies.rules, dict[str, Policy]()
    for rule in ("overflow", "over_two_thirds"):
        first, second, *_ = rules[rule].steps
        steps = (first, second.model_copy(update={"after": 50 * HOUR_MS}))
        slow[rule] = rules[rule].model_copy(update={"steps": steps, "clock": None})
    policies = ESCALATION.holds.policies.model_copy(update={"rules": {**rules, **slow}})
    digest = dataclasses.replace(DIGEST, schedule=Schedule(dataclasses.replace(ESCALATION.holds, policies=policies)))
    for rule, template, deadline in (
        ("overflow", "overflow_several", "10日12点"),
        ("over_two_thirds", "fill_several", "11日14点"),
    ):
        said = several(owed(rule), owed(rule, number=2), digest=digest, at_ms=NOON)
        assert (said.template, said.variables["deadline"]) == (template, deadline)


def test_the_time_of_a_deadline_and_since_when_it_is_so_are_said() -> None:
    messages = [owed("stopped", PLANT, number=each) for each in (1, 2)]
    said = several(*messages)
    assert (said.variables["count"], said.variables["deadline_time"]) == ("2", "16:00")
    power = several(*(owed("no_power", PLANT, number=each) for each in (1, 2)))
    assert (power.variables["since_day"], power.variables["since_time"]) == ("9日", "11:59")
    unknown = several(*(owed("no_power", PLANT, number=each) for each in (1, 2)), known=False)
    assert (unknown.variables["since_day"], unknown.variables["since_time"]) == ("9日", "12:20")
    back = several(*(owed("no_power", PLANT, OVER, number=each) for each in (1, 2)))
    assert (back.variables["day"], back.variables["time"]) == ("9日", "12:20")


def test_texts_about_all_sorts_of_one_instant_are_told_apart_and_carry_what_leads_them() -> None:
    rest = [owed(number=1), owed(kind=LATER, number=2)]
    line = [owed("no_power", PLANT, number=3), owed("no_power", PLANT, LATER, number=4)]
    said = list(DIGEST.together([*rest, *line], {}, LATE))
    assert [(each.repeat, each.step, each.kind) for each in said] == [
        (0, 0, MessageKind.DIGEST),
        (1, 0, MessageKind.DIGEST),
    ]
    (mine, _) = said
    assert mine.episode == "digest/cleaner-li/20261209T042000Z"
    assert (mine.to, mine.phone, mine.channel, mine.at_ms) == ("cleaner-li", "13900000001", "sms", LATE)
    assert mine.covers == ("overflow/ytan-03/1", "overflow/ytan-03/2")


def test_a_storm_counts_what_matters_most_first_and_names_what_is_disputed() -> None:
    messages = [
        owed("over_two_thirds", CAN),
        owed("stopped", PLANT),
        disputed(owed("overflow", ROAD)),
        owed("over_two_thirds", CAN, number=2),
        owed("overflow", to="sec-yang"),
    ]
    mine, other = DIGEST.of_storm(messages, clock(11, 50), LATE)
    assert mine.variables == {
        "count": "4",
        "items": "停机1，满溢1，过线2，柳潭3号（李大姐说没满）",
        "since_day": "9日",
        "since_time": "11:50",
        "window": "10分钟",
    }
    assert (mine.rule, mine.severity, mine.template, mine.to, other.to) == (
        "digest",
        "P2",
        "storm",
        "cleaner-li",
        "sec-yang",
    )
    assert mine.covers == tuple(each.episode for each in messages[:4])
    assert (mine.step, mine.repeat) == (0, 0)


def test_a_text_for_several_takes_two_segments_at_most_and_keeps_what_fits() -> None:
    for kinds in ((FIRST, FIRST), (FIRST, LATER)):
        many = [disputed(owed("hot_ash", CAN, kinds[nth % 2], number=nth)) for nth in range(8)]
        assert len(parts(several(*many).text)) == 2
    areas = {
        f"{length}-{nth}": dataclasses.replace(COUNTY.areas["ytan"], id=f"{length}-{nth}", name="村" * length)
        for length in (3, 12)
        for nth in range(8)
    }
    digest = dataclasses.replace(DIGEST, inventory=dataclasses.replace(COUNTY, areas={**COUNTY.areas, **areas}))
    for length in (3, 12):
        (said,) = digest.of_outages([dark(f"{length}-{nth}") for nth in range(8)], {}, LATE)
        assert len(parts(said.text)) == 2
        assert (said.text.count("村" * length) == 8) is (length == 3)


def dark(area: str, number: int = 1, to: str = "cleaner-li") -> Owed:
    return replace(owed("area_outage", area, to=to), episode=f"area_outage/{area}/{number}", severity="P3")


def test_dark_areas_are_told_at_once_each_as_wide_as_it_is_now() -> None:
    messages = [dark("ytan"), dark("ytan"), dark("chetian"), dark("ytan", to="sec-yang")]
    alerts = {each.episode: alert_of(each, clock(11, 30)) for each in messages}
    alerts["area_outage/ytan/1"] = replace(alerts["area_outage/ytan/1"], detail={"stale": 12, "seen_ms": clock(11, 40)})
    alerts["area_outage/chetian/1"] = replace(alerts["area_outage/chetian/1"], detail={"stale": 5})
    mine, other = DIGEST.of_outages(messages, alerts, LATE)
    assert mine.variables == {
        "area": "柳潭村、禾田村",
        "devices": "17",
        "since_day": "9日",
        "since_time": "11:30",
        "window": "10分钟",
    }
    assert mine.episode == "area_outage/ytan/1"
    assert (mine.covers, mine.at_ms, mine.template) == (
        ("area_outage/ytan/1", "area_outage/chetian/1"),
        LATE,
        "area_outage",
    )
    assert (other.to, other.covers, other.variables["devices"]) == ("sec-yang", (), "12")
    (both,) = DIGEST.of_outages(messages[1:3], alerts, LATE)
    assert both.covers == mine.covers
    assert other.variables["since_time"] == "11:40"
    (gone,) = DIGEST.of_outages([dark("ytan")], {}, clock(12, 30, 10))
    assert [gone.variables[each] for each in ("devices", "since_day", "since_time")] == ["0", "10日", "12:30"]
    told = alert_of(dark("ytan"))
    (unsaid,) = DIGEST.of_outages([dark("ytan")], {told.episode: replace(told, detail={"stale": "many"})}, LATE)
    assert unsaid.variables["devices"] == "0"


def test_a_retired_place_keeps_its_name() -> None:
    former = dataclasses.replace(
        COUNTY,
        assets={name: each for name, each in COUNTY.assets.items() if name != CAN},
        former={CAN: COUNTY.assets[CAN]},
    )
    digest = dataclasses.replace(DIGEST, inventory=former)
    said = several(owed("hot_ash", CAN), owed("stopped", PLANT), digest=digest)
    assert said.variables["items"] == "柳潭4号热灰、禾田站停机"
    assert several(owed(), owed(asset=CAN), digest=digest).variables["names"].endswith("柳潭4号桶（小学门口）")


def test_where_no_round_comes_none_is_named_and_of_several_bins_the_firsts() -> None:
    lone = [owed("over_two_thirds", ROAD, number=each) for each in (1, 2)]
    alerts = {each.episode: replace(alert_of(each), missed=1) for each in lone}
    (said,) = DIGEST.together(lone, alerts, NOON)
    assert (said.template, said.variables["round"]) == ("rounds_missed", "")
    for assets, name in (((CAN, ROAD), "早班"), ((ROAD, CAN), ""), (("gone", CAN), "")):
        both = [owed("over_two_thirds", each) for each in assets]
        (said,) = DIGEST.together(both, {each.episode: replace(alert_of(each), missed=1) for each in both}, NOON)
        assert said.variables["round"] == name
