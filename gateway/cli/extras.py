"""``cunjing round order|cancel|list``: extra rounds (加收), through the running gateway."""

from typing import Annotated

import typer

from gateway.cli.asking import asked
from gateway.cli.ending import DEFAULT_CONFIG, Config, instant
from telemetry.reading import Millis

_Place = Annotated[str, typer.Argument(metavar="PLACE", help="An area or a bin: an id of the inventory.")]
_Extra = Annotated[str, typer.Argument(metavar="ROUND", help="As list names it.")]
_By = Annotated[str, typer.Option(metavar="PERSON", help="Who says so: an id of the inventory.")]
_From = Annotated[Millis | None, typer.Option("--from", parser=instant, metavar="ISO", help="From then on, or now.")]
_Until = Annotated[Millis, typer.Option("--until", parser=instant, metavar="ISO", help="Until then.")]


def order(
    place: _Place,
    *,
    until: _Until,
    by: _By,
    since: _From = None,
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    config: Config = DEFAULT_CONFIG,
) -> None:
    """An extra round: it holds texts and can be missed as any other. Answers when it is durable."""
    from alerts.calendars import iso

    body = {"place": place, "ends": iso(until), "by": by, "reason": reason, "channel": "cli"}
    asked("POST", "/api/v1/extra-rounds", config, body | ({} if since is None else {"begins": iso(since)}))


def cancel(extra: _Extra, *, by: _By, config: Config = DEFAULT_CONFIG) -> None:
    """It does not come. Answers when it is durable."""
    asked("POST", "/api/v1/extra-rounds/end", config, {"extra": extra, "by": by, "channel": "cli"})


def list_(*, config: Config = DEFAULT_CONFIG) -> None:
    """The extra rounds that are not over for long, a line each."""
    asked("GET", "/api/v1/extra-rounds", config, None, lambda said: said["extras"])
