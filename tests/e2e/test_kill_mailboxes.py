"""SIGKILL at random instants while texts wait in mailboxes: each is in exactly one that left, or still waits (L1, L7).

The same mosquitto, processes and load as ``test_kill``, but with folding on. Looked at after each kill, not only at the
end: what a dead process leaves behind must account for everybody who is to be told.
"""

import json
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest

from alerts.notify.mailbox import unpack_box
from gateway.embedded_broker import Embedded
from tests.e2e.gateway_process import Installation, ShiftedClock, folded, offset_to
from tests.e2e.load import TOLD, Load
from tests.e2e.test_kill import SEED, Aim, Size, drain, kill_often, provider_calls, publishing, shown

pytestmark = [pytest.mark.e2e, pytest.mark.broker]

GRACE_S = 4
"""A mailbox that fell due while nobody was there waits for one interval after the start."""
DEFAULT = Size(kills=8, devices=200, rate=1_500)
DEEP = Size(kills=400, devices=600, rate=600)


class Whom(NamedTuple):
    """Somebody who is to be told of an episode."""

    episode: str
    person: str


class Accounts:
    """Where everybody stands who is to be told first of something, by one look at the journal."""

    def __init__(self, journal: Path, load: Load) -> None:
        village = {f"a-{sender.name}": sender.village for sender in load.senders}
        with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True, timeout=60)) as rows:
            rows.execute("BEGIN")  # one state of the journal for all of it
            raised = rows.execute("SELECT episode, rule, asset FROM event WHERE event = 'raised'").fetchall()
            texts = rows.execute(
                "SELECT episode, covers, recipient FROM notification WHERE kind IN ('first', 'digest')"
            ).fetchall()
            boxes = [unpack_box(blob) for (blob,) in rows.execute("SELECT blob FROM mailbox")]
            held = rows.execute(
                "SELECT episode, min(id) FROM event WHERE event = 'held' AND json_extract(detail, '$.until_ms') > 0"
                " AND json_extract(detail, '$.person') IS NULL GROUP BY episode"
            ).fetchall()
            cleared = rows.execute("SELECT episode, id FROM event WHERE event = 'cleared'").fetchall()
            unsaid = rows.execute(
                "SELECT episode, json_extract(detail, '$.person') FROM event"
                " WHERE event IN ('dropped', 'superseded', 'inhibited')"
            ).fetchall()
        self.expected = {
            Whom(episode, person.format(village=village[asset]))
            for episode, rule, asset in raised
            for person in TOLD[rule]
        }
        self.told = Counter(
            Whom(each, person)
            for episode, covers, person in texts
            for each in (json.loads(covers) if covers else (episode,))
        )
        self.waiting = Counter(Whom(each.episode, each.to) for box in boxes for each in box.pending)
        self.due = all(box.due_ms > 0 for box in boxes if box.pending)
        self.explained = {Whom(episode, person) for episode, person in unsaid if person}
        """Of whom a row says why they are not told, or not any more."""
        self.held = dict(held)
        """What its step waits for, before any mailbox: it came with a queue, and the queue may not be empty yet."""
        inhibited = {episode for episode, person in unsaid if not person}
        needless = {episode for episode, row in cleared if self.held.get(episode, row) < row}
        self.settled = inhibited | needless
        """What nobody has to hear: something worse explains it, or it was held and was over before it could be told."""

    @property
    def lost(self) -> set[Whom]:
        """Those who are nowhere, and of whom no row says why or until when; what is held is told in the end."""
        missing = self.expected - self.told.keys() - self.waiting.keys() - self.explained
        return {whom for whom in missing if whom.episode not in self.settled}

    def hold(self) -> None:
        """Nobody is forgotten and nobody is told twice."""
        twice = [whom for whom, count in (self.told + self.waiting).items() if count > 1]
        assert not twice, f"in two texts, or in one and a mailbox: {twice[:3]}"
        lost = [whom for whom in self.lost if whom.episode not in self.held]
        assert not lost, f"nowhere: {sorted(lost)[:3]}"
        assert self.due, "something waits for no time"


def run(folder: Path, broker: Embedded, size: Size, capsys: pytest.CaptureFixture[str]) -> None:
    offset_ms = offset_to(10)
    load = Load.of(Random(SEED), size.devices, size.kills, ShiftedClock(offset_ms).now_ms)
    load.interval_s = GRACE_S
    gateway = Installation(folder, broker, load.inventory(), offset_ms, telling=folded)
    with gateway.running():
        pass  # the broker knows our session from here on
    waited, sending = 0, Counter[str]()

    def look() -> None:
        nonlocal waited
        accounts = Accounts(gateway.journal, load)
        accounts.hold()
        waited += bool(accounts.waiting)
        sending.update(key for (key,) in gateway.rows("SELECT key FROM notification WHERE state = 'sending'"))

    def untold(gateway: Installation, load: Load) -> object:
        accounts = Accounts(gateway.journal, load)
        return accounts.waiting or accounts.lost

    def waits() -> bool:
        return bool(Accounts(gateway.journal, load).waiting)

    with publishing(broker, load, size.rate) as finish:
        kill_often(gateway.start, load, size, look, (Aim(waits), Aim()))
        finish()
    with gateway.running():
        drain(gateway, load, untold)
    last = Accounts(gateway.journal, load)
    last.hold()
    assert not last.waiting
    assert not last.lost
    doubles = (calls := provider_calls(gateway)) - Counter(calls.keys())
    assert all(count <= sending[key] for key, count in doubles.items()), "a double without a crash in between"
    unsent = gateway.rows("SELECT key, state FROM notification WHERE state NOT IN ('delivered', 'dropped')")
    assert unsent == []
    several = sum(len(covers) > 0 for (covers,) in gateway.rows("SELECT covers FROM notification"))
    shown(
        capsys,
        f"{size.kills} kills, {waited} while mailboxes waited; {len(last.expected)} to be told, {last.told.total()}"
        f" told in {calls.total()} calls ({several} of them for several), {doubles.total()} doubles",
    )
    assert several, "nothing was folded, so nothing was shown"
    assert waited >= size.kills // 3, f"too few kills met a mailbox\n{gateway.last_words()}"


def test_kills_while_texts_wait_lose_none_and_tell_nobody_twice(
    tmp_path: Path, mosquitto: Embedded, capsys: pytest.CaptureFixture[str]
) -> None:
    run(tmp_path, mosquitto, DEFAULT, capsys)


@pytest.mark.deep
def test_hundreds_of_kills_while_texts_wait(
    tmp_path: Path, mosquitto: Embedded, capsys: pytest.CaptureFixture[str]
) -> None:
    run(tmp_path, mosquitto, DEEP, capsys)
