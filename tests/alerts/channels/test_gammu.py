"""The gammu channel against a real gammu-smsd with its dummy modem: counted in smsd's own tables."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from alerts.channels import Accepted, Awaited, Failed, Message, Unreachable, mark
from alerts.channels.gammu import CHANNEL, Gammu, GammuSettings
from alerts.delivery.courier import Courier
from alerts.delivery.delivery import Due, DueState
from alerts.model import MessageKind, Owed
from telemetry.segments import units
from tests.fakes import ListPort, RecordingChannel
from tests.smsd import Smsd

NOW_MS = 1_795_334_400_000
TEXT = "【湘阳环卫】柳潭3号池（村部东侧）已装七成，过三分之二了。请22日12点半前清，去不了回2，没满回3。"


def message(number: int = 1, text: str = TEXT, severity: str = "P2") -> Message:
    return Message(
        f"overflow/ytan-03/{number}#first.0.0@cleaner-li",
        "overflow/ytan-03/1",
        "cleaner-li",
        "13900000001",
        text,
        "2026-11-22T00:40:01Z",
        severity,
    )


@pytest.fixture
def gammu(smsd: Smsd) -> Gammu:
    return Gammu(GammuSettings(database=smsd.database))


def accepted(channel: Gammu, what: Message) -> str:
    outcome = channel.send(what)
    assert isinstance(outcome, Accepted), outcome
    return outcome.reference


def sent(smsd: Smsd) -> Callable[[], bool]:
    return lambda: not smsd.rows("SELECT 1 FROM outbox") and bool(smsd.rows("SELECT 1 FROM sentitems"))


def written(smsd: Smsd, *rows: tuple[str, str, str]) -> list[tuple[str, str]]:
    """What is read when these stand in smsd's table: sender, header and text; all of it is then marked as processed."""
    with closing(sqlite3.connect(smsd.database)) as tables:
        tables.executemany(
            "INSERT INTO inbox (Text, SenderNumber, UDH, TextDecoded, RecipientID) VALUES ('', ?, ?, ?, '')", rows
        )
        tables.commit()
    return read(smsd)


def read(smsd: Smsd) -> list[tuple[str, str]]:
    channel = Gammu(GammuSettings(database=smsd.database))
    collected = channel.collect((), NOW_MS)
    channel.taken(collected)
    return [(said.phone[-2:], said.text) for said in collected.replies]


def test_the_parts_of_a_long_reply_are_one_reply(smsd: Smsd) -> None:
    first, second, wide = "0500032A0201", "0500032A0202", "06080400070302"
    li, zhou = "+8613900000001", "13900000002"
    assert written(smsd, (li, first, "今天车坏了，"), (zhou, "", "1"), (li, second, "去不了")) == [
        ("01", "今天车坏了，去不了"),
        ("02", "1"),
    ]
    assert smsd.rows("SELECT count(*) FROM inbox WHERE Processed = 'false'") == [(0,)]
    assert written(smsd, (li, second, "了")) == []  # the other part is on its way
    assert written(smsd, (zhou, first, "不是他的")) == []
    assert written(smsd, (li, first, "去不")) == [("01", "去不了")]
    assert written(smsd, (li, wide, "中"), (li, "zz", "2"), (li, "0500032A0203", "3")) == [("01", "2"), ("01", "3")]
    with closing(sqlite3.connect(smsd.database)) as tables:
        tables.execute("UPDATE inbox SET UpdatedInDB = datetime('now', '-11 minutes') WHERE Processed = 'false'")
        tables.commit()
    assert sorted(read(smsd)) == [("01", "中"), ("02", "不是他的")]


def test_a_text_is_sent_and_its_receipt_comes_once_the_phone_has_it(smsd: Smsd, gammu: Gammu) -> None:
    reference = accepted(gammu, message())
    awaited = [Awaited(reference, "13900000001", NOW_MS)]
    smsd.until(sent(smsd))
    assert smsd.rows("SELECT DestinationNumber, TextDecoded, CreatorID FROM sentitems") == [
        ("13900000001", TEXT, message().mark)
    ]
    assert gammu.collect(awaited, NOW_MS).receipts == ()
    assert gammu.find(message()) == Accepted(reference)
    smsd.report(1)
    smsd.until(lambda: bool(gammu.collect(awaited, NOW_MS).receipts))
    (said,) = gammu.collect(awaited, NOW_MS).receipts
    assert (said.reference, said.delivered) == (reference, True)
    assert gammu.find(message()) == Accepted(reference, delivered=True)


@pytest.mark.parametrize("spelled", ["13900000001", "+8613900000001", "008613900000001"])
def test_a_receipt_is_found_however_the_network_writes_the_number(spelled: str, smsd: Smsd, gammu: Gammu) -> None:
    """By the lines that docs/operations.md gives for smsd's own file."""
    smsd.stop()
    lines = (Path(__file__).parents[3] / "docs" / "operations.md").read_text("utf-8").splitlines()
    (query,) = [line.strip() for line in lines if line.strip().startswith("save_inbox_sms_select")]
    smsd.configure(f"[sql]\n{query}")
    smsd.start()
    awaited = [Awaited(accepted(gammu, message()), "13900000001", NOW_MS)]
    smsd.until(sent(smsd))
    smsd.report(1, spelled=spelled)
    smsd.until(lambda: bool(gammu.collect(awaited, NOW_MS).receipts))
    assert gammu.collect(awaited, NOW_MS).receipts[0].delivered


def test_a_phone_that_cannot_be_reached_gives_a_bad_receipt(smsd: Smsd, gammu: Gammu) -> None:
    awaited = [Awaited(accepted(gammu, message()), "13900000001", NOW_MS)]
    smsd.until(sent(smsd))
    smsd.report(1, arrived=False)
    smsd.until(lambda: bool(gammu.collect(awaited, NOW_MS).receipts))
    (said,) = gammu.collect(awaited, NOW_MS).receipts
    assert (said.delivered, said.reason) == (False, "delivery_failed")


def test_replies_are_told_until_they_are_taken(smsd: Smsd, gammu: Gammu) -> None:
    smsd.reply("+8613900000001", "１。")
    smsd.until(lambda: bool(gammu.collect([], NOW_MS).replies))
    collected = gammu.collect([], NOW_MS)
    assert collected == gammu.collect([], NOW_MS)
    assert [(said.phone, said.text) for said in collected.replies] == [("13900000001", "１。")]
    gammu.taken(collected)
    assert gammu.collect([], NOW_MS).replies == ()
    assert smsd.rows("SELECT Processed FROM inbox") == [("true",)]


def test_what_is_laid_while_the_daemon_is_away_leaves_when_it_is_back(smsd: Smsd, gammu: Gammu) -> None:
    smsd.stop()
    references = [accepted(gammu, message(number)) for number in range(3)]
    urgent = accepted(gammu, message(9, severity="P1"))
    assert [gammu.find(message(number)) for number in range(3)] == [Accepted(found) for found in references]
    assert smsd.rows("SELECT count(*) FROM sentitems") == [(0,)]
    smsd.start()
    smsd.until(lambda: smsd.rows("SELECT count(*) FROM sentitems") == [(4,)])
    first = smsd.rows("SELECT CreatorID, ID FROM sentitems ORDER BY rowid LIMIT 1")[0]
    assert f"{first[0]}.{first[1]}" == urgent


def test_what_is_not_sent_yet_can_be_taken_back(smsd: Smsd, gammu: Gammu) -> None:
    smsd.stop()
    accepted(gammu, message())
    assert gammu.withdraw(message().key)
    assert not gammu.withdraw(message().key)
    assert gammu.find(message()) is None
    smsd.start()
    accepted(gammu, message(2))
    smsd.until(sent(smsd))
    assert not gammu.withdraw(message(2).key)


def test_a_long_text_goes_in_parts_and_has_one_receipt(smsd: Smsd, gammu: Gammu) -> None:
    accepted(gammu, message(text=TEXT * 2))
    smsd.until(lambda: smsd.rows("SELECT count(*) FROM sentitems") == [(2,)])
    parts = smsd.rows("SELECT TextDecoded FROM sentitems ORDER BY SequencePosition")
    assert "".join(part for (part,) in parts) == TEXT * 2


def test_signs_that_fill_two_units_are_counted_so_and_never_torn(smsd: Smsd, gammu: Gammu) -> None:
    """T8: seventy signs, five of them beyond the first plane, are 75 units and no single segment."""
    text = "池" * 64 + "𬇕" * 3 + "柳" + "𬇕" * 2
    assert (len(text), units(text)) == (70, 75)
    accepted(gammu, message(text=text))
    smsd.until(lambda: smsd.rows("SELECT count(*) FROM sentitems") == [(2,)])
    parts = [part for (part,) in smsd.rows("SELECT TextDecoded FROM sentitems ORDER BY SequencePosition")]
    assert "".join(parts) == text
    assert [units(part) for part in parts] == [66, 9]


def test_a_database_that_is_not_there_is_said_and_never_made(smsd: Smsd) -> None:
    lost = Gammu(GammuSettings(database=smsd.folder / "lost.db"))
    assert lost.send(message()) == Failed("no_database")
    with pytest.raises(Unreachable, match="no_database"):
        lost.collect([], NOW_MS)
    assert not (smsd.folder / "lost.db").exists()


def test_doctor_sees_whether_a_daemon_works(smsd: Smsd) -> None:
    assert CHANNEL.examine is not None
    settings = GammuSettings(database=smsd.database)
    smsd.until(lambda: CHANNEL.examine is not None and CHANNEL.examine(settings).usable)
    lost = CHANNEL.examine(GammuSettings(database=smsd.folder / "lost.db"))
    assert (lost.usable, bool(lost.remedy)) == (False, True)


def test_an_hour_without_the_daemon_loses_nothing_and_a_fire_goes_another_way_once(smsd: Smsd, gammu: Gammu) -> None:
    smsd.stop()
    port, other = ListPort(awaits_receipts=True), RecordingChannel()
    for number, severity in enumerate(("P1", "P2", "P3"), start=1):
        port.add(Due(number, owed(number, severity), DueState.OWED, 0))
    clock = [NOW_MS]
    runner = Courier(port, {"gammu": gammu, "other": other}, lambda: clock[0])
    for minute in range(61):
        clock[0] = NOW_MS + minute * 60_000
        while runner.run_once(clock[0]):
            pass
        elsewhere = [sent.severity for sent in other.sent]
        assert elsewhere == ["P1"] * (minute >= 2) + ["P2"] * (minute >= 15), minute
    smsd.start()
    smsd.until(sent(smsd))
    by_modem = [key for (key,) in smsd.rows("SELECT CreatorID FROM sentitems")]
    by_other = [said.mark for said in other.sent]
    assert sorted([*by_modem, *by_other]) == sorted(mark(owed(n, s).key) for n, s in ((1, "P1"), (2, "P2"), (3, "P3")))


def owed(number: int, severity: str) -> Owed:
    return Owed(
        at_ms=NOW_MS,
        rule="overflow",
        asset="ytan-03",
        episode=f"overflow/ytan-03/{number}",
        severity=severity,
        kind=MessageKind.FIRST,
        step=0,
        repeat=0,
        to="cleaner-li",
        phone="13900000001",
        channel="sms",
        text=TEXT,
    )
