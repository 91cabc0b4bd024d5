"""``cunjing why``, ``who`` and ``export``: what the journal knows, with or without a running gateway.

What stands behind what was or was not sent, who would be told if, and rows; their shape is in ``exporting``. Nothing
else is read, and nothing is written.
"""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final

import typer

from gateway.cli.ending import (
    DEFAULT_CONFIG,
    Code,
    Config,
    county_of,
    ends_with_a_sentence,
    instant,
    load_settings,
    print_bytes,
    print_lines,
)
from telemetry.reading import Millis

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from gateway.journal.view import Row


def why(
    asset: Annotated[str, typer.Argument(metavar="ASSET", help="An asset's id in the inventory.")],
    *,
    at: Annotated[str | None, typer.Option("--at", metavar="ISO", help="As it was then; now without.")] = None,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """The samples, rules, holds and persons behind what was or was not sent about an asset in two days."""
    from contextlib import closing

    from alerts.calendars import Calendar
    from gateway.clock import WallClock
    from gateway.desk.account import account, lines
    from gateway.journal.case_reader import CaseReader
    from gateway.journal.database import JournalUnavailable
    from gateway.settings import SettingsFault

    at_ms = WallClock().now_ms() if at is None else instant(at)
    with ends_with_a_sentence(JournalUnavailable):
        chosen = load_settings(config)
        inventory = county_of(chosen)
        known = inventory.known_asset(asset)
        if known is None:
            raise SettingsFault([f"the inventory has no asset {asset}"])
        with closing(CaseReader.open(chosen.journal.path)) as journal:
            story = account(journal, inventory, known, at_ms)
    print_lines(lines(story, inventory, Calendar.of(inventory.county)))


def who(
    rule: Annotated[str, typer.Argument(metavar="RULE", help="A rule that watches the asset, like overflow.")],
    asset: Annotated[str, typer.Argument(metavar="ASSET", help="An asset's id in the inventory.")],
    *,
    at: Annotated[
        str | None, typer.Option("--at", metavar="ISO", help="If it stood from then on; now without.")
    ] = None,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Who would be told, and when, if this stood: through duty, quiet, rounds, budgets and absences. Sends nothing."""
    from alerts.calendars import Calendar
    from alerts.model import Refused
    from alerts.policy import PolicyFault
    from gateway import shipped, start
    from gateway.clock import WallClock
    from gateway.desk.pages.foresight import lines_of
    from gateway.journal.database import JournalUnavailable
    from gateway.journal.reader import remembered
    from gateway.replay import Memory
    from gateway.settings import SettingsFault

    at_ms = WallClock().now_ms() if at is None else instant(at)
    with ends_with_a_sentence(JournalUnavailable, PolicyFault):
        chosen = load_settings(config)
        inventory = county_of(chosen)
        policy_files = shipped.policy_files(chosen.alerts)
        with remembered(chosen.journal.path) as restored:
            if restored is None:
                line = start.anew(inventory, policy_files, Memory(), at_ms)
            else:
                line = start.resumed(inventory, policy_files, Memory(), restored, at_ms)
        said = line.foresee(rule, asset, at_ms)
        if isinstance(said, Refused):
            raise SettingsFault([said.sentence])
    calendar = Calendar.of(inventory.county)
    print_lines(lines_of(said, inventory.assets[asset], inventory, calendar, at_ms))
    raise typer.Exit(Code.OK if said.is_in_time else Code.PROBLEMS)


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

    from alerts.policy import PolicyFault
    from gateway import exporting
    from gateway.journal.database import JournalUnavailable
    from gateway.journal.ledger import LedgerReader
    from gateway.journal.rollups import RollupReader
    from gateway.journal.view import FIRST_MS, LAST_MS

    with ends_with_a_sentence(PolicyFault, JournalUnavailable):
        path = load_settings(config).journal.path
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
    from gateway import exporting, imports, shipped

    found = load_settings(config)
    path, policy_files = found.inventory.path, shipped.policy_files(found.alerts)
    inventory = imports.read(path)[1].inventory or imports.checked(path)  # its warnings do not belong into a file
    rules = policy.load(policy_files.escalation, policy_files.escalation_name).ledger.rules
    return exporting.workbook(rows, exporting.names(inventory, rules), ZoneInfo(inventory.county.timezone))
