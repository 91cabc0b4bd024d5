"""What export and the courier read beside a running gateway."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from alerts.channels import Accepted, Failed, Outcome
from alerts.channels.outbox import CALLS, Outbox
from alerts.delivery.courier import Clearance, Courier
from alerts.delivery.delivery import Due, DueState, Lapse, NextTry, Taken
from alerts.model import Event
from gateway.journal.database import JournalUnavailable, Problem
from gateway.journal.entry import AttemptEnded, AttemptStarted, Entry, Quarantined
from gateway.journal.reader import JournalReader
from gateway.journal.writer import Journal
from tests.fakes import Crash
from tests.gateway.journal.entries import NOW_MS, PLANT, contents, full_entry, owed, reading


@pytest.fixture
def reader(journal: Journal, path: Path) -> Iterator[JournalReader]:
    assert journal
    with closing(JournalReader.open(path)) as opened:
        yield opened


def test_a_reader_sees_each_commit_of_a_running_gateway(journal: Journal, reader: JournalReader) -> None:
    assert list(reader.readings()) == []
    journal.commit(Entry(readings=[reading(1)]))
    assert len(list(reader.readings())) == 1


def test_a_reader_needs_no_gateway(path: Path) -> None:
    with closing(Journal.open(path)) as journal:
        journal.commit(full_entry())
    with closing(JournalReader.open(path)) as reader:
        assert len(list(reader.readings())) == 30


def test_a_journal_that_is_not_there_is_said_and_not_made(path: Path) -> None:
    with pytest.raises(JournalUnavailable) as caught:
        JournalReader.open(path)
    assert caught.value.problem is Problem.MISSING
    assert not path.exists()


def test_an_exported_reading_has_the_agreed_keys(journal: Journal, reader: JournalReader) -> None:
    journal.commit(Entry(readings=[reading(2041, "plant-1", PLANT)]))
    assert list(reader.readings()) == [
        {
            "device": "plant-1",
            "asset": "asset-plant-1",
            "boot": 17,
            "seq": 2041,
            "observed_at": "2026-11-22T08:00:00.000Z",
            "received_at": "2026-11-22T08:00:00.005Z",
            "clock": "ok",
            "late": False,
            "judged_pct": None,
            "values": {
                "level_mm": 730.5,
                "flow_m3h": 0.0,
                "volume_m3": 12345.678,
                "pump_current_a": 3.2,
                "mains_on": 1.0,
            },
        }
    ]


def test_from_is_included_and_to_is_not(journal: Journal, reader: JournalReader) -> None:
    journal.commit(Entry(readings=[reading(seq, at_ms=NOW_MS + seq) for seq in range(5_000)]))
    assert [row["seq"] for row in reader.readings(NOW_MS + 10, NOW_MS + 13)] == [10, 11, 12]
    assert [row["seq"] for row in reader.readings()] == list(range(5_000))


def test_an_export_in_the_middle_does_not_keep_the_log_from_being_folded(
    journal: Journal, reader: JournalReader, path: Path
) -> None:
    journal.commit(Entry(readings=[reading(seq) for seq in range(5_000)]))
    rows = reader.readings()
    next(rows)
    assert journal._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
    assert (path.parent / "journal.db-wal").stat().st_size == 0
    assert len(list(rows)) == 4_999


def test_alerts_and_notifications_tell_what_became_of_them(journal: Journal, reader: JournalReader) -> None:
    journal.commit(full_entry())
    assert list(reader.alerts()) == [
        {
            "episode": "overflow/ytan-03/1",
            "rule": "overflow",
            "asset": "ytan-03",
            "device": "bin-1",
            "severity": "P2",
            "raised_at": "2026-11-22T08:00:00.000Z",
            "cleared_at": None,
        }
    ]
    first, second = reader.notifications()
    assert (first["to"], first["state"], first["attempts"]) == ("cleaner-li", "delivered", 1)
    assert (first["at"], first["delivered_at"]) == ("2026-11-22T08:00:00.000Z", "2026-11-22T08:00:00.001Z")
    assert (second["state"], second["reason"], second["accepted_at"]) == ("dropped", "acked", None)
    assert list(reader.alerts(NOW_MS + 1)) == list(reader.notifications(NOW_MS + 1)) == []


def test_quarantine_comes_out_as_a_recording_does(journal: Journal, reader: JournalReader) -> None:
    journal.commit(
        Entry(
            quarantined=[
                Quarantined(NOW_MS, "a", "{水".encode(), "not_json", "no JSON"),
                Quarantined(NOW_MS, "b", b"\xff\xfe", "not_json", "no JSON"),
            ]
        )
    )
    text, raw = reader.quarantine()
    assert text == {
        "received_at": "2026-11-22T08:00:00.000Z",
        "topic": "a",
        "payload": "{水",
        "reason": "not_json",
        "detail": "no JSON",
    }
    assert raw["payload_b64"] == "//4="


def test_the_most_urgent_due_notification_comes_first(journal: Journal, reader: JournalReader) -> None:
    assert reader.due_notification(NOW_MS) is None
    journal.commit(Entry(owed=[owed(0, "P3"), owed(1, "P1"), owed(2, "P1")]))
    assert reader.due_notification(NOW_MS) == Due(2, owed(1, "P1"), DueState.OWED, 0)
    start = AttemptStarted(2, NOW_MS)
    journal.commit(Entry(attempts=[start, AttemptEnded(2, NOW_MS, Failed("timeout"), NOW_MS + 5_000)]))
    assert reader.due_notification(NOW_MS + 4_999) == Due(3, owed(2, "P1"), DueState.OWED, 0)
    assert reader.due_notification(NOW_MS + 5_000) == Due(2, owed(1, "P1"), DueState.OWED, 1)
    journal.commit(Entry(attempts=[AttemptStarted(3, NOW_MS), AttemptEnded(3, NOW_MS, Accepted("r"))]))
    assert reader.due_notification(NOW_MS) == Due(1, owed(0, "P3"), DueState.OWED, 0, taken=(Taken("", "", NOW_MS),))


def test_a_try_that_nobody_saw_end_is_due_at_once(journal: Journal, reader: JournalReader) -> None:
    journal.commit(Entry(owed=[owed()], attempts=[AttemptStarted(1, NOW_MS)]))
    assert reader.due_notification(0) == Due(1, owed(), DueState.SENDING, 1)


class _JournalPort:
    """The courier's port onto a real journal in one thread; ``dies_at`` counts down to the process's death."""

    def __init__(self, journal: Journal, reader: JournalReader, dies_at: int = -1) -> None:
        self._journal, self._reader, self._left = journal, reader, dies_at

    def due(self, now_ms: int) -> Due | None:
        self._step()
        return self._reader.due_notification(now_ms)

    def started(self, notification_id: int, at_ms: int) -> Clearance:
        self._step()
        committed = self._journal.commit(Entry(attempts=[AttemptStarted(notification_id, at_ms)]))
        self._step()
        return Clearance.NO_LONGER_OWED if notification_id in committed.not_owed else Clearance.GRANTED

    def ended(
        self, notification_id: int, at_ms: int, via: str, outcome: Outcome, step: NextTry, event: Event | None
    ) -> None:
        self._step()
        end = AttemptEnded(notification_id, at_ms, outcome, step.next_attempt_ms, via, step.via, step.receipt_due_ms)
        self._journal.commit(Entry(attempts=[end], events=[] if event is None else [event]))
        self._step()

    def lapsed(self, notification_id: int, at_ms: int, lapse: Lapse) -> None:
        raise NotImplementedError

    def _step(self) -> None:
        self._left -= 1
        if self._left == 0:
            raise Crash


@pytest.mark.parametrize("dies_at", range(1, 16))
def test_journal_courier_and_outbox_together_lose_nothing_and_double_nothing(
    dies_at: int, path: Path, tmp_path: Path
) -> None:
    outbox = tmp_path / "outbox"

    def run(dies_at: int) -> None:
        with closing(Journal.open(path)) as journal, closing(JournalReader.open(path)) as reader:
            journal.commit(Entry(owed=[owed(0), owed(1), owed(2)]))
            courier = Courier(_JournalPort(journal, reader, dies_at), {"sms": Outbox(outbox)}, lambda: NOW_MS)
            while courier.run_once(NOW_MS):
                pass

    with pytest.raises(Crash):
        run(dies_at)
    run(-1)
    assert len(list(outbox.glob("*.json"))) == 3
    assert len((outbox / CALLS).read_text("utf-8").splitlines()) == 3
    assert [row[14] for row in contents(path)["notification"]] == ["delivered"] * 3


def test_the_level_that_a_sample_counted_as_stands_beside_what_it_said(journal: Journal, reader: JournalReader) -> None:
    journal.commit(Entry(readings=[replace(reading(1), judged_pct=68.4), reading(2)]))
    assert [row["judged_pct"] for row in reader.readings()] == [68.4, None]


def test_what_waits_beyond_its_time_is_counted_by_kind(journal: Journal, reader: JournalReader) -> None:
    minute_ms = 60_000
    journal.commit(Entry(owed=[owed(1), owed(2), owed(3), owed(4)]))
    assert reader.overdue(NOW_MS) == (0, 0, 0)
    assert reader.overdue(NOW_MS + 1) == (4, 0, 0)
    journal.commit(Entry(attempts=[AttemptStarted(number, NOW_MS + minute_ms) for number in (1, 2, 3)]))
    taken = Accepted("ref")
    later_ms = NOW_MS + 30 * minute_ms
    journal.commit(
        Entry(
            attempts=[
                AttemptEnded(2, NOW_MS + minute_ms, taken, via="sms", receipt_due_ms=NOW_MS + 2 * minute_ms),
                AttemptEnded(3, NOW_MS + minute_ms, Failed("timeout"), later_ms, via="sms"),
            ]
        )
    )
    assert reader.overdue(NOW_MS + minute_ms) == (1, 0, 0)
    assert reader.overdue(NOW_MS + 10 * minute_ms) == (1, 1, 1)
    assert reader.overdue(later_ms + 1) == (2, 1, 1)
