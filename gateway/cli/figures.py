"""``cunjing figure``: a figure of a rule set for an area or an asset, through the running gateway."""

from typing import Annotated, Final

import typer

from gateway.cli.ending import DEFAULT_CONFIG, Config, ends_with_a_sentence, print_lines

_FILE: Final = "file"
"""Instead of a value: what the rules file says counts again."""


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
    from msgspec import json

    from alerts.calendars import iso
    from alerts.channels import channels
    from gateway import client, settings
    from gateway.settings import SettingsFault

    if bool(area) == bool(asset):
        raise typer.BadParameter("name one place: --area or --asset")
    at = {"place": "area" if area else "asset", "name": area or asset, "rule": rule, "figure": name}
    wish = {**at, "value": _value(value), "by": by, "reason": reason}
    with ends_with_a_sentence(SettingsFault, client.Unserved):
        event, at_ms = client.figure(settings.load(config, channels()), wish)
    print_lines([json.encode({"at": iso(at_ms), "event": event, **wish}).decode()])


def _value(text: str) -> object:
    import msgspec

    if text == _FILE:
        return None
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text
