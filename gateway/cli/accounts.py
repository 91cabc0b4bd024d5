"""``cunjing why`` and ``cunjing who``: what stands behind what was or was not sent, and who would be told if.

Both read the journal and nothing else; a gateway may run beside them or not.
"""

from typing import Annotated

import typer

from gateway.cli.ending import DEFAULT_CONFIG, Code, Config, county_of, ends_with_a_sentence, instant, print_lines


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
    from gateway.journal.database import JournalUnavailable
    from gateway.settings import SettingsFault

    at_ms = WallClock().now_ms() if at is None else instant(at)
    with ends_with_a_sentence(SettingsFault, JournalUnavailable):
        chosen = settings.load(config, channels())
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
    from alerts.channels import channels
    from alerts.policy import PolicyFault
    from alerts.refusals import Refused
    from gateway import settings, shipped, start
    from gateway.clock import WallClock
    from gateway.desk.pages.foresight import lines_of
    from gateway.journal.database import JournalUnavailable
    from gateway.journal.reader import remembered
    from gateway.replay import Memory
    from gateway.settings import SettingsFault

    at_ms = WallClock().now_ms() if at is None else instant(at)
    with ends_with_a_sentence(SettingsFault, JournalUnavailable, PolicyFault):
        chosen = settings.load(config, channels())
        inventory = county_of(chosen)
        figures = shipped.figures(chosen.alerts)
        with remembered(chosen.journal.path) as restored:
            if restored is None:
                line = start.anew(inventory, figures, Memory(), at_ms)
            else:
                line = start.resumed(inventory, figures, Memory(), restored, at_ms)
        said = line.foresee(rule, asset, at_ms)
        if isinstance(said, Refused):
            raise SettingsFault([said.sentence])
    calendar = Calendar.of(inventory.county)
    print_lines(lines_of(said, inventory.assets[asset], inventory, calendar, at_ms))
    raise typer.Exit(Code.OK if said.is_in_time else Code.PROBLEMS)
