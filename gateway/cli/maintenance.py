"""``cunjing maintenance``: work and planned power cuts, declared and taken back through the running gateway."""

from typing import Annotated, Final

import typer

from gateway.cli.asking import asked
from gateway.cli.ending import DEFAULT_CONFIG, Config, instant
from telemetry.reading import Millis

PATH: Final = "/api/v1/maintenance"

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
    asked("POST", PATH, config, {**body, **begins, "reason": reason, "by": by, "channel": "cli"})


def end(
    window: Annotated[str, typer.Argument(metavar="WINDOW", help="As list and add print it.")],
    *,
    by: _By,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Says that it is over already, or does not come. What still stands is told once, a while later."""
    asked("POST", f"{PATH}/end", config, {"window": window, "by": by, "channel": "cli"})


def listed(*, config: Config = DEFAULT_CONFIG) -> None:
    """Which windows stand, one a line, with the assets that they cover."""
    asked("GET", PATH, config, None, lambda said: said["windows"])


listed.__name__ = "list"
