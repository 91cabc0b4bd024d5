"""Which samples of a device are new: a window of marks for each of its last boots (traps.md T8, T9).

All state is an immutable ``Windows`` that the caller keeps per device. Nothing here looks anything up: where the
windows cannot know, they say so, and the caller asks the journal.
"""

from collections.abc import Iterable
from enum import IntEnum
from typing import Final

from msgspec import Struct

SPAN: Final = 1_024
"""How far below its highest ``seq`` a window keeps marks."""

BOOTS_HELD: Final = 4
NONE_STORED: Final = -1

_MARKS: Final = (1 << (SPAN + 1)) - 1


class Verdict(IntEnum):
    """What the windows know of a (boot, seq).

    ``BELOW_WINDOW`` is never a duplicate by itself: the sample is older than the window, or of a boot that may have
    been held once. The caller looks for it in the journal; if it is not there, it is new.
    """

    NEW = 0
    DUPLICATE = 1
    BELOW_WINDOW = 2


class Window(Struct, frozen=True, gc=False):
    """One boot: bit ``i`` of ``marks`` stands for ``top - i``. Below ``floor`` a missing mark proves nothing."""

    boot: int
    top: int
    marks: int
    floor: int


class Windows(Struct, frozen=True, gc=False):
    """A device's windows: that of the boot marked last, laid open for speed, and the others, latest first.

    ``complete`` means that no boot was ever dropped, so that an unknown one is a new one. The fields are for this
    module and for whoever stores them.
    """

    boot: int = -1
    top: int = -1
    marks: int = 0
    floor: int = 0
    others: tuple[Window, ...] = ()
    complete: bool = True


UNHEARD: Final = Windows()
"""The windows of a device that was never heard: every sample is new."""


def judge(windows: Windows, boot: int, seq: int) -> Verdict:
    """What is known of a sample. ``boot`` and ``seq`` are 0…2³²-1; a boot need not be higher than the one before."""
    if boot == windows.boot:
        behind = windows.top - seq
        if behind < 0:
            return Verdict.NEW
        if behind > SPAN:
            return Verdict.BELOW_WINDOW
        if windows.marks >> behind & 1:
            return Verdict.DUPLICATE
        return Verdict.NEW if seq >= windows.floor else Verdict.BELOW_WINDOW
    for window in windows.others:
        if window.boot == boot:
            return judge(_opened(windows, window), boot, seq)
    return Verdict.NEW if windows.complete else Verdict.BELOW_WINDOW


def mark(windows: Windows, boot: int, seq: int, stored_top: int = NONE_STORED) -> Windows:
    """The windows after a sample was taken in; to be called once for each sample that is new.

    After ``BELOW_WINDOW`` the caller passes the highest ``seq`` of that boot which it found in the journal, if any:
    a boot that had been dropped is then held again without mistaking its old samples for new ones.
    """
    if boot == windows.boot:
        behind = windows.top - seq
        if behind < 0:
            marks = (windows.marks << -behind | 1) & _MARKS if behind >= -SPAN else 1
            return Windows(boot, seq, marks, windows.floor, windows.others, windows.complete)
        if behind > SPAN:
            return windows
        marks = windows.marks | 1 << behind
        return Windows(boot, windows.top, marks, windows.floor, windows.others, windows.complete)
    for window in windows.others:
        if window.boot == boot:
            return mark(_opened(windows, window), boot, seq)
    floor = 0 if windows.complete else max(seq, stored_top)
    found = Window(boot, stored_top, 0 if stored_top == NONE_STORED else 1, floor)
    return mark(_opened(windows, found), boot, seq)


def restore(stored: Iterable[tuple[int, int]], *, complete: bool) -> Windows:
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
    others = tuple(Window(held.boot, held.top, held.marks, held.top) for held in windows.others)
    return Windows(windows.boot, windows.top, windows.marks, windows.top, others, complete=False)


def _opened(windows: Windows, chosen: Window) -> Windows:
    """The same windows with another boot laid open; the one that was not used for longest may fall out."""
    others = tuple(window for window in windows.others if window.boot != chosen.boot)
    if windows.boot >= 0:
        others = (Window(windows.boot, windows.top, windows.marks, windows.floor), *others)
    complete = windows.complete and len(others) < BOOTS_HELD
    return Windows(chosen.boot, chosen.top, chosen.marks, chosen.floor, others[: BOOTS_HELD - 1], complete)
