"""Rows of the journal as JSON lines, or as a table that a spreadsheet opens. It reads nothing and writes nothing."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec

from alerts.rollups.rows import DAYS, HOURS
from alerts.rollups.rows import Row as RollupRow
from gateway.journal.view import Row
from telemetry.reading import QUANTITIES
from telemetry.series import Measurement

_BOM: Final = "\ufeff"
"""Tells a spreadsheet that this is UTF-8."""

_READING: Final = ("device", "asset", "boot", "seq", "observed_at", "received_at", "clock", "late", "judged_pct")


def _rollup(kinds: Mapping[Measurement, type[RollupRow]]) -> tuple[str, ...]:
    """What any of these rows may say; a row has cells in its own columns only."""
    fields = dict.fromkeys(field for row in kinds.values() for field in row.__struct_fields__)
    return ("measurement", "subject", "start_at", *fields)


COLUMNS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "readings": (*_READING, *QUANTITIES),
        "alerts": ("episode", "rule", "asset", "device", "severity", "raised_at", "cleared_at"),
        "notifications": (
            *(
                "key",
                "at",
                "rule",
                "asset",
                "episode",
                "severity",
                "kind",
                "step",
                "repeat",
                "to",
                "phone",
                "channel",
                "via",
            ),
            *("text", "state", "attempts", "reason", "reference", "next_attempt_at", "accepted_at", "delivered_at"),
        ),
        "cases": (
            *("case", "state", "origin", "rule", "severity", "town", "area", "asset", "place", "what"),
            *("caller_name", "caller_phone", "photo", "owner", "opened_at", "deadline_at", "fixed_at", "verified_at"),
            *("closed_at", "until_at", "reason", "proof", "level", "reopened", "recurs", "episode"),
        ),
        "hours": _rollup(HOURS),
        "days": _rollup(DAYS),
        "quarantine": ("received_at", "topic", "payload", "payload_b64", "reason", "detail"),
    }
)
"""The columns of each table; a reading's quantities stand flat beside the rest."""

_LINE_END: Final = "\r\n"
"""Not written, but the writer quotes only those line breaks in a cell that it knows from here."""

_RUN_BY_SPREADSHEETS: Final = ("=", "+", "-", "@", "\t", "\r")


def json_lines(rows: Iterable[Row]) -> Iterator[str]:
    """One JSON object a row, exactly as it is kept."""
    encode = msgspec.json.Encoder().encode
    return (encode(row).decode() for row in rows)


def csv_lines(kind: str, rows: Iterable[Row]) -> Iterator[str]:
    """The header, then one record a row; it may span lines inside quotes. The first line opens with a BOM."""
    columns = COLUMNS[kind]
    yield _BOM + _record(columns)
    for row in rows:
        flat = {**row, **row.get("values", {})}
        yield _record([_cell(flat.get(column)) for column in columns])


def _record(cells: Iterable[Any]) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator=_LINE_END).writerow(cells)
    return written.getvalue().removesuffix(_LINE_END)


def _cell(value: Any) -> Any:  # noqa: ANN401 whatever a row may hold
    """A text that a spreadsheet would take for a formula is marked as text: strangers wrote some of it (law L11)."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_RUN_BY_SPREADSHEETS) else value
