"""``cunjing export``: rows out of the journal, with or without a running gateway. Their shape is in ``exporting``."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final

import typer

from gateway.cli.ending import DEFAULT_CONFIG, Config, ends_with_a_sentence, instant, print_bytes, print_lines
from telemetry.reading import Millis

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from gateway.journal.view import Row


class ExportedRows(StrEnum):
    """What can be exported; the names are the journal reader's own."""

    READINGS = "readings"
    ALERTS = "alerts"
    NOTIFICATIONS = "notifications"
    QUARANTINE = "quarantine"
    CASES = "cases"
    HOURS = "hours"
    DAYS = "days"


class Form(StrEnum):
    """How it is written."""

    JSONL = "jsonl"
    CSV = "csv"
    XLSX = "xlsx"


WHAT: Final = "readings, alerts, notifications, quarantine, cases, or the rollups: hours, days."


def export(
    rows: Annotated[ExportedRows, typer.Argument(metavar="WHAT", help=WHAT)],
    *,
    config: Config = DEFAULT_CONFIG,
    since: Annotated[Millis | None, typer.Option("--from", parser=instant, metavar="ISO", help="From then on.")] = None,
    to: Annotated[Millis | None, typer.Option("--to", parser=instant, metavar="ISO", help="Before then.")] = None,
    form: Annotated[Form, typer.Option("--format", help="CSV: UTF-8 with BOM. XLSX: cases.")] = Form.JSONL,
) -> None:
    """Data out of the journal. On standard output, times in UTC. In CSV, text that a spreadsheet would run gets a '."""
    if form is Form.XLSX and rows is not ExportedRows.CASES:
        raise typer.BadParameter("xlsx is for cases; csv opens in a spreadsheet, too", param_hint="--format")
    from contextlib import closing

    from alerts.channels import channels
    from alerts.policy import PolicyFault
    from gateway import exporting, settings
    from gateway.journal.database import JournalUnavailable
    from gateway.journal.ledger import LedgerReader
    from gateway.journal.rollups import RollupReader
    from gateway.journal.view import FIRST_MS, LAST_MS
    from gateway.settings import SettingsFault

    with ends_with_a_sentence(SettingsFault, PolicyFault, JournalUnavailable):
        path = settings.load(config, channels()).journal.path
        with closing(RollupReader.open(path)) as journal, closing(LedgerReader.open(path)) as ledger:
            span = (FIRST_MS if since is None else since, LAST_MS if to is None else to)
            read = {
                ExportedRows.READINGS: journal.readings,
                ExportedRows.ALERTS: journal.alerts,
                ExportedRows.NOTIFICATIONS: journal.notifications,
                ExportedRows.QUARANTINE: journal.quarantine,
                ExportedRows.CASES: ledger.cases,
                ExportedRows.HOURS: journal.hours,
                ExportedRows.DAYS: journal.days,
            }[rows]
            found = read(*span)
            if form is Form.XLSX:
                print_bytes(_workbook(found, config))
                return
            print_lines(exporting.json_lines(found) if form is Form.JSONL else exporting.csv_lines(rows, found))


def _workbook(rows: "Iterable[Row]", config: "Path") -> bytes:
    """With the names of the inventory and of the rules, in the county's own time."""
    from zoneinfo import ZoneInfo

    from alerts import policy
    from alerts.channels import channels
    from gateway import exporting, imports, settings, shipped

    found = settings.load(config, channels())
    path, figures = found.inventory.path, shipped.figures(found.alerts)
    inventory = imports.read(path)[1].inventory or imports.checked(path)  # its warnings do not belong into a file
    rules = policy.load(figures.escalation, figures.escalation_name).ledger.rules
    return exporting.workbook(rows, exporting.names(inventory, rules), ZoneInfo(inventory.county.timezone))
