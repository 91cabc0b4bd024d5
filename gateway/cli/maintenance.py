"""``cunjing maintenance``: work and planned power cuts, declared and taken back through the running gateway."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.ending import DEFAULT_CONFIG, Config, ends_with_a_sentence, instant, print_lines
from telemetry.reading import Millis

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.settings import Settings

_By = Annotated[str, typer.Option(metavar="PERSON", help="Who says so: an id of the inventory.")]
_Until = Annotated[Millis, typer.Option(parser=instant, metavar="ISO", help="When it is over.")]
_Since = Annotated[
    Millis | None, typer.Option("--from", parser=instant, metavar="ISO", help="When it begins; else now.")
]
_Cut = Annotated[bool, typer.Option("--planned-cut", help="SUBJECT is a feeder whose power is cut.")]


def add(
    subject: Annotated[
        str, typer.Argument(metavar="SUBJECT", help="An asset, an area or, with --planned-cut, a feeder.")
    ],
    *,
    until: _Until,
    reason: Annotated[str, typer.Option(metavar="WORDS", help="Why; people read it.")],
    by: _By,
    since: _Since = None,
    planned_cut: _Cut = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Says that a place is worked on. What that does by itself is told to nobody until it is over."""
    from alerts.calendars import iso

    body = {"work": "planned_cut" if planned_cut else "maintenance", "subject": subject, "until": iso(until)}
    begins = {} if since is None else {"since": iso(since)}
    _say(config, lambda client, chosen: [client.declare(chosen, {**body, **begins, "reason": reason, "by": by})])


def end(
    window: Annotated[str, typer.Argument(metavar="WINDOW", help="As list and add print it.")],
    *,
    by: _By,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Says that it is over already, or does not come. What still stands is told once, a while later."""
    _say(config, lambda client, chosen: [client.withdraw(chosen, window, by)])


def listed(*, config: Config = DEFAULT_CONFIG) -> None:
    """Which windows stand, one a line, with the assets that they cover."""
    _say(config, lambda client, chosen: client.windows(chosen))


def _say(config: "Config", ask: "Callable[[Any, Settings], list[dict[str, Any]]]") -> None:
    from msgspec import json

    from alerts.channels import channels
    from gateway import client, settings
    from gateway.settings_faults import SettingsFault

    with ends_with_a_sentence(SettingsFault, client.Unserved):
        found = ask(client, settings.load(config, channels()))
    print_lines([json.encode(window).decode() for window in found])


listed.__name__ = "list"
