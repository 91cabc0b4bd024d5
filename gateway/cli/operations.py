"""What people say and arrange, through the running gateway: answers to an episode, figures, work, absences, rounds.

Each is one request and its answer as lines of JSON. What a request does is the gateway's; nothing is decided here.
"""

from collections.abc import Callable
from typing import Annotated, Any, Final

import typer

from gateway.cli.ending import DEFAULT_CONFIG, Config, ask_gateway, instant, print_lines
from telemetry.reading import Millis

_FILE: Final = "file"
"""Instead of a value: what the rules file says counts again."""
_ABSENCES: Final = "/api/v1/absences"
_EXTRA_ROUNDS: Final = "/api/v1/extra-rounds"
_MAINTENANCE: Final = "/api/v1/maintenance"

_By = Annotated[str, typer.Option(metavar="PERSON", help="Who says so: an id of the inventory.")]
_From = Annotated[Millis | None, typer.Option("--from", parser=instant, metavar="ISO", help="From then on, or now.")]
_Until = Annotated[Millis, typer.Option("--until", parser=instant, metavar="ISO", help="Until then.")]
_Reason = Annotated[str, typer.Option(help="Why.")]

_Episode = Annotated[str, typer.Argument(metavar="EPISODE", help="As events and exports name it.")]


def ack(episode: _Episode, *, by: _By, config: Config = DEFAULT_CONFIG) -> None:
    """Somebody takes care of it. Nobody else is told; answers when it is durable."""
    _tell("/api/v1/commands", config, {"command": "ack"}, {"episode": episode, "by": by})


def reset(episode: _Episode, *, by: _By, config: Config = DEFAULT_CONFIG) -> None:
    """A person saw that a fire is out. Answers when it is durable."""
    _tell("/api/v1/commands", config, {"command": "reset"}, {"episode": episode, "by": by})


def figure(
    rule: Annotated[str, typer.Argument(metavar="RULE", help="As rules.yaml names it.")],
    name: Annotated[str, typer.Argument(metavar="FIGURE", help="As rules.yaml names it, like raise_pct.")],
    value: Annotated[str, typer.Argument(metavar="VALUE", help="As JSON or a word; 'file' undoes what was set.")],
    *,
    by: Annotated[str, typer.Option(metavar="PERSON", help="A dispatcher of the place: an id of the inventory.")],
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; it stands in the audit.")],
    area: Annotated[str, typer.Option(metavar="AREA", help="For everything in and below it.")] = "",
    asset: Annotated[str, typer.Option(metavar="ASSET", help="For this one alone.")] = "",
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Another figure counts for an area or an asset from now on. Answers when it is durable."""
    if bool(area) == bool(asset):
        raise typer.BadParameter("name one place: --area or --asset")
    at = {"place": "area" if area else "asset", "name": area or asset, "rule": rule, "figure": name}
    _tell("/api/v1/figures", config, {}, {**at, "value": _value(value), "by": by, "reason": reason})


def _value(text: str) -> object:
    import msgspec

    if text == _FILE:
        return None
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def declare_work(
    subject: Annotated[
        str, typer.Argument(metavar="SUBJECT", help="An asset, an area or, with --planned-cut, a feeder.")
    ],
    *,
    until: Annotated[Millis, typer.Option(parser=instant, metavar="ISO", help="When it is over.")],
    reason: Annotated[str, typer.Option(metavar="WORDS", help="Why; people read it.")],
    by: _By,
    since: Annotated[
        Millis | None, typer.Option("--from", parser=instant, metavar="ISO", help="When it begins; else now.")
    ] = None,
    planned_cut: Annotated[bool, typer.Option("--planned-cut", help="SUBJECT is a feeder whose power is cut.")] = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Says that a place is worked on. What that does by itself is told to nobody until it is over."""
    body = {"work": "planned_cut" if planned_cut else "maintenance", "subject": subject, "reason": reason, "by": by}
    _ask("POST", _MAINTENANCE, config, body | _term(since=since, until=until))


def end_work(
    window: Annotated[str, typer.Argument(metavar="WINDOW", help="As list and add print it.")],
    *,
    by: _By,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Says that it is over already, or does not come. What still stands is told once, a while later."""
    _ask("POST", f"{_MAINTENANCE}/end", config, {"window": window, "by": by})


def list_work(*, config: Config = DEFAULT_CONFIG) -> None:
    """Which windows stand, one a line, with the assets that they cover."""
    _ask("GET", _MAINTENANCE, config, None, lambda said: said["windows"])


def declare_absence(
    person: Annotated[str, typer.Argument(metavar="PERSON", help="Who is away: an id of the inventory.")],
    *,
    until: _Until,
    by: _By,
    since: _From = None,
    stand_in: Annotated[
        str, typer.Option(metavar="PERSON", help="Who stands in, if not whom the inventory names.")
    ] = "",
    reason: _Reason = "",
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Somebody is away. Who stands in gets their texts and is asked by SMS; answers when it is durable."""
    body = {"person": person, "by": by, "stand_in": stand_in, "reason": reason}
    _ask("POST", _ABSENCES, config, body | _term(begins=since, ends=until))


def end_absence(
    absence: Annotated[str, typer.Argument(metavar="ABSENCE", help="As list names it.")],
    *,
    by: _By,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """They are back, or do not go. Answers when it is durable."""
    _ask("POST", f"{_ABSENCES}/end", config, {"absence": absence, "by": by})


def list_absences(*, config: Config = DEFAULT_CONFIG) -> None:
    """Who is away or will be, a line each; then, a line each, the areas with a bin that nobody empties now."""

    def lines(said: dict[str, Any]) -> list[Any]:
        return [*said["absences"], *({"nobody": area} for area in said["uncovered"])]

    _ask("GET", _ABSENCES, config, None, lines)


def order_round(
    place: Annotated[str, typer.Argument(metavar="PLACE", help="An area or a bin: an id of the inventory.")],
    *,
    until: _Until,
    by: _By,
    since: _From = None,
    reason: _Reason = "",
    config: Config = DEFAULT_CONFIG,
) -> None:
    """An extra round: it holds texts and can be missed as any other. Answers when it is durable."""
    body = {"place": place, "by": by, "reason": reason}
    _ask("POST", _EXTRA_ROUNDS, config, body | _term(begins=since, ends=until))


def cancel_round(
    extra: Annotated[str, typer.Argument(metavar="ROUND", help="As list names it.")],
    *,
    by: _By,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """It does not come. Answers when it is durable."""
    _ask("POST", f"{_EXTRA_ROUNDS}/end", config, {"extra": extra, "by": by})


def list_rounds(*, config: Config = DEFAULT_CONFIG) -> None:
    """The extra rounds that are not over for long, a line each."""
    _ask("GET", _EXTRA_ROUNDS, config, None, lambda said: said["extras"])


def _term(**moments: Millis | None) -> dict[str, str]:
    """From when until when, as the API reads it; what is not said is left out."""
    from alerts.calendars import iso

    return {name: iso(at_ms) for name, at_ms in moments.items() if at_ms is not None}


def _tell(path: str, config: Config, said: dict[str, object], shown: dict[str, object]) -> None:
    """Prints what came of it and when, with what of it is ``shown``."""
    from msgspec import json

    from alerts.calendars import iso
    from gateway import client

    wish = {**said, **shown, "channel": "cli"}
    done = ask_gateway(config, lambda settings: client.request(settings, "POST", path, wish, ("event", "at_ms")))
    print_lines([json.encode({"at": iso(done["at_ms"]), "event": done["event"], **shown}).decode()])


def _ask(
    method: str,
    path: str,
    config: Config,
    body: dict[str, str] | None,
    each: Callable[[dict[str, Any]], list[Any]] = lambda said: [said],
) -> None:
    """Prints ``each`` of the answer; ends with the gateway's sentence where it refuses."""
    from msgspec import json

    from gateway import client

    wish = None if body is None else {**body, "channel": "cli"}
    said = ask_gateway(config, lambda settings: client.request(settings, method, path, wish))
    print_lines([json.encode(line).decode() for line in each(said)])


GROUPS: Final[tuple[tuple[str, str, dict[str, tuple[Callable[..., None], str]]], ...]] = (
    (
        "maintenance",
        "Work and planned power cuts, declared and taken back.",
        {
            "add": (
                declare_work,
                "cunjing maintenance add hetian --until 2026-11-22T16:00:00+08:00 --reason pump --by dispatch-wu",
            ),
            "end": (end_work, "cunjing maintenance end maintenance/hetian/20261122T004001Z --by dispatch-wu"),
            "list": (list_work, "cunjing maintenance list"),
        },
    ),
    (
        "absence",
        "Who is away, and who stands in.",
        {
            "add": (
                declare_absence,
                "cunjing absence add cleaner-li --until 2026-11-25T00:00:00+08:00 --by dispatch-wu",
            ),
            "end": (end_absence, "cunjing absence end absence/cleaner-li/20261122T004001Z --by dispatch-wu"),
            "list": (list_absences, "cunjing absence list"),
        },
    ),
    (
        "round",
        "Extra rounds beside the calendar's.",
        {
            "order": (order_round, "cunjing round order liutan --until 2026-11-22T13:00:00+08:00 --by dispatch-wu"),
            "cancel": (cancel_round, "cunjing round cancel extra_round/liutan/20261122T034001Z --by dispatch-wu"),
            "list": (list_rounds, "cunjing round list"),
        },
    ),
)
"""What stands below a word of its own: that word, what it is about, and each command there with its example."""
