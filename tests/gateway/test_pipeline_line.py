"""The line of one uplink without a journal: what it leaves in its entry, and in which order time makes things due.

County, ledger, lists and commands are the real ones; what the archive knows, and what it is asked, a test says.
"""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar, TypeVarTuple

import pytest
from msgspec.structs import replace
from prometheus_client import Counter
from structlog.testing import capture_logs

from alerts.alert import Alert
from alerts.build import PolicyFiles, assemble_whole
from alerts.conditions.state import unpack
from alerts.conditions.traffic import LARGE
from alerts.episodes.county import Changes, County
from alerts.episodes.decide import Trouble
from alerts.episodes.rehearsal import Foreseen
from alerts.ledger.case import Case, Register, State, unpack_case
from alerts.model import Actor, Event, MessageKind, Owed, Refused, Severity
from alerts.notify.mailbox import unpack_box
from alerts.undo import UndoLog
from gateway import start
from gateway.barrier import Barrier
from gateway.clock import Deafness
from gateway.journal.entry import AnomalyKind, Entry, Quarantined
from gateway.metrics import Metrics
from gateway.pipeline import LISTED, Pipeline, StartingPoint, Tally, alert_row, case_row, owed_event
from gateway.replay import Memory
from gateway.tracks import UNTRACKED, pack_track, unpack_track
from telemetry.clock import stepped
from telemetry.inventory import Device
from telemetry.inventory.directory import Directory
from telemetry.reading import Millis, Reading, RefusedValue, Sample, Values
from telemetry.sequence import fingerprint
from telemetry.wire import Address, Ignored, Samples, Traffic, Uplink
from tests.fakes import Crash
from tests.scenario_run import policy_files
from tests.strategies import wire_bytes, wire_form
from tests.telling_county import COUNTY, DAY, HOUR, MINUTE, POLICY_FILES, SECOND, START_MS

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

QUIET = policy_files()
"""Without lists: nothing is due by itself."""
LOW, FULL = Values(distance_mm=1_190.0), Values(distance_mm=230.0)
FIRE = Values(distance_mm=900.0, temperature_c=95.0)
JUNK = b"\xff" * 60_000
MORNING_MS = START_MS - 90 * MINUTE
"""06:00 in the county, a Monday; the lists of the day are made from 06:30 on."""
NOON_MS = MORNING_MS + 5 * HOUR + 45 * MINUTE
"""When the list of the noon is due."""
INTERVAL = 20 * MINUTE


class Archive(Memory):
    """What is kept of earlier samples, and how often it is asked whether one is there."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, int, int]] = []

    def seen(self, device: str, boot: int, seq: int) -> bool:
        self.asked.append((device, boot, seq))
        return super().seen(device, boot, seq)


class Counting(Barrier):
    """One that knows how many inputs it had, and ends a line that never comes to an end."""

    most = 10_000

    def __init__(self, undo: UndoLog) -> None:
        super().__init__(undo)
        self.about: list[str] = []

    def attempt(self, act: Callable[[*Ts], T], failed: Callable[[*Ts, Exception], T], about: str, *given: *Ts) -> T:
        self.about.append(about)
        if len(self.about) > self.most:
            raise Crash
        return super().attempt(act, failed, about, *given)


def line(
    policy_files: PolicyFiles = QUIET,
    *,
    at_ms: Millis = START_MS,
    known_ms: Millis | None = None,
    listed_ms: Millis | None = None,
    hears: bool = True,
    archive: Archive | None = None,
    kind: type[Pipeline] = Pipeline,
) -> Pipeline:
    """A line that began then, whose devices are known and heard since then unless a test says otherwise."""
    made = assemble_whole(COUNTY, policy_files)
    county, known = made.county, start.known_since(COUNTY, {}, at_ms if known_ms is None else known_ms)
    county.restore({asset: plan.born(known) for asset, plan in county.plans.items()}, ())
    begins = StartingPoint(
        Entry.under(made.undo), Changes.under(made.undo), at_ms if listed_ms is None else listed_ms, at_ms
    )
    pipeline = kind(Directory(COUNTY), made, archive or Archive(), Counting(made.undo), begins)
    if hears:
        county.listen(at_ms, None, pipeline.changes, started=True)
        pipeline.finish()
    return pipeline


def topic(device: str, kind: str = "telemetry") -> str:
    return f"cunjing/v1/xia/{device}/{kind}"


def uplink(at_ms: Millis, device: str, *samples: Sample) -> Uplink:
    wire = [wire_form(sample) for sample in samples]
    return Uplink(at_ms, topic(device), wire_bytes(wire[0] if len(wire) == 1 else wire))


def say(pipeline: Pipeline, at_ms: Millis, device: str, seq: int, values: Values = LOW) -> None:
    pipeline.take(uplink(at_ms, device, Sample(1, seq, values, at_ms)))


def seqs(entry: Entry) -> list[int]:
    return [reading.seq for reading in entry.readings]


def names(pipeline: Pipeline) -> list[str]:
    return [said.rule if isinstance(said, Owed) else said.event for said in pipeline.changes.log]


@pytest.fixture(autouse=True)
def _unprinted() -> Iterator[None]:
    """What fails here on purpose is no news, and a trace of it with all that was known takes longer than any test."""
    with capture_logs():
        yield


# --- rows


def alert(**more: Any) -> Alert:  # noqa: ANN401 -- fields of an alert
    said: dict[str, Any] = {
        "episode": "fire/pool/1",
        "rule": "fire",
        "asset": "pool",
        "device": "s-pool",
        "severity": Severity.P1,
        "raised_ms": START_MS,
        "since_ms": START_MS - 1,
        "detail": {},
    }
    return Alert(**said | more)


@pytest.mark.parametrize(
    ("known", "cleared_ms", "settled"),
    [
        (alert(), None, False),
        (alert(due_ms=START_MS + 5), None, False),
        (alert(closed_ms=START_MS + 9), START_MS + 9, True),
        (alert(closed_ms=START_MS + 9, fresh_ms=START_MS + 20), START_MS + 9, False),
    ],
    ids=["open", "open, and somebody is due", "over", "over, and the word of it is due"],
)
def test_an_episode_is_settled_once_it_is_over_and_nobody_is_to_be_told(
    known: Alert, cleared_ms: Millis | None, *, settled: bool
) -> None:
    row = alert_row(known)
    assert (row.episode, row.rule, row.asset, row.device, row.severity) == (
        "fire/pool/1",
        "fire",
        "pool",
        "s-pool",
        "P1",
    )
    assert (row.raised_ms, row.cleared_ms, row.settled) == (START_MS, cleared_ms, settled)


def test_a_case_is_found_by_the_day_the_town_and_the_number_of_its_id() -> None:
    pipeline = line()
    case = pipeline.ledger.register(
        Register(what="路边有垃圾", by="office", area="liutan", caller_name="王", caller_phone="13900000009"), START_MS
    )
    assert isinstance(case, Case)
    row = case_row(case)
    assert (row.day, row.town, row.in_day) == ("20261123", "qingshi", 1)
    assert (row.within, row.caller, row.state) == (f"/{'/'.join(case.within)}/", "王 13900000009", State.OPEN)
    assert unpack_case(row.blob) == case
    entry, _ = pipeline.finish()
    assert entry.cases == {case.id: row}
    assert [deed.deed for deed in entry.deeds] == ["registered"]
    again, _ = pipeline.finish()
    assert (again.cases, again.deeds) == ({}, [])


def test_what_is_owed_has_a_row_that_says_to_whom_and_as_which_step() -> None:
    pipeline = line()
    say(pipeline, START_MS, "s-pool", 1, FIRE)
    entry, _ = pipeline.finish()
    owed = next(each for each in entry.owed if each.to == "head")
    (event,) = (each for each in entry.events if each.event == "owed" and (each.detail or {}).get("to") == "head")
    assert event == owed_event(owed)
    told = owed_event(replace(owed, kind=MessageKind.REPEAT, step=1, repeat=2))
    assert told.detail == {"kind": "repeat", "step": 1, "repeat": 2, "to": "head"}
    assert (told.rule, told.asset, told.episode, told.severity) == ("fire", "pool", owed.episode, "P1")


def test_what_was_said_and_what_has_become_of_it_are_in_one_entry() -> None:
    pipeline = line()
    say(pipeline, START_MS, "s-pool", 1, FIRE)
    listed = pipeline.list_said()
    entry, _ = pipeline.finish()
    (row,) = entry.alerts.values()
    assert (row.rule, row.asset, row.settled) == ("fire", "pool", False)
    assert [each for each in listed if isinstance(each, Owed)] == entry.owed
    assert [each for each in listed if isinstance(each, Event)] == [
        each for each in entry.events if each.event != "owed"
    ]
    assert [each.event for each in entry.events].count("owed") == len(entry.owed) == 3
    plan, known = pipeline.county.plans["pool"], dict.fromkeys(COUNTY.devices, START_MS)
    assert unpack(plan, entry.states["pool"], known).machines == pipeline.county.states["pool"].machines
    assert {each.channel for each in entry.owed} == {"sms"}, "where nobody can be called nobody is"
    (cleaners,) = (owed for owed in entry.owed if owed.to == "cleaner")
    assert COUNTY.people["cleaner"].name in cleaners.text, "two share this telephone"


def test_what_waits_for_a_number_is_in_the_entry_of_its_turn() -> None:
    pipeline = line()
    for seq in (1, 2):
        say(pipeline, START_MS + seq * MINUTE, "s-pool", seq, FULL)
    entry, _ = pipeline.finish()
    assert entry.mailboxes != {}
    assert {phone: unpack_box(kept) for phone, kept in entry.mailboxes.items()} == pipeline.county.boxes


# --- what is counted


def test_a_new_tally_counts_nothing() -> None:
    tally = Tally(UndoLog())
    assert tally.is_empty is True
    assert (tally.duplicates, tally.unknown_keys, tally.partial, tally.restarted, tally.floods) == (0, 0, 0, 0, ())


@pytest.mark.parametrize(
    "names",
    [
        ("duplicates",),
        ("unknown_keys",),
        ("partial",),
        ("restarted",),
        ("duplicates", "unknown_keys"),
        ("unknown_keys", "partial"),
        ("duplicates", "partial"),
        ("partial", "restarted"),
        ("duplicates", "restarted"),
        ("unknown_keys", "restarted"),
    ],
    ids=" and ".join,
)
def test_a_tally_that_counts_anything_is_not_empty(names: tuple[str, ...]) -> None:
    tally = Tally(UndoLog())
    for name in names:
        setattr(tally, name, 1)
    assert tally.is_empty is False


def test_a_tally_that_has_any_reason_is_not_empty() -> None:
    for name in ("refused", "ignored"):
        tally = Tally(UndoLog())
        getattr(tally, name)["other"] = 1
        assert tally.is_empty is False
    tally = Tally(UndoLog())
    tally.refused_values["ph", "bad_sample"] = 1
    assert tally.is_empty is False
    tally = Tally(UndoLog())
    tally.floods = ("s-pool",)
    assert tally.is_empty is False


def test_whatever_else_a_tally_comes_to_count_keeps_it_from_being_empty() -> None:
    tally = Tally(UndoLog())
    vars(tally)["added_tomorrow"] = 1
    assert tally.is_empty is False
    assert dict(tally.counts())["added_tomorrow"] == 1


def test_whatever_a_tally_counts_has_its_metric() -> None:
    metrics = Metrics()
    assert {name for name, _ in Tally(UndoLog()).counts() if not isinstance(getattr(metrics, name), Counter)} == set()


def test_each_thing_is_counted_once_and_the_next_turn_begins_anew() -> None:
    pipeline = line()
    odd = b'{"v":1,"boot":1,"seq":2,"more":1,"less":2,"readings":{"distance_mm":900,"battery_pct":101}}'
    pipeline.take(Uplink(START_MS, topic("s-pool"), odd))
    for payload in (b"{", b"{", b"[]"):
        pipeline.take(Uplink(START_MS, topic("s-road"), payload))
    pipeline.take(Uplink(START_MS, topic("s-road", "cmd"), b"{}"))
    pipeline.take(Uplink(START_MS, topic("s-pool"), odd))
    _, tally = pipeline.finish()
    assert (tally.duplicates, tally.unknown_keys, tally.partial, tally.restarted) == (1, 4, 0, 0)
    assert tally.refused["not_json"] == 2
    assert sum(tally.refused.values()) == 3
    assert tally.refused_values == {("battery_pct", "out_of_range"): 1}
    assert list(tally.ignored.values()) == [1]
    _, after = pipeline.finish()
    assert after.is_empty


def test_a_list_is_counted_sample_by_sample() -> None:
    pipeline = line()
    first, second = Sample(1, 1, LOW, START_MS), Sample(1, 2, LOW, START_MS + 1)
    pipeline.take(uplink(START_MS + MINUTE, "s-pool", first, second, second, first))
    entry, tally = pipeline.finish()
    assert (seqs(entry), tally.duplicates) == ([1, 2], 2)
    pipeline.take(uplink(START_MS + MINUTE, "s-pool", second, Sample(1, 3, LOW, START_MS + 2)))
    entry, tally = pipeline.finish()
    assert (seqs(entry), tally.duplicates) == ([3], 1)


def test_what_is_refused_in_a_list_is_noted_once_beside_what_counts() -> None:
    pipeline = line()
    wire: list[Any] = [wire_form(Sample(1, 1, LOW)), {**wire_form(Sample(1, 2, LOW)), "ts": "now"}, {"v": 1}]
    for _ in range(2):
        pipeline.take(Uplink(START_MS, topic("s-pool"), wire_bytes(wire)))
    entry, tally = pipeline.finish()
    assert seqs(entry) == [1, 2]
    assert tally.refused_values == {("ts", "bad_sample"): 1}
    assert [(each.subject, each.times) for each in entry.anomalies.values()] == [("ts", 1)]
    assert len(entry.quarantined) == 2, "and what is no sample lies aside, from either"


# --- what was there before


def test_the_archive_is_not_asked_of_a_sample_that_the_windows_know() -> None:
    archive = Archive()
    pipeline = line(archive=archive)
    for boot, seq in ((1, 5), (1, 6), (1, 3), (2, 1), (1, 7), (1, 3)):
        pipeline.take(uplink(START_MS, "s-pool", Sample(boot, seq, LOW)))
    entry, tally = pipeline.finish()
    assert seqs(entry) == [5, 6, 3, 1, 7]
    assert tally.duplicates == 1
    assert archive.asked == []


def test_a_sample_below_the_window_counts_once_whether_the_archive_has_it_yet_or_not() -> None:
    archive = Archive()
    pipeline = line(archive=archive)
    old = [uplink(START_MS, "s-pool", Sample(1, seq, LOW)) for seq in (7, 7, 8)]
    pipeline.take(uplink(START_MS, "s-pool", Sample(1, 5_000, LOW)))
    for each in old:
        pipeline.take(each)
    pipeline.take(uplink(START_MS, "s-road", Sample(1, 7, LOW)))
    entry, tally = pipeline.finish()
    assert ([(reading.device, reading.seq) for reading in entry.readings], tally.duplicates) == (
        [("s-pool", 5_000), ("s-pool", 7), ("s-pool", 8), ("s-road", 7)],
        1,
    )
    archive.keep(entry)
    for each in old:
        pipeline.take(each)
    entry, tally = pipeline.finish()
    assert (seqs(entry), tally.duplicates) == ([], 3)


def test_what_lay_below_the_window_is_remembered_by_the_archive_alone_once_it_is_durable() -> None:
    pipeline = line()
    for seq in (5_000, 7):
        pipeline.take(uplink(START_MS, "s-pool", Sample(1, seq, LOW)))
    pipeline.finish()
    pipeline.take(uplink(START_MS, "s-pool", Sample(1, 7, LOW)))
    entry, _ = pipeline.finish()
    assert seqs(entry) == [7], "this archive has lost it"


class Framed:
    """Every topic of a device leads to frames, each payload being a count and as many records as words follow it.

    ``ph`` and ``partial`` are records with something wrong beside them; ``life`` is none at all, and ``hearsay`` what
    the network says of a frame.
    """

    def resolve(self, said: str) -> Address:
        return Address(COUNTY.devices[said.split("/")[3]], self.read)

    def read(self, payload: bytes, device: Device) -> Samples | Ignored:
        count, *words = payload.decode().split()
        mark = fingerprint("", " ".join(words).encode())
        if words in (["life"], ["hearsay"]):
            silent = Sample(77, int(count), Values(), fingerprint=mark)
            return Ignored(Traffic.MAC, alive=words == ["life"], device=device.id, sample=silent)
        refused = (RefusedValue("ph", "bad_sample", "no number"),) if "ph" in words else ()
        partial = "03 82" if "partial" in words else ""
        return Samples(
            device.id,
            tuple(Sample(77, int(count), LOW, fingerprint=mark, refused=refused, partial=partial) for _ in words),
        )


class FramedLine(Pipeline):
    """A line of frames, whatever the topic."""

    def __init__(self, directory: object, *given: Any) -> None:  # noqa: ANN401 -- as a line is made
        del directory
        super().__init__(Framed(), *given)


def frame(at_ms: Millis, said: str, device: str = "s-pool") -> Uplink:
    return Uplink(at_ms, topic(device), said.encode())


def test_a_frame_is_held_against_its_own_count_and_device_alone() -> None:
    """What waits for the commit is known as well; bytes that another count, or another device, has said are none."""
    pipeline = line(kind=FramedLine)
    for number, said in enumerate(("0 a", "1 b", "2 b")):
        pipeline.take(frame(START_MS + number * SECOND, said))
    for number, said in enumerate(("0 c", "0 b"), 3):
        pipeline.take(frame(START_MS + number * SECOND, said, "s-road"))
    pipeline.take(frame(START_MS + 10 * SECOND, "0 b"))
    pipeline.take(frame(START_MS + 11 * SECOND, "0 b"))
    entry, tally = pipeline.finish()
    assert [(reading.device, reading.seq) for reading in entry.readings] == [
        *(("s-pool", 0), ("s-pool", 1), ("s-pool", 2)),
        *(("s-road", 0), ("s-road", 0), ("s-pool", 0)),
    ]
    assert (tally.duplicates, tally.restarted) == (1, 2)


def test_a_counter_that_begins_anew_is_told_with_address_epoch_and_count() -> None:
    pipeline = line(kind=FramedLine)
    for number, said in enumerate(("5 a", "5 b b b", "5 c")):
        pipeline.take(frame(START_MS + number * SECOND, said))
    entry, tally = pipeline.finish()
    assert tally.restarted == 2, "the records of one frame are one frame"
    (anomaly,) = entry.anomalies.values()
    assert (anomaly.kind, anomaly.times) == (AnomalyKind.RESTARTED, 2)
    assert anomaly.detail == "devAddr 0000004d, epoch 2, fCnt 5"


def test_what_nobody_understood_of_a_frame_and_what_was_refused_is_told_with_its_device() -> None:
    pipeline = line(kind=FramedLine)
    for number, said in enumerate(("1 a", "2 partial", "3 ph", "4 partial ph")):
        pipeline.take(frame(START_MS + number * SECOND, said))
    entry, tally = pipeline.finish()
    assert (tally.partial, tally.refused_values) == (3, {("ph", "bad_sample"): 3})
    assert {(each.kind, each.detail, each.times) for each in entry.anomalies.values()} == {
        ("partial", "03 82", 3),
        ("refused", "no number", 3),
    }


# --- whose clock


def test_half_an_interval_apart_two_samples_are_two_looks_at_a_clock() -> None:
    pipeline = line()
    for seq, after_ms in ((1, 0), (2, INTERVAL // 2), (3, INTERVAL - 1)):
        say(pipeline, START_MS + after_ms, "s-pool", seq)
    assert len(pipeline.tracks["s-pool"].clock.lags_ms) == 2


def test_a_clock_that_was_set_moves_what_is_known_of_all_devices_clocks() -> None:
    pipeline = line()
    for device in ("s-pool", "s-road"):
        say(pipeline, START_MS, device, 1)
    before = dict(pipeline.tracks)
    pipeline.oversleep(Deafness(START_MS, START_MS + HOUR, HOUR, HOUR - SECOND))
    assert {device: track.clock for device, track in pipeline.tracks.items()} == {
        device: stepped(track.clock, HOUR - SECOND) for device, track in before.items()
    }
    assert [track.windows for track in pipeline.tracks.values()] == [track.windows for track in before.values()]
    entry, _ = pipeline.finish()
    assert entry.excused == (START_MS, START_MS + HOUR)
    assert pipeline.county.states["far"].devices[0].shift_ms == HOUR


def test_a_machine_that_stood_still_moves_no_clock() -> None:
    pipeline = line()
    say(pipeline, START_MS, "s-pool", 1)
    before = pipeline.tracks["s-pool"]
    pipeline.oversleep(Deafness(START_MS, START_MS + HOUR))
    assert pipeline.tracks["s-pool"] == before
    assert pipeline.finish()[0].excused == (START_MS, START_MS + HOUR)


# --- one input is done whole or not at all


def test_of_an_input_that_is_taken_back_nothing_is_known() -> None:
    pipeline = line()
    undo = pipeline.undo
    savepoint = undo.savepoint()
    say(pipeline, START_MS, "s-pool", 1)
    assert "s-pool" in pipeline.tracks
    undo.rollback(savepoint)
    undo.release()
    assert "s-pool" not in pipeline.tracks
    say(pipeline, START_MS, "s-pool", 1)
    known = pipeline.tracks["s-pool"]
    savepoint = undo.savepoint()
    say(pipeline, START_MS, "s-pool", 2)
    assert pipeline.tracks["s-pool"] != known
    undo.rollback(savepoint)
    undo.release()
    assert pipeline.tracks["s-pool"] == known


def test_a_mistake_of_ours_keeps_the_whole_uplink_and_the_line_goes_on() -> None:
    pipeline = line()

    def fail(_reading: Reading) -> None:
        raise ZeroDivisionError

    pipeline.follow_claims({"pool": True}, fail)
    said = uplink(START_MS, "s-pool", Sample(1, 1, LOW), Sample(1, 2, LOW))
    pipeline.take(said)
    say(pipeline, START_MS, "s-road", 1)
    entry, tally = pipeline.finish()
    assert entry.quarantined == [Quarantined(START_MS, said.topic, said.payload, "bug", "ZeroDivisionError: ")]
    assert [reading.device for reading in entry.readings] == ["s-road"]
    assert tally.refused == {"bug": 1}


def test_what_others_after_the_line_could_not_take_is_filed_and_counted() -> None:
    pipeline = line()
    rows = [Quarantined(START_MS, "t", b"x", reason, "") for reason in ("series", "series", "other")]
    pipeline.file(rows)
    entry, tally = pipeline.finish()
    assert (entry.quarantined, tally.refused) == (rows, {"series": 2, "other": 1})


def test_of_what_is_too_large_the_beginning_is_kept() -> None:
    pipeline = line()
    pipeline.take(Uplink(START_MS, topic("s-pool"), bytes(70_000)))
    pipeline.take(Uplink(START_MS, topic("s-pool"), JUNK))
    entry, _ = pipeline.finish()
    assert [(row.reason, len(row.payload)) for row in entry.quarantined] == [("too_large", 4_096), ("not_json", 60_000)]


# --- who says how much


def traffic(pipeline: Pipeline, asset: str = "pool") -> tuple[int, int]:
    (device,) = pipeline.county.states[asset].devices
    return device.traffic.messages, device.traffic.size


def test_junk_counts_for_whose_topic_it_came_under_and_above_the_share_is_only_summed_up() -> None:
    pipeline = line()
    for _ in range(20):
        pipeline.take(Uplink(START_MS, topic("s-pool"), JUNK))
    pipeline.take(Uplink(START_MS, topic("s-road"), JUNK))
    entry, tally = pipeline.finish()
    assert [row.topic for row in entry.quarantined].count(topic("s-pool")) == 17
    assert [row.topic for row in entry.quarantined].count(topic("s-road")) == 1
    assert tally.refused == {"not_json": 21}
    assert tally.floods == ("s-pool",)
    (summed,) = entry.anomalies.values()
    assert (summed.device, summed.kind, summed.times) == ("s-pool", AnomalyKind.FLOODED, 3)
    assert traffic(pipeline) == (20, 20 * 60_000)
    _, after = pipeline.finish()
    assert after.floods == ()


def test_strangers_have_a_share_of_their_own() -> None:
    pipeline = line()
    for _ in range(20):
        pipeline.take(Uplink(START_MS, topic("nobody"), JUNK))
    entry, tally = pipeline.finish()
    assert len(entry.quarantined) == 17
    assert tally.floods == (topic("nobody"),)
    assert entry.anomalies == {}


def test_a_status_counts_only_where_it_is_large() -> None:
    pipeline = line()
    status = b'{"online":true,"boot":1}'
    for size in (0, LARGE - 1, LARGE):
        pipeline.take(Uplink(START_MS, topic("s-pool", "status"), status.ljust(size)))
    assert traffic(pipeline) == (1, LARGE)
    entry, _ = pipeline.finish()
    assert [(said.online, at_ms) for said, at_ms in entry.statuses] == [(True, START_MS)] * 3


def test_measurements_that_come_out_of_turn_count_and_those_of_a_list_by_its_first() -> None:
    pipeline = line()
    say(pipeline, START_MS, "s-pool", 1)
    assert traffic(pipeline) == (0, 0), "in its turn"
    say(pipeline, START_MS + SECOND, "s-pool", 2)
    assert traffic(pipeline) == (2, 0)
    say(pipeline, START_MS, "s-road", 1)
    kept = [Sample(1, seq, LOW, START_MS + seq * SECOND - 3 * INTERVAL) for seq in (2, 3)]
    pipeline.take(uplink(START_MS + SECOND, "s-road", *kept, Sample(1, 4, LOW, START_MS + SECOND)))
    assert traffic(pipeline, "road") == (0, 0), "it was kept while nobody could hear it"


# --- who is shown a sample


def test_only_usable_samples_of_what_somebody_has_claimed_are_shown() -> None:
    pipeline = line()
    shown: list[tuple[str, int]] = []
    pipeline.follow_claims({"pool": True}, lambda reading: shown.append((reading.asset, reading.seq)))
    say(pipeline, START_MS, "s-pool", 1)
    say(pipeline, START_MS + INTERVAL, "s-pool", 2, Values(distance_mm=8_190.0))
    say(pipeline, START_MS + INTERVAL, "s-road", 1)
    assert shown == [("pool", 1)]
    entry, _ = pipeline.finish()
    assert [reading.judged_pct is None for reading in entry.readings] == [False, True, False]


# --- what a sample counted as is told to whoever keeps it, also where it came too late to be judged


@pytest.mark.parametrize(
    ("samples", "levels"),
    [
        (((1, 700), (2, 520)), [50.0, 68.0]),
        (((1, 700), (2, 8190), (3, 0)), [50.0, None, None]),
        (((1, 480), (2, 150)), [72.0, 95.0]),
        (((1, 150), (2, 150), (3, 150)), [None, None, 95.0]),
        (((2, 480), (3, 480), (1, 700)), [72.0, 72.0, 50.0]),
        (((2, 480), (3, 480), (1, 150)), [72.0, 72.0, None]),
    ],
    ids=["good", "no echo", "blind after a climb", "blind from the start", "older than the last", "older and blind"],
)
def test_a_reading_keeps_the_level_that_it_counted_as(
    samples: tuple[tuple[int, float], ...], levels: list[float | None]
) -> None:
    """Samples of one pool (empty at 1,200, full at 200, blind below 200 mm), each as (seq, distance)."""
    pipeline = line()
    for arrival, (seq, distance_mm) in enumerate(samples, start=1):
        taken = Sample(1, seq, Values(distance_mm=distance_mm), START_MS + seq * INTERVAL)
        pipeline.take(uplink(START_MS + arrival * INTERVAL, "s-pool", taken))
    assert [reading.judged_pct for reading in pipeline.finish()[0].readings] == levels


# --- signs of life


def test_only_what_the_device_itself_says_is_a_sign_of_life() -> None:
    pipeline = line(kind=FramedLine)
    for said in ("1 hearsay", "2 life"):
        pipeline.take(frame(START_MS, said))
    entry, tally = pipeline.finish()
    assert [(sign.device, sign.seq) for sign in entry.signs_of_life] == [("s-pool", 2)]
    assert tally.ignored == {"mac": 2}
    assert entry.tracks == {"s-pool": pack_track(pipeline.tracks["s-pool"])}


def test_a_sign_of_life_is_kept_with_what_the_device_is_known_by() -> None:
    pipeline = line()
    entry, _ = pipeline.finish()
    assert entry.tracks == {}
    snapshot = pipeline.snapshot()
    assert snapshot.tracks == {}
    say(pipeline, START_MS, "s-pool", 1)
    assert pipeline.snapshot().tracks == {"s-pool": pack_track(pipeline.tracks["s-pool"])}
    assert unpack_track(pipeline.snapshot().tracks["s-pool"]) != UNTRACKED


# --- what time alone makes due


def test_without_anything_to_do_nobody_is_woken() -> None:
    pipeline = line(hears=False)
    assert pipeline.next_deadline() is None
    assert pipeline.past_changed is False


def test_the_earliest_of_lists_county_and_ledger_wakes() -> None:
    pipeline = line(POLICY_FILES)
    due_ms = pipeline.next_deadline()
    assert due_ms is not None
    assert due_ms <= START_MS + 30 * MINUTE, "the list of the villages"
    pipeline.say(Event(at_ms=START_MS, event="raised", rule="fire", asset="pool", episode="fire/pool/1", severity="P1"))
    pipeline.follow()
    (case,) = pipeline.ledger.cases.values()
    first_ms = min(pipeline.county.timers.earliest_ms, pipeline.ledger.timers.earliest_ms, due_ms)
    assert pipeline.next_deadline() == first_ms
    assert case.wake_ms >= first_ms


def test_what_was_due_before_an_uplink_happens_before_it() -> None:
    pipeline = line(POLICY_FILES, at_ms=NOON_MS - MINUTE)
    say(pipeline, NOON_MS + MINUTE, "s-pool", 1, FIRE)
    at = [said.at_ms for said in pipeline.changes.log]
    assert at == sorted(at)
    assert "list" in names(pipeline)
    assert names(pipeline).index("list") < names(pipeline).index("fire")


def test_lists_are_made_once_at_their_hour_and_that_is_kept() -> None:
    pipeline = line(POLICY_FILES, at_ms=NOON_MS - MINUTE)
    pipeline.advance(NOON_MS - 1)
    assert (names(pipeline), pipeline.entry.meta) == ([], {})
    pipeline.advance(NOON_MS)
    assert names(pipeline) == ["list"]
    assert pipeline.entry.meta == {LISTED: str(NOON_MS)}
    pipeline.finish()
    pipeline.advance(NOON_MS + 1)
    assert (names(pipeline), pipeline.entry.meta) == ([], {})


def test_a_timer_of_the_county_is_no_hour_of_a_list() -> None:
    pipeline = line(POLICY_FILES, at_ms=NOON_MS - HOUR)
    say(pipeline, NOON_MS - HOUR, "s-pool", 1, FIRE)
    pipeline.advance(NOON_MS - 1)
    assert "fire" in names(pipeline)
    assert LISTED not in pipeline.entry.meta


@pytest.mark.parametrize(("late_ms", "told"), [(HOUR, ["list"]), (HOUR + 1, [])], ids=["an hour", "longer"])
def test_a_list_is_of_use_for_an_hour_from_when_it_was_due(late_ms: Millis, told: list[str]) -> None:
    """Until the devices are heard nothing is made; ``late_ms`` after the noon they are."""
    pipeline = line(
        POLICY_FILES, at_ms=NOON_MS - DAY, known_ms=NOON_MS + late_ms, listed_ms=NOON_MS - MINUTE, hears=False
    )
    pipeline.county.listen(NOON_MS + late_ms, None, pipeline.changes, started=True)
    pipeline.advance(NOON_MS + late_ms)
    assert names(pipeline) == told
    assert pipeline.entry.meta == {LISTED: str(NOON_MS)}


@pytest.mark.parametrize(("late_ms", "told"), [(HOUR, ["list"]), (HOUR + 1, [])], ids=["an hour", "longer"])
def test_a_start_while_nothing_is_heard_counts_from_when_it_began(late_ms: Millis, told: list[str]) -> None:
    pipeline = line(POLICY_FILES, at_ms=NOON_MS + late_ms, listed_ms=NOON_MS - MINUTE, hears=False)
    pipeline.advance(NOON_MS + late_ms)
    assert names(pipeline) == told


@pytest.mark.parametrize(
    ("late_ms", "told"), [(HOUR, ["list"]), (HOUR + 1, []), (HOUR - 1, ["list"])], ids=["an hour", "more", "less"]
)
def test_the_days_that_nobody_saw_are_passed_over_at_once(late_ms: Millis, told: list[str]) -> None:
    pipeline = line(POLICY_FILES, at_ms=NOON_MS + late_ms, listed_ms=NOON_MS - 300 * DAY, hears=False)
    pipeline.county.listen(NOON_MS + late_ms, None, pipeline.changes, started=True)
    pipeline.advance(NOON_MS + late_ms)
    assert names(pipeline) == told
    barrier = pipeline.barrier
    assert isinstance(barrier, Counting)
    assert barrier.about.count("a list") == 1 + len(told)
    due_ms = pipeline.next_deadline()
    assert due_ms is not None
    assert NOON_MS < due_ms <= NOON_MS + DAY


def test_a_list_that_fails_by_our_mistake_is_passed_and_costs_no_other() -> None:
    class Forgetful(Archive):
        def crossings(self, since_ms: Millis) -> list[Any]:
            raise ZeroDivisionError(since_ms)

    pipeline = line(POLICY_FILES, archive=Forgetful())  # its Monday's list to the villages is due at eight
    pipeline.advance(NOON_MS)
    assert pipeline.entry.meta == {LISTED: str(NOON_MS)}
    assert [said.template for said in pipeline.changes.log if isinstance(said, Owed)] != []


def test_a_timer_that_fails_by_our_mistake_is_not_due_again_and_stops_no_other() -> None:
    pipeline = line()
    say(pipeline, START_MS, "s-pool", 1, FIRE)
    broken = alert(episode="fire/nowhere/1", asset="pool", told=(None,), due_ms=START_MS + MINUTE)
    pipeline.county.alerts[broken.episode] = broken
    pipeline.county.timers.file("e", broken.episode, START_MS + MINUTE)
    pipeline.advance(START_MS + 11 * MINUTE)
    told = [said for said in pipeline.changes.log if isinstance(said, Owed)]
    assert max(said.at_ms for said in told) > START_MS + 9 * MINUTE
    assert pipeline.county.timers.earliest_ms > START_MS + 11 * MINUTE


class Scripted(County):
    """A county that says at an instant what a test wants it to say then; ``None`` is a mistake of ours."""

    script: list[Event | None]

    def stage(self, at_ms: Millis, *script: Event | None) -> None:
        """All of it is due at this instant, one thing after the other."""
        self.script = [*script]
        for number in range(len(script)):
            self.timers.file("s", f"{number}", at_ms)

    def ring(self, now_ms: Millis, changes: Changes) -> bool:
        rung = self.timers.ring(now_ms)
        if rung is None:
            return False
        said = self.script[int(rung[2])]
        if said is None:
            raise ZeroDivisionError
        changes.log.append(said)
        return True

    def skip(self, now_ms: Millis) -> None:
        self.timers.ring(now_ms)


def scripted() -> tuple[Pipeline, Scripted, Millis]:
    """A line with such a county, and the instant at which its ledger's only case is due."""
    made = assemble_whole(COUNTY, QUIET)
    whole = made.county
    county = Scripted(COUNTY, whole.plans, whole.decider, whole._pending, made.undo)
    begins = StartingPoint(Entry.under(made.undo), Changes.under(made.undo), START_MS)
    pipeline = Pipeline(Directory(COUNTY), made._replace(county=county), Archive(), Counting(made.undo), begins)
    pipeline.say(raised("fire/pool/1"))
    pipeline.finish()
    return pipeline, county, pipeline.ledger.timers.earliest_ms


def noted(at_ms: Millis, what: str) -> Event:
    return Event(at_ms=at_ms, event=what)


def test_at_one_instant_the_county_speaks_to_its_end_and_then_the_ledger() -> None:
    pipeline, county, due_ms = scripted()
    county.stage(due_ms, noted(due_ms, "one"), noted(due_ms, "two"))
    pipeline.advance(due_ms)
    assert names(pipeline) == ["one", "two", "case_overdue"]


def test_what_fails_of_the_county_at_one_instant_is_left_out_and_the_rest_is_in_its_order() -> None:
    pipeline, county, due_ms = scripted()
    county.stage(due_ms, noted(due_ms, "one"), None, noted(due_ms, "two"))
    pipeline.advance(due_ms)
    assert names(pipeline) == ["one", "two", "case_overdue"]
    assert county.timers.earliest_ms > due_ms


def test_what_the_county_says_at_an_instant_is_heard_by_the_ledger_before_its_own_is_due() -> None:
    pipeline, county, due_ms = scripted()
    over = Event(at_ms=due_ms, event="cleared", rule="fire", asset="pool", episode="fire/pool/1")
    county.stage(due_ms, over)
    pipeline.advance(due_ms)
    assert names(pipeline) == ["cleared"]
    assert episodes(pipeline) == []


def test_what_fails_of_the_ledger_is_not_due_again_and_stops_no_other() -> None:
    pipeline, county, due_ms = scripted()
    (case,) = pipeline.ledger.cases.values()
    broken = replace(case, id="20261123-qingshi-000", episode="x", level="high")
    pipeline.ledger._shelf.enter(broken)
    county.stage(due_ms + 1, noted(due_ms + 1, "later"))
    pipeline.advance(due_ms + 1)
    assert names(pipeline).count("later") == 1
    assert "case_overdue" in names(pipeline)
    assert pipeline.ledger.timers.earliest_ms > due_ms + 1


def test_what_was_said_before_is_heard_before_time_goes_on() -> None:
    """A case that begins now is overdue before the next list is made."""
    pipeline = line(POLICY_FILES, at_ms=NOON_MS - 2 * HOUR, hears=False)
    pipeline.say(raised("fire/pool/1", NOON_MS - 2 * HOUR))
    pipeline.advance(NOON_MS)
    at = [said.at_ms for said in pipeline.changes.log]
    assert at == sorted(at)
    assert names(pipeline).index("case_overdue") < names(pipeline).index("list")


# --- the ledger hears


def raised(episode: str, at_ms: Millis = START_MS, asset: str = "pool") -> Event:
    return Event(at_ms=at_ms, event="raised", rule="fire", asset=asset, episode=episode, severity="P1")


def episodes(pipeline: Pipeline) -> list[str]:
    return [case.episode for case in pipeline.ledger.cases.values()]


def test_the_ledger_hears_everything_once_and_in_its_order() -> None:
    pipeline = line()
    pipeline.say(*(raised(f"fire/{asset}/1", asset=asset) for asset in ("pool", "road", "far")))
    assert episodes(pipeline) == []
    entry, _ = pipeline.finish()
    assert episodes(pipeline) == [f"fire/{asset}/1" for asset in ("pool", "road", "far")]
    assert len(entry.cases) == 3
    pipeline.say(raised("fire/round/1", asset="round"))
    pipeline.finish()
    assert episodes(pipeline)[3:] == ["fire/round/1"]


def test_what_a_sample_raises_has_its_case_in_the_same_entry() -> None:
    pipeline = line()
    for device in ("s-pool", "s-road"):
        say(pipeline, START_MS, device, 1, FIRE)
        entry, _ = pipeline.finish()
        assert [row.asset for row in entry.cases.values()] == [device.removeprefix("s-")]


def test_what_a_sample_means_is_known_to_the_ledger_before_anything_else_of_its_turn_is_done() -> None:
    """The courier may ask in the same turn whether a text of the ledger's is worth sending."""
    pipeline = line()
    say(pipeline, START_MS, "s-pool", 1, FIRE)
    assert episodes(pipeline) == list(pipeline.county.alerts)


def test_what_a_sign_of_life_ends_is_known_to_the_ledger_before_anything_else_of_its_turn_is_done() -> None:
    pipeline = line(kind=FramedLine)
    pipeline.take(frame(START_MS, "1 a", "m-plant"))
    pipeline.advance(START_MS + DAY)
    pipeline.finish()
    (case,) = (case for case in pipeline.ledger.cases.values() if (case.rule, case.asset) == ("offline", "plant"))
    assert case.standing
    for count in (2, 3):
        at_ms = START_MS + DAY + count * 10 * MINUTE
        pipeline.advance(at_ms)
        pipeline.take(frame(at_ms, f"{count} life", "m-plant"))
    assert not pipeline.county.is_open(case.episode)
    known = pipeline.ledger.cases.get(case.id)
    assert known is None or not known.standing


def test_a_case_that_the_ledger_cannot_open_costs_nobody_a_text() -> None:
    pipeline = line()
    pipeline.say(raised("fire/far/1", at_ms="today", asset="far"))  # type: ignore[arg-type] # our mistake
    say(pipeline, START_MS, "s-pool", 1, FIRE)
    entry, _ = pipeline.finish()
    assert len(entry.owed) == 3
    assert [row.asset for row in entry.cases.values()] == ["pool"]


# --- whoever acts within a turn


def test_what_is_kept_said_and_beaten_is_in_the_next_entry() -> None:
    pipeline = line()
    pipeline.keep("mark", ["a", 1])
    pipeline.say(Event(at_ms=START_MS, event="noted"))
    pipeline.beat(START_MS + 5)
    pipeline.watch(Trouble("series_paused", "series", "the token is not known"), START_MS)
    entry, _ = pipeline.finish()
    assert entry.meta == {"mark": '["a",1]'}
    assert entry.heartbeat_ms == START_MS + 5
    assert [event.event for event in entry.events][:2] == ["noted", "raised"]
    assert pipeline.finish()[0].is_empty


def test_a_person_acts_on_what_stands_and_hears_why_not() -> None:
    pipeline = line()
    say(pipeline, START_MS, "s-pool", 1, FIRE)
    (episode,) = pipeline.county.alerts
    seen = Actor("office", "desk", "")
    done = pipeline.respond(
        episode, lambda rules, alert, _memory, log: rules.acknowledge(alert, seen, START_MS, log), START_MS
    )
    assert done is None
    assert pipeline.county.alerts[episode].acked_by == "office"
    refused = pipeline.respond(
        episode, lambda rules, alert, _memory, log: rules.unshelve(alert, seen, START_MS, log), START_MS
    )
    assert isinstance(refused, Refused)


def test_a_snapshot_is_of_all_that_is_remembered_and_the_past_is_settled_with_it() -> None:
    pipeline = line()
    say(pipeline, START_MS, "s-pool", 1)
    pipeline.change_past()
    changed, snapshot = pipeline.past_changed, pipeline.snapshot()
    assert (changed, pipeline.past_changed) == (True, False)
    assert set(snapshot.states) == set(COUNTY.assets)
    assert set(snapshot.tracks) == {"s-pool"}
    assert snapshot.ruleset == pipeline.thresholds.rules.version


def test_what_people_arrange_is_the_countys() -> None:
    made = assemble_whole(COUNTY, QUIET)
    known = dict.fromkeys(COUNTY.devices, START_MS)
    made.county.restore({asset: plan.born(known) for asset, plan in made.county.plans.items()}, ())
    begins = StartingPoint(Entry.under(made.undo), Changes.under(made.undo), START_MS)
    pipeline = Pipeline(Directory(COUNTY), made, Memory(), Barrier(made.undo), begins)
    assert (pipeline.trials, pipeline.absences, pipeline.extras, pipeline.callers, pipeline.thresholds) == (
        made.trials,
        made.absences,
        made.extras,
        made.callers,
        made.thresholds,
    )
    assert pipeline.inventory is COUNTY
    assert pipeline.calendar is made.lists.calendar
    assert pipeline.undo is made.undo
    say(pipeline, START_MS, "s-pool", 1, FIRE)
    assert {said.channel for said in pipeline.finish()[0].owed} == {"sms"}


# --- what would be


def test_everything_that_follows_is_foreseen_and_nothing_of_it_is_kept() -> None:
    pipeline = line()
    said = pipeline.foresee("fire", "pool", START_MS)
    first = pipeline.foresee("fire", "pool", START_MS, first=True)
    assert isinstance(said, Foreseen)
    assert isinstance(first, Foreseen)
    assert len(said.told) > len(first.told) > 0
    assert pipeline.finish()[0].is_empty


def test_the_night_ends_in_the_morning_and_the_day_is_at_once() -> None:
    pipeline = line()
    night_ms = MORNING_MS - 5 * HOUR
    assert pipeline.by_day(night_ms) == MORNING_MS + 30 * MINUTE
    assert pipeline.by_day(START_MS) == START_MS
    nights = pipeline.nights
    holds = pipeline._lists.holds
    assert (nights.calendar, nights.quiet, nights.morning) == (
        pipeline.calendar,
        holds.policies.quiet,
        holds.policies.morning,
    )
