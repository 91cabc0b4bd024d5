"""Declared work: who may declare what for which assets, what is refused, and that it tells nobody while it lasts."""

from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import asdict, replace

from alerts.conditions.state import pack, unpack
from alerts.episodes import maintenance
from alerts.episodes.maintenance import Wish
from alerts.model import Event, Owed
from alerts.rules import is_quiet_at_work
from alerts.windows import Window, Work
from gateway import start
from gateway.commands.command import NotPossible, UnknownPerson
from gateway.commands.maintenance import DeclareWindow, EndWindow, ListWindows, WindowDone
from gateway.pipeline import Pipeline
from gateway.replay import Memory
from telemetry.inventory import Inventory
from telemetry.inventory.file import parse
from telemetry.terms import AssetKind
from telemetry.wire import Uplink
from tests.acting import do
from tests.scenario_file import FOLDER
from tests.scenario_run import policy_files

NOW = 1_795_395_600_000  # 2026-11-23 09:00 in Shanghai
MINUTE, HOUR = 60_000, 3_600_000
WISH = Wish(Work.MAINTENANCE, "plant", 0, NOW + HOUR, "换泵")


@pytest.fixture(scope="module")
def village() -> Inventory:
    file = FOLDER / "counties" / "village.yaml"
    parsed = parse(file.read_text("utf-8"), file.name, frozenset({"native"}))
    assert parsed.inventory is not None
    return parsed.inventory


@pytest.fixture
def pipeline(village: Inventory) -> Pipeline:
    return opened(village)


def opened(village: Inventory) -> Pipeline:
    made = start.anew(village, policy_files(), Memory(), NOW)
    made.county.listen(NOW, None, made.changes, started=True)
    return made


def ask(
    pipeline: Pipeline, wish: Wish = WISH, by: str = "dispatch-wu", at_ms: int = NOW
) -> WindowDone | UnknownPerson | NotPossible:
    return do(DeclareWindow(**asdict(wish), by=by, channel="cli", origin="127.0.0.1"), pipeline, at_ms)


def declared(pipeline: Pipeline, wish: Wish = WISH, at_ms: int = NOW) -> WindowDone:
    verdict = ask(pipeline, wish, at_ms=at_ms)
    assert isinstance(verdict, WindowDone), verdict
    return verdict


def standing(pipeline: Pipeline) -> list[str]:
    found = do(ListWindows(), pipeline, NOW)
    assert isinstance(found, tuple)
    return [each.window.id for each in found]


def events(pipeline: Pipeline, name: str) -> list[Event]:
    return [said for said in pipeline.changes.log if isinstance(said, Event) and said.event == name]


def test_an_asset_an_area_and_a_feeder_cover_what_is_theirs(pipeline: Pipeline, village: Inventory) -> None:
    assert declared(pipeline).assets == ("plant",)
    assert set(declared(pipeline, replace(WISH, subject="huaqiao")).assets) == {"lone-pool"}
    assert set(declared(pipeline, replace(WISH, subject="qingshi")).assets) == set(village.assets)
    cut = declared(pipeline, replace(WISH, work=Work.PLANNED_CUT, subject="east"))
    assert cut.assets == ("east-plant", "east-mill")
    assert len(standing(pipeline)) == 4


def test_the_audit_knows_who_declared_it_when_from_where_and_why(pipeline: Pipeline) -> None:
    window = declared(pipeline).window
    do(EndWindow(window=window.id, by="leader-he", channel="desk"), pipeline, NOW)
    (event,), (ended,) = events(pipeline, "work_declared"), events(pipeline, "work_withdrawn")
    assert (event.asset, event.at_ms) == ("plant", NOW)
    assert event.detail == {
        "by": "dispatch-wu",
        "channel": "cli",
        "origin": "127.0.0.1",
        "reason": "换泵",
        "window": window.id,
        "from_ms": NOW,
        "until_ms": NOW + HOUR,
    }
    assert ended.detail is not None
    assert (ended.detail["by"], ended.detail["channel"]) == ("leader-he", "desk")
    assert standing(pipeline) == []


@pytest.mark.parametrize(
    ("wish", "says"),
    [
        (replace(WISH, subject="nowhere"), "no asset"),
        (replace(WISH, work=Work.PLANNED_CUT), "no feeder with plants on it plant"),
        (replace(WISH, reason="  "), "say why"),
        (replace(WISH, reason="换" * 61), "say why"),
        (replace(WISH, reason="换\x00泵"), "say why"),
        (replace(WISH, until_ms=NOW), "before it begins, or in the past"),
        (replace(WISH, from_ms=NOW + 2 * HOUR), "before it begins"),
        (replace(WISH, until_ms=NOW + 721 * HOUR), "720 h at most"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence_and_changes_nothing(pipeline: Pipeline, wish: Wish, says: str) -> None:
    verdict = ask(pipeline, wish)
    assert isinstance(verdict, NotPossible)
    assert says in verdict.reason
    assert standing(pipeline) == []
    assert events(pipeline, "work_declared") == []


@pytest.mark.parametrize("by", ["cleaner-li", "crew-chen", "head-yang"])
def test_who_may_not_is_told_so(pipeline: Pipeline, by: str) -> None:
    verdict = ask(pipeline, by=by)
    assert isinstance(verdict, NotPossible)
    assert "dispatcher, town_leader" in verdict.reason
    window = declared(pipeline).window
    assert isinstance(do(EndWindow(window=window.id, by=by), pipeline, NOW), NotPossible)
    assert standing(pipeline) == [window.id]


def test_strangers_and_windows_that_are_not_there(pipeline: Pipeline) -> None:
    assert ask(pipeline, by="nobody") == UnknownPerson()
    verdict = do(EndWindow(window="maintenance/plant/x", by="dispatch-wu"), pipeline, NOW)
    assert isinstance(verdict, NotPossible)
    assert "there is no window" in verdict.reason


def test_two_of_one_second_have_names_of_their_own(pipeline: Pipeline) -> None:
    names = [declared(pipeline).window.id for _ in range(3)]
    assert len(set(names)) == 3
    assert names[2].endswith("-3")


def test_it_begins_and_ends_by_its_own_time_and_the_plant_says_so(pipeline: Pipeline) -> None:
    later = replace(WISH, from_ms=NOW + 30 * MINUTE)
    declared(pipeline, later)
    pipeline.advance(NOW + 29 * MINUTE)
    assert pipeline.county.states["plant"].run != "maintenance"
    pipeline.advance(NOW + 30 * MINUTE)
    assert pipeline.county.states["plant"].run == "maintenance"
    pipeline.advance(NOW + HOUR)
    assert pipeline.county.states["plant"].run == "unknown"
    assert pipeline.county.states["plant"].windows == ()
    assert [event.at_ms - NOW for name in ("work_begun", "work_over") for event in events(pipeline, name)] == [
        30 * MINUTE,
        HOUR,
    ]


def test_a_state_keeps_its_windows_and_one_from_before_there_were_any_has_none(pipeline: Pipeline) -> None:
    declared(pipeline)
    county = pipeline.county
    plan, state = county.plans["plant"], county.states["plant"]
    known = dict.fromkeys(county.inventory.devices, NOW)
    assert unpack(plan, pack(plan, state), known) == state
    (window,) = state.windows
    assert window == Window(window.id, NOW, NOW + HOUR, "换泵", "dispatch-wu", begun=True)
    fields = msgspec.msgpack.decode(pack(plan, replace(state, windows=())), type=list[msgspec.Raw])
    without = msgspec.msgpack.encode(fields[:4])  # as it was written before
    assert unpack(plan, without, known).windows == ()


TICKS = st.lists(
    st.tuples(st.sampled_from(["dark", "light", "high", "declare", "end"]), st.integers(1, 15)), min_size=5, max_size=30
)


@settings(max_examples=40, deadline=None)
@given(TICKS)
def test_while_it_lasts_nothing_of_its_own_making_is_told_and_water_is(
    village: Inventory, ticks: list[tuple[str, int]]
) -> None:
    pipeline, now_ms, seq = opened(village), NOW, 0
    for what, minutes in ticks:
        now_ms += minutes * MINUTE
        pipeline.advance(now_ms)
        if what == "declare":
            declared(pipeline, replace(WISH, until_ms=now_ms + HOUR), now_ms)
        elif what == "end":
            for name in maintenance.standing(pipeline.county):
                do(EndWindow(window=name, by="dispatch-wu"), pipeline, now_ms)
        else:
            seq += 1
            values = {"mains_on": float(what != "dark"), "level_mm": 1500.0 if what == "high" else 500.0}
            pipeline.take(uplink(now_ms, seq, values))
    pipeline.advance(now_ms + 3 * HOUR)
    spells = list(quiet_spells(pipeline))
    told = [said for said in pipeline.changes.log if isinstance(said, Owed) and said.kind != "cleared"]
    for said in told:
        if is_quiet_at_work(AssetKind.PLANT, said.rule):
            assert not any(begun < said.at_ms < over for begun, over in spells), said
    assert [event for event in events(pipeline, "inhibited") if event.rule == "level_high"] == []


def uplink(at_ms: int, seq: int, values: dict[str, float]) -> Uplink:
    said = ", ".join(f'"{name}": {value}' for name, value in values.items())
    payload = f'{{"v": 1, "boot": 1, "seq": {seq}, "ts": {at_ms}, "readings": {{{said}}}}}'
    return Uplink(at_ms, "cunjing/v1/xia/m-plant/telemetry", payload.encode())


def quiet_spells(pipeline: Pipeline) -> Iterator[tuple[int, int]]:
    """From the first window that begins until none is left."""
    deeds = sorted(
        [(event.at_ms, 1) for event in events(pipeline, "work_begun")]
        + [(event.at_ms, -1) for event in events(pipeline, "work_over")]
    )
    depth, since = 0, 0
    for at_ms, change in deeds:
        if depth == 0:
            since = at_ms
        depth += change
        if depth == 0:
            yield since, at_ms
