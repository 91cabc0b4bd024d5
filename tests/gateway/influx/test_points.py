"""What a reading, an event and an inventory are as points, held against the client library's own encoder."""

from dataclasses import replace
from datetime import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from influxdb_client.client.write.point import Point as LibraryPoint

from alerts.model import Event
from gateway import imports
from gateway.influx.points import Points
from gateway.journal.entry import StoredEvent
from telemetry.inventory import Collection
from telemetry.reading import QUANTITIES, Reading, TimeSource, Values
from telemetry.series import ABOUT_DEVICE, NONE, TAGS, instant_us
from telemetry.terms import Hours
from tests.line_protocol import Parsed, parsed
from tests.strategies import counters, values

INVENTORY = imports.checked(Path(__file__).parents[2] / "golden" / "inventory" / "county.yaml")
POINTS = Points(INVENTORY, {"ytan-03": 66.7})
NOW_MS = 1_795_334_400_123
POOL = {"asset": "ytan-03", "county": "xiang", "device": "bin-0003", "town": "wushi", "village": "ytan"}


def reading(device: str, said: Values, **more: Any) -> Reading:  # noqa: ANN401 -- any field of it
    asset = INVENTORY.devices[device].asset
    given: dict[str, Any] = {"boot": 17, "seq": 2_041, "observed_ms": NOW_MS, "received_ms": NOW_MS + 1_500}
    given |= {"clock": TimeSource.OK, "late": False, "device_ms": NOW_MS - 500} | more
    return Reading(device=device, asset=asset, values=said, **given)


def lines(one: Reading) -> dict[str, Parsed]:
    found = [parsed(line) for line, _ in POINTS.of_reading(one)]
    assert len({each.measurement for each in found}) == len(found)
    return {each.measurement: each for each in found}


def test_a_reading_gives_one_point_about_the_asset_and_one_about_the_device() -> None:
    said = Values(distance_mm=500, temperature_c=14.5, battery_pct=92, rssi_dbm=-101)
    found = lines(reading("bin-0003", said, judged_pct=70.0))
    assert found == {
        "bin": Parsed(
            "bin",
            POOL,
            {"distance_mm": 500.0, "temperature_c": 14.5, "fill_pct": 70.0, "exposure_points": 0.5},
            NOW_MS * 1_000 + 41,
        ),
        "device": Parsed(
            "device",
            POOL,
            {"battery_pct": 92.0, "rssi_dbm": -101.0, "delay_s": 1.5, "clock_lag_s": 2.0},
            NOW_MS * 1_000 + 41,
        ),
    }


@pytest.mark.parametrize(("judged_pct", "points"), [(66.7, 0.0), (66.8, 0.5), (None, None)])
def test_a_site_is_exposed_from_above_its_line(judged_pct: float | None, points: float | None) -> None:
    found = lines(reading("bin-0003", Values(distance_mm=500), judged_pct=judged_pct))
    assert found["bin"].fields.get("exposure_points") == points


def test_a_site_that_does_not_count_is_never_exposed() -> None:
    assert "exposure_points" not in lines(reading("bin-0004", Values(distance_mm=300), judged_pct=90.0))["bin"].fields


def test_a_claimed_level_stands_only_where_no_distance_is_judged() -> None:
    assert lines(reading("bin-0003", Values(fill_pct=80)))["bin"].fields == {"fill_pct": 80.0}
    blind = lines(reading("bin-0003", Values(fill_pct=80, distance_mm=0)))["bin"].fields
    assert blind == {"distance_mm": 0.0}


def test_a_message_about_the_device_alone_gives_its_one_point() -> None:
    assert lines(reading("plant-0001", Values(battery_pct=80))).keys() == {"device"}


def test_a_clock_that_was_not_believed_has_no_lag() -> None:
    found = lines(reading("bin-0003", Values(battery_pct=1), clock=TimeSource.SERVER))
    assert found["device"].fields == {"battery_pct": 1.0, "delay_s": 1.5}


def test_a_device_that_the_inventory_has_lost_keeps_its_identity() -> None:
    gone = Reading("old-1", "old-bin", 1, 2, NOW_MS, NOW_MS, TimeSource.OK, late=False, values=Values(distance_mm=1))
    found = lines(gone)["bin"]
    assert found.tags == {"asset": "old-bin", "county": "xiang", "device": "old-1", "town": NONE, "village": NONE}


@given(values(), counters(), st.none() | st.floats(0, 100), st.sampled_from(["bin-0003", "plant-0001"]))
def test_the_lines_are_what_the_library_writes_and_every_number_is_a_float(
    said: Values, seq: int, judged_pct: float | None, device: str
) -> None:
    one = reading(device, said, seq=seq, judged_pct=judged_pct if device == "bin-0003" else None)
    for measurement, found in lines(one).items():
        library = LibraryPoint(measurement).time(instant_us(NOW_MS, seq), "us")
        for name, value in found.tags.items():
            library.tag(name, value)
        for name, number in found.fields.items():
            library.field(name, number)
        assert parsed(library.to_line_protocol()) == found
        assert all(isinstance(number, float) for number in found.fields.values())
        assert tuple(found.tags) == TAGS


@given(values())
def test_every_quantity_arrives_in_exactly_one_of_the_two_points(said: Values) -> None:
    found = lines(reading("plant-0001", said))
    for name in QUANTITIES:
        value = getattr(said, name)
        measurement = "device" if name in ABOUT_DEVICE else "plant"
        assert [found[each].fields[name] for each in found if name in found[each].fields] == (
            [] if value is None else [value]
        )
        assert value is None or name in found[measurement].fields


def happened(event: str, **more: Any) -> list[Parsed]:  # noqa: ANN401 -- any field of it
    given: dict[str, Any] = {"at_ms": NOW_MS, "asset": "ytan-03"} | more
    made = POINTS.of_event(StoredEvent(1_234, Event(event=event, **given), NOW_MS - 60_000))
    return [parsed(line) for line, _ in made]


def test_a_change_of_an_episode_says_what_where_and_how_long_after() -> None:
    (found,) = happened(
        "acked", rule="overflow", severity="P2", episode="overflow/ytan-03/20261122T004001Z", device="bin-0003"
    )
    assert found == Parsed(
        "alert",
        POOL,
        {
            "after_s": 60.0,
            "state": "acked",
            "rule": "overflow",
            "severity": "P2",
            "episode": "overflow/ytan-03/20261122T004001Z",
            "place": "柳潭3号池（村部东侧）",
        },
        NOW_MS * 1_000 + 234,
    )


def test_two_changes_of_one_instant_are_two_points() -> None:
    one, other = (
        POINTS.of_event(StoredEvent(number, Event(at_ms=NOW_MS, event="raised", asset="ytan-03", rule=rule), NOW_MS))[
            0
        ][0]
        for number, rule in ((7, "overflow"), (8, "over_two_thirds"))
    )
    assert parsed(one).at + 1 == parsed(other).at


def test_an_alert_about_a_radio_gateway_stands_in_its_area() -> None:
    (found,) = happened("raised", asset="g07", rule="gateway_offline", severity="P3", episode="gateway_offline/g07/1")
    assert found.tags == {"asset": "g07", "county": "xiang", "device": NONE, "town": "wushi", "village": NONE}
    assert found.fields["place"] == "柳潭村部网关"


def test_an_emptying_and_a_run_state_are_numbers() -> None:
    (emptied,) = happened("emptied", detail={"from_pct": 73.0, "to_pct": 3})
    assert (emptied.measurement, emptied.fields) == ("bin", {"emptied_from_pct": 73.0, "emptied_to_pct": 3.0})
    (runs,) = happened("run_state", asset="chetian-plant", detail={"from": "running", "to": "stopped"})
    assert (runs.measurement, runs.fields, runs.tags["device"]) == ("plant", {"run_state": 3.0}, NONE)


@pytest.mark.parametrize("event", ["owed", "held", "dropped", "inhibited", "round_missed", "notice"])
def test_what_only_says_why_somebody_was_not_told_stays_in_the_journal(event: str) -> None:
    assert happened(event, rule="overflow", episode="overflow/ytan-03/1") == []


def test_the_inventory_tells_what_every_id_is_called() -> None:
    found = [parsed(line) for line, _ in POINTS.of_inventory(NOW_MS)]
    assert {each.measurement for each in found} == {"asset"}
    assert {each.at for each in found} == {NOW_MS * 1_000}
    called = {each.fields["name"]: each for each in found}
    assert len(called) == 1 + 3 + 3 + len(INVENTORY.devices)
    assert called["柳潭3号池"].fields == {
        "name": "柳潭3号池",
        "kind": "bin",
        "landmark": "村部东侧",
        "lat": 27.6102,
        "lon": 112.5301,
        "counts": 1.0,
        "rounds": 0.0,
        "line_pct": 66.7,
    }
    assert called["柳潭村"].tags == {
        "asset": NONE,
        "county": "xiang",
        "device": NONE,
        "town": "wushi",
        "village": "ytan",
    }
    assert called["禾田站"].fields["design_m3d"] == 50.0


@pytest.mark.parametrize(
    ("collection", "said"),
    [
        (None, {}),
        (Collection(()), {}),
        (Collection(("am", "pm")), {"slots": "am,pm", "days": "1234567"}),
        (Collection(("am",), weekdays=frozenset({4, 0, 2})), {"slots": "am", "days": "135"}),
        (Collection(("pm",), lunar_ends=frozenset({2, 5, 8})), {"slots": "pm"}),
    ],
    ids=["no collection", "no rounds", "daily", "weekdays", "lunar days"],
)
def test_an_asset_says_which_rounds_empty_it_and_on_which_days(
    collection: Collection | None, said: dict[str, str]
) -> None:
    asset = replace(INVENTORY.assets["ytan-03"], collection=collection)
    found = [
        parsed(line).fields
        for line, _ in Points(replace(INVENTORY, assets={asset.id: asset}), {}).of_inventory(NOW_MS)
        if parsed(line).tags["asset"] == asset.id and parsed(line).tags["device"] == NONE
    ]
    assert [{name: each[name] for name in ("slots", "days") if name in each} for each in found] == [said]


def test_the_county_says_when_its_rounds_are_in_the_order_of_the_day() -> None:
    rounds = {"pm": Hours(time(14, 30), time(16, 30)), "am": Hours(time(7), time(11))}
    county = replace(INVENTORY.county, rounds=rounds)
    said = [parsed(line).fields for line, _ in Points(replace(INVENTORY, county=county), {}).of_inventory(NOW_MS)]
    assert said[0]["slots"] == "am=07:00-11:00,pm=14:30-16:30"
    none = Points(replace(INVENTORY, county=replace(county, rounds={})), {}).of_inventory(NOW_MS)
    assert "slots" not in parsed(next(none)[0]).fields


@given(st.text(max_size=40))
def test_no_text_breaks_its_line(text: str) -> None:
    event = Event(at_ms=NOW_MS, event="raised", asset="ytan-03", rule="overflow", severity="P2", episode=f"e{text}")
    ((line, _),) = POINTS.of_event(StoredEvent(1, event, NOW_MS))
    assert b"\n" not in line
    said = parsed(line).fields["episode"]
    assert said == "e" + "".join(letter for letter in text if letter.isprintable())
