"""One contract for every channel that the registry finds: sends, refuses, fails, and can be asked by key."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from alerts.channels import Accepted, Channel, Failed, Message, SendRefused, channels
from alerts.channels.gammu import GammuSettings
from alerts.channels.outbox import CALLS, Outbox, OutboxSettings

TABLES = """
    CREATE TABLE outbox (ID INTEGER PRIMARY KEY AUTOINCREMENT, SendingDateTime, SendingTimeOut, DestinationNumber,
        TextDecoded, Coding, UDH, MultiPart, CreatorID, DeliveryReport, SenderID, Priority);
    CREATE TABLE outbox_multipart (ID, SequencePosition, TextDecoded, Coding, UDH);
    CREATE TABLE sentitems (ID, SequencePosition, Status, CreatorID);
"""
TEXT = "【湘阳环卫】柳潭3号池（村部东侧）已装七成，请22日12点半前清。"


def message(key: str = "overflow/ytan-03/1#first.0.0@cleaner-li", phone: str = "13900000001") -> Message:
    return Message(key, "overflow/ytan-03/1", "cleaner-li", phone, TEXT, "2026-11-22T00:40:01Z")


def _healthy_outbox(folder: Path) -> Channel:
    return channels()["outbox"].open(OutboxSettings(outbox_folder=folder / "outbox"))


def _broken_outbox(folder: Path) -> Channel:
    (folder / "file").write_text("in the way")
    return channels()["outbox"].open(OutboxSettings(outbox_folder=folder / "file" / "outbox"))


def _healthy_gammu(folder: Path) -> Channel:
    """As much of smsd's tables as a channel needs, and no daemon: a text waits in them."""
    database = folder / "smsd.db"
    if not database.exists():
        with closing(sqlite3.connect(database)) as made:
            made.executescript(TABLES)
    return channels()["gammu"].open(GammuSettings(database=database))


def _broken_gammu(folder: Path) -> Channel:
    return channels()["gammu"].open(GammuSettings(database=folder / "nowhere.db"))


HEALTHY: dict[str, Callable[[Path], Channel]] = {"gammu": _healthy_gammu, "outbox": _healthy_outbox}
BROKEN: dict[str, Callable[[Path], Channel]] = {"gammu": _broken_gammu, "outbox": _broken_outbox}

PROVIDERS = {"aliyun", "aliyun_voice", "webhook"}
"""Proven against servers of their own (test_aliyun.py, test_webhook.py): they know templates, chats and no numbers."""

each_channel = pytest.mark.parametrize("name", sorted(channels().keys() - PROVIDERS))


@each_channel
def test_a_channel_sends_and_is_known_by_its_modules_name(name: str, tmp_path: Path) -> None:
    assert channels()[name].open.__module__ == f"alerts.channels.{name}"
    outcome = HEALTHY[name](tmp_path).send(message())
    assert isinstance(outcome, Accepted)
    assert outcome.reference


@each_channel
def test_a_channel_can_be_asked_by_key_even_by_another_process(name: str, tmp_path: Path) -> None:
    assert HEALTHY[name](tmp_path).find(message()) is None
    outcome = HEALTHY[name](tmp_path).send(message())
    assert HEALTHY[name](tmp_path).find(message()) == outcome
    assert HEALTHY[name](tmp_path).find(message("another")) is None


@each_channel
@pytest.mark.parametrize("phone", ["", "李大姐", "1", "13900000001; rm"])
def test_a_channel_refuses_a_number_that_cannot_be(name: str, phone: str, tmp_path: Path) -> None:
    channel = HEALTHY[name](tmp_path)
    assert isinstance(channel.send(message(phone=phone)), SendRefused)
    assert channel.find(message()) is None


@each_channel
def test_a_channel_fails_with_a_reason_and_does_not_raise(name: str, tmp_path: Path) -> None:
    channel = BROKEN[name](tmp_path)
    outcome = channel.send(message())
    assert isinstance(outcome, Failed)
    assert outcome.reason
    assert channel.find(message()) is None


def test_every_channel_is_known_by_its_module_and_can_be_examined() -> None:
    assert channels().keys() == HEALTHY.keys() | PROVIDERS
    for name, kind in channels().items():
        assert kind.open.__module__ == f"alerts.channels.{name}"
        assert kind.examine is not None


def test_the_outbox_writes_one_readable_file_a_text(tmp_path: Path) -> None:
    outcome = Outbox(tmp_path / "new" / "outbox").send(message())
    (file,) = (tmp_path / "new" / "outbox").glob("*.json")
    assert outcome == Accepted(file.name, delivered=True)
    assert json.loads(file.read_text("utf-8")) == {
        "to": "cleaner-li",
        "phone": "13900000001",
        "text": TEXT,
        "episode": "overflow/ytan-03/1",
        "key": message().key,
        "at": "2026-11-22T00:40:01Z",
    }
    assert TEXT in file.read_text("utf-8")
    assert file.name.startswith("2026-11-22T004001Z_cleaner-li_")


def test_a_text_sent_twice_is_one_file_and_two_calls(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    assert outbox.send(message()) == outbox.send(replace(message(), text="another wording"))
    (file,) = tmp_path.glob("*.json")
    assert json.loads(file.read_text("utf-8"))["text"] == TEXT
    calls = [json.loads(line) for line in (tmp_path / CALLS).read_text("utf-8").splitlines()]
    assert calls == [{"key": message().key, "at": message().at}] * 2


def test_what_a_crash_left_half_written_is_neither_found_nor_in_the_way(tmp_path: Path) -> None:
    name = Outbox(tmp_path / "elsewhere").send(message())
    assert isinstance(name, Accepted)
    (tmp_path / f".{name.reference}.part").write_text('{"to": "clea')
    outbox = Outbox(tmp_path)
    assert outbox.find(message()) is None
    assert outbox.send(message()) == name
    assert json.loads((tmp_path / name.reference).read_text("utf-8"))["to"] == "cleaner-li"
    assert list(tmp_path.glob(".*")) == []


def test_a_full_disk_is_told_from_one_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / CALLS).symlink_to("/dev/full")
    assert Outbox(tmp_path).send(message()) == Failed("full")


def test_a_strange_recipient_stays_inside_the_folder(tmp_path: Path) -> None:
    strange = Message("k", "e", "../../etc/" + "x" * 300, "13900000001", TEXT, "2026-11-22T00:40:01Z")
    outcome = Outbox(tmp_path / "outbox").send(strange)
    assert isinstance(outcome, Accepted)
    assert (tmp_path / "outbox" / outcome.reference).exists()
    assert {found.name for found in tmp_path.iterdir()} == {"outbox"}
