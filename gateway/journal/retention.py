"""What the journal may forget, and when: a pure decision from how full it is (law L10).

What of a table may go is in the file of the table, and ``writer`` walks through them all, a bounded step at a time:
each step reads and deletes few rows, oldest first. Never deleted, whatever the policy says: readings not yet sent on,
readings after the last snapshot (the next start steps through them again), the newest reading (ids must not be given
twice), and notifications still owed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Final

from alerts.calendars import DAY_MS
from telemetry.reading import Millis

KEEP_CASES_MS: Final = 3 * 366 * DAY_MS
"""Episodes, events, notifications, attempts and hourly rollups are kept for three years, whatever the pressure."""


STEP_ROWS: Final = 2_000
"""At most so many rows of a kind a call: a few milliseconds for the thread that also commits (measured 5–10 ms)."""


class Pressure(StrEnum):
    """How full the journal is, of what it may ever take."""

    OK = "ok"
    HIGH = "high"
    CRITICAL = "critical"


def pressure_at(used_bytes: int, limit_bytes: int) -> Pressure:
    """High from 70 %, critical from 90 %."""
    if used_bytes * 10 >= limit_bytes * 9:
        return Pressure.CRITICAL
    if used_bytes * 10 >= limit_bytes * 7:
        return Pressure.HIGH
    return Pressure.OK


@dataclass(frozen=True, slots=True)
class Log:
    """The write-ahead log of a journal: what is in it, and how much of that somebody kept from being folded back."""

    path: Path
    """The journal's."""
    bytes: int
    unfolded_bytes: int


@dataclass(frozen=True, slots=True)
class Keep:
    """How long raw readings and quarantined uplinks are kept, how many of the latter, and of how many bytes."""

    readings_ms: Millis
    quarantined_ms: Millis
    quarantined_rows: int
    quarantined_bytes: int


@dataclass(frozen=True, slots=True)
class _Ration:
    share_of_days: float
    quarantined_rows: int
    quarantined_bytes: int


_RATIONS: Final[Mapping[Pressure, _Ration]] = MappingProxyType(
    {
        Pressure.OK: _Ration(share_of_days=1.0, quarantined_rows=100_000, quarantined_bytes=256 << 20),
        Pressure.HIGH: _Ration(share_of_days=0.5, quarantined_rows=10_000, quarantined_bytes=64 << 20),
        Pressure.CRITICAL: _Ration(share_of_days=0.1, quarantined_rows=1_000, quarantined_bytes=16 << 20),
    }
)


def keep(
    pressure: Pressure, keep_days: int, limit_bytes: int | None = None, *, readings: Pressure | None = None
) -> Keep:
    """What the policy keeps: under pressure, strangers' bytes go first and old raw readings early.

    Of a journal that may not grow beyond ``limit_bytes`` strangers have a tenth at most. ``readings`` is the pressure
    without what is in quarantine: whatever strangers send, it shortens nobody's readings.
    """
    ration = _RATIONS[pressure]
    most_bytes = ration.quarantined_bytes
    return Keep(
        readings_ms=int(keep_days * DAY_MS * _RATIONS[readings or pressure].share_of_days),
        quarantined_ms=int(keep_days * DAY_MS * ration.share_of_days),
        quarantined_rows=ration.quarantined_rows,
        quarantined_bytes=most_bytes if limit_bytes is None else min(most_bytes, limit_bytes // 10),
    )


@dataclass(frozen=True, slots=True)
class Expired:
    """How many rows one step deleted, and how full the journal was. While ``rows`` is not 0 there may be more to do."""

    pressure: Pressure
    readings: int
    quarantined: int
    arrivals: int
    cases: int
    rollups: int

    @property
    def rows(self) -> int:
        """All of them."""
        return self.readings + self.quarantined + self.arrivals + self.cases + self.rollups
