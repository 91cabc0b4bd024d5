"""Turns what pydantic refused in a row into faults for a person: which field, what is wrong, how to put it right.

The sentences stand in one table by pydantic's name of the error; nothing is decided here.
"""

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from telemetry.inventory.faults import Fault, SheetRow, Vocabulary, shown
from telemetry.inventory.fields import REFUSED, Shape
from telemetry.inventory.shapes import PARTS

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_NUMBER: Final = ("{value} is not a number", "Write a plain number, with a point for decimals.")
_WHOLE: Final = ("{value} is not a whole number", "Write digits only.")
_TRUTH: Final = ("{value} is neither true nor false", "Write true or false.")
_LIST: Final = ("{value} is not a list", "Write it as [a, b].")
_MAPPING: Final = ("{value} is not a mapping", "Write it as {{key: value}}.")
_CHOICE: Final = ("{value} is not one of those known here{hint}", "Use {expected}.")

_SENTENCES: Final[Mapping[str, tuple[str, str]]] = {
    "missing": ("is missing", "Add it."),
    "string_type": ("{value} is not a text", "Write one text."),
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": _NUMBER,
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": _WHOLE,
    "int_from_float": _WHOLE,
    "bool_type": _TRUTH,
    "bool_parsing": _TRUTH,
    "enum": _CHOICE,
    "literal_error": _CHOICE,
    "greater_than": ("{value} is not more than {gt}", "Give more than {gt}."),
    "greater_than_equal": ("{value} is less than {ge}", "Give {ge} or more."),
    "less_than_equal": ("{value} is more than {le}", "Give {le} or less."),
    "tuple_type": _LIST,
    "frozen_set_type": _LIST,
    "model_type": _MAPPING,
    "dict_type": _MAPPING,
    "too_short": ("the list is empty", "Name at least {min_length}, or leave the key out."),
    "too_long": ("the list is too long", "Name at most {max_length}."),
}
_EMPTY: Final = ("is empty", "Write it, or leave the key out if it is optional.")
_OTHER: Final = ("{value} is refused: {message}", "Compare config/inventory.example.yaml.")

_NOT_IN_THE_FILE: Final = frozenset({"<daily>", "<weekdays>", "<lunar>", "[key]"})
"""Steps pydantic puts into a path that are no keys of the file: tags of a choice, the key of a mapping."""


def refusals(error: ValidationError, shape: type[Shape], row: SheetRow) -> Iterator[Fault]:
    """A fault for each thing that was refused when the row was read as the shape."""
    for detail in error.errors(include_url=False):
        path = tuple(step for step in detail["loc"] if step not in _NOT_IN_THE_FILE)
        if detail["type"] == REFUSED:
            context = detail["ctx"]
            field = (*path, context["field"]) if context["field"] else path
            yield row.fault(field, context["problem"], context["remedy"])
        elif detail["type"] == "extra_forbidden":
            known = Vocabulary(_shape_at(path[:-1], shape).model_fields)
            hint = known.hint(str(path[-1]))
            yield row.fault(path, f"unknown key{hint}", f"Remove it; known here: {known}.")
        else:
            yield row.fault(path, *_sentence(detail))


def _sentence(detail: "ErrorDetails") -> tuple[str, str]:
    if detail["input"] is None:
        return _EMPTY
    problem, remedy = _SENTENCES.get(detail["type"], _OTHER)
    context = {key: _whole(value) for key, value in detail.get("ctx", {}).items()}
    choices = Vocabulary(re.findall(r"'([^']*)'", str(context.get("expected", ""))))
    value = detail["input"]
    words = {
        **context,
        "value": shown(value),
        "hint": choices.hint(value) if isinstance(value, str) else "",
        "message": detail["msg"],
    }
    return problem.format(**words), remedy.format(**words)


def _whole(value: object) -> object:
    """90 for 90.0, so that a limit reads as it is written."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _shape_at(path: tuple[str | int, ...], shape: type[Shape]) -> type[Shape]:
    """The shape of the mapping a path leads to: that of the last key on it, else the row's own."""
    keys = [step for step in path if isinstance(step, str)]
    return PARTS[keys[-1]] if keys else shape
