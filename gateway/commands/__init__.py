"""What people and the other threads ask of the loop; one file a subject, each command with what it does and answers."""

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from itertools import chain
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

from gateway.commands.command import Command
from gateway.commands.fields import CommandRoute, CommandWords


@cache
def routes() -> tuple[CommandRoute[Command[Any]], ...]:
    """How each command is asked over HTTP, in the order of the API's document; found by walking this folder."""
    found = chain.from_iterable(getattr(subject, "COMMANDS", ()) for subject in subjects())
    return tuple(sorted(found, key=lambda route: route.place))


@cache
def wordings() -> tuple[CommandWords, ...]:
    """What the desk says of each command that a person signs, found in the same way."""
    return tuple(chain.from_iterable(getattr(subject, "WORDS", ()) for subject in subjects()))


def subjects() -> Iterator[ModuleType]:
    """The modules of this folder."""
    return (import_module(f"{__name__}.{name}") for _, name, _ in iter_modules(__path__))
