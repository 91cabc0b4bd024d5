"""Who listens for changes: so many streams of one person, so many in all, and who has to make room (law L10).

A newcomer costs the person with the most, themselves first, their oldest. What a stream says is not known here.
"""

from collections import Counter
from typing import Final

MOST: Final = 64
MOST_EACH: Final = 5
"""A browser has six connections to one address: the sixth is left for its pages."""


class Seat:
    """One stream; it looks now and then whether it has to go."""

    def __init__(self, person: str) -> None:
        self.person = person
        self.is_taken_away = False


class Streams:
    """Every stream that is open, the oldest first. Used by one thread."""

    def __init__(self, most: int = MOST, most_each: int = MOST_EACH) -> None:
        self._most = most
        self._most_each = most_each
        self._open: list[Seat] = []

    def __len__(self) -> int:
        return len(self._open)

    def join(self, person: str) -> Seat | None:
        """Room for one more of a person; ``None`` where everybody else has fewer than they would."""
        counts = Counter(seat.person for seat in self._open)
        if counts[person] >= self._most_each:
            self._take_from(person)
        elif len(self._open) >= self._most:
            richest, most = counts.most_common(1)[0]
            if most <= counts[person] + 1:
                return None
            self._take_from(richest)
        seat = Seat(person)
        self._open.append(seat)
        return seat

    def leave(self, seat: Seat) -> None:
        """It is over."""
        if seat in self._open:
            self._open.remove(seat)

    def _take_from(self, person: str) -> None:
        oldest = next(seat for seat in self._open if seat.person == person)
        oldest.is_taken_away = True
        self._open.remove(oldest)
