"""The straight line of one uplink: decode, drop repeats, time it, step the county, lay it into an entry.

What became of it as rows of the journal stands first. Nothing else: no socket, no disk, no clock. Around each uplink
and each timer stands the barrier: what fails there has changed nothing, an uplink is quarantined, and the stream goes
on.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple, Protocol, TypeVar

import msgspec
from msgspec.structs import replace

from alerts.alert import Alert, pack_alert
from alerts.build import Assembled
from alerts.calendars import Calendar
from alerts.conditions.state import pack
from alerts.conditions.traffic import LARGE
from alerts.delivery.delivery import Nights
from alerts.episodes.county import Changes
from alerts.episodes.decide import Trouble
from alerts.episodes.rehearsal import Foreseen
from alerts.episodes.responses import Deed
from alerts.ledger.case import Case, pack_case
from alerts.ledger.opening import numbered
from alerts.model import Event, Owed, Refused
from alerts.notify.lists import Crossing
from alerts.notify.mailbox import pack_box
from alerts.notify.pending import addressed
from alerts.timers import NEVER
from alerts.undo import Undoable, UndoDict, UndoLog, UndoSet
from gateway.barrier import Barrier
from gateway.clock import Deafness
from gateway.journal.entry import AlertRow, AnomalyKind, CaseRow, Entry, Quarantined, SignOfLife, Snapshot
from gateway.throttle import Throttle
from gateway.tracks import UNTRACKED, Counted, Frames, Track, counted, pack_track
from telemetry import clock, sequence
from telemetry.inventory import Inventory
from telemetry.reading import Millis, Reading, RefusedValue, Sample
from telemetry.sequence import EPOCH, SeqVerdict, SeqWindows
from telemetry.wire import Address, Ignored, Reason, Rejected, Resolver, Samples, Status, Traffic, Uplink, decode


def alert_row(alert: Alert) -> AlertRow:
    """An episode as the journal keeps it."""
    return AlertRow(
        alert.episode,
        alert.rule,
        alert.asset,
        alert.device,
        alert.severity,
        alert.raised_ms,
        alert.closed_ms or None,
        pack_alert(alert),
        settled=bool(alert.closed_ms and not alert.wake_ms),
    )


def case_row(case: Case) -> CaseRow:
    """A case as the journal keeps it."""
    (day, town), in_day = numbered(case.id)
    return CaseRow(
        id=case.id,
        town=town,
        day=day,
        in_day=in_day,
        state=case.state,
        origin=case.origin,
        rule=case.rule,
        severity=case.severity,
        asset=case.asset,
        within=f"/{'/'.join(case.within)}/",
        place=case.place,
        what=case.what,
        owner=case.owner,
        caller=f"{case.caller_name} {case.caller_phone}".strip(),
        episode=case.episode,
        opened_ms=case.opened_ms,
        deadline_ms=case.deadline_ms,
        closed_ms=case.closed_ms,
        blob=pack_case(case),
        settled=case.settled,
    )


def owed_event(owed: Owed) -> Event:
    """The row that says that somebody is to be told (law L9); the words are in the notification."""
    return Event(
        at_ms=owed.at_ms,
        event="owed",
        rule=owed.rule,
        asset=owed.asset,
        episode=owed.episode,
        severity=owed.severity,
        detail={"kind": owed.kind, "step": owed.step, "repeat": owed.repeat, "to": owed.to},
    )


K = TypeVar("K")

BUG: Final = "bug"
BEGINNING_BYTES: Final = 4_096
"""So much is kept in quarantine of what is too large to be read: enough to see who sent what."""
LISTED: Final = "listed"
"""The small mark that says which lists were dealt with."""
UNSETTLED: Final = "unsettled_until"
"""The small mark that says until when nothing is let go, since the time of day may be wrong."""
LIST_KEEPS_MS: Final = 3_600_000


class Archive(Frames, Protocol):
    """Where a sample is looked for that is older than its window, and a frame whose count was there before."""

    def crossings(self, since_ms: Millis) -> list[Crossing]:
        """The times that bins were over two thirds and that ended since then, or have not."""


_NO_NUMBERS: Final = frozenset({"_undo", "floods"})
"""What else is in a tally; floods are named in the log."""


def _count(counts: dict[K, int], key: K) -> None:
    counts[key] = counts.get(key, 0) + 1


class Tally(Undoable):
    """What became of one batch, for the metrics: each number under the name that its metric has there.

    Whatever is added here is counted, and keeps a tally from being empty, without being named anywhere else.
    """

    def __init__(self, undo: UndoLog) -> None:
        super().__init__(undo)
        self.duplicates = 0
        self.unknown_keys = 0
        self.partial = 0
        self.restarted = 0
        self.refused: dict[str, int] = UndoDict(undo)
        self.ignored: dict[str, int] = UndoDict(undo)
        self.refused_values: dict[tuple[str, str], int] = UndoDict(undo)
        """By what was refused and why."""
        self.floods: tuple[str, ...] = ()
        """Devices, and topics of strangers, that have come above their share of the hour."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to count."""
        return not self.floods and not any(counted for _, counted in self.counts())

    def counts(self) -> Iterator[tuple[str, int | Mapping[Any, int]]]:
        """Every number, or numbers by their labels, with its name."""
        return ((name, said) for name, said in vars(self).items() if name not in _NO_NUMBERS)


class StartingPoint(NamedTuple):
    """What a line begins with. Entry and changes hold what its start has to have written with the first commit."""

    entry: Entry
    changes: Changes
    listed_ms: Millis
    """The instant of the last list that was dealt with."""
    begun_ms: Millis = 0
    """When this process began."""
    tracks: Mapping[str, Track] = MappingProxyType({})
    calls: bool = False
    """Whether anybody can be called."""


class Pipeline(Undoable):
    """Uplinks and instants in, one entry for the journal out. The county and the tracks are its own.

    Nothing is set into it from outside. Whoever acts within a turn fills its entry and its changes, and tells it the
    rest by a method.
    """

    def __init__(
        self, directory: Resolver, made: Assembled, archive: Archive, barrier: Barrier, begins: StartingPoint
    ) -> None:
        super().__init__(made.undo)
        self.barrier: Final = barrier
        self.county: Final = made.county
        self.ledger: Final = made.ledger
        self.trials: Final = made.trials
        self.absences: Final = made.absences
        self.extras: Final = made.extras
        self.callers: Final = made.callers
        self.thresholds: Final = made.thresholds
        self._lists = made.lists
        self._listing_ms = made.lists.next_ms(begins.listed_ms) or NEVER
        self.tracks: Final[UndoDict[str, Track]] = UndoDict(made.undo, begins.tracks)
        self.changes: Final = begins.changes
        self.entry: Final = begins.entry
        self.tally = Tally(made.undo)
        self.throttle: Final = Throttle(made.county, made.undo)
        self.directory: Final = directory
        self._archive = archive
        self._below: set[tuple[str, int, int]] = UndoSet(made.undo)
        self._calls = begins.calls
        self._claimed: Mapping[str, object] = MappingProxyType({})
        self._sampled: Callable[[Reading], None] = lambda _reading: None
        self.past_changed = False
        """Whether something of the past was taken in, so that no start may step through it as if it came now."""
        self._heard = 0
        self._begun_ms = begins.begun_ms

    @property
    def inventory(self) -> Inventory:
        """The county's."""
        return self.county.inventory

    @property
    def calendar(self) -> Calendar:
        """The county's, with its extra rounds; there is no other."""
        return self._lists.calendar

    @property
    def undo(self) -> UndoLog:
        """What takes back all that an input has changed; whoever remembers something beside the county uses it too."""
        return self._undo

    def follow_claims(self, claimed: Mapping[str, object], sampled: Callable[[Reading], None]) -> None:
        """Of an asset that somebody has ``claimed`` to have seen to, each usable sample is shown to ``sampled``."""
        self._claimed, self._sampled = claimed, sampled

    def take(self, uplink: Uplink) -> None:
        """One uplink, whatever it is: afterwards it is readings, a duplicate, a status, ignored, or in quarantine."""
        self.advance(uplink.received_ms)
        self.barrier.attempt(self._take, self.set_aside, uplink.topic, uplink)

    def set_aside(self, uplink: Uplink, bug: Exception) -> None:
        """An uplink that failed by our own mistake: all of it is in quarantine, and nothing of it anywhere else."""
        self._refuse(uplink, Rejected(BUG, f"{type(bug).__name__}: {bug}"))

    def _take(self, uplink: Uplink) -> None:
        said = decode(uplink, self.directory)
        match said:
            case Samples():
                self._measure(uplink, said)
            case Rejected():
                self._refuse(uplink, said)
            case Status():
                if len(uplink.payload) >= LARGE:
                    self.throttle.count(uplink, said.device, self.changes)
                self._note_refused(said.device, said.refused, uplink.received_ms)
                self.entry.statuses.append((said, uplink.received_ms))
            case Ignored():
                self._ignore(uplink, said)

    def advance(self, now_ms: Millis) -> None:
        """Everything that time alone makes due by now, each for itself: what fails there is not due again.

        Lists, county and ledger in turn, instant by instant, so that what is said stands in its order (law L4).
        """
        if self._heard < len(self.changes.log):
            self.follow()
        while (due_ms := self._earliest_ms()) <= now_ms:
            self._advance_to(due_ms)

    def _advance_to(self, due_ms: Millis) -> None:
        """Everything that is due at this instant, one thing after the other."""
        attempt, changes = self.barrier.attempt, self.changes
        if self._listing_ms <= due_ms:
            attempt(lambda: self._list(due_ms), lambda _: self._pass_list(due_ms), "a list")

        def ring_county() -> bool:
            rang = self.county.ring(due_ms, changes)
            self.follow()
            return rang

        def skip_county(_bug: Exception) -> bool:
            self.county.skip(due_ms)
            return True

        def ring_ledger() -> bool:
            rang = self.ledger.ring(due_ms, changes.log)
            self.follow()
            return rang

        def skip_ledger(_bug: Exception) -> bool:
            self.ledger.skip(due_ms)
            return True

        while attempt(ring_county, skip_county, "a timer of the county"):
            pass
        while attempt(ring_ledger, skip_ledger, "a timer of the ledger"):
            pass

    def oversleep(self, deaf: Deafness) -> None:
        """Nobody listened for a while, or the clock was set forward: as after a downtime, and so for every receipt."""
        self.county.oversleep(deaf.since_ms, deaf.at_ms, self.changes)
        self.entry.excused = (deaf.since_ms, deaf.at_ms)
        if deaf.moved_ms:
            for device, track in list(self.tracks.items()):
                self.tracks[device] = Track(track.windows, clock.stepped(track.clock, deaf.moved_ms))

    def next_deadline(self) -> Millis | None:
        """When ``advance`` may next have something to do; early is harmless."""
        due_ms = self._earliest_ms()
        return None if due_ms == NEVER else due_ms

    def _earliest_ms(self) -> Millis:
        return min(self.county.timers.earliest_ms, self.ledger.timers.earliest_ms, self._listing_ms)

    def foresee(self, rule: str, asset: str, at_ms: Millis, *, first: bool = False) -> Foreseen | Refused:
        """Who would be told, and when, if a rule stood on an asset from then on; see ``County.foresee``."""
        return self.county.foresee(rule, asset, at_ms, self._lists, first=first)

    def by_day(self, at_ms: Millis) -> Millis:
        """The first instant from then on that is not of the night."""
        holds = self._lists.holds
        return holds.calendar.next_time(at_ms, holds.policies.morning) if holds.is_night(at_ms) else at_ms

    @property
    def nights(self) -> Nights:
        """When the county sleeps; the courier asks."""
        holds = self._lists.holds
        return Nights(holds.calendar, holds.policies.quiet, holds.policies.morning)

    def _list(self, now_ms: Millis) -> None:
        """The lists that are due by now; one whose hour passed while we could not hear is of no use any more."""
        since_ms = self.county.hearing_since_ms
        since_ms = self._begun_ms if since_ms == NEVER else since_ms  # a start while the broker is away
        due_ms, oldest_ms = self._pass_list(now_ms), since_ms - LIST_KEEPS_MS
        if due_ms >= oldest_ms:
            self.county.post([*self._lists.made(due_ms, now_ms, self.county, self._archive.crossings)], self.changes)
        else:
            self._listing_ms = self._lists.next_ms(oldest_ms - 1) or NEVER  # all the days that nobody saw, at once

    def _pass_list(self, now_ms: Millis) -> Millis:
        """The list that is due by now is dealt with; answers when it was due."""
        due_ms = min(self._listing_ms, now_ms)
        self._listing_ms = self._lists.next_ms(due_ms) or NEVER
        self.keep(LISTED, due_ms)
        return due_ms

    def follow(self) -> None:
        """The ledger hears what the county has said since it last did; called wherever something may have been said."""
        log = self.changes.log
        while self._heard < len(log):
            said = log[self._heard]
            self.barrier.attempt(self.ledger.hear, lambda *_: None, "a case", said)
            self._heard += 1

    def finish(self) -> tuple[Entry, Tally]:
        """The entry of everything since the last call, and a fresh start."""
        self.follow()
        entry = self.entry.take(self._undo)
        if self._below:
            self._below = UndoSet(self._undo)
        for sign in entry.signs_of_life:
            entry.tracks[sign.device] = pack_track(self.tracks[sign.device])
        if not self.changes.is_empty:  # as after nearly every uplink
            self._write(self.changes.take(), entry)
            self._heard = 0
        floods = self.throttle.write(entry)
        written = self.ledger.take()
        for name, case in written.cases.items():
            entry.cases[name] = case_row(case)
        entry.deeds += written.deeds
        return entry, self._counted(floods)

    def _write(self, changes: Changes, entry: Entry) -> None:
        """What the county has become and said."""
        for asset in changes.moved:
            entry.states[asset] = pack(self.county.plans[asset], self.county.states[asset])
        for alert in changes.alerts.values():
            entry.alerts[alert.episode] = alert_row(alert)
        entry.mailboxes.update({phone: pack_box(box) for phone, box in changes.boxes.items()})
        for asset in changes.foretold:
            if (found := self.county.forecast(asset)) is not None:
                entry.forecasts[asset] = found
        for said in self._addressed(changes.log):
            if isinstance(said, Owed):
                entry.owed.append(said)
                entry.events.append(owed_event(said))
            else:
                entry.events.append(said)

    def _counted(self, floods: tuple[str, ...]) -> Tally:
        """What there is to count; the tally goes on being filled where there is nothing, as nearly always."""
        tally = self.tally
        if floods:
            tally.floods = floods
        if not tally.is_empty:
            self.tally = Tally(self._undo)
        return tally

    def list_said(self) -> list[Event | Owed]:
        """Everything said since the last entry, each message as it reaches its person."""
        return list(self._addressed(self.changes.log))

    def _addressed(self, log: Iterable[Event | Owed]) -> Iterator[Event | Owed]:
        county = self.county
        for said in log:
            if isinstance(said, Owed):
                yield from addressed(said, county.inventory, county.message_writer.texts, calls=self._calls)
            else:
                yield said

    def say(self, *said: Event | Owed) -> None:
        """What whoever acts within a turn has to say, beside what the county says of itself."""
        self.changes.log.extend(said)

    def keep(self, mark: str, what: object) -> None:
        """Has a small mark of the journal keep something over a restart."""
        self.entry.meta[mark] = msgspec.json.encode(what).decode()

    def beat(self, at_ms: Millis) -> None:
        """Devices are heard at this instant; a downtime counts from the last one that is durable."""
        self.entry.heartbeat_ms = at_ms

    def respond(self, episode: str, deed: Deed, at_ms: Millis) -> Refused | None:
        """See ``County.respond``."""
        return self.county.respond(episode, deed, at_ms, self.changes)

    def watch(self, trouble: Trouble, at_ms: Millis) -> None:
        """See ``County.watch``."""
        self.county.watch(trouble, at_ms, self.changes)

    def change_past(self) -> None:
        """Something of the past is about to be taken in: the next commit takes a snapshot with it."""
        self.past_changed = True

    def file(self, quarantined: Iterable[Quarantined]) -> None:
        """Keeps aside what others after the line could not take."""
        for each in quarantined:
            _count(self.tally.refused, each.reason)
            self.entry.quarantined.append(each)

    def snapshot(self) -> Snapshot:
        """Everything that is remembered, so that a start need not read further back."""
        county = self.county
        states = {asset: pack(county.plans[asset], state) for asset, state in county.states.items()}
        tracks = {device: pack_track(track) for device, track in self.tracks.items()}
        self.past_changed = False
        return Snapshot(states, tracks, self.thresholds.rules.version)

    def _measure(self, uplink: Uplink, said: Samples) -> None:
        device = self.county.inventory.devices[said.device]
        track = self.tracks.get(device.id, UNTRACKED)
        windows, heard, fresh = self.news(track.windows, said, uplink.received_ms)
        if said.unknown_keys:
            self.tally.unknown_keys += said.unknown_keys
        if not fresh:
            self._quarantine(uplink, said.refused, device.id)
            return
        times, state = clock.judge(track.clock, fresh, heard, uplink.received_ms, device.interval_s * 1000)
        self.throttle.count(uplink, device.id, self.changes, times[0].observed_ms)
        if said.refused:
            self._quarantine(uplink, said.refused, device.id)
        for sample, timed in zip(fresh, times, strict=True):
            reading = clock.read(device.id, device.asset, sample, timed, uplink.received_ms)
            judged_pct = self.county.observe(reading, self.changes)
            if self._heard < len(self.changes.log):
                self.follow()
            self.entry.readings.append(reading)
            if judged_pct is not None:
                reading.judge(judged_pct)
                if reading.asset in self._claimed:
                    self._sampled(reading)
        if track is UNTRACKED:
            self.tracks[device.id] = Track(windows, state)
        else:
            self.tracks.exchange(device.id, track, Track(windows, state))

    def news(
        self, windows: SeqWindows, said: Samples, received_ms: Millis
    ) -> tuple[SeqWindows, Sequence[Sample], Sequence[Sample]]:
        """The windows with an uplink's new samples marked, its samples under the boots they belong to, the new ones.

        Every question to the archive comes before the first change (law L12). The records of a frame are one frame.
        """
        if len(said.samples) == 1:  # nearly every uplink
            (sample,) = said.samples
            marked = self.marked(windows, said.device, sample, received_ms)
            if marked is None:
                self.tally.duplicates += 1
                return windows, said.samples, ()
            if not (sample.fingerprint or sample.refused):
                return marked.windows, said.samples, said.samples
            one = (self.noted(said.device, sample, marked, received_ms),)
            return marked.windows, one, one
        marks: list[Counted | None] = []
        for sample in said.samples:
            if marks and sample.fingerprint:
                marks.append(marks[0] and Counted(marks[0].boot, windows))
                continue
            marked = self.marked(windows, said.device, sample, received_ms)
            windows = windows if marked is None else marked.windows
            marks.append(marked)
        heard = [
            sample if marked is None else self.noted(said.device, sample, marked, received_ms)
            for sample, marked in zip(said.samples, marks, strict=True)
        ]
        fresh = [sample for sample, marked in zip(heard, marks, strict=True) if marked is not None]
        self.tally.duplicates += len(heard) - len(fresh)
        return windows, heard, fresh

    def marked(self, windows: SeqWindows, device: str, sample: Sample, received_ms: Millis) -> Counted | None:
        """A new sample with the windows in which it is marked, or ``None`` for a true duplicate.

        Asks the archive where the windows end, and for a frame whose count was there before.
        """
        if sample.fingerprint:
            waiting = (mark for name, seq, mark in self.entry.marks() if name == device and seq == sample.seq)
            return counted(windows, device, sample, received_ms, waiting, self._archive)
        if (newest := sequence.succeed(windows, sample.boot, sample.seq)) is not None:
            return Counted(sample.boot, newest)
        verdict = sequence.judge(windows, sample.boot, sample.seq)
        if verdict is SeqVerdict.NEW:
            return Counted(sample.boot, sequence.mark(windows, sample.boot, sample.seq))
        name = (device, sample.boot, sample.seq)
        if verdict is SeqVerdict.DUPLICATE or name in self._below or self._archive.seen(*name):
            return None
        top = self._archive.highest_seq(device, sample.boot)
        self._below.add(name)
        return Counted(sample.boot, sequence.mark(windows, sample.boot, sample.seq, top))

    def noted(self, device: str, sample: Sample, marked: Counted, at_ms: Millis) -> Sample:
        """A new sample under the boot that it belongs to; what is wrong with it is shown at its device."""
        if marked.restarted:
            self.tally.restarted += 1
            detail = f"devAddr {marked.boot % EPOCH:08x}, epoch {marked.boot // EPOCH}, fCnt {sample.seq}"
            self.entry.note(device, AnomalyKind.RESTARTED, at_ms, detail)
        if sample.partial:
            self.tally.partial += 1
            self.entry.note(device, AnomalyKind.PARTIAL, at_ms, sample.partial)
        self._note_refused(device, sample.refused, at_ms)
        return sample if marked.boot == sample.boot else replace(sample, boot=marked.boot)

    def _note_refused(self, device: str, refused: Iterable[RefusedValue], at_ms: Millis) -> None:
        """What was refused of something that counts otherwise."""
        for one in refused:
            _count(self.tally.refused_values, (one.subject, one.reason))
            self.entry.note(device, AnomalyKind.REFUSED, at_ms, one.detail, subject=one.subject, reason=one.reason)

    def _ignore(self, uplink: Uplink, said: Ignored) -> None:
        """Normal traffic; if the device itself spoke, it is known again like a sample and renews when it was heard."""
        sample, at_ms = said.sample, uplink.received_ms
        if sample is None or not said.alive:
            _count(self.tally.ignored, said.kind)
            return
        track = self.tracks.get(said.device, UNTRACKED)
        marked = self.marked(track.windows, said.device, sample, at_ms)
        if marked is None:
            self.tally.duplicates += 1
            return
        _count(self.tally.ignored, said.kind)
        self.throttle.count(uplink, said.device, self.changes, at_ms)
        self.noted(said.device, sample, marked, at_ms)
        if said.kind is Traffic.PORT:
            self.entry.note(said.device, AnomalyKind.PORT, at_ms, said.detail)
        self.county.renew(said.device, at_ms, self.changes)
        self.follow()
        sign = SignOfLife(said.device, marked.boot, sample.seq, at_ms, sample.ts_ms, sample.fingerprint)
        self.entry.signs_of_life.append(sign)
        self.tracks[said.device] = Track(marked.windows, track.clock)

    def _refuse(self, uplink: Uplink, rejected: Rejected) -> None:
        """All of an uplink is junk; it counts for whose topic it came under."""
        address = self.directory.resolve(uplink.topic)
        device = address.device.id if isinstance(address, Address) else ""
        if device:
            self.throttle.count(uplink, device, self.changes)
        else:
            self.throttle.count_stranger(uplink)
        self._quarantine(uplink, (rejected,), device)

    def _quarantine(self, uplink: Uplink, refused: Sequence[Rejected], device: str) -> None:
        """What was refused, byte for byte; above the share of the hour only that it was."""
        waits = bool(refused) and self.throttle.waits(uplink)
        for each in refused:
            if waits:
                _count(self.tally.refused, each.reason)
                self.throttle.sum_up(uplink, each, device, self.entry)
                continue
            payload = uplink.payload[:BEGINNING_BYTES] if each.reason == Reason.TOO_LARGE else uplink.payload
            self.file((Quarantined(uplink.received_ms, uplink.topic, payload, each.reason, each.detail),))
