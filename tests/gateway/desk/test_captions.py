"""The demo's caption: which of the sentences, from which facts; and that production has none."""

from dataclasses import replace
from http import HTTPStatus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from alerts.calendars import RoundSlot
from alerts.model import Event
from firmware_sim.county import inventory_yaml
from firmware_sim.scenario import load
from gateway.demo import stage
from gateway.desk.captions import Caption, CaptionKind, Known, caption
from gateway.desk.morning import Exposure
from gateway.desk.rounds import Round, RoundPhase
from gateway.imports import profiles
from gateway.journal.notifications import MessageRow
from telemetry.inventory.file import parse
from telemetry.reading import Millis
from tests.desk_gateway import DeskGateway, at

INVENTORY = parse(
    inventory_yaml(load((stage.SCENARIOS / "demo.yaml").read_text("utf-8"))), "demo", profiles()
).inventory
assert INVENTORY is not None
BIN, OTHER = "dongtang-04", "liutan-05"
PLANTS = [asset.id for asset in INVENTORY.assets.values() if asset.plant is not None and asset.plant.feeder == "f01"]
EIGHT = at(24, 8)
CALM = Known(INVENTORY, (), (), frozenset(), Exposure(8, 0, 21), None)


def event(name: str, at_ms: Millis, asset: str = BIN, rule: str = "over_two_thirds", **detail: str) -> Event:
    return Event(at_ms=at_ms, event=name, rule=rule, asset=asset, episode=f"{rule}/{asset}/1", detail={**detail})


def text(at_ms: Millis, to: str, asset: str = BIN, rule: str = "over_two_thirds") -> MessageRow:
    episode = "" if rule == "list" else f"{rule}/{asset}/1"
    return MessageRow(
        1, at_ms, rule, asset, episode, "P3", "first", 0, to, "1", "sms", "…", "delivered", 1, 0, "", at_ms, at_ms
    )


def known(*facts: Event | MessageRow, open_: tuple[str, ...] = (), out: bool = False) -> Known:
    """Facts in the order in which they came."""
    newest = list(reversed(facts))
    running = Round(RoundSlot(at(24, 7), at(24, 11)), RoundPhase.RUNNING, 9, 3, 0, (), ()) if out else None
    return replace(
        CALM,
        events=[fact for fact in newest if isinstance(fact, Event)],
        messages=[fact for fact in newest if isinstance(fact, MessageRow)],
        open=frozenset(open_),
        round=running,
    )


def shown(now_ms: Millis, seen: Known) -> tuple[CaptionKind, str, str]:
    said = caption(now_ms, seen)
    return said.kind, said.asset, said.person


def test_the_list_on_the_drivers_phone_comes_first_and_only_for_a_while() -> None:
    first, second = (text(at(24, 6, 30), driver, rule="list") for driver in ("driver-1", "driver-3"))
    morning = known(first, second, out=True)
    assert shown(EIGHT, morning) == (CaptionKind.LIST, "", "driver-1")
    assert caption(EIGHT, morning).count == 8
    assert shown(at(24, 8, 56), morning)[0] is CaptionKind.ROUND
    offices = known(text(at(24, 7), "dispatcher-baitian", rule="list"), out=True)
    assert shown(EIGHT, offices)[0] is CaptionKind.ROUND, "the office's own list is no news to the office"


def test_what_is_held_is_said_as_long_as_it_is_held() -> None:
    held = event("held", at(24, 9), reason="round_pending")
    assert shown(at(24, 9, 5), known(held, open_=(held.episode,), out=True)) == (CaptionKind.HELD, BIN, "")
    assert shown(at(24, 9, 20), known(held, open_=(held.episode,), out=True))[0] is CaptionKind.ROUND
    assert shown(at(24, 9, 5), known(held, out=True))[0] is CaptionKind.ROUND, "it is over"
    assert shown(at(24, 9, 50), known(held, open_=(held.episode,)))[0] is CaptionKind.HELD, (
        "no truck is out: nothing is newer"
    )
    night = event("held", at(24, 9), reason="quiet")
    assert shown(at(24, 9, 5), known(night, open_=(night.episode,)))[0] is CaptionKind.CALM


def test_a_missed_site_is_followed_to_its_end() -> None:
    missed = event("round_missed", at(24, 11, 30))
    told = text(at(24, 11, 30), "driver-1")
    assert shown(at(24, 11, 31), known(missed))[0] is CaptionKind.CALM, "nobody was told: there is nothing to say yet"
    assert shown(at(24, 11, 31), known(missed, told)) == (CaptionKind.MISSED, BIN, "driver-1")
    declined = event("declined", at(24, 12, 15), by="driver-1")
    so_far = (missed, told, declined)
    assert shown(at(24, 12, 16), known(*so_far)) == (CaptionKind.ANSWERED, BIN, "driver-1")
    sent = event("dispatched", at(24, 13), to="driver-2", by="dispatcher-baitian", channel="desk")
    assert shown(at(24, 13, 1), known(*so_far, sent)) == (CaptionKind.DISPATCHED, BIN, "driver-2")
    assert not caption(at(24, 13, 1), known(*so_far, sent)).by_itself
    by_itself = event("dispatched", at(24, 13), to="driver-2", by="dispatcher-baitian", channel="demo")
    assert caption(at(24, 13, 1), known(*so_far, by_itself)).by_itself
    emptied = event("cleared", at(24, 13, 50), reason="emptied")
    assert shown(at(24, 13, 51), known(*so_far, sent, emptied)) == (CaptionKind.VERIFIED, BIN, "")
    assert shown(at(24, 13, 51), known(emptied))[0] is CaptionKind.CALM, "dozens are emptied, one was missed"


def test_who_says_it_is_done_is_checked() -> None:
    done, unseen = event("done", at(24, 12), by="driver-1"), event("claim_unseen", at(24, 12, 40), by="driver-1")
    assert caption(at(24, 12, 1), known(done)).answer == "done"
    assert shown(at(24, 12, 41), known(done, unseen)) == (CaptionKind.UNSEEN, BIN, "driver-1")


def test_three_plants_of_one_line_are_one_matter_and_one_text() -> None:
    dark = [event("raised", at(24, 14, 32) + i, plant, "no_power") for i, plant in enumerate(PLANTS)]
    episodes = tuple(each.episode for each in dark)
    waiting = caption(at(24, 14, 40), known(*dark, open_=episodes))
    assert (waiting.kind, waiting.count, waiting.line) == (CaptionKind.DARK, 3, "白田线")
    told = caption(
        at(24, 15, 3), known(*dark, text(at(24, 15, 2), "crew-baitian", PLANTS[0], "no_power"), open_=episodes)
    )
    assert (told.kind, told.count, told.person) == (CaptionKind.DARK_TOLD, 3, "crew-baitian")
    assert shown(at(24, 14, 40), known(dark[0], open_=episodes[:1]))[0] is CaptionKind.CALM, "one alone is one alone"
    assert shown(at(24, 14, 40), known(*dark))[0] is CaptionKind.CALM, "the power is back, and nobody was disturbed"


def test_a_silent_bin_is_said_and_a_silent_plant_is_not() -> None:
    assert shown(at(24, 15, 50), known(event("raised", at(24, 15, 43), OTHER, "offline"))) == (
        CaptionKind.SILENT,
        OTHER,
        "",
    )
    assert shown(at(24, 15, 50), known(event("raised", at(24, 15, 43), PLANTS[0], "offline")))[0] is CaptionKind.CALM


@pytest.mark.parametrize("minutes", [-1, 0, 200])
def test_nothing_is_said_before_it_happens_or_long_after(minutes: int) -> None:
    seen = known(event("round_missed", at(24, 11, 30)), text(at(24, 11, 30), "driver-1"))
    said = shown(at(24, 11, 30) + minutes * 60_000, seen)[0]
    assert said is (CaptionKind.MISSED if minutes == 0 else CaptionKind.CALM)


POOL: list[Event | MessageRow] = [
    *(event("round_missed", 0, where) for where in (BIN, OTHER)),
    event("raised", 0, OTHER, "offline"),
    event("claim_unseen", 0, by="driver-1"),
    *(event("held", 0, where, reason="round_pending") for where in (BIN, OTHER)),
    *(event("cleared", 0, where, reason="emptied") for where in (BIN, OTHER)),
    *(event("raised", 0, plant, "no_power") for plant in PLANTS),
    *(event(name, 0, by="driver-1", to="driver-2", channel="demo") for name in ("declined", "dispatched")),
    *(text(0, to, rule=rule) for to in ("driver-1", "driver-2") for rule in ("list", "over_two_thirds")),
    *(text(0, "crew-baitian", plant, "no_power") for plant in PLANTS),
]
MINUTES = st.integers(0, 90)


@given(happened=st.lists(st.tuples(MINUTES, st.sampled_from(POOL)), min_size=6), now=MINUTES, out=st.booleans())
def test_a_sentence_speaks_of_nothing_that_has_not_happened(
    *, happened: list[tuple[int, Event | MessageRow]], now: int, out: bool
) -> None:
    """Whatever happens in whatever order: who and what is named, and when, stands in a fact."""
    past = sorted(((minutes, fact) for minutes, fact in happened if minutes <= now), key=lambda each: each[0])
    told = [_at(fact, EIGHT + minutes * 60_000) for minutes, fact in past]
    standing = tuple(fact.episode for fact in told if isinstance(fact, Event) and fact.event in ("raised", "held"))
    said = caption(EIGHT + now * 60_000, known(*told, open_=standing, out=out))
    if said.kind in (CaptionKind.CALM, CaptionKind.ROUND):
        assert (said.asset, said.person, said.kind is CaptionKind.ROUND) == ("", "", out)
        return
    assert said.at_ms in {fact.at_ms for fact in told}
    assert said.asset in {"", *(fact.asset for fact in told)}
    people = {fact.to for fact in told if isinstance(fact, MessageRow)}
    people |= {str(value) for fact in told if isinstance(fact, Event) for value in (fact.detail or {}).values()}
    assert said.person in {"", *people}


def _at(fact: Event | MessageRow, at_ms: Millis) -> Event | MessageRow:
    if isinstance(fact, Event):
        return structs.replace(fact, at_ms=at_ms)
    return structs.replace(fact, at_ms=at_ms, accepted_ms=at_ms, delivered_ms=at_ms)


def test_the_same_facts_are_the_same_sentence_and_are_not_read_out_twice() -> None:
    assert caption(EIGHT, CALM).key == caption(EIGHT + 1, CALM).key
    assert Caption(CaptionKind.ROUND, 0, count=8).key != Caption(CaptionKind.ROUND, 0, count=7).key


def test_production_has_no_caption(gateway: DeskGateway, visitor: object) -> None:
    assert callable(visitor)
    lin = visitor("lin")
    assert lin.see("/caption").status_code == HTTPStatus.NOT_FOUND
    assert "演示" not in lin.see("/").text
    assert not gateway.desk.is_demo
