"""Two days of a small county with everything in play, the same in each run: what laws disturb and compare.

Uplinks, commands, answers, receipts, lists, timers, restarts and topic filters; nothing is judged here.
"""

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias

from msgspec.structs import asdict

from alerts.answers import receipt, reply
from alerts.channels import Message
from alerts.conditions.thresholds import ThresholdScope
from alerts.episodes.maintenance import Wish
from alerts.ledger.case import CaseCommand, Register
from alerts.notify.holds import TrialKind
from alerts.windows import Work
from gateway.commands.absences import ListAbsences, RecordAbsence
from gateway.commands.command import Command
from gateway.commands.episodes import EpisodeCommand, EpisodeVerb
from gateway.commands.extra_rounds import ListExtraRounds, OrderExtraRound
from gateway.commands.maintenance import DeclareWindow
from gateway.commands.quarantine import LookAgain
from gateway.commands.thresholds import SetFigure
from gateway.commands.trials import EndTrial
from gateway.commands.welcome import Welcome
from gateway.loop import JournalFilters
from gateway.requests import Housekeep, WatchRound
from gateway.watching.self_check import OverdueRows
from telemetry.reading import Sample, Values
from telemetry.wire import Uplink
from tests.strategies import wire_bytes, wire_form
from tests.telling_county import COUNTY, POLICY_FILES
from tests.telling_line import Hand, TellingLine

BEGIN: Final = 1_795_369_200_000
"""2026-11-23 01:40 in the county: a Monday, before every list."""
MINUTE, HOUR = 60_000, 3_600_000

Table: TypeAlias = list[tuple[Any, ...]]


@dataclass
class Lived:
    """What a run leaves behind."""

    tables: dict[str, Table] = field(default_factory=dict)
    sent: list[tuple[str, str, str]] = field(default_factory=list)
    answers: list[object] = field(default_factory=list)


class Story:
    """The same things happen in each run, at the same instants."""

    def __init__(self, folder: Path, hand: Hand) -> None:
        self.hand = hand
        self.lived = Lived()
        self._path = folder / "journal.db"
        self._seq: dict[str, int] = {}
        self.line = TellingLine(self._path, COUNTY, POLICY_FILES, hand, lambda _entry: None, self._asked)

    def run(self) -> Lived:
        """Two days of a county."""
        line, hand = self.line, self.hand
        self._say("s-pool", Values(distance_mm=300.0), Values(distance_mm=260.0), Values(distance_mm=240.0))
        line.live(hand.at_ms + 20 * MINUTE)
        self._say("s-pool", Values(distance_mm=230.0), Values(distance_mm=225.0))
        self._bring("s-pool", [Sample(7, 5_000, Values(distance_mm=220.0)), Sample(7, 7, Values(distance_mm=221.0))])
        self._bring("s-pool", [Sample(7, 9, Values(distance_mm=222.0)), Sample(7, 7, Values(distance_mm=221.0))])
        line.bring([Uplink(hand.at_ms, "cunjing/v1/xia/s-pool/telemetry", b"{")])
        for _ in range(2):
            self._say("m-works", Values(level_mm=1_450.0, flow_m3h=2.0), Values(level_mm=1_450.0, flow_m3h=2.0))
            self._say("s-far", Values(full_flag=1.0))
            self._say("s-round", Values(distance_mm=480.0))
            line.live(hand.at_ms + 10 * MINUTE)
        line.live(BEGIN + 7 * HOUR)  # the lists of half past six, seven, half past seven and eight
        self._order(RecordAbsence(person="cleaner", from_ms=hand.at_ms, until_ms=hand.at_ms + 5 * HOUR, by="office"))
        self._order(ListAbsences())
        self._order(
            OrderExtraRound(place="liutan", from_ms=hand.at_ms + 4 * HOUR, until_ms=hand.at_ms + 5 * HOUR, by="office")
        )
        self._order(ListExtraRounds())
        self._order(
            SetFigure(
                place=ThresholdScope.ASSET,
                name="far",
                rule="over_two_thirds",
                figure="raise_pct",
                value=70.0,
                by="office",
                reason="试",
            )
        )
        self._order(EndTrial(kind=TrialKind.ASSET, name="new", by="office"))
        self._order(Register(what="路边有垃圾", by="office", area="liutan", place="桥头", key="once"))
        work = Wish(Work.MAINTENANCE, "plant", 0, hand.at_ms + 2 * HOUR, "换泵")
        self._order(DeclareWindow(**asdict(work), by="office"))
        self._order(LookAgain(reason="not_json", by="office"))
        self._order(Welcome(("head", "leader")))
        self._order(EpisodeCommand(verb=EpisodeVerb.ACK, episode="overflow/nowhere/x", by="office"))
        for verb in (EpisodeVerb.DISPATCH, EpisodeVerb.ACK, EpisodeVerb.NOTE):
            for episode in list(line.pipeline.county.alerts):
                self._order(EpisodeCommand(verb=verb, episode=episode, by="office", reason="看过"))
        line.leap(hand.at_ms + 3 * MINUTE)
        taken = [each for provider in line.providers.values() for each in provider.taken]
        line.hear(
            receipts=[receipt(each.via, each.reference, delivered=True, at_ms=hand.at_ms) for each in taken[:4]],
            replies=[
                reply("one", f"r{number}", phone, text, hand.at_ms)
                for number, (phone, text) in enumerate(
                    [("13900000001", "1"), ("13900000003", "2"), ("13900000004", "在吗"), ("13955550000", "3")]
                )
            ],
        )
        self._order(Housekeep())
        self._order(WatchRound(OverdueRows()))
        line.live(hand.at_ms + 2 * HOUR)
        for low in (1_190.0, 1_185.0):
            self._say("s-pool", Values(distance_mm=low))
            self._say("s-pool", Values(distance_mm=low, temperature_c=75.0))
            line.live(hand.at_ms + 20 * MINUTE)
        line.end(HOUR)
        self._say("m-works", Values(level_mm=400.0, flow_m3h=2.0), Values(level_mm=400.0, flow_m3h=2.0))
        line.live(hand.at_ms + 10 * HOUR)
        JournalFilters(line._journal, None, line.pipeline.barrier).remember_filters(frozenset({"a/#", "b/+"}))
        line.end(5 * MINUTE)
        line.live(hand.at_ms + 8 * HOUR, most=200)
        line.close()
        self.lived.tables = _tables(self._path)
        return self.lived

    def _asked(self, message: Message) -> None:
        self.lived.sent.append((message.key, message.phone, message.text))

    def _order(self, wish: Command[object] | Register | CaseCommand) -> None:
        self.lived.answers.append(self.line.order(wish))

    def _say(self, device: str, *said: Values) -> None:
        for values in said:
            self._seq[device] = self._seq.get(device, 0) + 1
            self._bring(device, [Sample(1, self._seq[device], values)])

    def _bring(self, device: str, samples: list[Sample]) -> None:
        payload = wire_bytes([wire_form(sample) for sample in samples])
        self.line.bring([Uplink(self.hand.at_ms, f"cunjing/v1/xia/{device}/telemetry", payload)])


def _tables(path: Path) -> dict[str, Table]:
    with closing(sqlite3.connect(path)) as journal:
        found = journal.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'migration' ORDER BY name"
        )
        names = [name for (name,) in found]
        return {name: journal.execute(f"SELECT * FROM {name} ORDER BY 1, 2").fetchall() for name in names}  # noqa: S608 -- its own tables
