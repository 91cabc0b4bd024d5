"""What is counted of a run, so that runs can be added up: hits of trials, delays, and the cases that missed.

Nothing is judged here; what a count means is ``aims``.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from msgspec import Struct, field

from telemetry.reading import Millis

CASES: Final = 40
"""So many misses of a kind are kept by name; all of them are counted."""


class Count(Struct):
    """Hits among trials of one kind."""

    hits: int = 0
    of: int = 0
    delays_ms: list[Millis] = field(default_factory=list)
    errors_h: list[float] = field(default_factory=list)
    cases: list[str] = field(default_factory=list)

    def add(self, *, hit: bool, case: str = "", delay_ms: Millis | None = None) -> None:
        """One trial; ``case`` names it where it is one to look at."""
        self.of += 1
        self.hits += hit
        if delay_ms is not None:
            self.delays_ms.append(delay_ms)
        if case and len(self.cases) < CASES:
            self.cases.append(case)


class Tally(Struct):
    """Every count of a run, or of several."""

    counts: dict[str, Count] = field(default_factory=dict)

    def of(self, name: str) -> Count:
        """The count of that name."""
        return self.counts.setdefault(name, Count())

    def rate(self, name: str, cases: Iterable[str], hours: float) -> None:
        """Things that should not have been, among so many hours of assets: in each at most one can be."""
        count, found = self.of(name), list(cases)
        count.of += round(hours)
        count.hits += min(len(found), round(hours))
        count.cases += found[: CASES - len(count.cases)]

    def join(self, other: "Tally") -> None:
        """Another run is added."""
        for name, theirs in other.counts.items():
            ours = self.of(name)
            ours.hits += theirs.hits
            ours.of += theirs.of
            ours.delays_ms += theirs.delays_ms
            ours.errors_h += theirs.errors_h
            ours.cases += theirs.cases[: max(0, CASES - len(ours.cases))]


def name_case(asset: str, at_ms: Millis, what: str = "") -> str:
    """A case as somebody looks for it in a recording."""
    at = datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return f"{asset} {at} {what}".rstrip()
