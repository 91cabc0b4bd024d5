"""Plays a scenario on the virtual clock, through the gateway's own line, and says what came of it line by line.

Nothing is judged here; the same scenario is played with extra ticks, redelivery and restarts by the caller's wish.
"""

import json
from dataclasses import dataclass, field
from difflib import unified_diff
from pathlib import Path
from typing import Final

import yaml
from msgspec.structs import asdict, replace

from alerts import windows
from alerts.build import PolicyFiles
from alerts.episodes import maintenance
from alerts.episodes.maintenance import Wish
from alerts.episodes.responses import LONGEST_GRACE_MS
from alerts.model import PRINTED, Event, Owed
from alerts.notify.holds import TrialKind
from gateway import start
from gateway.commands.absences import AbsenceDone, EndAbsence, RecordAbsence
from gateway.commands.command import Done, NotPossible
from gateway.commands.episodes import EpisodeCommand, EpisodeVerb, obey
from gateway.commands.extra_rounds import CancelExtraRound, ExtraDone, OrderExtraRound
from gateway.commands.maintenance import DeclareWindow, EndWindow, WindowDone
from gateway.commands.trials import EndTrial
from gateway.journal.entry import AlertRow, CaseRow, Entry
from gateway.journal.marks import PackedUpTo
from gateway.journal.restore import Restored
from gateway.pipeline import BUG, Pipeline
from gateway.replay import Memory
from telemetry.reading import Millis, Reading
from telemetry.wire import Uplink
from tests.acting import do
from tests.scenario_file import (
    Absent,
    Ack,
    Action,
    Deaf,
    Dispatch,
    Down,
    ExtraRound,
    Line,
    Listen,
    Moment,
    NoExtraRound,
    NoWork,
    Present,
    Reset,
    Restart,
    Scenario,
    Shelve,
    TrialEnd,
    Work,
)

ROOT: Final = Path(__file__).parents[1]
MINUTE: Final = 60_000
MOST_RESTARTS: Final = 20
"""In a long scenario they are further apart: each reads all the configuration again."""


def policy_files(rules: str = "", *, lists: bool = False) -> PolicyFiles:
    """The policy files that the house ships, with a scenario's own rules, and without lists unless it is about them."""
    config = ROOT / "config"
    shipped = config / "rules.yaml"
    escalation = (config / "escalation.yaml").read_text(encoding="utf-8")
    return PolicyFiles(
        rules or (shipped.read_text(encoding="utf-8") if shipped.exists() else ""),
        escalation if lists else yaml.safe_dump({**yaml.safe_load(escalation), "lists": {}}),
        (config / "texts.zh-CN.yaml").read_text(encoding="utf-8"),
    )


@dataclass
class ListJournal:
    """What the journal would give back at a start, kept as it would be: states only of assets that moved."""

    memory: Memory = field(default_factory=Memory)
    readings: list[Reading] = field(default_factory=list)
    states: dict[str, PackedUpTo] = field(default_factory=dict)
    alerts: dict[str, AlertRow] = field(default_factory=dict)
    mailboxes: dict[str, bytes] = field(default_factory=dict)
    meta: dict[str, str] = field(default_factory=dict)
    cases: dict[str, CaseRow] = field(default_factory=dict)
    known: dict[str, Millis] = field(default_factory=dict)
    tracks: dict[str, PackedUpTo] = field(default_factory=dict)
    position: int = 0
    said: list[Event] = field(default_factory=list)
    owed: list[Owed] = field(default_factory=list)

    def commit(self, entry: Entry) -> None:
        bugs = [row.detail for row in entry.quarantined if row.reason == BUG]
        assert bugs == [], "our own mistake"
        self.memory.keep(entry)
        self.readings += entry.readings
        self.states |= {asset: PackedUpTo(len(self.readings), blob) for asset, blob in entry.states.items()}
        self.tracks |= {device: PackedUpTo(len(self.readings), blob) for device, blob in entry.tracks.items()}
        self.alerts |= entry.alerts
        self.mailboxes |= entry.mailboxes
        self.meta |= entry.meta
        self.cases |= entry.cases
        for device, known_ms in entry.known.items():
            self.known.setdefault(device, known_ms)

    def snapshot(self, pipeline: Pipeline) -> None:
        """Everything that is remembered, as the gateway lays it down now and then."""
        whole = pipeline.snapshot()
        self.position = len(self.readings)
        self.states = {asset: PackedUpTo(self.position, blob) for asset, blob in whole.states.items()}
        self.tracks = {device: PackedUpTo(self.position, blob) for device, blob in whole.tracks.items()}

    def restored(self) -> Restored:
        unsettled = [row for row in self.alerts.values() if not row.settled]
        return Restored(
            known=dict(self.known),
            heartbeat_ms=None,
            ruleset="",
            snapshot_position=self.position,
            last_reading_id=len(self.readings),
            states=dict(self.states),
            tracks=dict(self.tracks),
            open_alerts=sorted(unsettled, key=lambda row: (row.raised_ms, row.episode)),
            meta=dict(self.meta),
            inventory=None,
            mailboxes=[self.mailboxes[phone] for phone in sorted(self.mailboxes)],
            tail=iter(enumerate(self.readings[self.position :], self.position + 1)),
            cases=[row for row in self.cases.values() if not row.settled],
            case_numbers={(row.day, row.town): row.in_day for row in self.cases.values()},
        )


@dataclass(frozen=True)
class Variation:
    """How a scenario is played besides as it is written; none of it may change what is printed."""

    tick_every_ms: Millis = 0
    redelivered: bool = False
    restart_every: int = 0


AS_WRITTEN: Final = Variation()


class Play:
    """One run of a scenario."""

    def __init__(self, scenario: Scenario, variation: Variation = AS_WRITTEN) -> None:
        self._scenario = scenario
        self._variation = variation
        self._policy_files = policy_files(scenario.rules, lists=scenario.lists)
        self._journal = ListJournal()
        self._lines: list[tuple[str, str, bool]] = []
        self._keys: list[str] = []
        self._now_ms = scenario.start_ms
        self._deaf_since_ms: Millis | None = None
        self._grace_ms = scenario.start_ms
        self._pipeline = start.anew(scenario.inventory, self._policy_files, self._journal.memory, scenario.start_ms)
        self._pipeline.county.listen(scenario.start_ms, None, self._pipeline.changes, started=True)

    def run(self) -> "Play":
        """Everything in its order, up to the end.

        A restart of no length can neither be deaf nor have a grace of its own, so none is put into either.
        """
        every = self._variation.restart_every and max(
            self._variation.restart_every, len(self._scenario.moments) // MOST_RESTARTS
        )
        for number, moment in enumerate(self._scenario.moments):
            self._pass(moment.at_ms)
            if every and number % every == 0 and self._deaf_since_ms is None and moment.at_ms >= self._grace_ms:
                self._restart(moment.at_ms)
            self._do(moment)
            self._commit()
        self._pass(self._scenario.until_ms)
        self._advance(self._scenario.until_ms)
        return self

    def printed(self) -> list[tuple[str, str]]:
        """Each printed event as a line of a scenario file, with its text or detail."""
        return [(line, words) for line, words, printed in self._lines if printed]

    def everything(self) -> list[tuple[str, str]]:
        """Printed or not."""
        return [(line, words) for line, words, _ in self._lines]

    def owed(self) -> list[Owed]:
        """Every message owed."""
        return self._journal.owed

    def mailboxes(self) -> list[bytes]:
        """Every number's mailbox at the end, as the journal has it."""
        return list(self._journal.mailboxes.values())

    def events(self) -> list[Event]:
        """Every other event."""
        return self._journal.said

    def _pass(self, to_ms: Millis) -> None:
        """Time goes by; only what the variation adds is told of it."""
        every = self._variation.tick_every_ms
        while every and self._now_ms + every < to_ms:
            self._now_ms += every
            self._advance(self._now_ms)
        self._now_ms = max(self._now_ms, to_ms)

    def _do(self, moment: Moment) -> None:
        at_ms, action, county = moment.at_ms, moment.action, self._pipeline.county
        if isinstance(action, Uplink):
            self._pipeline.take(action)
            if self._variation.redelivered:
                self._pipeline.take(action)
            return
        self._advance(at_ms)
        match action:
            case Restart():
                self._restart(at_ms)
            case Deaf():
                county.deafen()
                self._deaf_since_ms = at_ms
            case Listen():
                county.listen(at_ms, self._deaf_since_ms, self._pipeline.changes, started=False)
                self._deaf_since_ms = None
                self._grace_ms = at_ms + LONGEST_GRACE_MS
            case Down(up_ms):
                self._restart(up_ms, deaf_since_ms=at_ms)
                self._now_ms = up_ms
                self._grace_ms = up_ms + LONGEST_GRACE_MS
            case _:
                self._wish(action, at_ms)

    def _wish(self, action: Action, at_ms: Millis) -> None:
        """What a person wants, by the way that the gateway takes."""
        match action:
            case Ack() | Reset() | Shelve() | Dispatch():
                self._obey(action, at_ms)
            case TrialEnd(kind, name, by):
                wish = EndTrial(kind=TrialKind(kind), name=name, by=by, channel="api")
                verdict = do(wish, self._pipeline, at_ms)
                assert isinstance(verdict, Done | NotPossible), verdict
            case Work() | NoWork():
                self._work(action, at_ms)
            case Absent() | Present():
                self._roster(action, at_ms)
            case ExtraRound() | NoExtraRound():
                self._round(action, at_ms)

    def _obey(self, wish: Ack | Reset | Shelve | Dispatch, at_ms: Millis) -> None:
        """What a person wants, by the way that every command takes."""
        command = EpisodeCommand(
            verb=EpisodeVerb.ACK, episode=self._episode(wish.rule, wish.asset), by=wish.by, channel="api"
        )
        match wish:
            case Reset():
                command = replace(command, verb=EpisodeVerb.RESET)
            case Shelve(hours=hours):
                until_ms = at_ms + round(hours * 3_600_000)
                verb = EpisodeVerb.SHELVE if hours else EpisodeVerb.UNSHELVE
                command = replace(command, verb=verb, reason="等车", until_ms=until_ms)
            case Dispatch(to=to):
                command = replace(command, verb=EpisodeVerb.DISPATCH, to="" if to == "-" else to)
        verdict = obey(command, self._pipeline.county, at_ms, self._pipeline.changes)
        assert isinstance(verdict, Done | NotPossible), verdict

    def _work(self, wish: Work | NoWork, at_ms: Millis) -> None:
        """Work declared or ended, by the way that the gateway takes."""
        asked: DeclareWindow | EndWindow
        if isinstance(wish, Work):
            from_ms = at_ms + wish.after_ms
            window = Wish(windows.Work(wish.kind), wish.subject, from_ms, from_ms + wish.lasts_ms, "换泵")
            asked = DeclareWindow(**asdict(window), by=wish.by, channel="api", origin="127.0.0.1")
        else:
            standing = maintenance.standing(self._pipeline.county)
            name = next(name for name, each in standing.items() if each.window.subject == wish.subject)
            asked = EndWindow(window=name, by=wish.by, channel="api")
        verdict = do(asked, self._pipeline, at_ms)
        assert isinstance(verdict, WindowDone | NotPossible), verdict

    def _roster(self, wish: Absent | Present, at_ms: Millis) -> None:
        """What the dispatcher writes down of who is away, by the way that every such wish takes."""
        by = self._dispatcher()
        if isinstance(wish, Absent):
            asked: RecordAbsence | EndAbsence = RecordAbsence(
                person=wish.person, stand_in=wish.stand_in, from_ms=at_ms, until_ms=wish.until_ms, by=by, channel="cli"
            )
        else:
            absence = self._pipeline.absences.of(wish.person, at_ms)
            assert absence is not None, f"{wish.person} is not away"
            asked = EndAbsence(absence=absence.id, by=by, channel="cli")
        verdict = do(asked, self._pipeline, at_ms)
        assert isinstance(verdict, AbsenceDone), verdict

    def _round(self, wish: ExtraRound | NoExtraRound, at_ms: Millis) -> None:
        """The same of extra rounds."""
        by = self._dispatcher()
        if isinstance(wish, ExtraRound):
            asked: OrderExtraRound | CancelExtraRound = OrderExtraRound(
                place=wish.place, from_ms=wish.from_ms, until_ms=wish.until_ms, by=by
            )
        else:
            extra = next(each.id for each in self._pipeline.extras.list_current(at_ms) if each.place == wish.place)
            asked = CancelExtraRound(extra=extra, by=by)
        verdict = do(asked, self._pipeline, at_ms)
        assert isinstance(verdict, ExtraDone), verdict

    def _dispatcher(self) -> str:
        people = self._scenario.inventory.people.values()
        return next(person.id for person in people if person.duties[0].role == "dispatcher")

    def _restart(self, at_ms: Millis, deaf_since_ms: Millis | None = None) -> None:
        if deaf_since_ms is None:
            self._advance(at_ms)
        scenario, journal = self._scenario, self._journal
        self._pipeline = start.resumed(
            scenario.inventory, self._policy_files, journal.memory, journal.restored(), at_ms
        )
        self._pipeline.county.listen(at_ms, deaf_since_ms, self._pipeline.changes, started=True)
        self._commit()
        journal.snapshot(self._pipeline)

    def _episode(self, rule: str, asset: str) -> str:
        """The newest of a rule on an asset; it may be over, for people press a button a moment late."""
        rows = [row for row in self._journal.alerts.values() if (row.rule, row.asset) == (rule, asset)]
        return max(rows, key=lambda row: row.raised_ms).episode

    def _advance(self, now_ms: Millis) -> None:
        self._pipeline.advance(now_ms)
        self._commit()

    def _commit(self) -> None:
        log = self._pipeline.changes.log
        self._lines += [self._line(said) for said in log]
        self._journal.owed += [said for said in log if isinstance(said, Owed)]
        self._journal.said += [said for said in log if isinstance(said, Event)]
        entry, _ = self._pipeline.finish()
        self._journal.commit(entry)

    def _line(self, said: Event | Owed) -> tuple[str, str, bool]:
        at = self._scenario.shown(said.at_ms)
        if isinstance(said, Owed):
            place = f"{said.kind}.{said.step}" + (f".{said.repeat}" if said.repeat else "")
            return f"{at} owed {said.rule} {said.asset} {place} {said.to}", said.text, True
        detail = said.detail or {}
        last = said.severity if said.event == "raised" else detail.get("by") or detail.get("reason") or detail.get("to")
        told = str(last).partition("/")[0] if isinstance(last, str) else ""
        line = " ".join(part for part in (at, said.event, said.rule, said.asset, told) if part)
        return line, json.dumps(detail, ensure_ascii=False), said.event in PRINTED


def differences(expected: tuple[Line, ...], printed: list[tuple[str, str]]) -> str:
    """What is missing, what is too much and which words are not there; nothing if all is as expected."""
    wanted, found = [line.said for line in expected], [line for line, _ in printed]
    if wanted != found:
        return "\n".join(unified_diff(wanted, found, "expected", "printed", lineterm="", n=99))
    return "\n".join(
        f"{line.said}: {fragment!r} is not in {words!r}"
        for line, (_, words) in zip(expected, printed, strict=True)
        for fragment in line.fragments
        if fragment not in words
    )
