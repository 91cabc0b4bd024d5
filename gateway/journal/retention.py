"""What the journal may forget, and when: a pure decision from how full it is (law L10).

What is not yet sent, and what the next start needs, is not the policy's to give away: see ``expiry``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Final

from telemetry.reading import Millis

DAY_MS: Final = 86_400_000
KEEP_CASES_MS: Final = 3 * 366 * DAY_MS
"""Episodes, events, notifications, attempts and hourly rollups are kept for three years, whatever the pressure."""


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
    """How long raw readings and quarantined uplinks are kept, and how many of the latter at most."""

    readings_ms: Millis
    quarantined_ms: Millis
    quarantined_rows: int


@dataclass(frozen=True, slots=True)
class _Ration:
    share_of_days: float
    quarantined_rows: int


_RATIONS: Final[Mapping[Pressure, _Ration]] = MappingProxyType(
    {
        Pressure.OK: _Ration(share_of_days=1.0, quarantined_rows=100_000),
        Pressure.HIGH: _Ration(share_of_days=0.5, quarantined_rows=10_000),
        Pressure.CRITICAL: _Ration(share_of_days=0.1, quarantined_rows=1_000),
    }
)


def keep(pressure: Pressure, keep_days: int) -> Keep:
    """What the policy keeps: under pressure, strangers' bytes go first and old raw readings early."""
    ration = _RATIONS[pressure]
    for_ms = int(keep_days * DAY_MS * ration.share_of_days)
    return Keep(readings_ms=for_ms, quarantined_ms=for_ms, quarantined_rows=ration.quarantined_rows)
