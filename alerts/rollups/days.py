"""What a day comes to, from the rows of its hours: sums, extremes, and means weighted by samples.

What concerns the score is the mean of the hours that begin from 08 to before 18 by the county's clock.
"""

from collections.abc import Mapping, Sequence
from datetime import time
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeVar, get_type_hints

from msgspec.structs import asdict

from alerts.calendars import Calendar
from alerts.rollups.hours import mean
from alerts.rollups.rows import HOURS, BinRow, DayFold, DeviceRow, PlantDayRow, PlantRow, Row, TownRow
from telemetry.inventory import PlantDesign
from telemetry.reading import Millis
from telemetry.terms import Hours

INSPECTED: Final = Hours(time(8), time(18))
"""When inspectors come (domain.md §1 row 4)."""

R = TypeVar("R", bound=Row)

_FOLDS: Final[Mapping[type[Any], tuple[tuple[str, DayFold], ...]]] = MappingProxyType(
    {
        kind: tuple((name, said.__metadata__[0]) for name, said in get_type_hints(kind, include_extras=True).items())
        for kind in HOURS.values()
    }
)
"""What a day's fields are of its hours', by the row of an hour; one that does not say it keeps us from starting."""


class Hour(NamedTuple):
    """Where an hour begins, and its row."""

    start_ms: Millis
    row: Row


def of_bin(hours: Sequence[Hour], calendar: Calendar) -> BinRow | None:
    """The day of a bin, from its hours in order; ``None`` without any."""
    rows = _of_kind(hours, BinRow)
    return BinRow(**_folded(BinRow, rows, _of_kind(_inspected(hours, calendar), BinRow))) if rows else None


def of_plant(hours: Sequence[Hour], design: PlantDesign) -> PlantDayRow | None:
    """The day of a plant, from its hours in order; ``None`` without any."""
    rows = _of_kind(hours, PlantRow)
    if not rows:
        return None
    day = PlantRow(**_folded(PlantRow, rows))
    load_pct = None if day.volume_m3 is None else 100.0 * day.volume_m3 / design.design_m3d
    return PlantDayRow(**asdict(day), load_pct=load_pct)


def of_device(hours: Sequence[Hour]) -> DeviceRow | None:
    """The day of a device, from its hours in order; ``None`` without any."""
    rows = _of_kind(hours, DeviceRow)
    return DeviceRow(**_folded(DeviceRow, rows)) if rows else None


def of_town(hours: Sequence[Hour], calendar: Calendar) -> TownRow | None:
    """The day of a town, from its hours in order; ``None`` if it had none that inspectors come in."""
    rows = _of_kind(_inspected(hours, calendar), TownRow)
    return TownRow(**_folded(TownRow, rows, rows)) if rows else None


def _folded(kind: type[R], rows: Sequence[R], inspected: Sequence[R] = ()) -> dict[str, Any]:
    """Each field of a day as its row declares it."""
    return {name: _fold(fold, name, inspected if fold is DayFold.INSPECTED else rows) for name, fold in _FOLDS[kind]}


def _fold(fold: DayFold, name: str, rows: Sequence[Row]) -> Any:  # noqa: ANN401 -- whatever the field is
    told = [row for row in rows if getattr(row, name) is not None]
    values = [getattr(row, name) for row in told]
    match fold:
        case _ if not values:
            return None
        case DayFold.TOTAL:
            return sum(values)
        case DayFold.LEAST:
            return min(values)
        case DayFold.MOST:
            return max(values)
        case DayFold.LAST:
            return values[-1]
        case DayFold.INSPECTED:
            return mean(values)
        case DayFold.BY_SAMPLES | DayFold.BY_RECEIVED:
            weights = [getattr(row, fold.value) for row in told]
            weight = sum(weights)
            return sum(value * each for value, each in zip(values, weights, strict=True)) / weight if weight else None


def _of_kind(hours: Sequence[Hour], kind: type[R]) -> list[R]:
    return [hour.row for hour in hours if isinstance(hour.row, kind)]


def _inspected(hours: Sequence[Hour], calendar: Calendar) -> list[Hour]:
    return [hour for hour in hours if calendar.is_within(hour.start_ms, INSPECTED)]
