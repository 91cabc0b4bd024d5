"""The ledger on the gateway's own line, over a real journal file and the virtual clock, through restarts."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from alerts.ledger.case import Case, CaseCommand, CaseVerb, Origin, Register, State
from alerts.model import Event, Owed
from alerts.notify.lists import LIST
from gateway import imports, shipped
from gateway.commands import cases, episodes
from gateway.commands.cases import CaseDone, UnknownCase
from gateway.commands.command import Done, NotPossible, UnknownPerson
from gateway.commands.episodes import EpisodeCommand, EpisodeVerb, obey
from gateway.journal.database import migrate, migrations
from gateway.journal.entry import Entry
from gateway.journal.ledger import LedgerReader, Wanted
from gateway.journal.retention import KEEP_CASES_MS
from gateway.journal.writer import Journal
from gateway.pipeline import case_row
from telemetry.wire import Uplink
from tests.gateway.journal.entries import LEAK, NOW_MS, full_entry
from tests.strategies import wire_bytes
from tests.telling_county import COUNTY as TOLD
from tests.telling_county import POLICY_FILES, START_MS
from tests.telling_line import Hand, TellingLine
from tests.virtual_line import VirtualLine

COUNTY: Final = imports.checked(Path(__file__).parents[1] / "golden" / "inventory" / "county.yaml")
MINUTE: Final = 60_000
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
BEGIN: Final = 1_795_312_800_000  # 2026-11-22 10:00 in Shanghai


class Scene:
    """A line, and a bin that fills and is emptied."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.line = VirtualLine(path, COUNTY, shipped.policy_files(), BEGIN)
        self._seq = 0

    def bin(self, at_ms: int, distance_mm: int) -> None:
        self._seq += 1
        sample = {"v": 1, "boot": 1, "seq": self._seq, "ts": at_ms, "readings": {"distance_mm": distance_mm}}
        self.line.take([Uplink(at_ms, "cunjing/v1/xiang/bin-0003/telemetry", wire_bytes(sample))])
        self.line.commit()

    def twice(self, at_ms: int, distance_mm: int) -> None:
        self.bin(at_ms, distance_mm)
        self.bin(at_ms + 20 * MINUTE, distance_mm)
        self.advance(at_ms + 20 * MINUTE)

    def ask(self, wish: Register | CaseCommand, at_ms: int) -> object:
        self.advance(at_ms)
        verdict = cases.ask(wish, self.line.pipeline, at_ms, self.line._journal.knows_case)
        self.advance(at_ms)
        return verdict

    def advance(self, now_ms: int) -> None:
        self.line.pipeline.advance(now_ms)
        self.line.commit()

    def cases(self) -> list[Case]:
        with closing(LedgerReader.open(self.path)) as reader:
            return [found.case for found in reversed(reader.find(Wanted(), 100))]

    def history(self, case: str) -> list[tuple[str, str, str]]:
        with closing(LedgerReader.open(self.path)) as reader:
            return [(line["deed"], line["by"], line["now"]) for line in reader.history(case)]


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path / "journal.db")


def said(scene: Scene, event: str) -> list[Event]:
    return [each for each in scene.line.said if isinstance(each, Event) and each.event == event]


def test_a_pool_over_two_thirds_is_a_case_from_its_raise_to_its_emptying(scene: Scene) -> None:
    scene.twice(BEGIN, 480)
    (case,) = scene.cases()
    assert (case.origin, case.rule, case.owner, case.state) == (
        Origin.TELEMETRY,
        "over_two_thirds",
        "cleaner-li",
        State.ASSIGNED,
    )
    start = CaseCommand(verb=CaseVerb.START, case=case.id, by="driver-tang", channel="api", origin="10.0.0.7")
    assert isinstance(scene.ask(start, BEGIN + HOUR), CaseDone)
    (alert,) = scene.line.pipeline.county.alerts.values()
    assert alert.acked_by == "driver-tang", "the chain of its episode stops"
    scene.twice(BEGIN + 2 * HOUR, 1_190)
    (case,) = scene.cases()
    assert case.state is State.VERIFIED
    scene.advance(BEGIN + 2 * HOUR + 20 * MINUTE + 7 * DAY)
    assert scene.history(case.id) == [
        ("raised", "", "open"),
        ("told", "", "assigned"),
        ("start", "driver-tang", "doing"),
        ("verified", "", "verified"),
        ("closed", "", "closed"),
    ]


def test_a_bin_that_is_given_to_somebody_else_relieves_the_one_before_through_a_restart(scene: Scene) -> None:
    scene.twice(BEGIN, 480)
    scene.line.restart(BEGIN + 30 * MINUTE)
    at_ms = BEGIN + HOUR
    scene.advance(at_ms)
    (alert,) = scene.line.pipeline.county.alerts.values()
    command = EpisodeCommand(verb=EpisodeVerb.DISPATCH, episode=alert.episode, by="dispatch-wu", to="cleaner-zhou")
    assert isinstance(obey(command, scene.line.pipeline.county, at_ms, scene.line.pipeline.changes), Done)
    scene.advance(at_ms)
    told = [(each.to, each.template) for each in scene.line.said if isinstance(each, Owed) and each.at_ms >= at_ms]
    assert told == [("cleaner-zhou", "over_two_thirds"), ("cleaner-li", "relieved")]
    (case,) = scene.cases()
    assert (case.owner, case.asked) == ("cleaner-zhou", ("cleaner-zhou",))
    scene.advance(at_ms + HOUR)
    assert [each.to for each in scene.line.said if isinstance(each, Owed) and each.template == "relieved"] == [
        "cleaner-li"
    ]


def test_what_is_deferred_is_quiet_until_then_however_short_an_acknowledgement_holds(scene: Scene) -> None:
    scene.twice(BEGIN, 480)
    (case,) = scene.cases()
    until_ms = BEGIN + 3 * DAY
    wish = CaseCommand(verb=CaseVerb.DEFER, case=case.id, by="dispatch-wu", reason="等车", until_ms=until_ms)
    assert isinstance(scene.ask(wish, BEGIN + HOUR), CaseDone)
    scene.advance(until_ms - 1)
    assert said(scene, "ack_expired") == []
    scene.advance(until_ms)
    assert [event.at_ms for event in said(scene, "ack_expired")] == [until_ms]


@pytest.mark.parametrize("restarts", [False, True])
def test_overdue_comes_at_its_second_whether_or_not_the_gateway_was_restarted(scene: Scene, *, restarts: bool) -> None:
    wish = Register(what="路边有垃圾", by="dispatch-wu", area="ytan", place="桥头", rule="litter")
    made = scene.ask(wish, BEGIN)
    assert isinstance(made, CaseDone)
    scene.ask(CaseCommand(verb=CaseVerb.ASSIGN, case=made.case.id, by="dispatch-wu", to="cleaner-li"), BEGIN)
    for hour in range(1, 30):
        if restarts:
            scene.line.restart(BEGIN + hour * HOUR - 1)
        scene.advance(BEGIN + hour * HOUR)
    (event,) = said(scene, "case_overdue")
    owed = [each for each in scene.line.said if isinstance(each, Owed) and each.rule != LIST]
    assert event.at_ms == BEGIN + DAY
    assert [(each.to, each.at_ms) for each in owed] == [("cleaner-li", BEGIN), ("sec-yang", BEGIN + DAY)]
    assert len({each.key for each in owed}) == 2


def test_a_restart_gives_no_number_twice_and_forgets_nothing(scene: Scene) -> None:
    wish = Register(what="垃圾", by="dispatch-wu", area="ytan")
    for number in range(3):
        scene.ask(wish, BEGIN + number)
        before = dict(scene.line.pipeline.ledger.cases)
        scene.line.restart(BEGIN + number)
        assert dict(scene.line.pipeline.ledger.cases) == before
    assert [case.id for case in scene.cases()] == [f"20261122-wushi-00{number}" for number in (1, 2, 3)]


def test_verdicts_say_who_and_what_is_not_known(scene: Scene) -> None:
    wish = Register(what="垃圾", by="nobody", area="ytan")
    assert scene.ask(wish, BEGIN) == UnknownPerson()
    close = CaseCommand(verb=CaseVerb.CLOSE, case="20261122-wushi-009", by="dispatch-wu")
    assert scene.ask(close, BEGIN) == UnknownCase(settled=False)
    made = scene.ask(Register(what="垃圾", by="dispatch-wu", area="ytan"), BEGIN)
    assert isinstance(made, CaseDone)
    early = scene.ask(CaseCommand(verb=CaseVerb.CLOSE, case=made.case.id, by="dispatch-wu"), BEGIN)
    assert isinstance(early, NotPossible)


def test_an_answer_of_the_owner_to_a_text_of_the_ledger_says_that_it_is_done(scene: Scene) -> None:
    made = scene.ask(Register(what="垃圾", by="dispatch-wu", area="ytan"), BEGIN)
    assert isinstance(made, CaseDone)
    name = made.case.id
    scene.ask(CaseCommand(verb=CaseVerb.ASSIGN, case=name, by="dispatch-wu", to="cleaner-li"), BEGIN)
    answers = [
        episodes.answer(
            EpisodeCommand(verb=EpisodeVerb.ACK, episode=name, by=by, channel="sms"), scene.line.pipeline, BEGIN + 1
        )
        for by in ("sec-yang", "cleaner-li", "cleaner-li")
    ]
    assert answers == [Done(BEGIN + 1, "unchanged"), Done(BEGIN + 1, "fixed"), Done(BEGIN + 1, "unchanged")]


def test_a_journal_of_the_version_before_takes_the_ledger_and_keeps_what_it_had(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as old:
        migrate(old, path, migrations()[:5])
        old.execute("INSERT INTO meta VALUES ('colour', 'green')")
    with closing(Journal.open(path)) as journal:
        entry = full_entry()
        journal.commit(Entry(cases=entry.cases, deeds=entry.deeds))
        restored = journal.restore()
    assert restored.meta["colour"] == "green"
    assert [row.id for row in restored.cases] == [LEAK.id]
    assert restored.case_numbers == {("20261122", "qingshi"): 1}


def test_a_line_of_a_history_is_never_changed_and_goes_with_its_case_after_three_years(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    entry = full_entry()
    with closing(Journal.open(path)) as journal:
        journal.commit(Entry(cases=entry.cases, deeds=entry.deeds))
        with pytest.raises(sqlite3.IntegrityError, match="never changed"):
            journal._connection.execute("UPDATE ledger_deed SET by = 'somebody'")
        assert journal.expire(NOW_MS + 9 * KEEP_CASES_MS, 14).cases == 0, "an open case stays for ever"
        row = case_row(LEAK)
        over = {
            LEAK.id: type(row)(**{**{f: getattr(row, f) for f in row.__slots__}, "settled": True, "closed_ms": NOW_MS})
        }
        journal.commit(Entry(cases=over))
        assert journal.expire(NOW_MS + KEEP_CASES_MS, 14).cases == 0
        assert journal.expire(NOW_MS + KEEP_CASES_MS + 1, 14).cases == 1
        assert journal._connection.execute("SELECT count(*) FROM ledger_deed").fetchone() == (0,)


def test_a_start_ends_no_case_of_a_radio_gateway_that_is_there(tmp_path: Path) -> None:
    line = TellingLine(
        tmp_path / "j.db", TOLD, POLICY_FILES, Hand(START_MS), lambda _entry: None, lambda _message: None
    )
    with closing(line):
        line.live(START_MS + 3 * HOUR)
        before = {case.what: case.state for case in line.pipeline.ledger.cases.values()}
        assert "网关断了" in before
        line.kill(0)
        assert {case.what: case.state for case in line.pipeline.ledger.cases.values()} == before
