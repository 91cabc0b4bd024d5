"""What is wrong with a configuration, in sentences for the person who wrote it: where, what, and what to do.

Only words are made here; what is right is decided in ``settings.py``.
"""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails


class SettingsFault(Exception):  # noqa: N818 a fault in what was written, in the words of the papers
    """Why the gateway cannot start: one clear sentence a fault, each with its remedy."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))


def sentence(error: ErrorDetails, file: str, model: type[BaseModel], environment: Mapping[str, str]) -> str:
    """One of pydantic's findings as a sentence; ``environment`` maps ``table.key`` to the variable that set it."""
    names = [str(part) for part in error["loc"] if not str(part).startswith("function-")]
    where = f"{environment.get('.'.join(names[:2]).lower()) or file}: {_spoken(names)}"
    match error["type"]:
        case "extra_forbidden":
            near = get_close_matches(names[-1], _keys(model, names[:-1]), 1)
            known = ", ".join(_keys(model, names[:-1]))
            return f"{where}: unknown key; " + (f'did you mean "{near[0]}"?' if near else f"known are: {known}")
        case "missing":
            return f"{where} is missing; add it (see gateway.example.toml)"
        case "value_error" if not names:
            return f"{file}: {error['ctx']['error']}"
        case "value_error" if len(names) == 1:
            return f"{where}: {error['ctx']['error']}"
        case "value_error":
            return f"{where} = {error['input']!r}: {error['ctx']['error']}"
        case _:
            return f"{where} = {error['input']!r}: {error['msg'].lower()}"


def strange_variables(environment: Mapping[str, str], prefix: str, tables: Sequence[str]) -> list[str]:
    """A sentence for each variable that looks like ours and names no table."""
    found = []
    for name in sorted(environment):
        table, nested, _ = name.upper().removeprefix(prefix).partition("__")
        if name.upper().startswith(prefix) and nested and table.lower() not in tables:
            near = get_close_matches(table.lower(), tables, 1)
            hint = f'did you mean "{prefix}{near[0].upper()}__…"?' if near else f"known tables are: {', '.join(tables)}"
            found.append(f"environment variable {name}: there is no table [{table.lower()}]; {hint}")
    return found


def _spoken(names: Sequence[str]) -> str:
    match names:
        case [table]:
            return f"[{table}]"
        case [table, *keys]:
            return f"[{table}] {'.'.join(keys)}"
        case _:
            return "the file"


def _keys(model: type[BaseModel], path: Sequence[str]) -> list[str]:
    for name in path:
        model = _table(model.model_fields[name].annotation)
    return list(model.model_fields)


def _table(annotation: Any) -> type[BaseModel]:  # noqa: ANN401 an annotation may be anything
    parts = getattr(annotation, "__args__", (annotation,))
    return next(part for part in parts if isinstance(part, type) and issubclass(part, BaseModel))
