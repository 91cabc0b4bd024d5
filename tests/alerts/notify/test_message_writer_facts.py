"""Every fact of a case as its text says it, at its bounds; which text a step takes; and how an episode closes."""

import dataclasses
from typing import Any, Final

import pytest
from msgspec.structs import replace

from alerts.alert import Alert, Doubt
from alerts.answers import Asked
from alerts.calendars import DAY_MS, MINUTE_MS
from alerts.conditions.bins import BinMemory
from alerts.conditions.plants import PlantMemory
from alerts.conditions.state import Memory
from alerts.model import Detail, MessageKind
from alerts.notify.message_writer import (
    EMPTIED,
    INHIBITED,
    PARAMETERS_CHANGED,
    RETIRED,
    UNWATCHED,
    Closing,
    Witness,
    choose,
    contradiction,
    next_chain,
)
from alerts.policy import StepPolicy
from telemetry.inventory import Duty
from telemetry.reading import Millis
from telemetry.terms import Role
from tests.alerts.notify import builders
from tests.alerts.notify.builders import CALENDAR, CAN, COUNTY, ESCALATION, NOON, PLANT, ROAD, clock

POLICIES: Final = ESCALATION.holds.policies
WRITER: Final = ESCALATION.message_writer
IDLE_A: Final = 0.05 * 7.2
"""A twentieth of what its pump draws at work."""
WITNESS: Final = Witness(COUNTY, CALENDAR, {ROAD: 66.7, CAN: 70.0}, 10 * MINUTE_MS)


LATE: Final[Millis] = clock(15, 20)


def alert(rule: str = "overflow", asset: str = ROAD) -> Alert:
    return replace(builders.alert(rule, asset), raised_ms=NOON + 10 * MINUTE_MS)


def facts(told: Alert, memory: Memory | None = None, at_ms: Millis = LATE) -> dict[str, str]:
    return WITNESS.facts(told, memory, at_ms, clock(18, 20))


def test_every_fact_of_a_bin_is_said_as_people_say_it() -> None:
    told = replace(alert(), told=("cleaner-li", "gone", "sec-yang"), missed=3, beside=("offline",))
    assert facts(told, BinMemory(fill_pct=90.0, temperature_c=41.6)) == {
        "place": "柳潭3号池（村部东侧）",
        "short": "柳潭3号",
        "container": "池",
        "scored": "是",
        "level": "九成",
        "line": "三分之二",
        "crossed": "过三分之二",
        "temperature": "42",
        "heat": "42度",
        "cooled": "",
        "day": "9日",
        "time": "15:20",
        "since_day": "9日",
        "since_time": "12:00",
        "hours": "3",
        "minutes": "190",
        "deadline": "9日18点",
        "deadline_time": "18:00",
        "deadline_part": "9日下午",
        "told": "李大姐、柳书记",
        "symptom": "",
        "village": "柳书记",
        "missed": "三",
        "sound": "是",
        "window": "10分钟",
        "office_phone": "55661234",
    }


@pytest.mark.parametrize(
    ("detail", "changed", "heat"),
    [
        ({"temperature_c": 78.4}, {}, "曾到78度，现在31度"),
        ({"temperature_c": 78.4}, {"at_ms": LATE + DAY_MS}, "9日曾到78度，现在31度"),
        ({"temperature_c": 78.4}, {"at_ms": LATE + DAY_MS, "again_ms": LATE + DAY_MS}, "曾到78度，现在31度"),
        ({"temperature_c": 31.4, "fire_flag": True}, {}, "曾报火，现在31度"),
        ({"fire_flag": True}, {}, "曾报火，现在31度"),
        ({"temperature_c": 78.4}, {"latched": False}, "31度"),
        ({"temperature_c": 78.4}, {"temperature_c": None}, "着火"),
    ],
)
def test_a_fire_that_has_cooled_says_what_it_was(detail: Detail, changed: dict[str, Any], heat: str) -> None:
    """31 degrees alone would be no alarm, and nobody would go and look (T12)."""
    given = {"latched": True, "again_ms": 0, "temperature_c": 31.4, "at_ms": LATE} | changed
    told = replace(alert("fire"), detail=detail, latched=given["latched"], again_ms=given["again_ms"])
    said = facts(told, BinMemory(temperature_c=given["temperature_c"]), given["at_ms"])
    assert "，".join(filter(None, (said["heat"], said["cooled"]))) == heat
    assert "heat" not in facts(replace(told, asset=PLANT, latched=True), PlantMemory())


def test_what_is_not_known_is_not_said() -> None:
    settings = dataclasses.replace(COUNTY.county, office_phone=None)
    mute = Witness(dataclasses.replace(COUNTY, county=settings), CALENDAR, {}, MINUTE_MS)
    found = mute.facts(replace(alert(asset="gone"), told=("sec-yang",)), None, LATE, LATE)
    assert [found[name] for name in ("office_phone", "told", "village", "missed", "symptom")] == [
        "",
        "柳书记",
        "",
        "",
        "",
    ]
    assert "level" not in facts(alert())
    of_nothing = facts(alert(asset=PLANT), BinMemory())
    assert [of_nothing[name] for name in ("level", "crossed", "heat", "scored")] == ["", "", "着火", ""]


@pytest.mark.parametrize(
    ("asset", "fill_pct", "said"),
    [
        (ROAD, -1.0, ("", "线", "", "是")),
        (ROAD, 0.0, ("零成", "线", "", "是")),
        (ROAD, 0.5, ("零成", "线", "", "是")),
        (ROAD, 66.7, ("七成", "线", "", "是")),
        (ROAD, 66.8, ("七成", "三分之二", "过三分之二", "是")),
        (CAN, 70.0, ("七成", "线", "", "")),
        (CAN, 70.1, ("七成", "线", "过线", "")),
        (PLANT, 99.0, ("十成", "线", "", "")),
    ],
)
def test_a_level_is_over_its_own_line_or_not(asset: str, fill_pct: float, said: tuple[str, ...]) -> None:
    found = facts(alert(asset=asset), BinMemory(fill_pct=fill_pct))
    assert tuple(found[name] for name in ("level", "line", "crossed", "scored")) == said


def test_how_long_it_lasts_is_counted_in_whole_hours_from_what_was_seen() -> None:
    for told, at_ms, hours in (
        (alert(), clock(13) - 1, "不到1"),
        (alert(), clock(13), "1"),
        (replace(alert(), detail={"seen_ms": NOON - 1}), clock(13) - 1, "1"),
        (replace(alert(), again_ms=clock(12, 30)), clock(13, 30) - 1, "不到1"),
        (alert(), NOON - 1, "不到1"),
    ):
        assert facts(told, at_ms=at_ms)["hours"] == hours


def test_the_minutes_without_an_answer_count_from_what_was_told_last() -> None:
    for told, minutes in (
        (alert(), "190"),
        (replace(alert(), again_ms=clock(14)), "80"),
        (replace(alert(), again_ms=clock(14), lapsed_ms=clock(15)), "20"),
        (replace(alert(), lapsed_ms=clock(15, 19)), "1"),
        (replace(alert(), lapsed_ms=clock(15, 19) + 1), ""),
        (replace(alert(), lapsed_ms=clock(15, 21)), ""),
    ):
        assert facts(told)["minutes"] == minutes


def test_what_a_plant_does_and_what_stands_beside_it() -> None:
    for rule, symptom in (("stopped", "停机"), ("level_high", "水位超高"), ("no_power", "停电"), ("meter_fault", "")):
        assert facts(alert(rule, PLANT))["symptom"] == symptom
    for beside, sound in (((), "是"), (("offline",), "是"), (("offline", "stopped"), "")):
        assert facts(replace(alert("no_power", PLANT), beside=beside))["sound"] == sound
    for missed, said in ((0, ""), (1, ""), (2, "两"), (3, "三")):
        assert facts(replace(alert(), missed=missed))["missed"] == said


def test_only_the_head_of_its_own_village_speaks_for_it() -> None:
    told = ("town-he", "sec-yang", "cleaner-li")
    assert [facts(replace(alert(asset=each), told=told))["village"] for each in (ROAD, PLANT)] == ["柳书记", ""]
    both = dataclasses.replace(
        COUNTY.people["sec-yang"], duties=(Duty(Role.CLEANER, area="chetian"), *COUNTY.people["sec-yang"].duties)
    )
    county = dataclasses.replace(COUNTY, people={**COUNTY.people, "sec-yang": both})
    witness = dataclasses.replace(WITNESS, inventory=county)
    assert [
        witness.facts(replace(alert(asset=each), told=told), None, LATE, LATE)["village"] for each in (ROAD, PLANT)
    ] == ["柳书记", ""], "also who sweeps elsewhere"


def test_the_house_speaks_of_itself_with_the_facts_that_were_written_down() -> None:
    detail = {"person": "李大姐", "count": 3, "hours": 30, "jump": "8分钟", "stale": 7}
    told = replace(alert("number_dead", "xiang"), detail=detail, told=("dispatch-wu",))
    found = facts(told)
    names = ("person", "count", "hours", "jump", "minutes", "place", "short", "container", "gateway", "area")
    assert [found[each] for each in names] == [
        *("李大姐", "3", "30", "8分钟", "200"),
        *("值班电脑", "值班电脑", "", "", ""),
    ]
    bare = facts(replace(told, detail={"count": 0}))
    assert [bare[each] for each in ("person", "count", "hours", "jump")] == [""] * 4
    assert "person" not in facts(replace(alert(), detail=detail))


@pytest.mark.parametrize(
    ("subject", "place", "gateway", "area"),
    [("g07", "柳潭村部网关", "柳潭村部", ""), ("wushi", "青石镇", "", "青石镇"), ("gone", "值班电脑", "", "")],
)
def test_a_radio_gateway_or_an_area_is_a_place_like_any_other(
    subject: str, place: str, gateway: str, area: str
) -> None:
    found = facts(replace(alert("gateway_offline", subject), detail={"stale": 12}))
    assert [found[name] for name in ("place", "short", "container", "gateway", "area", "devices")] == [
        *(place, place, ""),
        *(gateway, area, "12"),
    ]
    assert facts(alert("gateway_offline", subject))["devices"] == ""
    assert "devices" not in facts(alert())


@pytest.mark.parametrize(
    ("memory", "signs", "blind"),
    [
        (PlantMemory(), "", "是"),
        (PlantMemory(sensed=True), "", ""),
        (PlantMemory(mains_on=True), "有电", "是"),
        (PlantMemory(mains_on=False), "", "是"),
        (PlantMemory(pump_current_a=0.359), "提升泵没电流", "是"),
        (PlantMemory(pump_current_a=IDLE_A), "提升泵有电流但不出水", "是"),
        (PlantMemory(pump_current_a=IDLE_A, pump_on=False), "提升泵有电流但不出水", "是"),
        (PlantMemory(pump_on=False), "提升泵没转", "是"),
        (PlantMemory(pump_on=True), "", "是"),
        (PlantMemory(float_high=True), "水位高", "是"),
        (PlantMemory(level_mm=900.0), "水位高", "是"),
        (PlantMemory(level_mm=899.0), "", "是"),
        (PlantMemory(mains_on=True, pump_on=False, float_high=True, sensed=True), "有电，提升泵没转，水位高", ""),
        (None, "", ""),
    ],
)
def test_a_plant_shows_what_a_crew_would_ask(memory: PlantMemory | None, signs: str, blind: str) -> None:
    found = facts(alert("stopped", PLANT), memory)
    assert (found["signs"], found["blind"]) == (signs, blind)
    assert "signs" not in facts(alert(), memory)


def test_of_a_pump_whose_current_at_work_is_not_known_only_its_run_bit_speaks() -> None:
    plant = COUNTY.assets[PLANT]
    assert plant.plant is not None
    other = dataclasses.replace(plant, plant=dataclasses.replace(plant.plant, rated_current_a=None))
    witness = Witness(dataclasses.replace(COUNTY, assets={PLANT: other}), CALENDAR, {}, MINUTE_MS)
    for pump_on, signs in ((False, "提升泵没转"), (None, "")):
        memory = PlantMemory(pump_current_a=5.0, pump_on=pump_on)
        assert witness.facts(alert("stopped", PLANT), memory, LATE, LATE)["signs"] == signs


def step_template(text: str, told: Alert) -> str:
    memory = BinMemory(fill_pct=90.0) if told.asset == ROAD else PlantMemory()
    return WRITER.step_text(told, StepPolicy(roles=("crew",), text=text), memory, LATE, LATE, "crew-chen").template


def test_a_step_says_that_it_flared_up_again_and_that_only_the_flow_has_stopped() -> None:
    alone, again = {"by": "flow_alone"}, replace(alert("fire"), again_ms=NOON)
    for text, told, template in (
        ("stopped", replace(alert("stopped", PLANT), detail=alone), "stopped_flow_alone"),
        ("stopped", replace(alert("stopped", PLANT), detail={"by": "current"}), "stopped"),
        ("plant_dispatcher", replace(alert("stopped", PLANT), detail=alone), "plant_dispatcher"),
        ("fire", again, "fire_again"),
        ("fire", alert("fire"), "fire"),
        ("fire_unanswered", again, "fire_unanswered"),
    ):
        assert step_template(text, told) == template


def test_what_hurries_names_a_near_day_and_what_does_not_its_own() -> None:
    far_ms = NOON + 3 * DAY_MS
    for template, deadline in (("overflow", "10日12点"), ("over_two_thirds", "12日12点")):
        step = StepPolicy(roles=("emptier",), text=template)
        memory = BinMemory(fill_pct=90.0)
        said = WRITER.step_text(alert(), step, memory, NOON, far_ms, "cleaner-li")
        assert said.variables["deadline"] == deadline
        asked = Asked(alert().episode, "cleaner-li", template, "first", NOON, variables=said.variables)
        again = WRITER.repeated(asked, alert(), memory, NOON, far_ms, "cleaner-zhou")
        assert again.variables["deadline"] == deadline
    assert WRITER.text(alert(), "overflow", None, NOON, far_ms).variables["deadline"] == "12日12点"


def test_who_goes_instead_reads_how_it_is_now_and_what_is_not_known_now_as_it_was() -> None:
    was = {
        "place": "那里",
        "level": "七成",
        "deadline": "8日12点",
        "crossed": "过线",
        "code": "07",
        "doubt": "谁说没满",
    }
    asked = Asked(alert().episode, "cleaner-li", "over_two_thirds", "first", NOON, variables=was)
    doubted = replace(alert(), doubts=(Doubt("cleaner-li", "没满"),))
    for told, memory, level, doubt in (
        (alert(), BinMemory(fill_pct=90.0), "九成", None),
        (alert(), BinMemory(), "七成", None),
        (doubted, BinMemory(fill_pct=90.0), "九成", "李大姐说没满"),
    ):
        said = WRITER.repeated(asked, told, memory, LATE, clock(18), "cleaner-zhou")
        assert (said.variables["place"], said.variables["deadline"]) == ("柳潭3号池（村部东侧）", "9日18点")
        assert (said.variables["level"], said.variables.get("doubt")) == (level, doubt)
        assert "code" not in said.variables
        assert "去不了回2" in said.text
        assert "回207" not in said.text, "its code is of another number"


def test_who_is_told_reads_what_somebody_else_who_is_still_there_has_answered_last() -> None:
    doubts = (Doubt("cleaner-li", "没满"), Doubt("cleaner-zhou", "没事"), Doubt("gone", "没满"))
    for said, to, expected in (
        (doubts, "crew-chen", "周师傅说没事"),
        (doubts, "cleaner-zhou", "李大姐说没满"),
        (doubts[:1], "cleaner-li", ""),
        (doubts[2:], "crew-chen", ""),
    ):
        told = replace(alert(), doubts=said)
        assert contradiction(told, to, COUNTY) == expected
        step = StepPolicy(roles=("emptier",), text="overflow")
        assert WRITER.step_text(told, step, None, LATE, LATE, to).variables.get("doubt", "") == expected


def test_repeats_count_chains_count_in_hundreds_and_an_end_is_once() -> None:
    assert [next_chain(replace(alert(), repeat=each)) for each in (0, 99, 100, 250)] == [100, 100, 200, 300]
    said = WRITER.text(alert(), "overflow", None, LATE, LATE)
    for repeat, kind, number in (
        (0, MessageKind.FIRST, 0),
        (3, MessageKind.ESCALATION, 0),
        (203, MessageKind.FRESH, 200),
        (203, MessageKind.REPEAT, 203),
        (203, MessageKind.CLEARED, 0),
    ):
        owed = WRITER.owed(replace(alert(), repeat=repeat), 2, "crew-chen", kind, said, LATE)
        assert (owed.repeat, owed.step, owed.kind, owed.phone) == (number, 2, kind, "13900000003")


def closing(told: Alert, memory: Memory | None, line_pct: float | None = 66.7, *others: Alert) -> Closing:
    return choose(told, POLICIES.of(told.rule), memory, line_pct, others)


def test_a_level_that_ends_otherwise_than_by_an_emptying_says_how_it_stands() -> None:
    """Two thirds that stand go on after an overflow; so does what is over the line, or has none."""
    ended = replace(alert(), closed_ms=LATE, ended="recovered")
    below = BinMemory(fill_pct=66.7)
    stands = replace(alert("over_two_thirds"), episode="over_two_thirds/it/1")
    assert closing(ended, below) == Closing("overflow_over")
    assert closing(ended, BinMemory(fill_pct=66.8)) == Closing("overflow_receded")
    assert closing(ended, below, None) == Closing("overflow_receded")
    assert closing(ended, below, 66.7, stands) == Closing("overflow_receded", stands.episode)
    assert closing(ended, None) == Closing("emptied_meanwhile")
    assert closing(replace(ended, rule="fire"), below) == Closing("fire_over")


@pytest.mark.parametrize(
    ("since_ms", "emptied_ms", "ended", "by_emptying"),
    [
        (NOON, 0, EMPTIED, True),
        (NOON, NOON, "recovered", True),
        (NOON, NOON, PARAMETERS_CHANGED, True),
        (1, 1, "recovered", True),
        (NOON, NOON - 1, "recovered", False),
        (0, 0, "recovered", False),
        (0, NOON, "recovered", False),
    ],
)
def test_an_emptying_that_was_seen_since_it_began_has_ended_it(
    since_ms: Millis,
    emptied_ms: Millis,
    ended: str,
    by_emptying: bool,  # noqa: FBT001 -- of the table
) -> None:
    over = replace(alert(), since_ms=since_ms, closed_ms=LATE, ended=ended)
    found = closing(over, BinMemory(fill_pct=5.0, emptied_ms=emptied_ms))
    assert found == (Closing("emptied_meanwhile", by_emptying=True) if by_emptying else Closing("overflow_over"))
    burnt = closing(replace(over, rule="fire"), BinMemory(emptied_ms=emptied_ms))
    assert burnt.by_emptying is False, "no emptying ends a fire"


def test_what_is_gone_or_unwatched_closes_with_that_whatever_stands() -> None:
    for ended in (RETIRED, UNWATCHED):
        assert closing(replace(alert(), ended=ended), None, None, alert()) == Closing(ended)


def test_hot_ash_is_not_over_in_a_bin_that_burns_whatever_else_stands() -> None:
    ash = replace(alert("hot_ash"), closed_ms=LATE, ended="recovered")
    assert closing(ash, None, None, alert("offline"), alert("fire")) == Closing("", unsaid=INHIBITED)
    assert closing(ash, None, None, alert("offline")) == Closing("hot_ash_over")
