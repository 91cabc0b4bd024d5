"""A whole town dark at once: few texts, the fire at once, every fold with its reason, and the cost of each silence."""

from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from itertools import pairwise
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.conditions.finding import Finding, Found
from alerts.episodes.decide import Outages
from alerts.episodes.open_alerts import Silence
from alerts.model import Event, Owed
from alerts.notify.mailbox import unpack_box
from alerts.policy import Telling
from gateway import start
from gateway.replay import Memory
from telemetry.inventory import Asset, Device, Inventory, RadioGateway
from telemetry.reading import Millis
from telemetry.wire import Uplink
from tests.scenario_file import read
from tests.scenario_run import Play, policy_files

MINUTE: Millis = 60_000
HOUR: Millis = 60 * MINUTE
MORNING: Millis = 1_795_388_400_000  # 07:00 there
VILLAGE = read("06_town_dark").inventory


@cache
def town(bins: int, per_gateway: int = 50) -> Inventory:
    """So many bins in three villages, half of them behind radio gateways of so many."""
    pattern, device = VILLAGE.assets["pool"], VILLAGE.devices["s-pool"]
    villages = ("liutan", "huaqiao", "liutan")
    assets: dict[str, Asset] = {}
    devices: dict[str, Device] = {}
    gateways: dict[str, RadioGateway] = {}
    for number in range(bins):
        village = villages[number % 3]
        gateway = f"g{number // 2 // per_gateway}" if number % 2 else None
        if gateway is not None:
            gateways[gateway] = RadioGateway(id=gateway, name=f"{gateway}网关", area=village)
        name = f"b{number}"
        assets[name] = replace(pattern, id=name, short=name, areas=(village,))
        devices[f"d{number}"] = replace(device, id=f"d{number}", asset=name, radio_gateway=gateway)
    return replace(VILLAGE, assets=assets, devices=devices, routes={}, radio_gateways=gateways)


def sample(number: int, at_ms: Millis, seq: int, warmth: float = 20.0) -> Uplink:
    readings = f'{{"distance_mm": 1000, "temperature_c": {warmth}}}'
    payload = f'{{"v": 1, "boot": 1, "seq": {seq}, "ts": {at_ms}, "readings": {readings}}}'
    return Uplink(at_ms, f"cunjing/v1/xia/d{number}/telemetry", payload.encode())


def darkness(bins: int) -> tuple[list[Event | Owed], list[float]]:
    """What is said when all but one go dark at 07:20 and the last one burns at 09:40; and what each minute costs."""
    pipeline = start.anew(town(bins), policy_files(), Memory(), MORNING)
    pipeline.county.listen(MORNING, None, pipeline.changes, started=True)
    said: list[Event | Owed] = []
    spent: list[float] = []
    for minute in range(5 * 60):
        at_ms, began = MORNING + minute * MINUTE, process_time()
        if minute < 20:
            for number in range(minute, bins, 20):
                pipeline.take(sample(number, at_ms + number, 1))
        elif minute % 20 == 0 and minute <= 160:
            pipeline.take(sample(0, at_ms, 1 + minute // 20, 90.0 if minute == 160 else 20.0))
        pipeline.advance(at_ms + MINUTE - 1)
        said += pipeline.changes.log
        pipeline.finish()
        spent.append(process_time() - began)
    return said, spent


@pytest.fixture(scope="module")
def dark() -> tuple[list[Event | Owed], list[float]]:
    return darkness(2_000)


def test_apart_from_fire_nobody_gets_two_texts_in_two_minutes_nor_four_in_thirty(
    dark: tuple[list[Event | Owed], list[float]],
) -> None:
    told: dict[str, list[Millis]] = {}
    for each in dark[0]:
        if isinstance(each, Owed) and each.severity != "P1":
            told.setdefault(each.phone, []).append(each.at_ms)
    assert told
    for at in told.values():
        assert all(after - before > 2 * MINUTE for before, after in pairwise(sorted(at)))
        assert all(third - first > 30 * MINUTE for first, third in zip(sorted(at), sorted(at)[3:], strict=False))


def test_the_first_text_names_the_town_and_not_its_villages(dark: tuple[list[Event | Owed], list[float]]) -> None:
    first = next(each for each in dark[0] if isinstance(each, Owed) and each.rule == "area_outage")
    assert first.asset == "qingshi"
    assert "青石镇23日7:" in first.text


def test_a_fire_meanwhile_leaves_in_the_instant_of_its_sample(dark: tuple[list[Event | Owed], list[float]]) -> None:
    fires = [each for each in dark[0] if isinstance(each, Owed) and each.rule == "fire"]
    assert fires[0].at_ms == MORNING + 160 * MINUTE


def test_every_silence_has_a_row_that_says_why_nobody_was_told_of_it(
    dark: tuple[list[Event | Owed], list[float]],
) -> None:
    raised = {each.episode for each in dark[0] if isinstance(each, Event) and each.event == "raised"}
    quiet = {each for each in raised if each.partition("/")[0] in {"offline", "gateway_offline"}}
    said = {each.episode for each in dark[0] if isinstance(each, Event) and (each.detail or {}).get("reason")}
    assert len(quiet) >= 1_999
    assert quiet <= said
    assert not [each for each in dark[0] if isinstance(each, Owed) and each.rule in {"offline", "gateway_offline"}]


def test_the_cost_of_a_silence_does_not_grow_with_the_town(dark: tuple[list[Event | Owed], list[float]]) -> None:
    """The dearest minute, in which a twentieth of the town falls silent, within the two seconds that a fire has."""
    assert max(dark[1]) < 2.0


SMALL = town(20, per_gateway=5)
OUTAGES = Outages(SMALL, Telling())
SAYINGS = st.lists(st.tuples(st.sampled_from(sorted(SMALL.devices)), st.booleans()), max_size=40)


def finding(device: str, *, stale: bool) -> Finding:
    return Finding(Found.STALE if stale else Found.FRESH, MORNING, SMALL.devices[device].asset, device=device)


def hushed(devices: Iterable[str]) -> Silence:
    silence = Silence(OUTAGES.places)
    silence.keep([finding(device, stale=True) for device in devices])
    return silence


@given(SAYINGS)
def test_what_is_counted_is_what_is_silent(sayings: list[tuple[str, bool]]) -> None:
    silence, silent = Silence(OUTAGES.places), set[str]()
    for device, stale in sayings:
        hush = silence.after([finding(device, stale=stale)])
        silent = silent | {device} if stale else silent - {device}
        assert {name for name in SMALL.devices if name in hush} == silent
        counted = {area: sum(area in OUTAGES.places[name] for name in silent) for area in SMALL.areas}
        assert {area: hush.in_area(area) for area in SMALL.areas} == counted
        silence.keep([finding(device, stale=stale)])
        assert {area: silence.after(()).in_area(area) for area in SMALL.areas} == counted


def dark_areas(last_words: dict[str, Millis]) -> set[str]:
    silent = hushed(last_words).after(())
    return {area for area in SMALL.areas if OUTAGES.dark(area, silent, last_words.__getitem__) is not None}


def test_most_of_a_town_within_a_window_is_an_outage_of_all_that_lie_in_it() -> None:
    assert dark_areas(dict.fromkeys(sorted(SMALL.devices)[:14], MORNING)) >= {"qingshi"}


def test_sensors_that_died_one_by_one_are_none() -> None:
    assert dark_areas({f"d{number}": MORNING + number * HOUR for number in range(20)}) == set()


def test_sensors_that_were_never_heard_are_none_and_do_not_count_against_it() -> None:
    assert dark_areas(dict.fromkeys(SMALL.devices, 0)) == set()
    never = {f"d{number}": 0 for number in range(15)}
    assert "qingshi" in dark_areas(never | {f"d{number}": MORNING for number in range(15, 20)})


def test_one_radio_gateway_that_takes_its_devices_along_says_it_better() -> None:
    gateway = [device.id for device in SMALL.devices.values() if device.radio_gateway == "g0"]
    others = {device.id: 0 for device in SMALL.devices.values() if device.radio_gateway != "g0"}
    assert dark_areas(others | dict.fromkeys(gateway, MORNING)) == set()


def test_an_outage_that_is_over_leaves_no_storm_behind() -> None:
    scenario = Play(read("06_town_dark")).run()
    boxes = [unpack_box(kept) for kept in scenario.mailboxes()]
    assert len(boxes) > 1
    assert [box for box in boxes if box.outages or box.storm_ms] == []
