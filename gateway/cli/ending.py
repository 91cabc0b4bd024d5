"""How a command speaks and how it ends: lines on standard output, sentences on standard error, and the exit codes.

No command is here, and nothing that takes long to import.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias, TypeVar

import typer

from telemetry.reading import Millis

if TYPE_CHECKING:
    from gateway.settings import Settings
    from telemetry.inventory import Inventory


T = TypeVar("T")


class Code(IntEnum):
    """What a command's exit code says."""

    OK = 0
    PROBLEMS = 1
    WRONG_USE = 2


Config: TypeAlias = Annotated[Path, typer.Option("--config", metavar="FILE", help="The gateway's configuration.")]
DEFAULT_CONFIG = Path("config/gateway.toml")


def say(sentence: str) -> None:
    """A sentence for the person at the terminal; never data."""
    typer.echo(sentence, err=True)


def print_lines(lines: Iterable[str], *, at_once: bool = False) -> None:
    """Data on standard output as UTF-8, whatever the locale; ``at_once`` lets nothing wait in a buffer.

    When nobody reads on (``| head``), the command ends quietly and well.
    """
    out = sys.stdout.buffer
    try:
        for line in lines:
            out.write(line.encode() + b"\n")
            if at_once:
                out.flush()
        out.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is still buffered goes nowhere
        raise typer.Exit(Code.OK) from None


def print_bytes(content: bytes) -> None:
    """A file on standard output; a person at a terminal is told to name one instead."""
    if sys.stdout.isatty():
        say("this is a file, not text: send it into one, like > cases.xlsx")
        raise typer.Exit(Code.WRONG_USE)
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


@contextmanager
def ends_with_a_sentence(*troubles: type[Exception]) -> Iterator[None]:
    """Trouble of these kinds, or with a file's settings, becomes its own sentence on standard error and exit code 1."""
    from gateway.settings import SettingsFault

    told: tuple[type[Exception], ...] = (SettingsFault, *troubles)
    try:
        yield
    except told as trouble:
        say(str(trouble))
        raise typer.Exit(Code.PROBLEMS) from None


def load_settings(config: Path) -> "Settings":
    """What the gateway's configuration says; ``SettingsFault`` with a sentence for each fault."""
    from alerts.channels import channels
    from gateway import settings

    return settings.load(config, channels())


def ask_gateway(config: Path, ask: Callable[["Settings"], T]) -> T:
    """What the running gateway answers; ends with a sentence where it, or the configuration, refuses."""
    from gateway.client import GatewayFault

    with ends_with_a_sentence(GatewayFault):
        return ask(load_settings(config))


@contextmanager
def until_stopped() -> Iterator[threading.Event]:
    """An event that Ctrl-C and SIGTERM set, so that what is being done is finished first."""
    stop = threading.Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def county_of(settings: "Settings") -> "Inventory":
    """The inventory that the gateway works by, with a sentence where its file says something else by now.

    Raises ``SettingsFault`` and ``JournalUnavailable``.
    """
    from gateway.imports import in_force

    found = in_force(settings.inventory.path, settings.journal.path)
    if found.note:
        say(found.note)
    return found.inventory


def instant(text: str) -> Millis:
    """ISO 8601 with its time zone as epoch milliseconds; anything else is wrong use."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not ISO 8601; write it like 2026-11-22T08:00:00+08:00") from None
    if at.tzinfo is None:
        raise typer.BadParameter(f"{text!r} has no time zone; put Z (UTC) or +08:00 at its end")
    return round(at.timestamp() * 1000)
