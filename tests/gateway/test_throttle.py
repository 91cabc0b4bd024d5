"""One device says far more than its share: everybody else comes first, its junk is counted, its measurements count.

The line is the real one on a virtual clock. A message above the share is never nowhere (laws L2, L10; case H10).
"""

from gateway.journal.entry import AnomalyKind, Entry
from gateway.throttle import STRANGERS
from telemetry.reading import Sample, Values
from telemetry.wire import Uplink
from tests.strategies import wire_bytes, wire_form
from tests.telling_county import HOUR, MINUTE
from tests.telling_line import TellingLine

JUNK = b"\xff" * 60_000
FIRE = Values(distance_mm=900.0, temperature_c=95.0)
LOW = Values(distance_mm=900.0, temperature_c=20.0)


def topic(device: str) -> str:
    return f"cunjing/v1/xia/{device}/telemetry"


def junk(line: TellingLine, device: str = "s-pool", payload: bytes = JUNK) -> Uplink:
    return Uplink(line.hand.at_ms, topic(device), payload)


def sample(line: TellingLine, device: str, seq: int, values: Values) -> Uplink:
    return Uplink(line.hand.at_ms, topic(device), wire_bytes([wire_form(Sample(1, seq, values))]))


def kept(said: list[Entry]) -> int:
    return sum(len(entry.quarantined) for entry in said)


def summed(said: list[Entry]) -> int:
    kinds = [anomaly for entry in said for anomaly in entry.anomalies.values() if anomaly.kind == AnomalyKind.FLOODED]
    return sum(anomaly.times for anomaly in kinds)


def floods(said: list[Entry]) -> list[str]:
    return [
        event.event
        for entry in said
        for event in entry.events
        if event.rule == "flooded_device" and event.asset == "pool"
    ]


def test_junk_above_the_share_is_counted_and_not_kept(line: TellingLine, said: list[Entry]) -> None:
    for _ in range(10):
        line.bring([junk(line)] * 4)
        line.hand.at_ms += 1_000
    assert (kept(said), summed(said)) == (17, 23), "a megabyte is kept, of all the rest how often it came"
    assert floods(said) == ["raised", "owed"]
    assert line._metrics.refused.labels("not_json")._value.get() == 40


def test_everybody_else_is_durable_before_who_floods(line: TellingLine, said: list[Entry]) -> None:
    line.bring([junk(line)] * 20)
    before = len(said)
    line.bring([*[junk(line)] * 4, sample(line, "s-road", 1, FIRE), *[junk(line)] * 4, sample(line, "s-far", 1, LOW)])
    others, last = said[before:]
    assert [(reading.device, reading.seq) for reading in others.readings] == [("s-road", 1), ("s-far", 1)]
    assert {owed.rule for owed in others.owed} == {"fire"}
    assert not others.anomalies
    assert summed([last]) == 8
    assert not line.broker.kept, "all of it is acknowledged"


def test_who_floods_is_heard_all_the_same(line: TellingLine, said: list[Entry]) -> None:
    line.bring([junk(line)] * 20)
    line.bring([junk(line), sample(line, "s-pool", 1, FIRE), sample(line, "s-road", 1, LOW), junk(line)])
    for seq in range(2, 200):
        line.bring([sample(line, "s-pool", seq, LOW)])
    assert [reading.seq for entry in said for reading in entry.readings if reading.device == "s-pool"] == [
        *range(1, 200)
    ]
    assert "fire" in {owed.rule for entry in said for owed in entry.owed}


def test_its_next_hour_has_a_share_of_its_own(line: TellingLine, said: list[Entry]) -> None:
    line.bring([junk(line)] * 20)
    line.live(line.hand.at_ms + HOUR + MINUTE)
    before = kept(said)
    line.bring([junk(line)] * 20)
    line.bring([junk(line)] * 20)
    assert kept(said) - before == 17
    assert floods(said) == ["raised", "owed"], "as long as it goes on it is told once"
    line.live(line.hand.at_ms + 2 * HOUR)
    assert floods(said) == ["raised", "owed", "cleared"]


def test_its_hour_outlives_a_process(line: TellingLine, said: list[Entry]) -> None:
    for _ in range(2):
        line.bring([junk(line, payload=b"no JSON")] * 15)
        line.end(1_000)
    assert not floods(said)
    line.bring([junk(line, payload=b"no JSON")])
    assert floods(said) == ["raised", "owed"]
    line.end(1_000)
    line.live(line.hand.at_ms + 3 * HOUR)
    assert floods(said) == ["raised", "owed", "cleared"]


def test_what_the_journal_refuses_is_counted_once(line: TellingLine, said: list[Entry]) -> None:
    for _ in range(30):
        line.hand.refuses_next = "INSERT INTO quarantine"
        line.bring([junk(line, payload=b"no JSON")])
    assert line.hand.refused == 30
    assert not floods(said)
    line.bring([junk(line, payload=b"no JSON")])
    assert floods(said) == ["raised", "owed"]


def test_a_stranger_is_throttled_too_and_summed_up(line: TellingLine) -> None:
    for _ in range(10):
        line.bring([junk(line, "nobody")] * 4)
    line.end(1_000)
    line.bring([junk(line, "nobody")] * 40)
    ((rows,),) = line._beside.execute("SELECT count(*) FROM quarantine")
    summed_up = line._journal.restore().meta[STRANGERS]
    assert (rows, summed_up) == (17 + 17, "[46,2760000]")


def test_strangers_with_ever_new_names_fill_nothing(line: TellingLine) -> None:
    for number in range(3_000):
        line.pipeline.take(junk(line, f"n-{number}", b"no JSON"))
    assert len(line.pipeline.throttle._strangers) <= 1_025
