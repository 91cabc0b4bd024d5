"""What is said of an absence: to who stands in, where and for how many places, and to whom a refusal goes."""

import dataclasses
from typing import Final

import pytest
from msgspec.structs import replace

from alerts.answers import Meaning
from alerts.model import Actor, Event, MessageKind, Owed
from alerts.notify.replies import StandingIn
from alerts.operations.absences import ABSENCE, Absence, Absences
from telemetry.inventory import Duty, Inventory
from telemetry.terms import Role
from tests.alerts.notify.builders import COUNTY, ESCALATION, NOON, PLANT, clock, rows, with_person

AWAY: Final = Absence(
    id="absence/cleaner-zhou/1",
    person="cleaner-zhou",
    stand_in="cleaner-li",
    from_ms=clock(0, day=10),
    until_ms=clock(0, day=13),
    reason="回家",
)
NOBODY: Final = Absences(COUNTY)


def house(inventory: Inventory = COUNTY) -> StandingIn:
    return StandingIn(dataclasses.replace(ESCALATION.message_writer, inventory=inventory))


def test_whoever_writes_an_absence_down_stands_in_its_row() -> None:
    said = house().row("absence_added", AWAY, Actor("dispatch-wu", "desk"), NOON)
    assert (said.at_ms, said.event, said.rule, said.asset, said.episode) == (
        NOON,
        "absence_added",
        ABSENCE,
        "xiang",
        AWAY.id,
    )
    assert said.detail == {
        "by": "dispatch-wu",
        "channel": "desk",
        "person": "cleaner-zhou",
        "to": "cleaner-li",
        "from_ms": clock(0, day=10),
        "until_ms": clock(0, day=13),
        "said": "回家",
    }


def test_who_stands_in_is_asked_by_name_and_is_not_woken_for_it() -> None:
    asked = house().asked(AWAY, NOON, NOON)
    assert asked.text == "【湘阳环卫】李大姐：周师傅10日到12日请假，禾田村0处请您代管。行回1，不行回2。"
    assert (asked.to, asked.phone, asked.kind, asked.template) == (
        "cleaner-li",
        "13900000001",
        MessageKind.FIRST,
        "stand_in",
    )
    assert (asked.step, asked.repeat, asked.severity, asked.rule, asked.asset) == (0, 0, "P3", ABSENCE, "xiang")
    assert (asked.episode, asked.at_ms, asked.channel, asked.not_before_ms) == (AWAY.id, NOON, "sms", 0)
    assert asked.variables["count"] == "0"
    assert house().asked(AWAY, NOON, clock(18)).not_before_ms == clock(18)
    into = replace(AWAY, until_ms=AWAY.until_ms + 1)
    assert "10日到13日请假" in house().asked(into, NOON, NOON).text, (
        "whoever is away as the day begins is away that day"
    )


@pytest.mark.parametrize(
    ("duties", "where", "count"),
    [
        ((Duty(Role.CLEANER, area="ytan"),), "柳潭村", 2),
        ((Duty(Role.CLEANER, area="chetian"),), "禾田村", 0),
        ((Duty(Role.CLEANER, area="wushi"),), "青石镇", 2),
        ((Duty(Role.CREW, area="wushi"),), "青石镇", 1),
        ((Duty(Role.CREW, area="ytan"),), "柳潭村", 0),
        ((Duty(Role.DISPATCHER, area="wushi"),), "青石镇", 3),
        ((Duty(Role.VILLAGE_HEAD, area="ytan"),), "柳潭村", 2),
        ((Duty(Role.COLLECTOR, route="r1"),), "一号车", 1),
        ((Duty(Role.COLLECTOR, route="r1"), Duty(Role.CLEANER, area="ytan")), "一号车、柳潭村", 2),
        ((Duty(Role.CLEANER, area="ytan"), Duty(Role.CLEANER, area="ytan")), "柳潭村", 2),
        (tuple(Duty(Role.CREW, area=each) for each in ("ytan", "chetian", "wushi")), "柳潭村、禾田村等", 1),
    ],
)
def test_it_is_said_where_and_for_how_many_places(duties: tuple[Duty, ...], where: str, count: int) -> None:
    asked = house(with_person("cleaner-zhou", duties=duties)).asked(AWAY, NOON, NOON)
    assert f"请假，{where}{count}处请您代管" in asked.text


def test_what_is_neither_a_bin_nor_a_plant_is_a_cleaners() -> None:
    """Whatever has no plant is emptied, swept or looked at by who cleans there."""
    bare = dataclasses.replace(COUNTY.assets[PLANT], plant=None)
    county = with_person("cleaner-zhou", duties=(Duty(Role.CLEANER, area="chetian"),))
    county = dataclasses.replace(county, assets={**COUNTY.assets, PLANT: bare})
    assert "禾田村1处" in house(county).asked(AWAY, NOON, NOON).text


@pytest.mark.parametrize("meaning", [Meaning.DONE, Meaning.DOUBTED])
def test_who_agrees_leaves_a_row(meaning: Meaning) -> None:
    log = house().hear_answer(AWAY, "cleaner-li", meaning, NOON, NOBODY)
    assert rows(log) == [(str(meaning), {"by": "cleaner-li", "channel": "sms", "text": "stand_in"})]
    (row,) = log
    assert (row.at_ms, row.episode) == (NOON, AWAY.id)


def offices(by: str, absences: Absences = NOBODY, inventory: Inventory = COUNTY) -> list[str]:
    """Who hears that somebody cannot stand in."""
    log = house(inventory).hear_answer(AWAY, by, Meaning.DECLINED, NOON, absences)
    assert isinstance(log[0], Event)
    assert log[0].event == "declined"
    return [each.to for each in log if isinstance(each, Owed)]


def test_a_refusal_is_the_dispatchers_to_hear_but_for_who_said_it() -> None:
    (_, heard) = house().hear_answer(AWAY, "cleaner-li", Meaning.DECLINED, NOON, NOBODY)
    assert isinstance(heard, Owed)
    assert heard.text == "【湘阳环卫】9日李大姐回复不能替周师傅代管（10日到12日请假）。请另外安排人。"
    assert (heard.to, heard.kind, heard.template) == ("dispatch-wu", MessageKind.NOTICE, "stand_in_refused")
    assert (heard.at_ms, heard.not_before_ms, heard.episode) == (NOON, 0, AWAY.id)
    assert offices("dispatch-wu") == []
    both = with_person("town-he", duties=(Duty(Role.DISPATCHER, area="ytan"), Duty(Role.DISPATCHER, area="wushi")))
    assert offices("cleaner-li", inventory=both) == ["dispatch-wu", "town-he"]
    assert offices("town-he", inventory=both) == ["dispatch-wu"]


def test_who_is_told_instead_of_a_dispatcher_does_not_hear_what_they_said_themselves() -> None:
    absences = Absences(COUNTY)
    wish = Absence(id="", person="dispatch-wu", stand_in="cleaner-li", from_ms=NOON, until_ms=clock(20))
    assert isinstance(absences.add(wish, NOON), Absence)
    assert offices("cleaner-li", absences) == []
    assert offices("cleaner-zhou", absences) == ["dispatch-wu"]
