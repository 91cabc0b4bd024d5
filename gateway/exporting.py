"""Rows of the journal as JSON lines, as a table that a spreadsheet opens, and cases as a workbook for the office.

The home of XlsxWriter. It is given rows and gives lines or bytes; it reads nothing and writes no file.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from types import MappingProxyType
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
import xlsxwriter

from alerts.policy import CaseRule
from alerts.rollups.rows import DAYS, HOURS
from alerts.rollups.rows import Row as RollupRow
from gateway.journal.ledger import CASE_COLUMNS, IN_WORKBOOK
from gateway.journal.view import Row
from telemetry.inventory import Inventory
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
        "cases": CASE_COLUMNS,
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


_MOST_ROWS: Final = 1_000_000
"""The newest; a sheet takes a few more."""


class WorkbookColumn(NamedTuple):
    """One column: which key of a row, its heading, its width in characters."""

    key: str
    heading: str
    width: int


WORKBOOK_COLUMNS: Final = tuple(
    WorkbookColumn(key, column.heading, column.width)
    for key, column in sorted(IN_WORKBOOK.items(), key=lambda each: each[1].place)
)
"""As the fields of ``CaseBody`` say."""
_WORDS: Final = {
    "open": "待派",
    "assigned": "已派",
    "doing": "办理中",
    "fixed": "已办待核",
    "verified": "已核实",
    "closed": "已销号",
    "deferred": "已备案",
    "reopened": "已退回",
    "telemetry": "监测",
    "telephone": "电话",
    "sight": "巡查",
    "answer": "回复",
}
"""States and origins as the office says them."""


def names(inventory: Inventory, rules: Mapping[str, CaseRule]) -> dict[str, dict[str, str]]:
    """What the ids of an inventory and of its rules are called, by column."""
    areas = {area.id: area.name for area in inventory.areas.values()} | {inventory.county.id: inventory.county.name}
    return {
        "town": areas,
        "area": areas,
        "asset": {asset.id: asset.name for asset in inventory.assets.values()},
        "owner": {person.id: person.name for person in inventory.people.values()},
        "rule": {name: rule.standard or rule.says for name, rule in rules.items()},
    }


def workbook(rows: Iterable[Row], called: Mapping[str, Mapping[str, str]], zone: ZoneInfo) -> bytes:
    """The workbook of these cases: local dates, ``called`` by column and id, and no text that becomes a formula."""
    made = io.BytesIO()
    # in_memory and no formulas, links or numbers from text: strangers wrote some of it (law L11)
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(made, options) as book:
        sheet = book.add_worksheet("台账")
        head = book.add_format({"bold": True, "bg_color": "#D9E7DD", "border": 1})
        date = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        for place, column in enumerate(WORKBOOK_COLUMNS):
            sheet.set_column(place, place, column.width)
            sheet.write_string(0, place, column.heading, head)
        last = 0
        for last, row in enumerate(islice(rows, _MOST_ROWS), start=1):
            for place, column in enumerate(WORKBOOK_COLUMNS):
                value = row[column.key]
                if value is None or value == "":
                    continue
                if column.key.endswith("_at"):
                    local = datetime.fromisoformat(value).astimezone(zone).replace(tzinfo=None)
                    sheet.write_datetime(last, place, local, date)
                elif isinstance(value, int):
                    sheet.write_number(last, place, value)
                else:
                    said = _WORDS if column.key in {"state", "origin"} else called.get(column.key, {})
                    sheet.write_string(last, place, said.get(value, value))
        sheet.autofilter(0, 0, max(last, 1), len(WORKBOOK_COLUMNS) - 1)
        sheet.freeze_panes(1, 1)
    return made.getvalue()
