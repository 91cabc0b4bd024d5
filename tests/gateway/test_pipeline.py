"""The kinds of the wire (tests/cases.yaml, K and S) on the gateway's own line: bytes in, rows of a real journal out."""

import json
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from alerts.build import Assembled
from alerts.rollups.rows import in_order
from gateway.barrier import Barrier
from gateway.journal.case_reader import CaseReader
from gateway.journal.entry import Anomaly
from gateway.journal.reader import JournalReader
from gateway.pipeline import Archive, Pipeline, StartingPoint
from gateway.replay import replay
from telemetry.inventory import Device
from telemetry.reading import Millis, Sample, Values
from telemetry.sequence import BOOTS_HELD, EPOCH, fingerprint
from telemetry.wire import Address, Resolver, Samples, Uplink
from tests.gateway.journal.entries import contents
from tests.lorawan import (
    COUNTY,
    DAY,
    HOUR,
    MINUTE,
    NATIVE_TOPIC,
    POLICY_FILES,
    SECOND,
    SENSOR,
    SESSION,
    START_MS,
    TOPIC,
    iso,
    native,
    opened,
    up,
)
from tests.virtual_line import VirtualLine

EMPTY, FULL = "01755c 04822003 050000", "01755c 04826400 050000"
BRIM = "01755c 0482d200 050000"
"""As full as can be measured outside of the blind zone."""
INTERVAL = 20 * MINUTE


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def line(path: Path) -> Iterator[VirtualLine]:
    with closing(opened(path)) as made:
        yield made


def take(line: VirtualLine, uplinks: Iterable[Uplink]) -> None:
    """Each in a turn of its own, as they come over hours."""
    for uplink in uplinks:
        line.take([uplink])
        line.commit()


def readings(path: Path) -> list[dict[str, Any]]:
    with closing(JournalReader.open(path)) as journal:
        return list(journal.readings())


def levels(path: Path) -> list[float]:
    return [row["values"]["distance_mm"] for row in readings(path)]


def quarantined(path: Path) -> list[str]:
    with closing(JournalReader.open(path)) as journal:
        return [row["reason"] for row in journal.quarantine()]


def anomalies(path: Path, device: str = SENSOR) -> list[Anomaly]:
    with closing(CaseReader.open(path)) as journal:
        return journal.anomalies([device])


def seen_ms(line: VirtualLine, device: str = SENSOR) -> Millis:
    asset = COUNTY.devices[device].asset
    (memory,) = line.pipeline.county.states[asset].devices
    return memory.seen_ms


def standing(line: VirtualLine) -> set[str]:
    return {f"{alert.rule}@{alert.device}" for alert in line.pipeline.county.alerts.values() if not alert.closed_ms}


def counting(frames: Iterable[str], start_ms: Millis, step_ms: int = INTERVAL) -> list[Uplink]:
    return [up(f_cnt, frame, start_ms + f_cnt * step_ms) for f_cnt, frame in enumerate(frames)]


# --- a counter that begins anew (K1) ---


def test_a_device_that_counts_anew_loses_no_reading_and_its_bin_is_full(line: VirtualLine, path: Path) -> None:
    take(line, counting([EMPTY] * 12, START_MS))
    take(line, counting([FULL] * 12, START_MS + 12 * INTERVAL))
    assert levels(path) == [800] * 12 + [100] * 12
    assert {row["boot"] // EPOCH for row in readings(path)} == {0, 1}
    assert {row["boot"] % EPOCH for row in readings(path)} == {SESSION}
    assert f"overflow@{SENSOR}" in standing(line)
    (restart,) = anomalies(path)
    assert (restart.kind, restart.times) == ("restarted", 1)


def test_the_same_frame_48_seconds_later_is_a_repeat(line: VirtualLine, path: Path) -> None:
    take(line, [up(7, EMPTY, START_MS), up(7, EMPTY, START_MS + 48 * SECOND)])
    assert levels(path) == [800]
    assert anomalies(path) == []
    assert seen_ms(line) == START_MS, "a repeat is no sign of life"


@pytest.mark.parametrize("apart_ms", [3 * MINUTE, 11 * MINUTE, 5 * HOUR])
def test_restarts_in_a_row_never_cost_a_reading(line: VirtualLine, path: Path, apart_ms: int) -> None:
    frames = [f"04{0x82:02x}{height:02x}02" for height in range(2 * BOOTS_HELD + 3)]
    take(line, [up(0, frame, START_MS + turn * apart_ms) for turn, frame in enumerate(frames)])
    assert len(readings(path)) == len(frames)
    assert [row["boot"] for row in readings(path)] == [SESSION + EPOCH * turn for turn in range(len(frames))]
    assert anomalies(path)[0].times == len(frames) - 1


def test_the_same_level_after_a_restart_is_a_reading_once_ten_minutes_have_passed(
    line: VirtualLine, path: Path
) -> None:
    take(line, [up(0, EMPTY, START_MS), up(0, EMPTY, START_MS + 10 * MINUTE), up(0, EMPTY, START_MS + 21 * MINUTE)])
    assert levels(path) == [800, 800]


def test_frames_that_waited_for_us_are_told_apart_by_the_networks_time(line: VirtualLine, path: Path) -> None:
    waited = [up(0, EMPTY, START_MS), up(0, EMPTY, START_MS + 3 * HOUR)]
    take(line, [replace(one, received_ms=START_MS + 6 * HOUR) for one in waited])
    assert levels(path) == [800, 800]


def test_a_frame_is_the_same_by_its_id_and_by_its_time_whatever_else_differs(line: VirtualLine, path: Path) -> None:
    first = up(0, EMPTY, START_MS, deduplicationId="one")
    by_id = up(0, FULL, START_MS + HOUR, deduplicationId="one")
    by_time = up(0, FULL, START_MS + 2 * HOUR, deduplicationId="two", time=iso(START_MS))
    take(line, [first, by_id, by_time])
    assert levels(path) == [800]


def test_a_repeat_that_comes_after_the_device_counted_anew_is_still_one(line: VirtualLine, path: Path) -> None:
    first, second = counting([EMPTY] * 8, START_MS), counting([FULL] * 4, START_MS + 8 * INTERVAL)
    take(line, [*first, *second])
    take(line, [replace(one, received_ms=START_MS + 12 * INTERVAL) for one in (*first, *second)])
    assert len(readings(path)) == 12
    assert anomalies(path)[0].times == 1


def test_an_old_epoch_does_not_take_the_counts_of_the_new_one(line: VirtualLine, path: Path) -> None:
    old = [up(f_cnt, EMPTY, START_MS + turn * INTERVAL) for turn, f_cnt in enumerate((5_000, 5_001, 5_003))]
    new = [up(f_cnt, FULL, START_MS + HOUR + f_cnt * INTERVAL) for f_cnt in range(3)]
    take(line, [*old, *new, up(5_002, FULL, START_MS + 3 * HOUR)])
    assert len(readings(path)) == 7


def test_a_count_that_is_null_is_zero(line: VirtualLine, path: Path) -> None:
    take(line, [up(None, EMPTY, START_MS), up(0, EMPTY, START_MS + 48 * SECOND), up(1, FULL, START_MS + INTERVAL)])
    assert [row["seq"] for row in readings(path)] == [0, 1]


def test_an_address_that_is_given_again_after_a_join_begins_anew(line: VirtualLine, path: Path) -> None:
    here, there = {"devAddr": "00000001"}, {"devAddr": "00000002"}
    take(line, [up(f_cnt, EMPTY, START_MS + f_cnt * INTERVAL, **here) for f_cnt in range(3)])
    take(line, [up(f_cnt, EMPTY, START_MS + (3 + f_cnt) * INTERVAL, **there) for f_cnt in range(3)])
    take(line, [up(f_cnt, FULL, START_MS + (6 + f_cnt) * INTERVAL, **here) for f_cnt in range(3)])
    assert levels(path) == [800] * 6 + [100] * 3
    assert anomalies(path)[0].times == 1


def test_marks_come_back_at_a_start_and_after_a_crash(line: VirtualLine, path: Path) -> None:
    first, second = counting([EMPTY] * 6, START_MS), counting([FULL] * 6, START_MS + 6 * INTERVAL)
    take(line, [*first, *second[:3]])
    line.take(second[3:5])  # and the process dies before they are durable
    line.restart(second[5].received_ms)
    take(line, [*first, *second, *second])
    assert levels(path) == [800] * 6 + [100] * 6
    assert anomalies(path)[0].times == 1


def test_repeats_and_a_restart_in_one_batch_are_told_apart_before_anything_is_durable(
    line: VirtualLine, path: Path
) -> None:
    first, second = counting([EMPTY] * 3, START_MS, SECOND), counting([FULL] * 3, START_MS + HOUR, SECOND)
    line.take([*first, *first, *second, *first, *second])
    assert line.pipeline.tally.duplicates == 9
    assert line.pipeline.tally.restarted == 1
    line.commit()
    assert levels(path) == [800] * 3 + [100] * 3


def test_readings_from_before_there_were_fingerprints_are_known_by_their_time(line: VirtualLine, path: Path) -> None:
    take(line, counting([EMPTY] * 3, START_MS))
    line._journal._connection.execute("UPDATE reading SET fingerprint = NULL")
    line.restart(START_MS + HOUR)
    again = [up(f_cnt, EMPTY, START_MS + HOUR, time=iso(START_MS + f_cnt * INTERVAL)) for f_cnt in range(3)]
    take(line, [*again, *counting([FULL] * 3, START_MS + 2 * HOUR)])
    assert levels(path) == [800] * 3 + [100] * 3


def test_a_frame_of_more_than_a_week_ago_takes_no_count_away(line: VirtualLine, path: Path) -> None:
    take(line, [up(0, EMPTY, START_MS), up(0, FULL, START_MS + 8 * DAY), up(1, FULL, START_MS + 8 * DAY + INTERVAL)])
    assert levels(path) == [800, 100, 100]


def test_replay_knows_counters_that_begin_anew_as_the_gateway_does() -> None:
    uplinks = [*counting([EMPTY] * 12, START_MS), *counting([FULL] * 12, START_MS + 12 * INTERVAL)]
    said = list(replay(uplinks, COUNTY, POLICY_FILES))
    doubled = list(replay([each for uplink in uplinks for each in (uplink, uplink)], COUNTY, POLICY_FILES))
    assert any('"raised"' in one and '"overflow"' in one for one in said)
    assert doubled == said


# --- one refused value, and what nobody understood (K2, K3) ---


def test_a_refused_value_costs_only_itself_and_is_shown_at_its_device(line: VirtualLine, path: Path) -> None:
    take(line, [up(f_cnt, "017565 04824408", START_MS + f_cnt * INTERVAL) for f_cnt in range(3)])
    assert [row["values"] for row in readings(path)] == [{"distance_mm": 2116.0}] * 3
    (refused,) = anomalies(path)
    assert (refused.kind, refused.subject, refused.reason, refused.times) == (
        "refused",
        "battery_pct",
        "out_of_range",
        3,
    )
    assert (refused.since_ms, refused.last_ms) == (START_MS, START_MS + 2 * INTERVAL)
    assert "101" in refused.detail


def test_a_native_value_that_cannot_be_costs_only_itself(line: VirtualLine, path: Path) -> None:
    said = {
        "v": 1,
        "boot": 1,
        "seq": 7,
        "ts": "now",
        "readings": {"distance_mm": 412, "battery_pct": 100.4, "ph": None},
    }
    line.take([native(said, at_ms=START_MS)])
    assert line.pipeline.tally.refused_values == {
        ("battery_pct", "out_of_range"): 1,
        ("ph", "bad_sample"): 1,
        ("ts", "bad_sample"): 1,
    }
    line.commit()
    assert levels(path) == [412]
    assert {(one.subject, one.reason) for one in anomalies(path, "s-road")} == {
        ("battery_pct", "out_of_range"),
        ("ph", "bad_sample"),
        ("ts", "bad_sample"),
    }


def test_a_part_of_a_status_that_cannot_be_costs_only_itself(line: VirtualLine, path: Path) -> None:
    said = {"online": False, "boot": 17, "fw": "\x1b[31m", "ts": -1}
    topic = NATIVE_TOPIC.replace("telemetry", "status")
    line.take([Uplink(START_MS, topic, json.dumps(said).encode())])
    ((status, _),) = line.pipeline.entry.statuses
    assert (status.online, status.boot, status.fw, status.ts_ms) == (False, 17, None, None)
    assert line.pipeline.tally.refused_values == {("fw", "bad_sample"): 1, ("ts", "bad_sample"): 1}
    line.commit()
    assert quarantined(path) == []
    assert {one.subject for one in anomalies(path, "s-road")} == {"fw", "ts"}
    assert seen_ms(line, "s-road") == 0


def test_a_sample_without_any_value_is_quarantined_marks_nothing_and_is_no_sign_of_life(
    line: VirtualLine, path: Path
) -> None:
    empty = {"v": 1, "boot": 1, "seq": 7, "readings": {"distance_mm": -1, "battery_pct": 101}}
    good = empty | {"readings": {"distance_mm": 412}}
    take(line, [native(empty, at_ms=START_MS)])
    assert quarantined(path) == ["out_of_range"]
    assert seen_ms(line, "s-road") == 0
    take(line, [native(good, at_ms=START_MS + MINUTE), up(3, "017565", START_MS), up(3, "04824408", START_MS + MINUTE)])
    assert levels(path) == [412, 2116]
    assert quarantined(path) == ["out_of_range"] * 2


def test_an_unreadable_network_time_gives_the_receive_time(line: VirtualLine, path: Path) -> None:
    take(line, [up(0, EMPTY, START_MS, time="2020-0327T12:39:05.547336Z")])
    (row,) = readings(path)
    assert row["observed_at"] == row["received_at"]
    assert row["clock"] == "server"
    assert [one.subject for one in anomalies(path)] == ["time"]


def test_a_frame_that_goes_on_unknown_is_told_at_its_device_with_its_channel(line: VirtualLine, path: Path) -> None:
    take(line, [up(f_cnt, "01755c 03824408 040001", START_MS + f_cnt * INTERVAL) for f_cnt in range(2)])
    assert [row["values"] for row in readings(path)] == [{"battery_pct": 92.0}] * 2
    (partial,) = anomalies(path)
    assert (partial.kind, partial.detail, partial.times, partial.since_ms) == ("partial", "03 82", 2, START_MS)


def test_what_is_wrong_with_a_device_is_one_row_a_kind_over_restarts_and_not_counted_for_repeats(
    line: VirtualLine, path: Path
) -> None:
    odd = [up(f_cnt, f"01755c {0x90 + f_cnt:02x}00 0000", START_MS + f_cnt * INTERVAL) for f_cnt in range(20)]
    take(line, [*odd[:10], *odd[:10]])
    line.restart(START_MS + DAY)
    take(line, odd)
    (partial,) = anomalies(path)
    assert (partial.times, partial.detail) == (20, f"{0x90 + 19:02x} 00")


def test_an_anomaly_that_was_mended_is_let_go_and_signs_of_life_as_well(line: VirtualLine, path: Path) -> None:
    take(line, [up(0, "017565 04824408", START_MS), up(1, "", START_MS + MINUTE)])
    for days, left in ((8, (1, 0)), (31, (0, 0))):
        line._journal.expire(START_MS + days * DAY, keep_days=90)
        tables = contents(path)
        assert (len(tables["anomaly"]), len(tables["sign_of_life"])) == left


class Recording:
    """A topic under which a frame tells of several times, as no codec does yet."""

    def resolve(self, topic: str) -> Address:
        assert topic == TOPIC
        return Address(COUNTY.devices[SENSOR], self.read)

    def read(self, payload: bytes, device: Device) -> Samples:
        """Its payload is the frame's count."""
        mark, f_cnt = fingerprint(payload.decode(), payload), int(payload)
        taken = [(Values(distance_mm=800.0 + age), START_MS - age * HOUR) for age in (2, 1, 0)]
        return Samples(device.id, tuple(Sample(SESSION, f_cnt, *one, fingerprint=mark) for one in taken))


class RecordingLine(Pipeline):
    """A line under whose only topic such frames come."""

    def __init__(
        self, directory: Resolver, made: Assembled, archive: Archive, barrier: Barrier, begins: StartingPoint
    ) -> None:
        del directory
        super().__init__(Recording(), made, archive, barrier, begins)


def test_the_records_of_one_frame_are_all_readings_and_come_once(line: VirtualLine, path: Path) -> None:
    line.kind = RecordingLine
    line.restart(START_MS)
    take(line, [Uplink(START_MS, TOPIC, b"7"), Uplink(START_MS + MINUTE, TOPIC, b"7")])
    assert levels(path) == [802, 801, 800]
    assert {(row["boot"], row["seq"]) for row in readings(path)} == {(SESSION, 7)}
    with closing(JournalReader.open(path)) as journal:
        kept = [reading for _, reading in journal.readings_after(0, 10)]
    assert in_order([*kept, *kept]) == sorted(kept, key=lambda reading: reading.observed_ms)


# --- a backlog under a clock that is wrong (K4) ---

BACKLOG = [
    {"v": 1, "boot": 1, "seq": seq, "ts": START_MS - (9 - seq) * INTERVAL + 8 * HOUR, "readings": {"distance_mm": 800}}
    for seq in range(10)
]
"""Ten samples twenty minutes apart, by a clock that is eight hours ahead (case S6)."""


def test_a_backlog_in_a_list_keeps_its_spacing_and_is_late(line: VirtualLine, path: Path) -> None:
    take(line, [native(*BACKLOG, at_ms=START_MS)])
    rows = readings(path)
    assert [row["observed_at"] for row in rows] == [
        iso(START_MS - (9 - seq) * INTERVAL).replace("+00:00", "Z") for seq in range(10)
    ]
    assert [row["late"] for row in rows] == [True] * 3 + [False] * 7
    assert {row["clock"] for row in rows} == {"server"}


def test_the_same_backlog_in_uplinks_of_their_own_takes_the_times_at_which_they_came(
    line: VirtualLine, path: Path
) -> None:
    """Of one uplink nobody knows how long it waited (design.md §5: else receive time); each has its own instant."""
    take(line, [native(sample, at_ms=START_MS + seq) for seq, sample in enumerate(BACKLOG)])
    assert [row["observed_at"] for row in readings(path)] == [
        iso(START_MS + seq).replace("+00:00", "Z") for seq in range(10)
    ]
    assert not any(row["late"] for row in readings(path))


# --- ports, MAC traffic, other events (K7, K8) ---


@pytest.mark.parametrize(
    "said",
    [
        up(5, "050001", START_MS, fPort=0),
        up(5, "", START_MS, fPort=85),
        up(5, "", START_MS, fPort=None, data=None),
        up(5, EMPTY, START_MS, fPort=10),
        up(5, "ff0bff ff0101 ff0f00", START_MS),
        up(5, "fe03b004", START_MS),
        Uplink(START_MS, TOPIC.replace("/up", "/join"), up(None, "", START_MS).payload),
    ],
)
def test_what_a_device_says_without_measuring_is_a_sign_of_life_once(
    line: VirtualLine, path: Path, said: Uplink
) -> None:
    take(line, [said])
    assert (readings(path), quarantined(path), seen_ms(line)) == ([], [], START_MS)
    line.restart(START_MS + MINUTE)
    assert seen_ms(line) == START_MS, "a sign of life is durable"
    take(line, [replace(said, received_ms=START_MS + MINUTE)])
    assert seen_ms(line) == START_MS, "a repeat is no sign of life"
    assert len(contents(path)["sign_of_life"]) == 1


def test_a_sign_of_life_counts_once_and_for_how_much_its_device_says(line: VirtualLine) -> None:
    quiet = up(1, "", START_MS + MINUTE)
    line.take([up(0, EMPTY, START_MS), quiet, quiet])
    assert line.pipeline.tally.duplicates == 1
    assert list(line.pipeline.tally.ignored.values()) == [1]
    (memory,) = line.pipeline.county.states["pool"].devices
    assert memory.traffic.messages == 2, "it came out of turn"


def test_a_counter_that_begins_anew_with_a_sign_of_life_is_told_at_its_device(line: VirtualLine, path: Path) -> None:
    take(line, [*counting([EMPTY] * 3, START_MS), up(0, "", START_MS + 4 * INTERVAL)])
    assert [(one.kind, one.times) for one in anomalies(path)] == [("restarted", 1)]


def test_a_report_on_another_port_is_told_at_its_device_which_may_be_set_to_it(line: VirtualLine, path: Path) -> None:
    gate: dict[str, Any] = {"topic": TOPIC.replace("102/", "103/"), "deviceInfo": {"devEui": "24e124713b000103"}}
    take(line, [up(5, EMPTY, START_MS, fPort=2), up(5, EMPTY, START_MS, fPort=2, **gate)])
    take(line, [up(6, EMPTY, START_MS + INTERVAL, **gate)])
    assert [row["device"] for row in readings(path)] == ["s-gate"]
    assert [(one.kind, one.times) for one in anomalies(path)] == [("port", 1)]
    assert "port 2" in anomalies(path)[0].detail
    assert [(one.kind, one.times) for one in anomalies(path, "s-gate")] == [("port", 1)]


@pytest.mark.parametrize("name", ["txack", "ack", "status", "log", "location", "integration", "beam"])
def test_what_the_network_says_is_counted_by_kind_and_nobodys_sign_of_life(
    line: VirtualLine, path: Path, name: str
) -> None:
    line.take([Uplink(START_MS, TOPIC.replace("/up", f"/{name}"), b"whatever")])
    assert line.pipeline.tally.ignored == {"other" if name == "beam" else name: 1}
    line.commit()
    assert (quarantined(path), seen_ms(line)) == ([], 0)


def test_two_signs_of_life_end_a_silence_and_clear_nothing_else(line: VirtualLine, path: Path) -> None:
    take(line, counting([EMPTY, BRIM], START_MS))
    line.pipeline.advance(START_MS + 6 * HOUR)
    line.commit()
    assert f"offline@{SENSOR}" in standing(line)
    take(line, [up(2, "", START_MS + 7 * HOUR, fPort=0), up(3, "", START_MS + 7 * HOUR + INTERVAL, fPort=0)])
    assert f"offline@{SENSOR}" not in standing(line)
    assert [row["seq"] for row in readings(path)] == [0, 1]
    take(line, [up(4, BRIM, START_MS + 8 * HOUR)])
    (raised,) = [event for event in line.said if getattr(event, "event", "") == "raised" and event.rule == "overflow"]
    assert raised.at_ms == START_MS + 8 * HOUR, "the silence and its end counted toward no delay"


def test_a_frame_on_the_way_of_a_refused_one_marks_its_count(line: VirtualLine, path: Path) -> None:
    take(line, [up(5, "", START_MS), up(5, EMPTY, START_MS + 30 * MINUTE), up(6, EMPTY, START_MS + HOUR)])
    assert [row["boot"] for row in readings(path)] == [SESSION + EPOCH] * 2, "the count was taken: it began anew"


# --- lists with much beside them (K10) ---


def test_a_hundred_samples_may_say_whatever_they_like_beside_their_readings(line: VirtualLine, path: Path) -> None:
    beside: dict[str, Any] = {"gps": {"lat": 1, "lon": 2}, "net": {"cell": {}}, "err": []}
    said = [{"v": 1, "boot": 1, "seq": seq, "readings": {"distance_mm": 412}, **beside} for seq in range(100)]
    line.take([native(*said, at_ms=START_MS)])
    assert line.pipeline.tally.unknown_keys == 300
    line.commit()
    assert levels(path) == [412] * 100
    assert quarantined(path) == []
