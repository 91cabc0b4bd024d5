"""Which samples of a device are new: a window of marks for each of its last boots (traps.md T8, T9).

All state is an immutable ``SeqWindows`` that the caller keeps per device. Nothing here looks anything up: where the
windows cannot know, they say so, and the caller asks the journal.

A LoRaWAN device does not count its restarts: after one it counts frames from zero again under the same address. So its
boots are numbered here, as epochs of that address (design.md §5), and a frame is known again by its ``Mark``.
"""

from collections.abc import Iterable
from enum import IntEnum
from hashlib import blake2b
from typing import Final, NamedTuple

from msgspec import Struct

from telemetry.reading import Millis

SPAN: Final = 1_024
"""How far below its highest ``seq`` a window keeps marks."""

BOOTS_HELD: Final = 4
NONE_STORED: Final = -1

EPOCH: Final = 1 << 32
"""How far apart the boots of two epochs of a LoRaWAN session are: a boot is epoch · 2³² + devAddr (design.md §5)."""

UNCOUNTED: Final = -1
"""The ``seq`` of a sign of life that has no counter: a join."""

REMEMBERED_MS: Final = 7 * 86_400_000
"""How long a frame is known again."""

SAME_WITHIN_MS: Final = 10 * 60_000
"""So long after a frame the same bytes under the same count are that frame once more, not a restarted device's."""

_HASH: Final = 8
_NOTHING: Final = bytes(_HASH)

_MARKS: Final = (1 << (SPAN + 1)) - 1


class SeqVerdict(IntEnum):
    """What the windows know of a (boot, seq).

    ``BELOW_WINDOW`` is never a duplicate by itself: the sample is older than the window, or of a boot that may have
    been held once. The caller looks for it in the journal; if it is not there, it is new.
    """

    NEW = 0
    DUPLICATE = 1
    BELOW_WINDOW = 2


class SeqWindow(Struct, frozen=True, gc=False):
    """One boot: bit ``i`` of ``marks`` stands for ``top - i``. Below ``floor`` a missing mark proves nothing."""

    boot: int
    top: int
    marks: int
    floor: int


class SeqWindows(Struct, frozen=True, gc=False):
    """A device's windows: that of the boot marked last, laid open for speed, and the others, latest first.

    ``complete`` means that no boot was ever dropped, so that an unknown one is a new one. The fields are for this
    module and for whoever stores them.
    """

    boot: int = -1
    top: int = -1
    marks: int = 0
    floor: int = 0
    others: tuple[SeqWindow, ...] = ()
    complete: bool = True


UNHEARD: Final = SeqWindows()
"""The windows of a device that was never heard: every sample is new."""


def judge(windows: SeqWindows, boot: int, seq: int) -> SeqVerdict:
    """What is known of a sample. ``boot`` and ``seq`` are 0…2³²-1; a boot need not be higher than the one before."""
    if boot == windows.boot:
        behind = windows.top - seq
        if behind < 0:
            return SeqVerdict.NEW
        if behind > SPAN:
            return SeqVerdict.BELOW_WINDOW
        if windows.marks >> behind & 1:
            return SeqVerdict.DUPLICATE
        return SeqVerdict.NEW if seq >= windows.floor else SeqVerdict.BELOW_WINDOW
    for window in windows.others:
        if window.boot == boot:
            return judge(_opened(windows, window), boot, seq)
    return SeqVerdict.NEW if windows.complete else SeqVerdict.BELOW_WINDOW


def succeed(windows: SeqWindows, boot: int, seq: int) -> SeqWindows | None:
    """The windows after a sample that is the newest of the boot marked last, as nearly every one is.

    ``None`` where that cannot be told at a glance: then ``judge`` says what it is, and ``mark`` takes it in.
    """
    ahead = seq - windows.top
    if boot != windows.boot or ahead <= 0:
        return None
    marks = (windows.marks << ahead | 1) & _MARKS if ahead <= SPAN else 1
    return SeqWindows(boot, seq, marks, windows.floor, windows.others, windows.complete)


def mark(windows: SeqWindows, boot: int, seq: int, stored_top: int = NONE_STORED) -> SeqWindows:
    """The windows after a sample was taken in; to be called once for each sample that is new.

    After ``BELOW_WINDOW`` the caller passes the highest ``seq`` of that boot which it found in the journal, if any:
    a boot that had been dropped is then held again without mistaking its old samples for new ones.
    """
    if (newest := succeed(windows, boot, seq)) is not None:
        return newest
    if boot == windows.boot:
        behind = windows.top - seq
        if behind > SPAN:
            return windows
        marks = windows.marks | 1 << behind
        return SeqWindows(boot, windows.top, marks, windows.floor, windows.others, windows.complete)
    for window in windows.others:
        if window.boot == boot:
            return mark(_opened(windows, window), boot, seq)
    floor = 0 if windows.complete else max(seq, stored_top)
    found = SeqWindow(boot, stored_top, 0 if stored_top == NONE_STORED else 1, floor)
    return mark(_opened(windows, found), boot, seq)


class Mark(NamedTuple):
    """What is kept of a LoRaWAN frame to know it again: its boot, when it came, the network's ``time``, and hashes."""

    boot: int
    received_ms: Millis
    time_ms: Millis | None
    fingerprint: bytes | None


def fingerprint(deduplication_id: str, payload: bytes) -> bytes:
    """Eight bytes of hash of each, zeros for what is not there."""
    of_id = blake2b(deduplication_id.encode(), digest_size=_HASH).digest() if deduplication_id else _NOTHING
    return of_id + (blake2b(payload, digest_size=_HASH).digest() if payload else _NOTHING)


def is_repeat(frame: Mark, stored: Iterable[Mark]) -> bool:
    """Whether a frame is one of those stored under its address and count, in whatever epoch (design.md §5)."""
    return any(_is_same(frame, one) for one in stored)


def _is_same(frame: Mark, one: Mark) -> bool:
    """The same uplink by the network's id or time; or the same bytes shortly after, as a device sends them again.

    Frames stored before there were fingerprints are known by their time alone.
    """
    if frame.time_ms is not None and frame.time_ms == one.time_ms:
        return True
    if not frame.fingerprint or not one.fingerprint:
        return False
    if frame.fingerprint[:_HASH] == one.fingerprint[:_HASH] != _NOTHING:
        return True
    return frame.fingerprint[_HASH:] == one.fingerprint[_HASH:] != _NOTHING and _apart_ms(frame, one) <= SAME_WITHIN_MS


def _apart_ms(frame: Mark, one: Mark) -> int:
    """By the network's clock where it told the time of both: frames that waited for us all come at once."""
    if frame.time_ms is not None and one.time_ms is not None:
        return abs(frame.time_ms - one.time_ms)
    return abs(frame.received_ms - one.received_ms)


def newest_epoch(windows: SeqWindows, session: int) -> int | None:
    """The boot of the newest epoch of a session; ``None`` if none is held. No epoch is ever older than one held."""
    return max(_held(windows, session), default=None)


def unmarked_epoch(windows: SeqWindows, session: int, seq: int) -> int | None:
    """The boot under which a frame is new for sure; ``None`` where a frame of its count may have been stored."""
    if windows.boot == session and not windows.others and windows.complete and seq > windows.top:
        return session  # nearly every frame there is
    boots = _held(windows, session)
    if not boots:
        return session if windows.complete else None
    newest = max(boots)
    if len(boots) <= newest // EPOCH or any(judge(windows, boot, seq) is not SeqVerdict.NEW for boot in boots):
        return None
    return newest


def _held(windows: SeqWindows, session: int) -> list[int]:
    """The epochs of a session whose windows are held, by boot."""
    boots = (windows.boot, *(window.boot for window in windows.others))
    return [boot for boot in boots if boot >= 0 and boot % EPOCH == session]


def restore(stored: Iterable[tuple[int, int]], *, complete: bool) -> SeqWindows:
    """The windows after a restart, from (boot, seq) pairs of the journal in the order in which they arrived.

    ``complete`` means that these are all that the device ever sent. Otherwise they must hold the highest ``seq`` of
    each boot that they name; holes among them are then asked for in the journal instead of being taken for new.
    """
    seen: dict[int, list[int]] = {}  # by boot, the one that was marked last at the end
    for boot, seq in stored:
        seqs = seen.pop(boot, [])
        seqs.append(seq)
        seen[boot] = seqs
    windows = UNHEARD
    for boot, seqs in seen.items():
        for seq in seqs:
            windows = mark(windows, boot, seq)
    if complete:
        return windows
    others = tuple(SeqWindow(held.boot, held.top, held.marks, held.top) for held in windows.others)
    return SeqWindows(windows.boot, windows.top, windows.marks, windows.top, others, complete=False)


def _opened(windows: SeqWindows, chosen: SeqWindow) -> SeqWindows:
    """The same windows with another boot laid open; the one that was not used for longest may fall out."""
    others = tuple(window for window in windows.others if window.boot != chosen.boot)
    if windows.boot >= 0:
        others = (SeqWindow(windows.boot, windows.top, windows.marks, windows.floor), *others)
    complete = windows.complete and len(others) < BOOTS_HELD
    return SeqWindows(chosen.boot, chosen.top, chosen.marks, chosen.floor, others[: BOOTS_HELD - 1], complete)
