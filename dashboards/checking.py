"""The boards made anew and held against what is committed, the classic schema and our own lint.

For development only: it needs the SDK.
"""

import json
from collections.abc import Iterator

from dashboards import committed, lint, schema
from dashboards.board import classic
from dashboards.boards import boards


def made() -> dict[str, str]:
    """Every board's text, made anew."""
    return {name: classic(board) for name, board in boards().items()}


def differences() -> Iterator[str]:
    """A sentence for each thing that is not as it must be."""
    there, anew = committed.texts(), made()
    for name in sorted(there.keys() | anew.keys()):
        if there.get(name) != anew.get(name):
            yield f"{name}.json {_why(there.get(name), anew.get(name))}; run `cunjing boards write`"
    for name, text in anew.items():
        document = json.loads(text)
        strange = [f"{name}.json{fault}" for fault in schema.faults(document)]
        yield from strange or (f"{name}.json: {fault}" for fault in lint.faults(document))


def _why(there: str | None, anew: str | None) -> str:
    if there is None:
        return "is missing"
    if anew is None:
        return "belongs to no board"
    pairs = zip(there.splitlines(), anew.splitlines(), strict=False)
    line = next((number for number, (old, new) in enumerate(pairs, start=1) if old != new), 0)
    return f"differs from its board in line {line}" if line else "differs from its board in its length"
