"""A recording of uplinks as JSON lines: written as they come, read one by one, and replayed on a virtual clock.

Events and owed notifications come out, of the gateway's own line. It reads no clock and opens nothing, and judges no
uplink; the same input gives the same bytes (law L4). People may ask meanwhile; what they may ask stands with commands.
"""

import base64
import binascii
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final, NamedTuple, Protocol, cast

import msgspec
from msgspec import Struct

from alerts.build import PolicyFiles
from alerts.calendars import HOUR_MS, iso
from alerts.model import PRINTED, Detail, Event, Owed
from alerts.notify.lists import Crossing
from gateway import start
from gateway.commands.command import Command, Context, NotDurable, NotPossible, UnknownPerson
from gateway.commands.episodes import UnknownEpisode
from gateway.journal.entry import Entry
from gateway.pipeline import Pipeline
from telemetry import sequence
from telemetry.inventory import Inventory
from telemetry.reading import Millis
from telemetry.sequence import EPOCH, Mark
from telemetry.wire import Uplink


class RecordingFault(Exception):  # noqa: N818 -- a fault of the file, said in a sentence
    """A line that cannot be read; its text names the file, the line and the remedy."""


class _Line(Struct):
    received_at: datetime
    topic: str
    payload: str | None = None
    payload_b64: str | None = None


_LINE = msgspec.json.Decoder(_Line)


def read(lines: Iterable[bytes], name: str) -> Iterator[Uplink]:
    """The uplinks of a recording in its order; raises ``RecordingFault`` at the first line that is none."""
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield _uplink(line, f"{name}:{number}")


def written(uplink: Uplink) -> str:
    """One line of a recording, without its end."""
    said: dict[str, str] = {"received_at": iso(uplink.received_ms), "topic": uplink.topic}
    try:
        said["payload"] = uplink.payload.decode()
    except UnicodeDecodeError:
        said["payload_b64"] = base64.b64encode(uplink.payload).decode()
    return msgspec.json.encode(said).decode()


def millis(iso_utc: str) -> Millis:
    """The instant of an ISO 8601 time with its zone."""
    return round(datetime.fromisoformat(iso_utc).timestamp() * 1000)


def _uplink(raw: bytes, place: str) -> Uplink:
    try:
        line = _LINE.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RecordingFault(
            f"{place}: not an uplink ({error}); a line is JSON with received_at, topic and payload or payload_b64"
        ) from error
    if line.received_at.tzinfo is None:
        raise RecordingFault(f"{place}: received_at has no time zone; write it in UTC with a Z at its end")
    return Uplink(round(line.received_at.timestamp() * 1000), line.topic, _payload(line, place))


def _payload(line: _Line, place: str) -> bytes:
    if (line.payload is None) == (line.payload_b64 is None):
        raise RecordingFault(f"{place}: needs one of payload and payload_b64, and not both")
    if line.payload is not None:
        return line.payload.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(line.payload_b64 or "", validate=True)
    except binascii.Error as error:
        raise RecordingFault(f"{place}: payload_b64 is not base64 ({error})") from error


class Memory:
    """An archive in memory, for a run that keeps nothing."""

    def __init__(self) -> None:
        self._seen: defaultdict[tuple[str, int], set[int]] = defaultdict(set)
        self._frames: defaultdict[tuple[str, int, int], list[Mark]] = defaultdict(list)
        self._episodes: set[str] = set()

    def keep(self, entry: Entry) -> None:
        """Remembers what was taken in."""
        for reading in entry.readings:
            self._seen[reading.device, reading.boot].add(reading.seq)
        for device, seq, mark in entry.marks():
            self._frames[device, mark.boot % EPOCH, seq].append(mark)

    def hear(self, said: Iterable[Event | Owed]) -> None:
        """Remembers which episodes there were."""
        self._episodes.update(each.episode for each in said if isinstance(each, Event) and each.event == "raised")

    def knows(self, episode: str) -> bool:
        """Whether there ever was such an episode."""
        return episode in self._episodes

    def seen(self, device: str, boot: int, seq: int) -> bool:
        """See ``pipeline.Archive``."""
        return seq in self._seen.get((device, boot), ())

    def highest_seq(self, device: str, boot: int, through: int | None = None) -> int:
        """See ``pipeline.Archive``; nothing is stepped through again, so ``through`` is never given."""
        _ = through
        return max(self._seen.get((device, boot), ()), default=sequence.NONE_STORED)

    def marks(self, device: str, session: int, seq: int, since_ms: Millis) -> list[Mark]:
        """See ``pipeline.Archive``."""
        return [one for one in self._frames.get((device, session, seq), ()) if one.received_ms >= since_ms][::-1]

    def newest_epoch(self, device: str, session: int) -> int | None:
        """See ``pipeline.Archive``."""
        found = (marks for (name, of, _), marks in self._frames.items() if (name, of) == (device, session))
        return max((mark.boot for marks in found for mark in marks), default=None)

    def crossings(self, since_ms: Millis) -> list[Crossing]:
        """See ``pipeline.Archive``; what is over is not kept."""
        _ = since_ms
        return []


NOBODY_ASKS: Final[Millis] = 1 << 60
"""When whoever asks no more asks next."""


class TimedWish(NamedTuple):
    """Who asks what, and when; ``place`` is where it stands in its file."""

    at_ms: Millis
    place: str
    command: Command[Any]


class Asking(Protocol):
    """People during a replay. They are asked again after each answer, and may decide by what was said meanwhile."""

    @property
    def next_ms(self) -> Millis:
        """When they ask next; ``NOBODY_ASKS`` when they do not."""

    def ask(self) -> TimedWish:
        """What they ask then."""

    def hear(self, wish: TimedWish, refusal: str) -> None:
        """What became of it: why not, or nothing where it was done."""


class Nobody:
    """People who ask nothing."""

    next_ms = NOBODY_ASKS

    def ask(self) -> TimedWish:
        """Never called."""
        raise AssertionError

    def hear(self, wish: TimedWish, refusal: str) -> None:
        """Never called."""


def replay(
    uplinks: Iterable[Uplink],
    inventory: Inventory,
    policy_files: PolicyFiles,
    *,
    until_ms: Millis | None = None,
    ticks: Iterable[Millis] = (),
    verbose: bool = False,
    people: Asking | None = None,
) -> Iterator[str]:
    """The lines that ``cunjing replay`` prints. ``ticks`` are extra instants; they change nothing.

    ``people`` ask at their instants, each after what arrived by then; what follows from it has their instant. At each
    hour's end ``verbose`` says when each bin would be over its line if nobody came.
    """
    memory = Memory()
    pipeline = None
    extra = iter(sorted(ticks))
    tick = next(extra, None)
    latest_ms, hour_ms = until_ms, 0
    asking = people or Nobody()
    for uplink in uplinks:
        if until_ms is not None and uplink.received_ms > until_ms:
            break
        if pipeline is None:
            pipeline = start.anew(inventory, policy_files, memory, uplink.received_ms)
            pipeline.county.listen(uplink.received_ms, None, pipeline.changes, started=True)
            _refuse_before(asking, uplink.received_ms)
            hour_ms = (uplink.received_ms // HOUR_MS + 1) * HOUR_MS
        while tick is not None and tick <= uplink.received_ms:
            pipeline.advance(tick)
            tick = next(extra, None)
        while asking.next_ms < uplink.received_ms:
            yield from _played(asking, pipeline, memory, verbose=verbose)
        while verbose and hour_ms <= uplink.received_ms:
            pipeline.advance(hour_ms)
            yield from _said(pipeline.list_said(), verbose=True)
            yield from _forecasts(pipeline, hour_ms)
            hour_ms += HOUR_MS
        latest_ms = max(uplink.received_ms, latest_ms or 0)
        pipeline.take(uplink)
        memory.keep(pipeline.entry)
        if pipeline.changes.log:  # nearly every uplink says nothing
            memory.hear(pipeline.changes.log)
            yield from _said(pipeline.list_said(), verbose=verbose)
        pipeline.finish()
    if pipeline is not None and latest_ms is not None:
        while asking.next_ms <= latest_ms:
            yield from _played(asking, pipeline, memory, verbose=verbose)
        pipeline.advance(latest_ms)
        yield from _said(pipeline.list_said(), verbose=verbose)


def _forecasts(pipeline: Pipeline, at_ms: Millis) -> Iterator[str]:
    """What is foretold of each bin at the end of an hour, where anything can be."""
    for asset in pipeline.county.plans:
        found = pipeline.county.forecast(asset)
        line_at, brim_at = (None, None) if found is None else found
        if line_at is None and brim_at is None:
            continue
        two_thirds, low, high = (_moment(each) for each in line_at or (0, 0, 0))
        detail: Detail = {"two_thirds_at": two_thirds, "low_at": low, "high_at": high}
        detail["overflow_at"] = _moment(0 if brim_at is None else brim_at.at_ms)
        yield line(Event(at_ms=at_ms, event="forecast", asset=asset, detail=detail))


def _moment(at_ms: Millis) -> str | None:
    return iso(at_ms) if at_ms else None


def _played(asking: Asking, pipeline: Pipeline, memory: Memory, *, verbose: bool) -> Iterator[str]:
    """One wish of a person, and what is said by then."""
    wish = asking.ask()
    asking.hear(wish, _act(wish, pipeline, memory))
    memory.hear(pipeline.changes.log)
    yield from _said(pipeline.list_said(), verbose=verbose)
    entry, _ = pipeline.finish()
    memory.keep(entry)


def _act(wish: TimedWish, pipeline: Pipeline, memory: Memory) -> str:
    """Does it as the gateway's loop would; why not, or nothing where it was done."""
    absent = cast("Any", None)  # telephone, watchman and what else only a process has
    context = Context(pipeline, cast("Any", memory), absent, absent, absent, 0, ())
    verdict = pipeline.barrier.attempt(
        lambda: wish.command.do(context, wish.at_ms), lambda bug: NotDurable(f"{type(bug).__name__}: {bug}"), "a wish"
    )
    return _refusal(verdict)


def _refusal(verdict: object) -> str:
    match verdict:
        case NotPossible(reason=reason) | NotDurable(reason=reason):
            return reason
        case UnknownEpisode():
            return "there is no such episode then; replay without wishes and look at its name"
        case UnknownPerson():
            return "the inventory does not know who is named; see by and to"
        case _:
            return ""


def _refuse_before(asking: Asking, begins_ms: Millis) -> None:
    """Nobody is there before the virtual clock begins."""
    while asking.next_ms < begins_ms:
        asking.hear(asking.ask(), f"it is before the first uplink, {iso(begins_ms)}, and was not done")


def line(said: Event | Owed) -> str:
    """One line of output: the contract's keys in its order, then ours."""
    shown: dict[str, object] = {"at": iso(said.at_ms)}
    if isinstance(said, Owed):
        shown |= {"event": "owed", "rule": said.rule, "asset": said.asset, "episode": said.episode}
        shown |= {"kind": said.kind, "step": said.step, "to": said.to, "channel": said.channel, "text": said.text}
        shown |= {"severity": said.severity, "repeat": said.repeat}
        if said.covers:
            shown["covers"] = said.covers
    else:
        for name in ("event", "rule", "asset", "episode", "severity", "device"):
            if value := getattr(said, name):
                shown[name] = value
        if said.detail is not None:
            shown["detail"] = said.detail
    return msgspec.json.format(msgspec.json.encode(shown), indent=0).decode()


def _said(log: Iterable[Event | Owed], *, verbose: bool) -> Iterator[str]:
    for said in log:
        if verbose or isinstance(said, Owed) or said.event in PRINTED:
            yield line(said)
