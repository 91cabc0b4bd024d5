"""What is known of each device's counter and clock, as a value, as bytes, and as it follows from stored readings.

It judges nothing itself, see ``telemetry.sequence`` and ``telemetry.clock``; of a LoRaWAN frame it asks the journal.
"""

from collections.abc import Callable, Iterable
from typing import Final, Protocol

import msgspec
from msgspec import Struct

from telemetry import clock, sequence
from telemetry.clock import ClockState
from telemetry.reading import Millis, Reading, Sample
from telemetry.sequence import EPOCH, NONE_STORED, REMEMBERED_MS, UNCOUNTED, Mark, SeqVerdict, SeqWindows


class Track(Struct, frozen=True, gc=False):
    """A device's marks and its clock."""

    windows: SeqWindows = sequence.UNHEARD
    clock: ClockState = clock.UNHEARD


UNTRACKED: Final = Track()

SOON_MS: Final = 3_600_000
"""So long after a frame nearly every repeat of it has come."""


class _Kept(Struct, frozen=True, array_like=True):
    """A track as bytes: a bitmap is longer than any integer that the encoding knows, so it is written as hex."""

    boot: int
    top: int
    marks: str
    floor: int
    others: list[tuple[int, int, str, int]]
    complete: bool
    clock: ClockState


_ENCODE: Final = msgspec.msgpack.Encoder().encode
_KEPT: Final = msgspec.msgpack.Decoder(_Kept)


def pack_track(track: Track) -> bytes:
    """A track as bytes."""
    windows = track.windows
    others = [(other.boot, other.top, f"{other.marks:x}", other.floor) for other in windows.others]
    return _ENCODE(
        _Kept(windows.boot, windows.top, f"{windows.marks:x}", windows.floor, others, windows.complete, track.clock)
    )


def unpack_track(kept: bytes) -> Track:
    """A track from bytes."""
    found = _KEPT.decode(kept)
    others = tuple(sequence.SeqWindow(boot, top, int(marks, 16), floor) for boot, top, marks, floor in found.others)
    windows = SeqWindows(found.boot, found.top, int(found.marks, 16), found.floor, others, found.complete)
    return Track(windows, found.clock)


class Frames(Protocol):
    """What the journal remembers of LoRaWAN frames. Every method may refuse to answer."""

    def seen(self, device: str, boot: int, seq: int) -> bool:
        """Whether a reading was stored under this identity."""

    def highest_seq(self, device: str, boot: int, through: int | None = None) -> int:
        """The highest ``seq`` stored of a boot, or ``NONE_STORED``; ``through``: among readings with an id up to it."""

    def marks(self, device: str, session: int, seq: int, since_ms: Millis) -> list[Mark]:
        """The frames of a session under a count that came since then, in whatever epoch, the newest first."""

    def newest_epoch(self, device: str, session: int) -> int | None:
        """The boot of a session's newest epoch that is stored."""


class Counted(Struct, frozen=True, gc=False):
    """A new sample: the boot it belongs to, the windows with it marked, and whether the device had begun anew."""

    boot: int
    windows: SeqWindows
    restarted: bool = False


def counted(
    windows: SeqWindows, device: str, frame: Sample, received_ms: Millis, waiting: Iterable[Mark], stored: Frames
) -> Counted | None:
    """Where a LoRaWAN frame belongs, or ``None`` for a repeat; ``waiting`` are marks that are not durable yet.

    The journal is asked only if a frame of that count may have come before, in this epoch or an earlier one.
    """
    session, seq = frame.boot, frame.seq
    boot = None if seq == UNCOUNTED else sequence.unmarked_epoch(windows, session, seq)
    if boot is not None:
        return Counted(boot, sequence.mark(windows, boot, seq))
    mine = Mark(session, received_ms, frame.ts_ms, frame.fingerprint)
    known = [one for one in waiting if one.boot % EPOCH == session]
    if sequence.is_repeat(mine, known):
        return None
    for within_ms in (SOON_MS, REMEMBERED_MS):
        found = stored.marks(device, session, seq, received_ms - within_ms)
        if sequence.is_repeat(mine, found):
            return None
    known += found
    if seq == UNCOUNTED:
        return Counted(session, windows)
    newest = sequence.newest_epoch(windows, session)
    if newest is None:
        newest = stored.newest_epoch(device, session)
    if newest is None:
        return Counted(session, sequence.mark(windows, session, seq))
    verdict = sequence.judge(windows, newest, seq)
    if verdict is SeqVerdict.NEW:
        return Counted(newest, sequence.mark(windows, newest, seq))
    is_known = verdict is SeqVerdict.DUPLICATE or any(one.boot == newest for one in known)
    if is_known or stored.seen(device, newest, seq):
        return Counted(newest + EPOCH, sequence.mark(windows, newest + EPOCH, seq), restarted=True)
    return Counted(newest, sequence.mark(windows, newest, seq, stored.highest_seq(device, newest)))


def followed(track: Track, reading: Reading, interval_ms: int, highest_seq: Callable[[str, int], int]) -> Track:
    """The track after a stored reading: what it was when that reading was taken in.

    ``highest_seq`` answers as the journal stood before that reading.
    """
    below = sequence.judge(track.windows, reading.boot, reading.seq) is SeqVerdict.BELOW_WINDOW
    stored = highest_seq(reading.device, reading.boot) if below else NONE_STORED
    sample = Sample(reading.boot, reading.seq, reading.values, reading.device_ms)
    _, state = clock.judge(track.clock, (sample,), (sample,), reading.received_ms, interval_ms)
    return Track(sequence.mark(track.windows, reading.boot, reading.seq, stored), state)
