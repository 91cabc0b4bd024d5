"""The demo's own people: they wait for the visitor, do their part once, and never what somebody has done already."""

import pytest

from alerts.model import Event, MessageKind, Owed
from firmware_sim.county import inventory_yaml
from firmware_sim.scenario import PlaceNames
from gateway.commands.episodes import EpisodeCommand, EpisodeVerb
from gateway.demo import stage
from gateway.demo.cast import DISPATCHER_WAITS_MS, KEEPER_WAITS_MS, Cast
from gateway.desk.pages.demo import ACTOR
from gateway.imports import profiles
from gateway.journal.entry import Entry
from gateway.requests import ReceiptsAndReplies
from telemetry.inventory import Inventory
from telemetry.inventory.file import parse
from tests.desk_gateway import at

ASSET = "dongtang-04"
EPISODE = f"over_two_thirds/{ASSET}/1"
TOLD = at(24, 11, 30)


def inventory(*towns: str) -> Inventory:
    found = parse(inventory_yaml(stage.scenario(at(24, 8), PlaceNames(towns=towns))), "demo", profiles()).inventory
    assert found is not None
    return found


def owed(to: str) -> Owed:
    return Owed(
        at_ms=TOLD,
        rule="over_two_thirds",
        asset=ASSET,
        episode=EPISODE,
        severity="P3",
        kind=MessageKind.FIRST,
        step=0,
        repeat=0,
        to=to,
        phone="1",
        channel="sms",
        text="…",
    )


def event(name: str, at_ms: int, episode: str = EPISODE) -> Event:
    return Event(at_ms=at_ms, event=name, rule="over_two_thirds", asset=ASSET, episode=episode)


@pytest.fixture
def cast() -> Cast:
    """The driver has just been told of what his round missed."""
    made = Cast(inventory(), "dispatcher-baitian")
    made.commit(Entry(events=[event("round_missed", TOLD)], owed=[owed("driver-1")]))
    return made


def test_the_driver_answers_by_himself_once_and_only_when_a_visitor_had_time(cast: Cast) -> None:
    assert list(cast.due(TOLD + KEEPER_WAITS_MS - 1)) == []
    ((part, item),) = cast.due(TOLD + KEEPER_WAITS_MS)
    assert isinstance(item, ReceiptsAndReplies)
    (said,) = item.replies
    assert (said.text, said.channel) == ("2", ACTOR)
    assert said.phone == inventory().people["driver-1"].phone
    assert [name for name, _ in cast.due(TOLD + KEEPER_WAITS_MS + 1)] == [part], "it could not be posted"
    cast.played(part)
    assert list(cast.due(TOLD + 9 * KEEPER_WAITS_MS)) == []


@pytest.mark.parametrize("done", ["done", "doubted", "callback", "acked", "dispatched", "shelved", "cleared"])
def test_nobody_steps_in_where_a_visitor_has_done_something(cast: Cast, done: str) -> None:
    cast.commit(Entry(events=[event(done, TOLD + 60_000)]))
    assert list(cast.due(TOLD + 9 * KEEPER_WAITS_MS)) == []


def test_the_dispatcher_sends_another_driver_of_the_town(cast: Cast) -> None:
    declined = TOLD + 60_000
    cast.commit(Entry(events=[event("declined", declined)]))
    assert list(cast.due(declined + DISPATCHER_WAITS_MS - 1)) == [], "neither too early nor a second answer"
    ((part, item),) = cast.due(declined + DISPATCHER_WAITS_MS)
    wanted = EpisodeCommand(
        verb=EpisodeVerb.DISPATCH, episode=EPISODE, by="dispatcher-baitian", channel="demo", to="driver-2"
    )
    assert item == wanted
    cast.played(part)
    assert list(cast.due(declined + 9 * DISPATCHER_WAITS_MS)) == []


def test_a_dispatcher_who_has_pressed_is_not_helped(cast: Cast) -> None:
    cast.commit(Entry(events=[event("declined", TOLD), event("dispatched", TOLD + 1)]))
    assert list(cast.due(TOLD + 9 * DISPATCHER_WAITS_MS)) == []


def test_other_cases_are_the_visitors_alone(cast: Cast) -> None:
    other = f"over_two_thirds/{ASSET}/2"
    cast.commit(Entry(events=[event("declined", TOLD, other), event("round_missed", TOLD, other)]))
    ((part, _),) = cast.due(TOLD + KEEPER_WAITS_MS)
    assert part == "keeper"


def test_what_nobody_was_told_of_nobody_answers() -> None:
    made = Cast(inventory(), "dispatcher-baitian")
    made.commit(Entry(events=[event("round_missed", TOLD)]))
    assert list(made.due(TOLD + 9 * KEEPER_WAITS_MS)) == []


@pytest.mark.parametrize("towns", [(), ("石桥镇",), ("石桥镇", "竹园乡", "梅岭镇", "白沙镇")])
def test_there_is_somebody_to_send_whatever_the_towns(towns: tuple[str, ...]) -> None:
    county = inventory(*towns)
    asset = county.devices["bin-0032"].asset
    (keeper,) = [person.id for person, _ in county.collectors(county.route_of[asset].id)]
    made = Cast(county, stage.dispatcher(county))
    missed = Event(at_ms=TOLD, event="round_missed", rule="over_two_thirds", asset=asset, episode=EPISODE)
    made.commit(Entry(events=[missed, event("declined", TOLD)], owed=[owed(keeper)]))
    ((_, item),) = made.due(TOLD + DISPATCHER_WAITS_MS)
    assert isinstance(item, EpisodeCommand)
    assert item.to not in ("", keeper)
