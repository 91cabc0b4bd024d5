"""``cunjing record`` and ``cunjing replay``: uplinks to lines, and lines to what would have come of them."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from gateway.cli.ending import ends_with_a_sentence, instant, print_lines, say, until_stopped
from telemetry.reading import Millis

if TYPE_CHECKING:
    from gateway.settings import Mqtt

_DEFAULT_INVENTORY = Path("config/inventory.yaml")
_EVERYTHING_OF_OURS = ["cunjing/v1/+/+/+", "application/+/device/+/event/up"]
_TURN_S = 0.5

_Existing = typer.Option(exists=True, dir_okay=False, metavar="FILE")


def record(
    *,
    broker: Annotated[str, typer.Option(metavar="URL", help="mqtt://host:1883, or mqtts:// for TLS")],
    username: Annotated[str | None, typer.Option(help="Who we are to the broker.")] = None,
    password_file: Annotated[Path | None, _Existing] = None,
    topic: Annotated[
        list[str], typer.Option(metavar="FILTER", help="What to record; may be given again.")
    ] = _EVERYTHING_OF_OURS,
    seconds: Annotated[float | None, typer.Option(min=0, help="End after so long; else with Ctrl-C.")] = None,
) -> None:
    """Uplinks as they arrive, as JSON lines. On standard output; the gateway's own session is not touched."""
    from gateway.clock import monotonic_s
    from gateway.mqtt.visitor import Unwelcome, Visitor
    from gateway.replay import written

    visitor = Visitor(_mqtt(broker, username, password_file, topic), "record")
    ends_s = None if seconds is None else monotonic_s() + seconds
    count, told = 0, visitor.part
    try:
        with ends_with_a_sentence(Unwelcome), until_stopped() as stop:
            while not stop.is_set() and (ends_s is None or monotonic_s() < ends_s):
                batch = visitor.wait(_TURN_S if ends_s is None else min(_TURN_S, max(0, ends_s - monotonic_s())))
                print_lines((written(uplink) for uplink in batch.uplinks), at_once=True)
                visitor.done_with(batch)
                count += len(batch.uplinks)
                if told != visitor.part:
                    told = visitor.part
                    say(told.state)
    finally:
        visitor.leave()
    say(f"{count} uplinks recorded")


def replay(
    *,
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="A recording; - is standard input."),
    ],
    inventory: Annotated[Path, _Existing] = _DEFAULT_INVENTORY,
    rules: Annotated[Path | None, _Existing] = None,
    escalation: Annotated[Path | None, _Existing] = None,
    texts: Annotated[Path | None, _Existing] = None,
    until: Annotated[
        Millis | None, typer.Option(parser=instant, metavar="ISO", help="Let time run until then.")
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="Inner steps, holds and notices too.")] = False,
) -> None:
    """A recording in, events and owed texts out. JSON lines, virtual clock, no network; same input, same bytes."""
    from alerts.policy import PolicyFault
    from gateway import imports, logs, shipped
    from gateway.replay import RecordingFault, read
    from gateway.replay import replay as replayed
    from gateway.settings import Alerts, SettingsFault

    logs.configure(level=logging.ERROR)
    with ends_with_a_sentence(SettingsFault, PolicyFault, RecordingFault), _opened(file) as lines:
        county = imports.checked(inventory)
        figures = shipped.figures(Alerts(rules=rules, escalation=escalation, texts=texts))
        uplinks = read(lines, str(file))
        print_lines(replayed(uplinks, county, figures, until_ms=until, verbose=verbose))


@contextmanager
def _opened(file: Path) -> Iterator[IO[bytes]]:
    if str(file) == "-":
        yield sys.stdin.buffer
        return
    try:
        opened = file.open("rb")
    except OSError as error:
        raise typer.BadParameter(f"{file}: {(error.strerror or str(error)).lower()}", param_hint="FILE") from None
    with opened:
        yield opened


def _mqtt(broker: str, username: str | None, password_file: Path | None, topics: list[str]) -> "Mqtt":
    from pydantic import ValidationError

    from gateway.settings import Mqtt

    try:
        return Mqtt(url=broker, username=username, password_file=password_file, topics=tuple(topics))
    except ValidationError as error:
        first = error.errors()[0]
        hint = "--broker" if first["loc"][0] == "url" else "--topic"
        raise typer.BadParameter(first["msg"].removeprefix("Value error, "), param_hint=hint) from None
