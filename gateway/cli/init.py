"""``cunjing init``: what docker-compose.yml needs beside it. What that is, is decided in ``gateway/installing.py``."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.ending import ends_with_a_sentence, print_lines, say

COMPOSE = "docker-compose.yml"


def init(
    folder: Annotated[
        Path, typer.Argument(exists=True, file_okay=False, metavar="DIR", help="Where docker-compose.yml is.")
    ] = Path(),
) -> None:
    """Secrets, folders and configuration for docker compose. As often as you like; what is there is kept."""
    from gateway.installing import installed
    from gateway.settings import SettingsFault

    with ends_with_a_sentence(SettingsFault):
        for step in installed(folder):
            print_lines([f"{step.done:7} {step.path:34} {step.what}"], at_once=True)
    if (folder / COMPOSE).is_file():
        say("now: docker compose up -d; then put your county into config/inventory.yaml")
    else:
        say(f"there is no {COMPOSE} here: the addresses in config/gateway.toml are its services' names, change them")
