"""A scenario told twice: the uplinks, which must be the same for the same seed, and the truth, which must be whole."""

import json
from collections import defaultdict
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import pytest

from firmware_sim.county import inventory, inventory_yaml
from firmware_sim.fleet import fleet
from firmware_sim.radio import TimedUplink
from firmware_sim.scenario import HOUR_MS, Happening, Scenario, ScenarioError, at_start, load
from firmware_sim.traces import statuses, trace, truth
from telemetry.codecs import codecs
from telemetry.inventory.directory import Directory
from telemetry.inventory.file import parse
from telemetry.reading import Sample, Values
from telemetry.wire import Samples, Status, Uplink, decode

SCENARIOS = Path(__file__).parents[2] / "firmware_sim" / "scenarios"
TEXT = """
seed: trace
start: 2026-11-22T20:00:00Z
hours: 12
fleet: {towns: 1, villages: 4, bins: 40, plants: 4, meter_only: 0}
"""
CLEAN = "radio: {loss: 0, closed_pool_loss: 0, native_loss: 0, late: 0, duplicates: 0, reboots_per_month: 0}\n"


def house(name: str) -> Scenario:
    return load((SCENARIOS / f"{name}.yaml").read_text("utf-8"))


def directory(scenario: Scenario) -> Directory:
    found = parse(inventory_yaml(scenario), "county.yaml", profiles=frozenset({"native", *codecs()})).inventory
    assert found is not None
    return Directory(found)


def samples(scenario: Scenario) -> dict[str, list[tuple[int, Sample]]]:
    """Every sample as the gateway would read it, with the instant it arrives, by device."""
    known = directory(scenario)
    read: dict[str, list[tuple[int, Sample]]] = defaultdict(list)
    for at_ms, topic, payload in trace(scenario):
        decoded = decode(Uplink(at_ms, topic, payload), known)
        assert isinstance(decoded, Samples), decoded
        assert decoded.refused == ()
        assert decoded.unknown_keys == 0
        read[decoded.device].extend((at_ms, sample) for sample in decoded.samples)
    return read


def values(scenario: Scenario, device: str) -> list[tuple[int, Values]]:
    return [(at_ms, sample.values) for at_ms, sample in samples(scenario)[device]]


def ordered(*events: str, clean: bool = True) -> Scenario:
    return load(TEXT + (CLEAN if clean else "") + "events:\n" + "".join(f"  - {event}\n" for event in events))


def test_the_same_scenario_gives_the_same_bytes() -> None:
    assert list(trace(load(TEXT))) == list(trace(load(TEXT)))


@pytest.mark.parametrize(
    ("name", "pin"),
    [
        ("dead_plant", "9b5f9f0336b3e53f"),
        ("demo", "099f0fe682e173c3"),
        ("ordinary_week", "7ae79ce6b11eff1f"),
        ("storm_power_cut", "71005bba2160acd9"),
        ("winter_ash_fire", "6f07f1758b451aef"),
    ],
)
def test_a_plain_world_says_the_bytes_that_it_always_said(name: str, pin: str) -> None:
    """The first 30 hours as they were before there were other worlds: what is measured on them stays comparable."""
    scenario = house(name).model_copy(update={"hours": 30})
    bytes_of = sha256(inventory_yaml(scenario).encode())
    for uplink in trace(scenario):
        bytes_of.update(f"{uplink.at_ms} {uplink.topic} ".encode() + uplink.payload)
    assert bytes_of.hexdigest()[:16] == pin


def test_a_real_world_is_read_as_well_and_the_same_each_time() -> None:
    scenario = load(TEXT + "world: real\n")
    assert list(trace(scenario)) == list(trace(scenario))
    assert [uplink.payload for uplink in trace(scenario)] != [uplink.payload for uplink in trace(load(TEXT))]
    known = directory(scenario)
    for uplink in trace(scenario):
        assert isinstance(decode(Uplink(*uplink), known), Samples)


def test_another_seed_gives_other_bytes() -> None:
    other = load(TEXT.replace("seed: trace", "seed: other"))
    assert [uplink.payload for uplink in trace(load(TEXT))] != [uplink.payload for uplink in trace(other)]


def test_uplinks_come_in_the_order_of_their_instants() -> None:
    instants = [uplink.at_ms for uplink in trace(load(TEXT))]
    assert instants == sorted(instants)
    assert len(instants) > 1_000


def test_one_devices_story_does_not_touch_anothers() -> None:
    def others(scenario: Scenario) -> list[TimedUplink]:
        return [
            uplink for uplink in trace(scenario) if "bin-0007" not in uplink.topic and "000007/" not in uplink.topic
        ]

    plain = others(load(TEXT + CLEAN))
    assert others(ordered("{at: 3, kind: fire, target: bin-0007}", "{at: 6, kind: reboot, target: bin-0007}")) == plain


def test_a_moved_scenario_says_the_same_at_another_time() -> None:
    scenario = load(TEXT)
    moved = at_start(scenario, scenario.start_ms + 24 * HOUR_MS)
    assert [u.at_ms + 24 * HOUR_MS for u in trace(scenario)] == [u.at_ms for u in trace(moved)]


@pytest.mark.parametrize("name", ["winter_ash_fire", "storm_power_cut", "gateway_outage", "never_installed"])
def test_the_gateway_reads_every_uplink(name: str) -> None:
    assert len(samples(house(name))) >= 30


def test_both_sorts_of_devices_are_in_the_fleet() -> None:
    spoken = {uplink.topic.split("/")[0] for uplink in trace(load(TEXT))}
    assert spoken == {"cunjing", "application"}


def test_statuses_are_read_as_statuses() -> None:
    scenario = load(TEXT)
    known = directory(scenario)
    told = [decode(Uplink(*status), known) for status in statuses(scenario)]
    assert all(isinstance(status, Status) and status.online for status in told)
    assert len(told) == sum(site.native for site in fleet(scenario).bins) + 4


def test_nothing_of_the_truth_is_in_the_uplinks() -> None:
    scenario = ordered("{at: 3, kind: fire, target: bin-0007}", "{at: 6, kind: plant_stop, target: plant-0001}")
    everything = b"".join(uplink.payload for uplink in trace(scenario))
    assert not [kind for kind in Happening if kind.value.encode() in everything]


def test_the_truth_has_what_was_ordered() -> None:
    scenario = ordered(
        "{at: 3, kind: fire, target: bin-0007, hours: 2}",
        "{at: 6, kind: plant_stop, target: plant-0001}",
        "{at: 7, kind: power_cut, target: f01, hours: 1}",
        "{at: 1, kind: dead_sensor, target: bin-0002}",
        "{at: 2, kind: gateway_outage, target: g01, hours: 3}",
        "{at: '08:00', kind: missed_round, target: bin-0004}",
    )
    at = scenario.start_ms
    told = {
        (row.kind, row.device or row.asset, row.start_ms - at, row.end_ms and row.end_ms - at)
        for row in truth(scenario)
    }
    assert (Happening.FIRE, "bin-0007", 3 * HOUR_MS, 5 * HOUR_MS) in told
    assert (Happening.PLANT_STOP, "plant-0001", 6 * HOUR_MS, None) in told
    assert {device for kind, device, *_ in told if kind is Happening.POWER_CUT} == {
        f"plant-000{n}" for n in range(1, 5)
    }
    assert (Happening.DEAD_SENSOR, "bin-0002", HOUR_MS, None) in told
    assert (Happening.GATEWAY_OUTAGE, "g01", 2 * HOUR_MS, 5 * HOUR_MS) in told
    assert (Happening.MISSED_ROUND, "bin-0004") in {row[:2] for row in told}


def test_every_emptying_of_the_truth_is_seen_by_a_sensor() -> None:
    scenario = load(TEXT + CLEAN)
    read = samples(scenario)
    sites = {site.device: site for site in fleet(scenario).bins}
    emptied = [
        row for row in truth(scenario) if row.kind is Happening.EMPTIED and row.start_ms < scenario.end_ms - HOUR_MS
    ]
    assert len(emptied) > 20
    for row in emptied:
        geometry = sites[row.device].geometry
        after = [
            s.values.distance_mm for at, s in read[row.device] if row.start_ms + 2_000 < at < row.start_ms + HOUR_MS
        ]
        low = geometry.empty_mm - 0.15 * (geometry.empty_mm - geometry.full_mm)
        assert sum(low < (mm or 0) < 1.15 * geometry.empty_mm for mm in after) >= 2, row


@pytest.mark.parametrize(
    ("event", "target"),
    [
        ("fire", "plant-0001"),
        ("plant_stop", "bin-0001"),
        ("gateway_outage", "bin-0001"),
        ("fire", "g01"),
        ("fire", "bin-0999"),
    ],
)
def test_an_event_that_cannot_be_is_refused_before_the_first_uplink(event: str, target: str) -> None:
    with pytest.raises(ScenarioError, match=target):
        trace(ordered(f"{{kind: {event}, target: {target}}}"))


def test_a_fire_is_reported_out_of_turn_and_above_seventy_degrees() -> None:
    scenario = ordered("{at: 3, kind: fire, target: bin-0007}")
    fire_ms = scenario.start_ms + 3 * HOUR_MS
    hot = [at for at, v in values(scenario, "bin-0007") if (v.temperature_c or 0) >= 70]
    assert fire_ms < hot[0] < fire_ms + 6 * 60_000


def test_embers_pass_fifty_degrees_once_and_then_only_cool() -> None:
    scenario = ordered("{at: 3, kind: hot_ash, target: bin-0007}")
    heats = [v.temperature_c or 0 for _, v in values(scenario, "bin-0007")]
    first = next(i for i, heat in enumerate(heats) if heat >= 50)
    assert heats[first] < 70
    assert heats[first - 1] < 20
    assert heats[first + 1] < heats[first]


def test_nothing_but_fire_and_embers_is_hot() -> None:
    read = samples(house("ordinary_week").model_copy(update={"hours": 30}))
    assert max(s.values.temperature_c or 0 for told in read.values() for _, s in told) < 40


def test_blunders_are_single_samples() -> None:
    scenario = load(TEXT.replace("hours: 12", "hours: 360") + CLEAN)
    read = samples(scenario)
    blunders = 0
    for site in fleet(scenario).bins:
        told = [sample.values.distance_mm or 0 for _, sample in read[site.device]]
        lost = [not 0 < mm <= 1.15 * site.geometry.empty_mm for mm in told]
        blunders += sum(lost)
        assert not any(one and other for one, other in pairwise(lost))
    assert blunders > 200


def test_a_stopped_plant_has_mains_and_level_but_no_current() -> None:
    scenario = ordered("{at: 4, kind: plant_stop, target: plant-0001}")
    site = fleet(scenario).plants[0]
    late = [v for at, v in values(scenario, "plant-0001") if at > scenario.start_ms + 8 * HOUR_MS]
    assert late
    for v in late:
        assert v.mains_on == 1
        assert v.pump_current_a is not None
        assert v.pump_current_a < 0.05 * site.rated_current_a
        assert v.level_mm is not None
        assert v.level_mm >= site.start_level_mm


def test_a_power_cut_is_a_last_gasp_then_silence_then_a_reboot() -> None:
    scenario = ordered("{at: 4, kind: power_cut, target: plant-0001, hours: 2}")
    cut, back = scenario.start_ms + 4 * HOUR_MS, scenario.start_ms + 6 * HOUR_MS
    told = samples(scenario)["plant-0001"]
    dark = [(at, s) for at, s in told if s.values.mains_on == 0]
    assert len(dark) == 1
    assert cut < dark[0][0] < cut + 10_000
    assert not [at for at, _ in told if cut + 10_000 < at < back]
    first = next(s for at, s in told if at >= back)
    assert (first.boot, first.seq) == (dark[0][1].boot + 1, 0)


def test_a_dead_sensor_and_one_never_installed_say_nothing() -> None:
    scenario = ordered("{at: 4, kind: dead_sensor, target: bin-0002}", "{kind: never_installed, target: bin-0003}")
    read = samples(scenario)
    assert 0 < max(at for at, _ in read["bin-0002"]) < scenario.start_ms + 4 * HOUR_MS + 2_000
    assert "bin-0003" not in read


def test_an_outage_is_backfilled_by_native_devices_and_lost_by_the_others() -> None:
    scenario = ordered("{at: 3, kind: gateway_outage, target: g01, hours: 4}")
    begin, end = scenario.start_ms + 3 * HOUR_MS, scenario.start_ms + 7 * HOUR_MS
    read = samples(scenario)
    for site in fleet(scenario).bins:
        assert not [at for at, _ in read[site.device] if begin + 2_000 < at < end]
        seqs = [s.seq for _, s in read[site.device]]
        missing = set(range(seqs[0], seqs[-1])) - set(seqs)
        assert len(missing) in ((0,) if site.native else (11, 12, 13))


def test_an_uplinks_list_is_never_longer_than_the_wire_allows() -> None:
    scenario = load(
        TEXT.replace("hours: 12", "hours: 80")
        + CLEAN
        + "events: [{at: 1, kind: gateway_outage, target: g01, hours: 70}]"
    )
    lists = [json.loads(u.payload) for u in trace(scenario) if u.payload.startswith(b"[")]
    assert max(map(len, lists)) == 100
    assert all("up" in sample for some in lists for sample in some)


def test_lost_late_and_double_frames_come_in_their_shares() -> None:
    scenario = load(TEXT.replace("hours: 12", "hours: 96") + "radio: {reboots_per_month: 0}\n")
    pools = {site.dev_eui for site in fleet(scenario).bins if site.pool}
    seen: dict[str, list[int]] = defaultdict(list)
    double = heard = 0
    for _, topic, payload in trace(scenario):
        if topic.startswith("application"):
            event = json.loads(payload)
            eui, count = event["deviceInfo"]["devEui"], event["fCnt"]
            heard += 1
            double += count in seen[eui]
            seen[eui].append(count)
    lost = {eui: 1 - len(set(counts)) / (max(counts) - min(counts) + 1) for eui, counts in seen.items()}
    open_loss = [share for eui, share in lost.items() if eui not in pools]
    pool_loss = [share for eui, share in lost.items() if eui in pools]
    assert 0.03 < sum(open_loss) / len(open_loss) < 0.07
    assert 0.12 < sum(pool_loss) / len(pool_loss) < 0.18
    assert 0.002 < double / heard < 0.009
    disorder = sum(a > b for counts in seen.values() for a, b in pairwise(counts))
    assert 0.002 < disorder / heard < 0.02


def test_a_reboot_raises_boot_and_starts_counting_again() -> None:
    told = samples(ordered("{at: 5, kind: reboot, target: plant-0001}"))["plant-0001"]
    boots = [s.boot for _, s in told]
    assert sorted(set(boots)) == [boots[0], boots[0] + 1]
    assert next(s.seq for _, s in told if s.boot == boots[0] + 1) == 0


def test_a_wrong_clock_is_wrong_by_as_much_as_ordered() -> None:
    told = samples(ordered("{at: 5, kind: clock_wrong, target: plant-0001, size: -3}"))["plant-0001"]
    lags = [round((at - (s.ts_ms or 0)) / HOUR_MS) for at, s in told]
    assert set(lags) == {0, 3}


def test_a_hastened_county_writes_the_hour_it_lives_in() -> None:
    scenario = load(TEXT + CLEAN)
    hastened = list(trace(scenario, speed=60))
    assert len(hastened) == len(list(trace(scenario)))
    assert hastened[-1].at_ms <= scenario.start_ms + 12 * HOUR_MS // 60
    for at_ms, topic, payload in hastened:
        if topic.startswith("cunjing"):
            assert abs(json.loads(payload)["ts"] - at_ms) < 10_000


def test_the_demo_has_everything_that_its_story_is_made_of() -> None:
    scenario = house("demo")
    eight = scenario.start_ms + 14 * HOUR_MS
    read = samples(scenario.model_copy(update={"hours": 24}))
    sites = {site.device: site for site in fleet(scenario).bins}

    def fills(device: str, from_h: float, to_h: float) -> list[float]:
        geometry = sites[device].geometry
        return [
            100 * (geometry.empty_mm - (sample.values.distance_mm or 0)) / (geometry.empty_mm - geometry.full_mm)
            for at, sample in read[device]
            if from_h <= (at - eight) / HOUR_MS < to_h
        ]

    def over(device: str, from_h: float, to_h: float) -> bool:
        return sum(66.7 < fill < 95 for fill in fills(device, from_h, to_h)) >= 2

    since_last_night = {device for device in sites if over(device, -14, -2)}
    assert {"bin-0002", "bin-0014", "bin-0021", "bin-0032", "bin-0043"} <= since_last_night
    assert over("bin-0031", 0, 1.2), "crosses while the round is on its way"
    assert over("bin-0001", 0, 1.2), "is told at once"
    assert over("bin-0032", 3, 5.4), "was missed"
    assert not over("bin-0032", 6, 9), "is empty once somebody else was sent"
    assert over("bin-0011", 8.5, 9.5), "crosses when the last round of the day is over"
    assert not any(over("bin-0011", hour, hour + 1) for hour in range(8)), "and not before"
    assert fills("bin-0043", 5, 5.7), "speaks"
    assert not fills("bin-0043", 5.8, 10), "is pulled out"
    plants = [site for site in fleet(scenario).plants if site.feeder == "f01"]
    assert len(plants) == 3
    for plant in plants:
        mains = {sample.values.mains_on for at, sample in read[plant.device] if 6.4 < (at - eight) / HOUR_MS < 7.8}
        assert 0 in mains, "dark"
    missed = [row.device for row in truth(scenario) if row.kind is Happening.MISSED_ROUND]
    assert missed == ["bin-0032"], "and nothing else is"


def test_a_county_and_its_towns_have_the_names_that_they_are_given() -> None:
    named = load(TEXT + "names: {county: 青溪县, towns: [竹园乡]}")
    written = inventory(named)
    assert (written["county"]["name"], written["county"]["signature"]) == ("青溪县", "青溪环卫")
    assert [area["name"] for area in written["areas"] if area["level"] == "town"] == ["竹园乡"]
    assert [feeder["name"] for feeder in written["feeders"]] == ["竹园线"]
    assert [row["id"] for row in written["assets"]] == [row["id"] for row in inventory(load(TEXT))["assets"]]
    for towns in ("[竹园乡, 石桥镇]", "[shiqiao]", "[桥]"):
        with pytest.raises(ScenarioError, match=r"names\.towns|names"):
            load(TEXT + f"names: {{towns: {towns}}}")


@pytest.mark.parametrize(
    ("county", "signature"),
    [
        ("费县", "费县环卫"),
        ("湘阳县", "湘阳环卫"),
        ("双江口市", "双江口"),
        ("阿拉善左旗", "阿拉善左"),
        ("开化", "开化环卫"),
    ],
)
def test_a_signature_fits_between_its_brackets(county: str, signature: str) -> None:
    assert inventory(load(TEXT + f"names: {{county: {county}}}"))["county"]["signature"] == signature


def test_plants_stand_where_a_scenario_puts_them() -> None:
    standing = fleet(load(TEXT.replace("plants: 4", "plants: 4, plant_villages: [1, 1, 9]"))).plants
    villages = fleet(load(TEXT)).villages
    assert [site.village for site in standing] == [villages[1], villages[1], villages[1], villages[3]]
    assert len({site.asset for site in standing}) == len(standing), "each has a name of its own"
