"""Grafana's classic schema as the SDK has it: a board is read into its models; what they do not know is a fault.

Reading and writing again must give the same; every value must have the type that the model says. For development only.
"""

import json
import types
import typing
from collections.abc import Iterator
from enum import Enum
from typing import Any, Final

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import dashboard

from dashboards import asking

_UNCHECKED: Final = (object, Any)


def faults(document: dict[str, Any]) -> Iterator[str]:
    """Every place at which a board is not what the schema says."""
    register_default_plugins()
    asking.register()
    try:
        board = dashboard.Dashboard.from_json(document)
        again = json.loads(json.dumps(board, cls=JSONEncoder))
    except (TypeError, AttributeError, KeyError, ValueError) as error:
        yield f"it cannot be read as a classic dashboard: {type(error).__name__}: {error}"
        return
    yield from _differences(document, again, "")
    yield from _types(board, "")


def _differences(there: object, again: object, at: str) -> Iterator[str]:
    if isinstance(there, dict) and isinstance(again, dict):
        for key in sorted(there.keys() | again.keys()):
            if key not in again:
                yield f"{at}.{key}: the schema does not know it"
            elif key not in there:
                yield f"{at}.{key}: the schema wants it"
            else:
                yield from _differences(there[key], again[key], f"{at}.{key}")
    elif isinstance(there, list) and isinstance(again, list) and len(there) == len(again):
        for place, (one, other) in enumerate(zip(there, again, strict=True)):
            yield from _differences(one, other, f"{at}[{place}]")
    elif there != again:
        yield f"{at}: {there!r} is read as {again!r}"


def _types(value: object, at: str) -> Iterator[str]:
    """Wrong types in a model and in all models below it."""
    hints = typing.get_type_hints(type(value).__init__) if hasattr(value, "to_json") else {}
    for name, hint in hints.items():
        if name != "return" and hasattr(value, name):
            yield from _typed(getattr(value, name), hint, f"{at}.{name.removesuffix('_val')}")


def _typed(value: object, hint: Any, at: str) -> Iterator[str]:  # noqa: ANN401 -- a type hint is anything
    if hint in _UNCHECKED or (value is None and types.NoneType in typing.get_args(hint)):
        yield from _types(value, at)
    elif isinstance(value, dict) and hasattr(hint, "from_json"):
        yield from _left_alone(value, hint, at)
    elif not _fits(value, hint):
        yield f"{at}: {value!r} is not {getattr(hint, '__name__', hint)}"
    elif isinstance(value, list):
        (item,) = typing.get_args(_of(hint, list)) or (object,)
        for place, each in enumerate(value):
            yield from _typed(each, item, f"{at}[{place}]")
    elif isinstance(value, dict):
        _, item = typing.get_args(_of(hint, dict)) or (str, object)
        for key, each in value.items():
            yield from _typed(each, item, f"{at}.{key}")
    else:
        yield from _types(value, at)


def _left_alone(value: dict[str, Any], model: Any, at: str) -> Iterator[str]:  # noqa: ANN401 -- as above
    """Faults of a part that the SDK has not read into its own model."""
    try:
        read = model.from_json(value)
    except (TypeError, AttributeError, KeyError) as error:
        yield f"{at} cannot be read as {model.__name__}: {error}"
        return
    yield from _differences(value, json.loads(json.dumps(read, cls=JSONEncoder)), at)
    yield from _types(read, at)


def _fits(value: object, hint: Any) -> bool:  # noqa: ANN401 -- as above
    origin, options = typing.get_origin(hint), typing.get_args(hint)
    if hint in _UNCHECKED:
        return True
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, each) for each in options)
    if origin is typing.Literal:
        return value in options
    if origin in (list, dict):
        return isinstance(value, origin)
    if hint in (int, float):
        return isinstance(value, int | float) and not isinstance(value, bool)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return value in {each.value for each in hint}
    return isinstance(value, hint)


def _of(hint: Any, wanted: type) -> Any:  # noqa: ANN401 -- as above
    """The part of a union that is the wanted container."""
    if typing.get_origin(hint) is wanted:
        return hint
    return next((each for each in typing.get_args(hint) if typing.get_origin(each) is wanted), wanted)
