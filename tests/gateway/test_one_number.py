"""A number is one, however a modem, a provider, a person or an older journal writes it."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from alerts.answers import Reply
from alerts.model import MessageKind, Owed
from alerts.notify.mailbox import Mailbox, pack_box, unpack_box
from alerts.operations.absences import ABSENCE
from gateway.journal.database import migrate, migrations
from gateway.journal.entry import Entry
from gateway.journal.ledger import LedgerReader, Wanted
from gateway.journal.writer import Journal
from gateway.pipeline import case_row
from telemetry.reading import Millis
from tests.gateway.journal.entries import LEAK
from tests.telling_county import COUNTY, DAY, HOUR, MINUTE, POLICY_FILES, START_MS
from tests.telling_line import Hand, TellingLine

CREW: Final = COUNTY.people["crew"].phone
SPELLINGS: Final = [CREW, f"+86{CREW}", f"0086 {CREW}", f"86-{CREW[:3]}-{CREW[3:7]}-{CREW[7:]}", "１３９００００００03"]


@pytest.mark.parametrize("spelled", SPELLINGS)
def test_an_answer_is_its_owners_however_the_number_came(spelled: str, line: TellingLine, said: list[Entry]) -> None:
    line.live(START_MS + 3 * HOUR)
    line.hear(replies=[Reply("one", "1", spelled, "1", line.hand.at_ms)])
    line.live(line.hand.at_ms + MINUTE)
    assert [(each.meaning, each.person) for entry in said for each in entry.answers] == [("done", "crew")]
    assert [event.event for entry in said for event in entry.events if event.event == "acked"] == ["acked"]


def owed(phone: str, number: int) -> Owed:
    return Owed(
        at_ms=START_MS + number,
        rule=ABSENCE,
        asset="",
        episode=f"absence/{number}",
        severity="P3",
        kind=MessageKind.NOTICE,
        step=0,
        repeat=number,
        to="crew",
        phone=phone,
        channel="sms",
        text=f"【湘阳环卫】第{number}条",
    )


def older(path: Path) -> sqlite3.Connection:
    """A journal as it was before numbers were compared by their keys."""
    made = sqlite3.connect(path, isolation_level=None)
    migrate(made, path, [step for step in migrations() if step.name == "schema.sql" or step.name < "0013"])
    return made


@pytest.mark.parametrize("taken_after_ms", [HOUR, 8 * DAY, 366 * DAY])
def test_an_answer_finds_what_was_taken_today_however_long_it_was_owed(tmp_path: Path, taken_after_ms: Millis) -> None:
    """A provider that is down for long, or a clock set forward by a year, makes no text a stranger's."""
    now_ms = START_MS + taken_after_ms
    with closing(Journal.open(tmp_path / "journal.db")) as journal:
        insert = (
            "INSERT INTO notification (key, at_ms, rule, asset, episode, severity, kind, step, repeat, recipient,"
            " phone, phone_key, channel, text, state, accepted_ms)"
            " VALUES (?, ?, '', '', ?, 'P2', 'first', 0, 0, '', '13900000003', '+8613900000003', 'sms', '回1', ?, ?)"
        )
        for episode, state, accepted_ms in (
            ("taken", "accepted", now_ms),
            ("waits", "owed", None),
            ("lost", "dropped", None),
        ):
            journal._connection.execute(insert, (episode, START_MS, episode, state, accepted_ms))
        found = {asked.episode: asked.accepted for asked in journal.told("13900000003", now_ms - DAY)}
    assert found.pop("taken") is True
    assert found == ({"waits": False} if taken_after_ms < DAY else {})


def test_rows_of_an_older_journal_are_found_by_any_spelling_and_stay_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with closing(older(path)) as old:
        for number, phone in enumerate(("13900000003", "+86 139 0000 0003", "10086", "0731-55661234")):
            old.execute(
                "INSERT INTO notification (key, at_ms, rule, asset, episode, severity, kind, step, repeat, recipient,"
                " phone, channel, text, state)"
                " VALUES (?, ?, '', '', ?, 'P3', 'notice', 0, 0, '', ?, 'sms', '', 'owed')",
                (f"k{number}", START_MS, f"e{number}", phone),
            )
            old.execute(
                "INSERT INTO answer (channel, number, at_ms, phone, text, meaning, person, episode)"
                " VALUES ('one', ?, ?, ?, '1', 'done', '', '')",
                (str(number), START_MS, phone),
            )
    with closing(Journal.open(path)) as journal:
        for spelled, expected in (
            *((spelled, {"e0", "e1"}) for spelled in SPELLINGS),
            ("+8610086", {"e2"}),
            ("+86 731 5566 1234", {"e3"}),
            ("中国移动", set()),
        ):
            assert {asked.episode for asked in journal.told(spelled, START_MS)} == expected, spelled
            assert journal.untold(spelled, START_MS) == len(expected)
    with closing(sqlite3.connect(path)) as rows:
        for table in ("notification", "answer"):
            kept = rows.execute(f"SELECT phone, phone_key FROM {table} ORDER BY id").fetchall()  # noqa: S608 -- ours
            assert kept == [
                ("13900000003", "+8613900000003"),
                ("+86 139 0000 0003", "+8613900000003"),
                ("10086", "10086"),
                ("0731-55661234", "+8673155661234"),
            ]


def test_mailboxes_of_two_spellings_become_one_and_nothing_in_them_is_lost_or_told_twice(
    tmp_path: Path, said: list[Entry]
) -> None:
    path = tmp_path / "journal.db"
    with closing(older(path)) as old:
        for number, phone in enumerate((CREW, f"86{CREW}")):
            box = Mailbox(phone, (owed(phone, number),), due_ms=START_MS + MINUTE, left_ms=(START_MS - HOUR + number,))
            old.execute("INSERT INTO mailbox VALUES (?, ?)", (phone, pack_box(box)))
    for _ in range(2):
        hand = Hand(START_MS + HOUR if said else START_MS)
        with closing(TellingLine(path, COUNTY, POLICY_FILES, hand, said.append, lambda _message: None)) as line:
            line.live(hand.at_ms + 10 * MINUTE)
    texts = [each.text for entry in said for each in entry.owed if each.to == "crew" and "第" in each.text]
    assert sorted(texts) == [owed(CREW, 0).text, owed(CREW, 1).text]
    with closing(sqlite3.connect(path)) as rows:
        boxes = {name: unpack_box(blob) for name, blob in rows.execute("SELECT phone, blob FROM mailbox")}
    assert [name for name in boxes if CREW in name] == [CREW]
    assert boxes[CREW].left_ms[:2] == (START_MS - HOUR, START_MS - HOUR + 1)
    assert all(box.phone == name for name, box in boxes.items())


def test_a_caller_is_found_by_their_number_however_it_was_written_down(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with closing(Journal.open(path)) as journal:
        row = case_row(LEAK)
        journal.commit(Entry(cases={LEAK.id: replace(row, caller="张 +86 139-1234 5678")}))
    with closing(LedgerReader.open(path)) as reader:
        for words in ("13912345678", "0086 139 1234 5678", "１３９１２３４５６７８", "张"):
            assert len(reader.find(Wanted(text=words), 9)) == 1, words
        assert reader.find(Wanted(text="13912345679"), 9) == []
