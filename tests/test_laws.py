"""Numbers that the code cites stand in docs/laws.md, and one that two tables could mean is cited with its word."""

import re
from itertools import chain
from pathlib import Path
from typing import Final

import pytest

from tests.case_list import NUMBERS

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = (ROOT / "docs" / "laws.md").read_text("utf-8")
NUMBERED: Final = set(re.findall(r"^\| ((?:text )?[LTC][0-9]+) \|", PAGE, re.MULTILINE)) | {
    f"case {number}" for number in NUMBERS
}
ROOMS: Final = ("telemetry", "alerts", "dashboards", "firmware_sim", "gateway")
SOURCES: Final = sorted(chain.from_iterable((ROOT / room).rglob("*.py") for room in ROOMS))
CITED: Final = re.compile(r"(?:\b(?P<word>[Tt]exts?|[Cc]ases?)\s+)?\b(?P<number>[LTCDJHKS][0-9]{1,2})\b(?![0-9-])")
PROSE: Final = re.compile(r'"""(?:.|\n)*?"""|#[^\n]*')
"""Where numbers are cited: docstrings and comments."""


def cited(text: str) -> set[str]:
    """The numbers that prose cites, with their word where they have one."""
    found = (match for prose in PROSE.findall(text) for match in CITED.finditer(prose))
    return {f"{(match['word'] or '').lower().rstrip('s')} {match['number']}".strip() for match in found}


def test_the_page_has_all_laws_and_transitions() -> None:
    assert {f"L{number}" for number in range(1, 14)} <= NUMBERED
    assert {f"T{number}" for number in range(1, 17)} <= NUMBERED


@pytest.mark.parametrize("room", ROOMS)
def test_what_the_code_cites_is_known_by_its_word_and_number(room: str) -> None:
    strange = {
        f"{path.relative_to(ROOT).as_posix()}: {number}"
        for path in SOURCES
        if path.is_relative_to(ROOT / room)
        for number in cited(path.read_text("utf-8"))
        if number not in NUMBERED
    }
    assert strange == set(), "say text C11 or case J5, or give it a row in docs/laws.md"


@pytest.mark.parametrize("prose", ['"""Over (law L99)."""', "# see C10", '"""As J5 says."""', '"""See text C99."""'])
def test_a_number_that_nobody_can_look_up_is_refused(prose: str) -> None:
    assert cited(prose) - NUMBERED
