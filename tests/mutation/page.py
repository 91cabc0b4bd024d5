"""What a run of the mutants came to: kept in ``results.yaml``, judged in ``equal.yaml``, shown by ``docs/mutation.md``.

The page is made from both and from nothing else, and nothing is run here.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import yaml

from tests.mirror import ROOT

PAGE: Final = ROOT / "docs" / "mutation.md"
RESULTS: Final = Path(__file__).with_name("results.yaml")
EQUAL: Final = Path(__file__).with_name("equal.yaml")
ROOMS: Final = ("alerts/conditions", "alerts/notify")
ALONE: Final = ("gateway/loop.py", "gateway/pipeline.py")
NONE_LEFT: Final = ("alerts/conditions/machine.py", "alerts/notify/stages.py")
"""Where no mutant may survive; elsewhere five in a hundred may."""

HEAD: Final = """\
# Mutation

This page is made by `python -m tests.mutation`, and `tests/test_mutation.py` holds it to what its last runs came to.
A mutant is one file with one small fault: a comparison turned or moved by one, `and` for `or`, a `not` left out, plus
for minus, a number one more or less, `True` for `False`, an answer of nothing, a condition decided, a statement left
out, two cells of a table swapped, `min` for `max`. It meets the mirrored tests of its file and no others
(`tests/mirror.py`), in a copy of the tree; what takes six times as long as the sound file counts as killed.
Annotations, words, and the keywords of a class (`frozen`, `gc`) are left as they are.

Any one is made again, and shown with what the tests say of it, by its id:

    python -m tests.mutation --id alerts/conditions/machine.py:_name:compare:1

Aim: none survives in the machine and the stages, five in a hundred elsewhere.
"""


class Result(NamedTuple):
    """What became of the mutants of one file: how many were made, how many of them, in their order, were run."""

    made: int
    run: int
    minutes: float
    survivors: list[str]


def results() -> dict[str, Result]:
    """By file, in the order of their names."""
    read = yaml.safe_load(RESULTS.read_text("utf-8")) if RESULTS.exists() else None
    return {file: Result(**each) for file, each in (read or {}).items()}


@cache
def equal() -> Mapping[str, str]:
    """By id, why the house does the same with it."""
    read = yaml.safe_load(EQUAL.read_text("utf-8"))
    return {str(each): str(why) for each, why in (read or {}).items()}


def keep(file: str, result: Result) -> None:
    """Written down beside those of the other files, and on the page."""
    found = {**results(), file: result}
    text = yaml.safe_dump({name: found[name]._asdict() for name in sorted(found)}, sort_keys=False, width=200)
    RESULTS.write_text(text, "utf-8")
    PAGE.write_text(page(), "utf-8")


def page() -> str:
    """The text of ``docs/mutation.md``."""
    return "\n".join([HEAD, *_table(), *_survivors(), *_equal()])


def _wanted() -> list[str]:
    """Every file that is to be run, and those that have been beyond that."""
    files = [*ALONE, *(each.relative_to(ROOT).as_posix() for room in ROOMS for each in (ROOT / room).glob("*.py"))]
    return sorted({each for each in files if not each.endswith("__init__.py")} | results().keys())


def _table() -> Iterator[str]:
    yield from ("| file | made | run | killed | equal | survived | minutes |", "|---|---|---|---|---|---|---|")
    for file in _wanted():
        cells = "| 0 | | | |"
        if (one := results().get(file)) is not None:
            same = sum(each.startswith(f"{file}:") for each in equal())
            lived = len(set(one.survivors) - equal().keys())
            cells = f"{one.made} | {one.run} | {one.run - same - lived} | {same} | {lived} | {one.minutes}"
        yield f"| `{file}` | {cells} |"
    yield ""


def _survivors() -> Iterator[str]:
    lived = [f"- `{each}`" for one in results().values() for each in one.survivors if each not in equal()]
    yield from ("## Survivors", "", *(lived or ["None."]), "")


def _equal() -> Iterator[str]:
    yield from (
        "## Equal",
        "",
        "The house does the same with these, so no test can tell.",
        "",
        "| mutant | why |",
        "|---|---|",
    )
    yield from (f"| `{each}` | {why} |" for each, why in equal().items())
    yield ""
