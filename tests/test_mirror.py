"""Whatever decides something has its tests where it is mirrored, so that a mutant of it meets them and no others."""

import ast
from typing import Final

from tests.mirror import ROOT, mirrored

ROOMS: Final = ("alerts/conditions", "alerts/notify", "alerts/episodes", "alerts/delivery", "alerts/operations")
ALONE: Final = (
    *("gateway/barrier.py", "gateway/clock.py", "gateway/inbox.py", "gateway/loop.py", "gateway/pipeline.py"),
    *("gateway/throttle.py", "gateway/timer.py", "gateway/tracks.py", "alerts/ledger/book.py", "alerts/answers.py"),
)


def deciding() -> list[str]:
    """Every module of the rooms that has a function, and the ones that stand alone."""
    files = [path for room in ROOMS for path in sorted((ROOT / room).glob("*.py"))]
    functions = ast.FunctionDef | ast.AsyncFunctionDef
    found = [
        path
        for path in files
        if any(isinstance(node, functions) for node in ast.walk(ast.parse(path.read_text("utf-8"))))
    ]
    return [*(path.relative_to(ROOT).as_posix() for path in found), *ALONE]


def test_every_module_that_decides_has_its_tests_where_it_is_mirrored() -> None:
    without = [each for each in deciding() if not mirrored(each)]
    assert without == [], "write its tests where it is mirrored (tests/mirror.py)"


def test_a_mirrored_file_of_these_rooms_is_one_of_a_module() -> None:
    modules = (path.relative_to(ROOT).as_posix() for room in ROOMS for path in (ROOT / room).glob("*.py"))
    held = {test for each in modules for test in mirrored(each)}
    there = {path.relative_to(ROOT).as_posix() for room in ROOMS for path in (ROOT / "tests" / room).glob("test_*.py")}
    assert sorted(there - held) == []
