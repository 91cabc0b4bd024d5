"""``cunjing influx``: InfluxDB made ready, and written to again. What is made is in ``gateway/influx/bootstrap.py``."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.ending import DEFAULT_CONFIG, Config, ends_with_a_sentence, instant, print_lines, say
from telemetry.reading import Millis

_ADMIN_FILE = Path("secrets/influxdb-admin")


def setup(
    *,
    config: Config = DEFAULT_CONFIG,
    admin_token_file: Annotated[
        Path, typer.Option(metavar="FILE", help="The operator's token; made if the server is fresh.")
    ] = _ADMIN_FILE,
) -> None:
    """Buckets, InfluxQL databases and tokens, made where they are missing. As often as you like."""
    from alerts.channels import channels
    from gateway import settings
    from gateway.settings import SettingsFault

    with ends_with_a_sentence(SettingsFault):
        chosen = settings.load(config, channels()).influxdb
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
    from alerts.channels import channels
    from gateway import client, settings
    from gateway.settings import SettingsFault

    with ends_with_a_sentence(SettingsFault, client.Unserved):
        client.resend(settings.load(config, channels()), since or 0)
    say("it has begun; `cunjing_series_behind_readings` in /metrics says how much is left")
