"""What is known of each device's counter and clock, as a value, as bytes, and as it follows from stored readings.

It judges nothing itself; see ``telemetry.sequence`` and ``telemetry.clock``.
"""

from collections.abc import Callable
from typing import Final

import msgspec
from msgspec import Struct

from telemetry import clock, sequence
from telemetry.clock import ClockState
from telemetry.reading import Reading, Sample
from telemetry.sequence import Verdict, Windows


class Track(Struct, frozen=True, gc=False):
    """A device's marks and its clock."""

    windows: Windows = sequence.UNHEARD
    clock: ClockState = clock.UNHEARD


UNTRACKED: Final = Track()


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
    others = tuple(sequence.Window(boot, top, int(marks, 16), floor) for boot, top, marks, floor in found.others)
    windows = Windows(found.boot, found.top, int(found.marks, 16), found.floor, others, found.complete)
    return Track(windows, found.clock)


def followed(track: Track, reading: Reading, interval_ms: int, highest_seq: Callable[[str, int], int]) -> Track:
    """The track after a stored reading: what it was when that reading was taken in."""
    below = sequence.judge(track.windows, reading.boot, reading.seq) is Verdict.BELOW_WINDOW
    stored = highest_seq(reading.device, reading.boot) if below else sequence.NONE_STORED
    sample = Sample(reading.boot, reading.seq, reading.values, reading.device_ms)
    _, state = clock.judge(track.clock, (sample,), (sample,), reading.received_ms, interval_ms)
    return Track(sequence.mark(track.windows, reading.boot, reading.seq, stored), state)
