"""What nobody expects by telephone, on the real line: kept, bounded, answered once an hour, and in nobody's way."""

import json
import unicodedata
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from sqlite3 import connect
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.answers import LONGEST, Meaning, receipt, reply, understand
from alerts.channels import Accepted
from alerts.channels.aliyun import CHANNEL
from gateway.lines import Pushed
from gateway.requests import ReceiptsAndReplies
from tests.desk_gateway import HOUR_MS, MINUTE_MS, DeskGateway, at, desk_gateway

MEI = "13900001001"
STRANGER = "13911112222"
MORNING = at(22, 11)  # between the rounds, which an overflow would wait for
SECRET = "0123456789abcdef0123"  # noqa: S105 nobody's but this test's
assert CHANNEL.hook is not None
HOOKS = {"aliyun": Pushed(CHANNEL.hook, SECRET)}

STRANGE = {
    "a thousand characters": "满" * LONGEST,
    "more than a thousand": "1" * (LONGEST + 200),
    "a digit and a novel": "1" + "啊" * 500,
    "emoji": "😀👍👨‍👩‍👧",
    "control characters": "\x00\x1b[31m\x07\x7f\u202e2",
    "bytes read as Latin": bytes(range(256)).decode("latin-1"),
    "a tag": "<script>alert(1)</script>",
    "a statement": "'; DROP TABLE answer; --",
    "nothing": "",
    "blanks": " \u3000\t\n ",
    "a digit that means nothing": "7",
    "a code that nobody gave": "199",
    "fractions": "½",
}


class Ear:
    """A gateway whose cleaner was just told of her pool."""

    def __init__(self, gateway: DeskGateway) -> None:
        self.gateway = gateway
        self._number = 0

    def writes(self, text: str, phone: str = MEI) -> None:
        """As a provider pushes it, a minute after the one before."""
        self._number += 1
        self.gateway.clock.now += MINUTE_MS
        row = {"phone_number": phone, "content": text, "sequence_id": self._number}
        url = f"{self.gateway.url}/api/v1/hooks/aliyun/{SECRET}"
        answer = httpx.post(url, content=json.dumps([row]).encode(), trust_env=False)
        assert answer.status_code == 200
        self.gateway.settle()

    def rows(self, query: str, *given: object) -> list[tuple[Any, ...]]:
        with closing(connect(self.gateway.journal)) as journal:
            return journal.execute(query, given).fetchall()

    def kept(self) -> list[tuple[Any, ...]]:
        return self.rows("SELECT text, meaning, person, episode <> '' FROM answer ORDER BY id")

    def said_back(self, phone: str = MEI) -> int:
        sent = self.gateway.channel.sent
        return sum(message.template == "not_understood" and message.phone == phone for message in sent)

    def acked_by(self) -> list[str]:
        with self.gateway.desk.present.feed.present() as projection:
            return [alert.acked_by for alert in projection.open.values() if alert.rule == "overflow"]


@pytest.fixture
def ear(tmp_path: Path) -> Iterator[Ear]:
    with desk_gateway(tmp_path, MORNING, hooks=HOOKS, via="aliyun") as gateway:
        gateway.channel.answer = lambda message: Accepted(f"biz {message.key}")
        gateway.filled("bin-0101", 97)
        yield Ear(gateway)


def test_whatever_is_written_is_kept_within_bounds_and_moves_nothing(ear: Ear) -> None:
    for text in STRANGE.values():
        ear.writes(text)
    kept = ear.kept()
    assert len(kept) == len(STRANGE)
    assert {row[1:] for row in kept} == {("not_understood", "mei", 0)}
    assert all(len(text) <= LONGEST and text.isprintable() for text, *_ in kept)
    assert ear.acked_by() == [""]
    assert ear.said_back() == 1, "she is told once an hour that it was not understood"
    ear.writes(" １。")
    assert ear.kept()[-1][1:] == ("done", "mei", 1)
    assert ear.acked_by() == ["mei"], "what came before stands in no digit's way"


def test_a_stranger_is_kept_as_one_and_told_once_an_hour_and_a_machine_never(ear: Ear) -> None:
    for _ in range(3):
        ear.writes("1", STRANGER)
        ear.writes("您的话费不足", "10086")
    assert {row[1:] for row in ear.kept()} == {("not_understood", "", 0)}
    assert (ear.said_back(STRANGER), ear.said_back("10086")) == (1, 0)
    assert ear.acked_by() == [""]
    for _ in range(2):
        ear.gateway.clock.now += HOUR_MS
        ear.writes("在吗", STRANGER)
    assert ear.said_back(STRANGER) == 3


def test_a_forged_receipt_neither_delivers_nor_loses_a_text(ear: Ear) -> None:
    (key,) = (message.key for message in ear.gateway.channel.sent if message.phone == MEI)
    forged = [
        receipt("aliyun", "biz of nobody", delivered=True, at_ms=MORNING),
        receipt("aliyun", "", delivered=True, at_ms=MORNING),
        receipt("gammu", f"biz {key}", delivered=True, at_ms=MORNING),
        receipt("aliyun", f"biz {key}".upper(), delivered=False, at_ms=MORNING, reason="x" * 10_000),
        receipt("aliyun", "y" * 10_000, delivered=False, at_ms=MORNING),
    ]
    before = ear.rows("SELECT key, state, reason FROM notification ORDER BY id")
    for said in forged:
        answer = ear.gateway.desk.inbox.post(ReceiptsAndReplies(receipts=(said,)))
        assert answer.wait(120) is None  # type: ignore[union-attr] # there is room
    ear.gateway.settle()
    assert ear.rows("SELECT key, state, reason FROM notification ORDER BY id") == before
    assert ear.rows("SELECT max(length(reason)), max(length(reference)) FROM receipt") == [(128, 128)]


def test_a_reply_that_is_told_twice_counts_once(ear: Ear) -> None:
    said = reply("aliyun", "same", MEI, "1", ear.gateway.clock.now)
    for _ in range(3):
        answer = ear.gateway.desk.inbox.post(ReceiptsAndReplies(replies=(said, said)))
        assert answer.wait(120) is None  # type: ignore[union-attr] # there is room
    ear.gateway.settle()
    assert len(ear.kept()) == 1


SPOKEN = frozenset(
    (
        *("去", "我去", "马上去", "去过", "看过", "清", "已清", "清完", "都清", "办", "办好"),
        *("安排", "安排好", "修好", "行", "好", "可以", "收到"),
        *("去不", "不去", "去不成", "不行", "不能去", "没空", "坏"),
        *("没满", "没有满", "没火", "没有火", "没着火", "没事", "没有事", "没倒", "没坏"),
        *("没这回事", "没有这回事", "确实清", "误报"),
        *("打给我", "请打给我", "打给您", "要我们打给您", "回电", "请回电", "电", "请电"),
    )
)
"""All the words that are taken for an answer without a digit."""


@given(
    st.sampled_from(sorted(SPOKEN))
    | st.text()
    | st.binary().map(lambda raw: raw.decode("latin-1"))
    | st.text("0123 ０１２３。,\u3000", max_size=6)
)
def test_nobody_is_taken_at_a_word_that_they_did_not_say(text: str) -> None:
    kept = reply("aliyun", "1", MEI, text, MORNING)
    assert len(kept.text) <= LONGEST
    kept.text.encode()
    found = understand(kept.text)
    if found.meaning is not Meaning.UNCLEAR:
        signs = [sign for sign in unicodedata.normalize("NFKC", kept.text) if sign.isalnum()]
        digits = [sign for sign in signs if sign.isdigit()]
        assert len(digits) in (1, 3) or "".join(signs).removeprefix("回").rstrip("了的啦哦啊") in SPOKEN
