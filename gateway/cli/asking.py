"""One request to the running gateway and its answer as lines of JSON, for commands that do nothing else."""

from collections.abc import Callable
from typing import Any

from gateway.cli.ending import Config, ends_with_a_sentence, print_lines


def asked(
    method: str,
    path: str,
    config: Config,
    body: dict[str, str] | None,
    each: Callable[[dict[str, Any]], list[Any]] = lambda said: [said],
) -> None:
    """Prints ``each`` of the answer; ends with the gateway's sentence where it refuses."""
    from msgspec import json

    from alerts.channels import channels
    from gateway import client, settings
    from gateway.settings import SettingsFault

    with ends_with_a_sentence(SettingsFault, client.Unserved):
        said = client.said(settings.load(config, channels()), method, path, body)
    print_lines([json.encode(line).decode() for line in each(said)])
