"""How a batch of points goes out: in bounded pieces, halved where the server says so, until the bad line stands alone.

Pure: it is told each answer and says what to send next. One bad line among 5,000 costs at most 27 requests.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from gateway.influx.answers import WriteAnswer, WriteVerdict, is_expired, verdict
from gateway.influx.points import Point
from telemetry.reading import Millis

MOST_LINES: Final = 5_000
MOST_BYTES: Final = 4_000_000
HOPELESS_FROM: Final = 100
"""So many lines refused and not one stored: it is not the lines."""
PROBES: Final = 10

EXPIRED: Final = "series_expired"
REFUSED: Final = "series_refused"
BUG: Final = "series_bug"


class Filed(NamedTuple):
    """A line that the server will never take, or a row that gave none, and why."""

    line: bytes
    reason: str
    detail: str


class Delivery:
    """One batch on its way to one bucket. ``piece`` is what to send next; ``answered`` says what came of it."""

    def __init__(self, points: Sequence[Point], oldest_ms: Millis) -> None:
        """Points from before ``oldest_ms`` are filed at once: the bucket would drop them anyway."""
        self._young = [line for line, at_ms in points if at_ms >= oldest_ms]
        self._waiting = _pieces(self._young)[::-1]
        self._refused = 0
        old = [line for line, at_ms in points if at_ms < oldest_ms]
        self.filed = [Filed(line, EXPIRED, "older than what the bucket keeps") for line in old]
        self.stored = 0

    @property
    def piece(self) -> Sequence[bytes]:
        """The lines to send next; none when all is done."""
        return self._waiting[-1] if self._waiting else ()

    @property
    def probes(self) -> Sequence[bytes]:
        """Once too many were refused and none stored: lines spread over the batch, one of which should pass."""
        if self.stored or self._refused < HOPELESS_FROM:
            return ()
        return self._young[:: max(1, len(self._young) // PROBES)]

    def take_answer(self, answer: WriteAnswer) -> WriteVerdict:
        """What becomes of the piece; after ``LATER`` and ``PAUSED`` it is still the next one."""
        found = verdict(answer)
        if found in (WriteVerdict.LATER, WriteVerdict.PAUSED):
            return found
        lines = self._waiting.pop()
        if found is WriteVerdict.STORED:
            self.stored += len(lines)
        elif len(lines) > 1:
            half = (len(lines) + 1) // 2
            self._waiting += [lines[half:], lines[:half]]
        else:
            self._refused += 1
            reason = EXPIRED if is_expired(answer) else REFUSED
            self.filed.append(Filed(lines[0], reason, f"HTTP {answer.status}: {answer.text}"))
        return found

    def passed(self) -> None:
        """One of the probes was stored: it is the lines after all."""
        self.stored += 1


def _pieces(lines: list[bytes]) -> list[list[bytes]]:
    """In order, each within both bounds; a line that is larger by itself stands alone."""
    pieces: list[list[bytes]] = []
    size = 0
    for line in lines:
        length = len(line) + 1
        if not pieces or len(pieces[-1]) == MOST_LINES or size + length > MOST_BYTES:
            pieces.append([])
            size = 0
        pieces[-1].append(line)
        size += length
    return pieces
