"""What people ask during a replay: read from lines, played at its instant, refused with a sentence."""

import json
from collections.abc import Iterable
from typing import Any

import pytest

from gateway import shipped
from gateway.replay import NOBODY_ASKS, replay
from gateway.wishes import Wishes, WishFault, playable, read
from telemetry.wire import Uplink
from tests.small_county import at, county, iso


def line(**said: Any) -> bytes:  # noqa: ANN401 -- as in a file
    return json.dumps(said).encode()


def wish(hours: float, command: str, episode: str, by: str = "dispatcher", **more: str) -> bytes:
    return line(at=iso(hours), by=by, wish="commands", command=command, episode=episode, **more)


def hot(*degrees: float) -> list[Uplink]:
    """A bin's temperatures, one each 20 minutes."""
    return [
        Uplink(
            at(nth / 3),
            "cunjing/v1/xiang/bin-1/telemetry",
            line(v=1, boot=1, seq=nth + 1, ts=at(nth / 3), readings={"temperature_c": each, "distance_mm": 900}),
        )
        for nth, each in enumerate(degrees)
    ]


FIRE = "fire/a/20261122T162000Z"
BURNS = hot(10, 80, 20, 20, 20, 20, 20, 20)
"""On fire at 0:20, cool from 0:40 on, and the last word at 2:20."""


def played(*wishes: bytes, uplinks: Iterable[Uplink] = BURNS) -> tuple[list[dict[str, Any]], list[str]]:
    """What is said but texts, and which wishes were not done."""
    people = Wishes(read(wishes, "wishes.jsonl"))
    said = [json.loads(each) for each in replay(uplinks, county(), shipped.policy_files(), people=people)]
    return [each for each in said if each["event"] != "owed"], people.list_refusals()


def test_without_people_nothing_is_asked() -> None:
    said, refusals = played()
    assert ([each["event"] for each in said if each["rule"] == "fire"], refusals) == (["raised"], [])
    assert next(each["episode"] for each in said if each["rule"] == "fire") == FIRE


def test_a_wish_is_done_at_its_instant_in_the_order_of_time_whatever_the_order_of_lines() -> None:
    said, refusals = played(wish(2, "reset", FIRE), wish(0.5, "ack", FIRE))
    fire = [(each["event"], each["at"]) for each in said if each["rule"] == "fire"]
    assert fire[1] == ("acked", "2026-11-22T16:30:00Z")
    assert ("reset", "2026-11-22T18:00:00Z") in fire
    assert refusals == []


def test_the_same_wishes_give_the_same_bytes() -> None:
    lines = (wish(0.5, "ack", FIRE), wish(2, "reset", FIRE))
    assert played(*lines) == played(*lines)


@pytest.mark.parametrize(
    ("asked", "refused"),
    [
        (wish(0.4, "reset", FIRE), "cannot be reset"),
        (wish(1, "ack", "fire/a/never"), "no such episode"),
        (wish(1, "ack", FIRE, by="nobody"), "does not know who"),
        (wish(-1, "ack", FIRE), "before the first uplink"),
        (wish(5, "ack", FIRE), "after the replay's end"),
    ],
)
def test_a_wish_that_cannot_be_is_named_and_changes_nothing(asked: bytes, refused: str) -> None:
    said, refusals = played(asked)
    assert said == played()[0]
    assert len(refusals) == 1
    assert refusals[0].startswith("wishes.jsonl:1: ")
    assert refused in refusals[0]


def test_what_is_over_is_still_known() -> None:
    """Acknowledging what is over is nothing new (T11), and no stranger's episode either."""
    _, refusals = played(wish(2, "reset", FIRE), wish(2.1, "ack", FIRE))
    assert refusals == []


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (b"{", "wishes.jsonl:1: not a wish"),
        (line(at=iso(0), by="x"), "wishes.jsonl:1: not a wish .*wish"),
        (line(at="2026-11-22T16:00:00", by="x", wish="commands"), "no time zone"),
        (line(at=iso(0), by="x", wish="jump"), "there is no wish 'jump'; known are: .*commands"),
        (line(at=iso(0), by="x", wish="commands", command="ack"), "episode: field required"),
        (line(at=iso(0), by="x", wish="commands", command="leap", episode="e"), "command: input should be 'ack'"),
        (line(at=iso(0), by="x", wish="commands", command="ack", episode="e", loud=True), "loud: extra inputs"),
    ],
)
def test_a_line_that_is_no_wish_is_named_with_the_remedy(said: bytes, sentence: str) -> None:
    with pytest.raises(WishFault, match=sentence):
        read([said], "wishes.jsonl")


def test_an_empty_line_is_no_wish() -> None:
    assert read([b"", b"  "], "wishes.jsonl") == []
    assert Wishes(()).next_ms == NOBODY_ASKS


def test_everything_that_is_about_the_county_can_be_wished() -> None:
    told = {"commands", "absences", "absences/end", "extra-rounds", "maintenance", "maintenance/end", "figures"}
    assert playable().keys() >= told
    assert not playable().keys() & {"series/resend", "quarantine/again", "people/welcome"}
