"""How the structs lie that the journal keeps packed: what is read back by place, and what by name.

Prints it, for tests/golden/journals/packed.json; nothing is judged here.
"""

import json
import sys
from typing import Any

import msgspec

from alerts.alert import Alert
from alerts.conditions import state
from alerts.conditions.bins import BinMemory
from alerts.conditions.plants import PlantMemory
from alerts.conditions.thresholds import Tuned
from alerts.ledger.case import Case
from alerts.notify.holds import Ended
from alerts.notify.mailbox import Mailbox
from alerts.notify.replies import Claim
from alerts.operations.absences import Absence
from alerts.operations.extra_rounds import ExtraRound
from alerts.rollups import assets
from alerts.rollups.hours import BinCarry
from gateway import tracks

ROOTS = (
    state._Kept,
    BinMemory,
    PlantMemory,
    Alert,
    Mailbox,
    Case,
    assets._Kept,
    BinCarry,
    tracks._Kept,
    Absence,
    ExtraRound,
    Ended,
    Tuned,
    Claim,
)
"""What is decoded from a blob or a small mark; all else that is kept packed is in one of these."""


def packed() -> dict[str, dict[str, Any]]:
    """By name of the class: whether it is read by place, its fields in order, and which it cannot be without."""
    found: dict[str, dict[str, Any]] = {}
    for root in ROOTS:
        _walk(msgspec.inspect.type_info(root), found)
    return found


def _walk(kind: msgspec.inspect.Type, found: dict[str, dict[str, Any]]) -> None:
    if isinstance(kind, msgspec.inspect.StructType | msgspec.inspect.NamedTupleType | msgspec.inspect.DataclassType):
        name = f"{kind.cls.__module__}.{kind.cls.__qualname__}"
        if name in found:
            return
        by_place = isinstance(kind, msgspec.inspect.NamedTupleType) or getattr(kind, "array_like", False)
        found[name] = {
            "by_place": by_place,
            "fields": [field.encode_name for field in kind.fields],
            "required": [field.encode_name for field in kind.fields if field.required],
        }
        for field in kind.fields:
            _walk(field.type, found)
    for part in ("item_type", "key_type", "value_type"):
        inner = getattr(kind, part, None)
        if isinstance(inner, msgspec.inspect.Type):
            _walk(inner, found)
    for inner in (*getattr(kind, "types", ()), *(getattr(kind, "item_types", ()) or ())):
        _walk(inner, found)


if __name__ == "__main__":
    rows = (f"{json.dumps(name)}: {json.dumps(how)}" for name, how in sorted(packed().items()))
    sys.stdout.write("{\n" + ",\n".join(rows) + "\n}\n")
