"""Line protocol read back, for proofs: a line as measurement, tags, typed fields and instant. It knows no schema."""

import re
from typing import Final, NamedTuple

_KEY: Final = r"(?:[^,= \\]|\\.)+"
_FIELD: Final = re.compile(rf'({_KEY})=("(?:[^"\\]|\\.)*"|[^, ]+)')
_LINE: Final = re.compile(rf'((?:[^, \\]|\\.)+)((?:,{_KEY}={_KEY})*) ((?:"(?:[^"\\]|\\.)*"|[^" ])+) (-?\d+)')
_TAG: Final = re.compile(rf",({_KEY})=({_KEY})")


class Parsed(NamedTuple):
    """What a line says; a text field is a ``str``, an integer one an ``int``, any other a ``float``."""

    measurement: str
    tags: dict[str, str]
    fields: dict[str, float | int | str]
    at: int


def parsed(line: bytes | str) -> Parsed:
    """The line's parts; an assertion fails for what is no line."""
    match = _LINE.fullmatch(line if isinstance(line, str) else line.decode())
    assert match is not None, line
    measurement, tags, fields, at = match.groups()
    return Parsed(
        measurement, dict(_TAG.findall(tags)), {name: _value(raw) for name, raw in _FIELD.findall(fields)}, int(at)
    )


def _value(raw: str) -> float | int | str:
    if raw.startswith('"'):
        return re.sub(r"\\(.)", r"\1", raw[1:-1])
    return int(raw[:-1]) if raw.endswith("i") else float(raw)
