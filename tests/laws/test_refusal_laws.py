"""L12: whatever is refused once, at whatever place of a turn, ends as if it had never been.

One story has uplinks, commands, answers, receipts, lists, timers, restarts and topic filters in it. It is lived once
undisturbed; then again and again, with one statement of the journal refused each time, or one line of our own code
struck by an error. Journal, texts and answers must be equal to the byte.
"""

import errno
import logging
import random
import re
import sys
from collections.abc import Iterator
from functools import cache
from inspect import CO_GENERATOR
from pathlib import Path
from types import FrameType
from typing import Final

import pytest
import structlog

from gateway.journal.database import JournalUnavailable
from tests.story import BEGIN, Lived, Story
from tests.telling_line import Hand, TellingLine

PARTS: Final = 24
"""So many runs refuse every statement once, each its share of them."""

STRUCK_RUNS: Final = 16
STRUCK_LEAST: Final = 5
APART: Final = 4_000
"""Calls between two strikes, at most."""
STRUCK: Final = re.compile(r"/(alerts|telemetry)/|/gateway/(?!journal|desk|sources|logs|health|metrics)")


def _lived(folder: Path, hand: Hand) -> Lived:
    folder.mkdir()
    return Story(folder, hand).run()


@pytest.fixture(scope="module", autouse=True)
def _quiet() -> Iterator[None]:
    """Every text and every trouble is a line of the log; nobody reads millions of them."""
    configured = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.configure(**configured)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Lived, Hand]:
    hand = Hand(BEGIN)
    return _lived(tmp_path_factory.mktemp("story") / "undisturbed", hand), hand


def test_the_story_has_all_of_it_in_play(undisturbed: tuple[Lived, Hand]) -> None:
    lived, hand = undisturbed
    filled = {name for name, rows in lived.tables.items() if rows}
    assert filled >= {"reading", "alert", "event", "notification", "attempt", "receipt", "answer", "quarantine"}
    assert filled >= {"ledger_case", "ledger_deed", "mailbox", "meta", "asset_state", "track", "heartbeat"}
    assert {type(answer).__name__ for answer in lived.answers} >= {"Done", "CaseDone", "AbsenceDone", "ExtraDone"}
    assert {key.partition("/")[0] for key, _, _ in lived.sent} >= {"list", "overflow", "level_high", "fire", "absence"}
    assert hand.statements > 1_000


@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_the_journal_refuses_once_ends_as_if_it_had_not(
    part: int, undisturbed: tuple[Lived, Hand], tmp_path: Path
) -> None:
    lived, known = undisturbed
    hand = Hand(BEGIN, refuses=frozenset(n for n in range(8 * known.statements) if _part(n) == part))
    assert _differences(lived, _lived(tmp_path / "refused", hand)) == []
    assert hand.refused > known.statements / PARTS / 2


@pytest.mark.parametrize("run", range(STRUCK_RUNS))
def test_memory_or_a_descriptor_that_is_missing_anywhere_ends_as_if_it_had_not(
    run: int, undisturbed: tuple[Lived, Hand], tmp_path: Path
) -> None:
    _strike_everywhere(random.Random(run), undisturbed[0], tmp_path)


@pytest.mark.deep
@pytest.mark.parametrize("run", range(STRUCK_RUNS, 60 * STRUCK_RUNS))
def test_the_same_at_many_more_places(run: int, undisturbed: tuple[Lived, Hand], tmp_path: Path) -> None:
    _strike_everywhere(random.Random(run), undisturbed[0], tmp_path)


def _strike_everywhere(draw: random.Random, expected: Lived, folder: Path) -> None:
    hand = Hand(BEGIN)
    (folder / "struck").mkdir()
    story = Story(folder / "struck", hand)
    striking = Striking(story.line, draw)
    with striking:
        found = story.run()
    assert _differences(expected, found) == []
    assert striking.struck > STRUCK_LEAST


class Striking:
    """Has calls of our own code fail inside an input, some thousand calls apart, as if memory or descriptors ran out.

    A tracer that raises is taken off by Python; it is put on again when the line has waited.
    """

    def __init__(self, line: TellingLine, draw: random.Random) -> None:
        self._line = line
        self._draw = draw
        self._left = draw.randrange(APART)
        self.struck = 0
        line.waited = self._waited

    def __enter__(self) -> None:
        sys.settrace(self._called)

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)

    def _called(self, frame: FrameType, event: str, _given: object) -> None:
        code = frame.f_code
        if event != "call" or code.co_flags & CO_GENERATOR:  # one that is let go is called once more, by nobody
            return
        if not self._line.pipeline.undo.is_open or not _is_struck(code.co_filename):
            return
        self._left -= 1
        if self._left < 0:
            self._left = self._draw.randrange(APART)
            self.struck += 1
            raise self._draw.choice((MemoryError(), OSError(errno.EMFILE, "too many open files")))

    def _waited(self, trouble: Exception) -> None:
        assert isinstance(trouble, MemoryError | OSError | JournalUnavailable)  # the journal says it in its own words
        sys.settrace(self._called)


@cache
def _is_struck(path: str) -> bool:
    """The middle, the wire, and what the loop does of an input; not what takes it back, nor what catches it."""
    return bool(STRUCK.search(path)) and not path.endswith(("/undo.py", "/barrier.py"))


def _part(statement: int) -> int:
    """Scattered, so that no transaction meets one at each try."""
    return random.Random(statement).randrange(PARTS)


def _differences(expected: Lived, found: Lived) -> list[str]:
    """What is not equal, a table, the texts, or the answers."""
    different = [
        f"{name}: {[row for row in found.tables[name] if row not in rows][:3]} instead of "
        f"{[row for row in rows if row not in found.tables[name]][:3]}"
        for name, rows in expected.tables.items()
        if found.tables[name] != rows
    ]
    different += ["texts"] if found.sent != expected.sent else []
    return [*different, *(["answers"] if found.answers != expected.answers else [])]
