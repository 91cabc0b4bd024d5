"""``cunjing absence add|end|list``: who is away and who stands in, through the running gateway."""

from typing import Annotated, Any

import typer

from gateway.cli.asking import asked
from gateway.cli.ending import DEFAULT_CONFIG, Config, instant
from telemetry.reading import Millis

_Person = Annotated[str, typer.Argument(metavar="PERSON", help="Who is away: an id of the inventory.")]
_Absence = Annotated[str, typer.Argument(metavar="ABSENCE", help="As list names it.")]
_By = Annotated[str, typer.Option(metavar="PERSON", help="Who says so: an id of the inventory.")]
_From = Annotated[Millis | None, typer.Option("--from", parser=instant, metavar="ISO", help="From then on, or now.")]
_Until = Annotated[Millis, typer.Option("--until", parser=instant, metavar="ISO", help="Until then.")]
_StandIn = Annotated[str, typer.Option(metavar="PERSON", help="Who stands in, if not whom the inventory names.")]


def add(
    person: _Person,
    *,
    until: _Until,
    by: _By,
    since: _From = None,
    stand_in: _StandIn = "",
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Somebody is away. Who stands in gets their texts and is asked by SMS; answers when it is durable."""
    from alerts.calendars import iso

    body = {"person": person, "ends": iso(until), "by": by, "stand_in": stand_in, "reason": reason, "channel": "cli"}
    asked("POST", "/api/v1/absences", config, body | ({} if since is None else {"begins": iso(since)}))


def end(absence: _Absence, *, by: _By, config: Config = DEFAULT_CONFIG) -> None:
    """They are back, or do not go. Answers when it is durable."""
    asked("POST", "/api/v1/absences/end", config, {"absence": absence, "by": by, "channel": "cli"})


def list_(*, config: Config = DEFAULT_CONFIG) -> None:
    """Who is away or will be, a line each; then, a line each, the areas with a bin that nobody empties now."""
    asked("GET", "/api/v1/absences", config, None, _lines)


def _lines(said: dict[str, Any]) -> list[Any]:
    return [*said["absences"], *({"nobody": area} for area in said["uncovered"])]
