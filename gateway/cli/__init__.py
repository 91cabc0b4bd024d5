"""The ``cunjing`` command: every command with its example, in the order of their help.

What a command does is in the other files here, and what it needs is imported only when it runs, so that ``--help``
is quick. Exit codes: 0 ok, 1 found problems, 2 wrong use.
"""

from collections.abc import Callable
from typing import Annotated, Final

import typer

from gateway.cli.boards import check as boards_check
from gateway.cli.boards import outline, push, write
from gateway.cli.desk import adduser, removeuser, users
from gateway.cli.installation import check, doctor, init, resend, setup
from gateway.cli.journal import export, who, why
from gateway.cli.operations import GROUPS, ack, figure, reset
from gateway.cli.people import card, people, welcome
from gateway.cli.recordings import decode, record, replay
from gateway.cli.running import demo, gateway, simulate, watch
from gateway.cli.sms import test as sms_test

__all__ = ["app"]

_COMMANDS: Final[tuple[tuple[Callable[..., None], str], ...]] = (
    (demo, "cunjing demo --county 青溪县 --towns 石桥镇,竹园乡"),
    (init, "cunjing init && docker compose up -d"),
    (gateway, "cunjing gateway --config config/gateway.toml"),
    (
        simulate,
        "cunjing simulate --broker mqtt://127.0.0.1:1883 --scenario ordinary_week --write-inventory county.yaml",
    ),
    (record, "cunjing record --broker mqtt://127.0.0.1:1883 --seconds 600 > uplinks.jsonl"),
    (replay, "cunjing replay uplinks.jsonl --inventory config/inventory.yaml"),
    (decode, "cunjing decode --envelope native < payload.json"),
    (export, "cunjing export readings --from 2026-11-22T00:00:00+08:00 --format csv > readings.csv"),
    (ack, "cunjing ack overflow/ytan-03/20261122T004001Z --by cleaner-li"),
    (reset, "cunjing reset fire/ytan-03/20261122T004001Z --by dispatch-wu"),
    (figure, 'cunjing figure over_two_thirds raise_pct 60 --area liutan --by dispatch-wu --reason "festival"'),
    (why, "cunjing why ytan-03 --at 2026-11-22T11:30:00+08:00"),
    (who, "cunjing who overflow ytan-03 --at 2026-11-22T22:30:00+08:00"),
    (doctor, "cunjing doctor --config config/gateway.toml"),
    (card, "cunjing card --all > cards.html"),
    (watch, "cunjing watch --config config/watch.toml"),
)


def _group(example: str) -> typer.Typer:
    return typer.Typer(
        epilog=_shown(example),
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,  # plain help needs no rich, whose import alone would take half of the time allowed
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def _shown(example: str) -> str:
    return f"\b\nExample:\n  {example}"


def _tell_version(asked: bool) -> None:  # noqa: FBT001 typer hands it over by its place
    if asked:
        from importlib.metadata import version

        typer.echo(f"cunjing {version('cunjing')}")
        raise typer.Exit


def _root(
    *,
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_tell_version, help="Show the version and exit.")
    ] = False,
) -> None:
    """村净: from a bin's bytes to a cleaner's text. Exit codes: 0 ok, 1 found problems, 2 wrong use."""


app = _group("cunjing demo")
app.callback()(_root)
for _command, _example in _COMMANDS:
    app.command(_command.__name__, epilog=_shown(_example))(_command)


def _named_group(name: str, about: str, commands: dict[str, tuple[Callable[..., None], str]]) -> None:
    """A group of commands below a word of its own, each with its word and its example."""
    _, first = next(iter(commands.values()))
    group = _group(first)
    group.callback()(lambda: None)
    for word, (command, example) in commands.items():
        group.command(word, epilog=_shown(example))(command)
    app.add_typer(group, name=name, help=about)


_named_group(
    "inventory", "The county's inventory file.", {"check": (check, "cunjing inventory check config/inventory.yaml")}
)
_named_group(
    "sms",
    "The ways a text leaves, and whom they reach.",
    {
        "test": (sms_test, "cunjing sms test cleaner-li --config config/gateway.toml"),
        "welcome": (welcome, "cunjing sms welcome --all-new"),
        "people": (people, "cunjing sms people"),
    },
)
for _name, _about, _verbs in GROUPS:
    _named_group(_name, _about, _verbs)
_named_group(
    "desk",
    "Who may log in to the desk.",
    {
        "adduser": (adduser, "cunjing desk adduser office-lin --role dispatcher --person office-lin"),
        "removeuser": (removeuser, "cunjing desk removeuser office-lin"),
        "users": (users, "cunjing desk users"),
    },
)
_named_group(
    "influx",
    "InfluxDB made ready, and written to again.",
    {
        "setup": (setup, "cunjing influx setup --admin-token-file secrets/influxdb-admin"),
        "resend": (resend, "cunjing influx resend --from 2026-11-22T00:00:00+08:00"),
    },
)
_named_group(
    "boards",
    "The county on Grafana: boards as files, checked, pushed.",
    {
        "write": (write, "cunjing boards write --to provisioned/boards"),
        "check": (boards_check, "cunjing boards check"),
        "push": (push, "cunjing boards push --config config/gateway.toml"),
        "outline": (outline, "cunjing boards outline > cunjing.geojson"),
    },
)
