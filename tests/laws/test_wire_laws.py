"""The laws of the wire: nothing raises, nothing is lost between encode and decode, and state can be rebuilt."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from telemetry import clock, sequence
from telemetry.codecs import Codec, Frame, Record, codecs
from telemetry.diagnosis import diagnose
from telemetry.reading import QUANTITIES, Millis, Sample, Values
from telemetry.sequence import SeqVerdict
from telemetry.wire import Ignored, Reason, Rejected, Samples, Status, Traffic, Uplink, decode
from tests.strategies import almost_samples, samples, topics, wire_bytes, wire_form
from tests.telemetry.county import CHIRPSTACK_TOPIC, DIRECTORY, NATIVE_TOPIC

INTERVAL = 1_200_000
REASONS = {str(reason) for reason in Reason}


def holds(decoded: object) -> bool:
    """One of the four outcomes; samples are in range, a refusal has a known reason and a printable sentence."""
    if isinstance(decoded, Samples):
        ranges = all(
            quantity.low <= value <= quantity.high
            for sample in decoded.samples
            for quantity in QUANTITIES.values()
            if (value := getattr(sample.values, quantity.name)) is not None
        )
        counters = all(0 <= n < 2**32 for sample in decoded.samples for n in (sample.boot, sample.seq))
        spoken = all(sample.values != Values() for sample in decoded.samples)
        return ranges and counters and spoken and bool(decoded.samples) and all(holds(one) for one in decoded.refused)
    if isinstance(decoded, Rejected):
        return decoded.reason in REASONS and decoded.detail != "" and decoded.detail.isprintable()
    if isinstance(decoded, Ignored):
        return decoded.kind in Traffic and decoded.alive == (decoded.sample is not None)
    return isinstance(decoded, Status)


@given(topics(), st.binary())
def test_any_bytes_on_any_topic_are_answered(topic: str, payload: bytes) -> None:
    assert holds(decode(Uplink(0, topic, payload), DIRECTORY))


@given(almost_samples() | st.lists(almost_samples(), max_size=4))
def test_anything_that_looks_like_a_sample_is_answered(wire: object) -> None:
    assert holds(decode(Uplink(0, NATIVE_TOPIC, wire_bytes(wire)), DIRECTORY))


@given(almost_samples() | st.lists(almost_samples(), max_size=4))
def test_the_strict_decoder_and_the_diagnosis_agree(wire: object) -> None:
    payload = wire_bytes(wire)
    assert decode(Uplink(0, NATIVE_TOPIC, payload), DIRECTORY) == diagnose(payload, "bin-0003")


@given(st.lists(samples(), min_size=1, max_size=5))
def test_what_a_native_device_says_is_what_is_read(said: list[Sample]) -> None:
    wire = [wire_form(sample) for sample in said]
    decoded = decode(Uplink(0, NATIVE_TOPIC, wire_bytes(wire)), DIRECTORY)
    assert decoded == Samples("bin-0003", tuple(said)) == diagnose(wire_bytes(wire), "bin-0003")


@given(samples(), st.integers(1, 3))
def test_unknown_keys_change_nothing_but_their_count(said: Sample, unknown: int) -> None:
    wire = wire_form(said) | {f"x{n}": [n] for n in range(unknown)}
    wire["readings"] = wire["readings"] | {f"y{n}": None for n in range(unknown)}
    assert decode(Uplink(0, NATIVE_TOPIC, wire_bytes(wire)), DIRECTORY) == Samples("bin-0003", (said,), (), 2 * unknown)


EM400_VALUES = st.fixed_dictionaries(
    {},
    optional={
        "battery_pct": st.integers(0, 100).map(float),
        "temperature_c": st.integers(-600, 10_000).map(lambda tenths: tenths / 10),
        "distance_mm": st.integers(0, 65_535).map(float),
        "tilt_flag": st.sampled_from((0.0, 1.0)),
    },
).filter(bool)


@given(EM400_VALUES)
def test_an_em400_reads_what_it_writes(spoken: dict[str, float]) -> None:
    codec = codecs()["milesight-em400"]
    assert codec.decode(codec.encode(Values(**spoken)), codec.f_port, {}) == Frame((Record(Values(**spoken)),))


@given(st.sampled_from(list(codecs().values())), st.binary(max_size=64), st.integers(0, 255))
def test_any_frame_is_answered(codec: Codec, frame: bytes, f_port: int) -> None:
    decoded = codec.decode(frame, f_port, {})
    assert isinstance(decoded, Frame | Ignored) or holds(decoded)


@given(almost_samples())
def test_any_object_in_the_chirpstack_envelope_is_answered(wire: object) -> None:
    event = {"deviceInfo": {"devEui": "24e124713b000004"}, "devAddr": "00000001", "fPort": 85, "data": "AXVc"}
    event["object"] = wire
    assert isinstance(
        decode(
            Uplink(0, CHIRPSTACK_TOPIC, wire_bytes(event).replace(b"NaN", b"0").replace(b"Infinity", b"1")), DIRECTORY
        ),
        Samples,
    )


@given(
    st.lists(st.tuples(st.integers(0, 7), st.integers(0, 40) | st.integers(0, 3_000) | st.just(2**32 - 1)), max_size=60)
)
def test_windows_with_a_journal_behind_them_are_a_set(arrivals: list[tuple[int, int]]) -> None:
    windows = sequence.UNHEARD
    journal: set[tuple[int, int]] = set()
    for boot, seq in arrivals:
        verdict = sequence.judge(windows, boot, seq)
        if verdict != SeqVerdict.BELOW_WINDOW:
            assert verdict == (SeqVerdict.DUPLICATE if (boot, seq) in journal else SeqVerdict.NEW)
        if (boot, seq) not in journal:
            stored_top = max((s for b, s in journal if b == boot), default=sequence.NONE_STORED)
            windows = sequence.mark(windows, boot, seq, stored_top)
            journal.add((boot, seq))


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 1_200)), max_size=40), st.data())
def test_windows_restored_from_some_rows_are_never_wrong(arrivals: list[tuple[int, int]], data: st.DataObject) -> None:
    journal = list(dict.fromkeys(arrivals))
    tops = {boot: max(s for b, s in journal if b == boot) for boot, _ in journal}
    boots = data.draw(st.sets(st.sampled_from(sorted(tops)))) if tops else set()
    kept = [row for row in journal if row[0] in boots and (row[1] == tops[row[0]] or data.draw(st.booleans()))]
    windows = sequence.restore(kept, complete=False)
    for boot, seq in data.draw(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 1_300)), max_size=20)) + journal:
        verdict = sequence.judge(windows, boot, seq)
        assert verdict in (SeqVerdict.BELOW_WINDOW, SeqVerdict.DUPLICATE if (boot, seq) in journal else SeqVerdict.NEW)


GAPS_MS = st.sampled_from((0, 1_000, INTERVAL // 2 - 1, INTERVAL // 2, INTERVAL, 5 * INTERVAL))
PLAUSIBLE_MS = (0, 1_000, -300_000, 600_001, 3 * 3_600_000, 604_800_000)
LAGS_MS = st.sampled_from((*PLAUSIBLE_MS, 604_800_001, -300_001)) | st.none()
UPLINKS = st.tuples(GAPS_MS, st.lists(st.tuples(st.integers(1, 2), LAGS_MS), min_size=1, max_size=3))


def lived(uplinks: list[tuple[int, list[tuple[int, int | None]]]]) -> tuple[clock.ClockState, list[clock.Stored]]:
    """The live state after these uplinks (gap, [(boot, lag)]), and the readings that they left behind."""
    state, now_ms = clock.UNHEARD, 1_795_305_600_000
    stored: list[clock.Stored] = []
    for gap_ms, said in uplinks:
        now_ms += gap_ms
        taken = [Sample(boot, 0, Values(ph=7), None if lag_ms is None else now_ms - lag_ms) for boot, lag_ms in said]
        _, state = clock.judge(state, taken, taken, now_ms, INTERVAL)
        stored.extend(clock.Stored(sample.boot, now_ms, sample.ts_ms) for sample in taken)
    return state, stored


@given(st.lists(UPLINKS, max_size=40))
def test_the_clock_restored_is_the_clock_that_was(uplinks: list[tuple[int, list[tuple[int, int | None]]]]) -> None:
    state, stored = lived(uplinks)
    assert clock.restore(stored, INTERVAL) == state
    assert state.least_lag_ms == min(state.lags_ms, default=0)


@given(
    st.lists(UPLINKS, max_size=10),
    st.lists(st.sampled_from(PLAUSIBLE_MS), min_size=21, max_size=25),
)
def test_a_tail_of_twenty_bursts_restores_the_clock_as_well(uplinks: list[Any], lags_ms: list[int]) -> None:
    tail: list[Any] = [(INTERVAL, [(1, lag_ms)]) for lag_ms in lags_ms]
    state, stored = lived([*uplinks, *tail])
    assert clock.restore(stored[-21:], INTERVAL) == state


@given(st.lists(UPLINKS, max_size=30), st.integers(0, 2**53) | st.none(), st.none() | st.floats(0, 2**53))
def test_no_reading_counts_for_a_time_later_than_five_minutes_from_now_or_older_than_a_week(
    uplinks: list[Any], ts_ms: int | None, up_s: float | None
) -> None:
    state, stored = lived(uplinks)
    now_ms = stored[-1].received_ms if stored else 1_795_305_600_000
    sample, last = Sample(1, 0, Values(ph=7), ts_ms, up_s), Sample(1, 1, Values(ph=7), None, 604_800.0)
    (timed,), _ = clock.judge(state, (sample,), (sample, last), now_ms, INTERVAL)
    assert now_ms - clock.OLDEST_MS <= timed.observed_ms <= now_ms + clock.FASTEST_MS


HOUR, DAY = 3_600_000, 86_400_000
BACKLOG_GAPS_MS = st.lists(st.integers(1_000, 30 * HOUR), min_size=1, max_size=20)


@given(
    BACKLOG_GAPS_MS,
    st.sampled_from([0, 360_000, 8 * HOUR, 40 * 365 * DAY, -8 * DAY, -50 * 365 * DAY]),
    st.sampled_from(["ts", "up", "both"]),
    st.sampled_from([1, -1]),
    st.data(),
)
def test_a_backlog_keeps_its_spacing_whatever_the_clock_says(
    gaps: list[Millis], off_ms: Millis, speaks: str, order: int, data: st.DataObject
) -> None:
    now_ms, ages = 1_795_390_200_000, [sum(gaps[place:]) for place in range(len(gaps))] + [0]
    said = [
        Sample(
            1,
            seq,
            Values(ph=7),
            max(0, now_ms - age_ms + off_ms) if speaks != "up" else None,
            (10**9 - age_ms) / 1_000 if speaks != "ts" else None,
        )
        for seq, age_ms in enumerate(ages)
    ]
    wire = said[::order]
    fresh = [sample for sample in wire if data.draw(st.booleans())] or wire[-1:]
    times, _ = clock.judge(clock.UNHEARD, fresh, wire, now_ms, INTERVAL)
    for sample, timed in zip(fresh, times, strict=True):
        assert abs(now_ms - ages[sample.seq] - timed.observed_ms) <= len(gaps), "within the rounding of the uptimes"
        assert timed.late == (now_ms - timed.observed_ms > clock.LATE_FROM_MS)
