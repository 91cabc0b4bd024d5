"""``cunjing init``, ``inventory check``, ``influx`` and ``doctor``: an installation set up, and looked at.

What is made and what is asked is decided in ``gateway/installation.py``, ``gateway/influx/bootstrap.py``,
``gateway/doctor.py`` and ``telemetry``; here each step and each fault becomes a line.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from gateway.cli.ending import (
    DEFAULT_CONFIG,
    Code,
    Config,
    ask_gateway,
    ends_with_a_sentence,
    instant,
    load_settings,
    print_lines,
    say,
)
from telemetry.reading import Millis

if TYPE_CHECKING:
    from gateway.doctor import Diagnosis

_COMPOSE: Final = "docker-compose.yml"
_ADMIN_FILE: Final = Path("secrets/influxdb-admin")


def init(
    folder: Annotated[
        Path, typer.Argument(exists=True, file_okay=False, metavar="DIR", help="Where docker-compose.yml is.")
    ] = Path(),
) -> None:
    """Secrets, folders and configuration for docker compose. As often as you like; what is there is kept."""
    from gateway.installation import installed

    with ends_with_a_sentence():
        for step in installed(folder):
            print_lines([f"{step.done:7} {step.path:34} {step.what}"], at_once=True)
    if (folder / _COMPOSE).is_file():
        say("now: docker compose up -d; then put your county into config/inventory.yaml")
    else:
        say(f"there is no {_COMPOSE} here: the addresses in config/gateway.toml are its services' names, change them")


def check(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, metavar="FILE", help="The inventory, YAML.")],
) -> None:
    """Each fault with its place and remedy. File, line, row and field; warnings alone are no problem."""
    from gateway.imports import read
    from telemetry.inventory.faults import FaultSeverity

    with ends_with_a_sentence():
        _, (inventory, faults) = read(file)
    print_lines(str(fault) for fault in faults)
    if inventory is None:
        errors = sum(fault.severity is FaultSeverity.ERROR for fault in faults)
        say(f"{file} cannot be used: {errors} to put right")
        raise typer.Exit(Code.PROBLEMS)
    say(f"{file} can be used: {len(inventory.assets)} assets, {len(inventory.devices)} devices")


def setup(
    *,
    config: Config = DEFAULT_CONFIG,
    admin_token_file: Annotated[
        Path, typer.Option(metavar="FILE", help="The operator's token; made if the server is fresh.")
    ] = _ADMIN_FILE,
) -> None:
    """Buckets, InfluxQL databases and tokens, made where they are missing. As often as you like."""
    from gateway.settings import SettingsFault

    with ends_with_a_sentence():
        chosen = load_settings(config).influxdb
        if chosen is None:
            raise SettingsFault([f"{config}: there is no [influxdb]; add it (see gateway.example.toml)"])
        from gateway.influx.bootstrap import Unfinished, set_up

        with ends_with_a_sentence(Unfinished):
            for step in set_up(chosen, admin_token_file):
                print_lines([f"{'made' if step.changed else 'ok':5} {step.said}"], at_once=True)


def resend(
    *,
    config: Config = DEFAULT_CONFIG,
    since: Annotated[
        Millis | None, typer.Option("--from", parser=instant, metavar="ISO", help="What came from then on; else all.")
    ] = None,
) -> None:
    """Writes again what the journal holds, through the running gateway. Points are overwritten, never doubled."""
    from gateway import client

    body = {"since_ms": since or 0}
    ask_gateway(config, lambda settings: client.request(settings, "POST", "/api/v1/series/resend", body, ("at_ms",)))
    say("it has begun; `cunjing_series_behind_readings` in /metrics says how much is left")


def doctor(config: Config = DEFAULT_CONFIG) -> None:
    """Each part with its state and remedy. Broker, journal, texts, inventory, clock, disk; it changes nothing."""
    from gateway.clock import WallClock
    from gateway.doctor import examined

    with ends_with_a_sentence():
        chosen = load_settings(config)
    is_well = True
    for diagnosis in examined(chosen, WallClock().now_ms()):
        is_well = is_well and diagnosis.part.ready
        print_lines(_shown(diagnosis), at_once=True)
    raise typer.Exit(Code.OK if is_well else Code.PROBLEMS)


def _shown(diagnosis: "Diagnosis") -> Iterator[str]:
    part = diagnosis.part
    said = f"{part.state}; {part.remedy}" if part.remedy else part.state
    yield f"{'ok' if part.ready else 'PROBLEM':8} {diagnosis.name:10} {said}"
    yield from (f"{'':8} {'':10} note: {note}" for note in part.notes)
