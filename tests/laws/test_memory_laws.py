"""What an input may change in memory is noted, so that it is taken back: containers by law, a whole line by look.

Hypothesis drives the noted containers against plain ones; the look walks over everything that a running line holds.
"""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from alerts.undo import Undoable, UndoDict, UndoList, UndoLog, UndoSet
from tests.telling_county import COUNTY, POLICY_FILES, START_MS
from tests.telling_line import Hand, TellingLine

KEYS = st.integers(0, 5)
ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("set"), KEYS, KEYS),
        st.tuples(st.just("del"), KEYS, KEYS),
        st.tuples(st.just("take"), KEYS, KEYS),
        st.tuples(st.just("begin"), KEYS, KEYS),
        st.tuples(st.just("rollback"), KEYS, KEYS),
        st.tuples(st.just("release"), KEYS, KEYS),
    ),
    max_size=30,
)


class Held(Undoable):
    def __init__(self, undo: UndoLog) -> None:
        super().__init__(undo)
        self.number = 0


class Memory:
    """One of each."""

    def __init__(self, undo: UndoLog) -> None:
        self.mapping: UndoDict[int, int] = UndoDict(undo, {3: 0, 1: 0})
        self.elements: set[int] = UndoSet(undo, {2})
        self.row: UndoList[int] = UndoList(undo, [9])
        self.held = Held(undo)

    def act(self, key: int, value: int) -> None:
        self.mapping[key] = value
        self.elements.add(value)
        self.row.append(value)
        self.held.number = value

    def undo(self, key: int) -> None:
        self.mapping.pop(key, None)
        self.elements.discard(key)
        self.row += [key]

    def look(self) -> tuple[list[tuple[int, int]], set[int], list[int], int]:
        """As it is now; the order of a mapping's keys is part of it."""
        return list(self.mapping.items()), set(self.elements), list(self.row), self.held.number


@given(ACTS)
def test_a_rollback_finds_everything_as_it_was_at_its_savepoint(acts: list[tuple[str, int, int]]) -> None:
    undo = UndoLog()
    memory = Memory(undo)
    savepoints = []
    for act, key, value in acts:
        match act:
            case "set":
                memory.act(key, value)
            case "del":
                memory.undo(key)
            case "take":
                held = dict(memory.mapping), list(memory.row)
                assert (memory.mapping.take(), memory.row.take()) == held
                assert not memory.mapping
                assert not memory.row
            case "begin":
                savepoints.append((undo.savepoint(), memory.look()))
            case "rollback" if savepoints:
                name, was = savepoints[-1]
                undo.rollback(name)
                assert memory.look() == was
            case "release" if savepoints:
                savepoints.pop()
                undo.release()
    assert undo.is_open == bool(savepoints)


NOT_OF_AN_INPUT: Final = {
    "Barrier": "has the log",
    "Calendar": "never changes",
    "Directory": "never changes",
    "Ear": "what was heard by the real clock is heard, whatever becomes of the input",
    "Hand": "the test's",
    "Health": "is told, and never asked by an input",
    "Inventory": "never changes",
    "Journal": "follows its own transactions",
    "Metrics": "is told, and never asked by an input",
    "MortalJournal": "the test's",
    "Texts": "never changes",
    "UndoLog": "is the log",
    "_Broker": "the test's",
    "_Door": "what was taken out of the inbox is the turn's",
}
"""What a line reaches and no input changes, and why that is so."""
MADE_ONCE: Final = {("Silence", "_places"), ("Timers", "_heap"), ("Timers", "_filed")}
"""Tables that are filled when they are made; timers note their changes themselves."""
NOTED: Final = (UndoDict, UndoList, UndoSet)


def test_everything_that_a_line_remembers_is_noted(tmp_path: Path) -> None:
    line = TellingLine(tmp_path / "journal.db", COUNTY, POLICY_FILES, Hand(START_MS), lambda _: None, lambda _: None)
    with closing(line):
        found = list(_reached(line.loop, "Loop", set()))
    assert len(found) > 20, "the look saw nothing"
    plain = [
        f"{path}.{name}"
        for path, thing in found
        if not isinstance(thing, BaseModel)
        for name, value in _attributes(thing)
        if type(value) in (dict, list, set) and (type(thing).__name__, name) not in MADE_ONCE
        if not (isinstance(thing, Undoable) and name == "_kept")  # replaced as a whole, which is noted
    ]
    assert plain == []
    types = {type(thing) for _, thing in found if not isinstance(thing, (Undoable, *NOTED))}
    assert sorted(each for kind in types for each in _assigned(kind)) == []


def _reached(thing: object, path: str, seen: set[int]) -> Iterator[tuple[str, object]]:
    """Everything of ours that may change and can be reached, with the way to it."""
    ours = type(thing).__module__.partition(".")[0] in {"alerts", "gateway", "telemetry"}
    if not ours or id(thing) in seen or isinstance(thing, type) or type(thing).__name__ in NOT_OF_AN_INPUT:
        return
    seen.add(id(thing))
    if not _is_frozen(thing) and not isinstance(thing, NOTED):
        yield path, thing
    for name, value in _attributes(thing):
        yield from _reached(value, f"{path}.{name}", seen)


def _is_frozen(thing: object) -> bool:
    dataclass, struct = getattr(type(thing), "__dataclass_params__", None), getattr(thing, "__struct_config__", None)
    return bool(getattr(dataclass, "frozen", False) or getattr(struct, "frozen", False) or isinstance(thing, tuple))


def _attributes(thing: object) -> Iterator[tuple[str, Any]]:
    yield from vars(thing).items() if hasattr(thing, "__dict__") else ()
    for part in type(thing).__mro__:
        slots = getattr(part, "__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if not name.startswith("__") and hasattr(thing, name):
                yield name, getattr(thing, name)


def _assigned(kind: type) -> Iterator[str]:
    """Attributes that the methods of a class assign after it was made, which nobody would note."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(kind)))
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef) or function.name == "__init__":
            continue
        for node in ast.walk(function):
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            for target in targets:
                if isinstance(target, ast.Attribute) and ast.unparse(target.value) == "self":
                    yield f"{kind.__name__}.{function.name} sets {target.attr}"
