"""What a fault in an inventory is, and how a name that was probably meant is found.

A fault names file, line, row and field, says what is wrong and how to put it right, in one line for a person.
Nothing here decides whether something is a fault.
"""

from collections.abc import Iterable
from enum import StrEnum
from functools import cached_property
from typing import Final, NamedTuple

from pydantic_core import PydanticCustomError

REFUSED: Final = "refused"
"""The pydantic error type of our own refusals; their context has ``problem``, ``remedy`` and ``field``."""

_LONGEST_NAME: Final = 64


class FaultSeverity(StrEnum):
    """An error keeps the inventory from being used, a warning does not."""

    ERROR = "error"
    WARNING = "warning"


class Fault(NamedTuple):
    """One thing that is wrong. ``line`` counts from 1; ``row`` is list, index from 0, id: ``assets[2] (ytan-09)``."""

    file: str
    line: int
    row: str
    field: str
    problem: str
    remedy: str
    severity: FaultSeverity = FaultSeverity.ERROR

    def __str__(self) -> str:
        place = ".".join(part for part in (self.row, self.field) if part)
        parts = (f"{self.file}:{self.line}", "warning" if self.severity is FaultSeverity.WARNING else "", place)
        head = ": ".join(part for part in parts if part)
        stop = "" if self.problem.endswith("?") else "."
        return f"{head}: {self.problem}{stop} {self.remedy}"


def refusal(problem: str, remedy: str, field: str = "") -> PydanticCustomError:
    """Our own refusal of a value; ``field`` names the part of the value that is meant, where it has parts."""
    return PydanticCustomError(REFUSED, "{problem}", {"problem": problem, "remedy": remedy, "field": field})


class Vocabulary:
    """Names that may stand in a place, in a fixed order."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = dict.fromkeys(names)

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def __str__(self) -> str:
        return ", ".join(self._names)

    def hint(self, word: str) -> str:
        """`` — did you mean 'ytan'?``, if exactly one name is one letter or one swap away; else nothing."""
        if len(word) > _LONGEST_NAME:
            return ""
        close = {name for form in _shortened(word.lower()) for name in self._by_shortened.get(form, ())}
        return f" — did you mean {shown(close.pop())}?" if len(close) == 1 else ""

    @cached_property
    def _by_shortened(self) -> dict[str, list[str]]:
        """Names by each form that lacks one letter: two words one slip apart share such a form."""
        found: dict[str, list[str]] = {}
        for name in self._names:
            if len(name) <= _LONGEST_NAME:
                for form in _shortened(name.lower()):
                    found.setdefault(form, []).append(name)
        return found


def dotted(path: tuple[str | int, ...]) -> str:
    """``duties[0].area`` for ``("duties", 0, "area")``."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{plain(step)}" for step in path)
    return text.removeprefix(".")


def shown(value: object) -> str:
    """A value as a message shows it: quoted, without control characters, at most 60 characters long."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = str(value)
    return repr(text if len(text) <= _LONGEST_NAME - 4 else f"{text[: _LONGEST_NAME - 5]}…")


def plain(name: str) -> str:
    """A name without quotes, unless it would not look like one."""
    return name if name.isprintable() and len(name) <= _LONGEST_NAME else shown(name)


def _shortened(word: str) -> set[str]:
    return {word} | {word[:at] + word[at + 1 :] for at in range(len(word))}
