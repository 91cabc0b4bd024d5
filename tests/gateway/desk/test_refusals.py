"""Whatever the gateway refuses a person, the desk says in Chinese: every reason has its words. Read from the source."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from alerts.ledger.case import LedgerRefusal
from gateway.desk import words

HOUSE: Final = Path(__file__).parents[3]
NAMED_AT: Final = {"Refused": 0, "NotPossible": 1}
"""Which argument of a refusal is its name."""
ASKED_ELSEWHERE: Final = {"gateway/commands/quarantine.py", "gateway/commands/episodes.py"}
"""`cunjing influx resend`, and a verb of an episode for a case of the ledger: no button of the desk asks for either."""


def refusals() -> Iterator[tuple[str, str]]:
    """Where a refusal is made, and its name; empty where it has none."""
    for path in sorted([*(HOUSE / "alerts").rglob("*.py"), *(HOUSE / "gateway").rglob("*.py")]):
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
                continue
            place = NAMED_AT.get(call.func.id)
            if place is None or path.parts[-2] == "channels":
                continue
            name = call.args[place] if len(call.args) > place else None
            if name is None:
                yield str(path.relative_to(HOUSE)), ""
            elif isinstance(name, ast.Constant) and isinstance(name.value, str):
                yield str(path.relative_to(HOUSE)), name.value


def test_every_reason_to_refuse_has_its_words() -> None:
    known = words.catalogue()["refusals"]
    found = list(refusals())
    assert {name for _, name in found if name} | {str(why) for why in LedgerRefusal} <= known.keys()
    assert {where for where, name in found if not name} <= ASKED_ELSEWHERE


def test_no_words_stand_there_for_nothing() -> None:
    found = {name for _, name in refusals()} | {str(why) for why in LedgerRefusal}
    assert words.catalogue()["refusals"].keys() <= found
