"""``cunjing ack`` and ``cunjing reset``: what a person says about an episode, through the running gateway."""

from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.ending import DEFAULT_CONFIG, Config, ends_with_a_sentence, print_lines

if TYPE_CHECKING:
    from gateway.commands.episodes import EpisodeVerb

_Episode = Annotated[str, typer.Argument(metavar="EPISODE", help="As events and exports name it.")]
_By = Annotated[str, typer.Option(metavar="PERSON", help="Who says so: an id of the inventory.")]


def ack(episode: _Episode, *, by: _By, config: Config = DEFAULT_CONFIG) -> None:
    """Somebody takes care of it. Nobody else is told; answers when it is durable."""
    from gateway.commands.episodes import EpisodeVerb

    _command(EpisodeVerb.ACK, episode, by, config)


def reset(episode: _Episode, *, by: _By, config: Config = DEFAULT_CONFIG) -> None:
    """A person saw that a fire is out. Answers when it is durable."""
    from gateway.commands.episodes import EpisodeVerb

    _command(EpisodeVerb.RESET, episode, by, config)


def _command(verb: "EpisodeVerb", episode: str, by: str, config: Config) -> None:
    from msgspec import json

    from alerts.calendars import iso
    from alerts.channels import channels
    from gateway import client, settings
    from gateway.settings import SettingsFault

    with ends_with_a_sentence(SettingsFault, client.Unserved):
        event, at_ms = client.command(settings.load(config, channels()), verb, episode, by)
    print_lines([json.encode({"at": iso(at_ms), "event": event, "episode": episode, "by": by}).decode()])
