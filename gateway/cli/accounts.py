"""``cunjing why``: what stands behind what was or was not sent about an asset. It reads the journal and nothing else.

A gateway may run beside it or not.
"""

from typing import Annotated

import typer

from gateway.cli.ending import DEFAULT_CONFIG, Config, county_of, ends_with_a_sentence, instant, print_lines


def why(
    asset: Annotated[str, typer.Argument(metavar="ASSET", help="An asset's id in the inventory.")],
    *,
    at: Annotated[str | None, typer.Option("--at", metavar="ISO", help="As it was then; now without.")] = None,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """The samples, rules, holds and persons behind what was or was not sent about an asset in two days."""
    from contextlib import closing

    from alerts.calendars import Calendar
    from alerts.channels import channels
    from gateway import settings
    from gateway.clock import WallClock
    from gateway.desk.account import account, lines
    from gateway.journal.case_reader import CaseReader
    from gateway.journal.trouble import JournalUnavailable
    from gateway.settings_faults import SettingsFault

    at_ms = WallClock().now_ms() if at is None else instant(at)
    with ends_with_a_sentence(SettingsFault, JournalUnavailable):
        chosen = settings.load(config, channels())
        inventory = county_of(chosen)
        if asset not in inventory.assets:
            raise SettingsFault([f"the inventory has no asset {asset}"])
        with closing(CaseReader.open(chosen.journal.path)) as journal:
            story = account(journal, inventory, inventory.assets[asset], at_ms)
    print_lines(lines(story, inventory, Calendar.of(inventory.county)))
