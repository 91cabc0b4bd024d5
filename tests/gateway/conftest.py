"""The real line on the telling county, in one thread, with all that it made durable. Nothing is judged here."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gateway.journal.entry import Entry
from tests.telling_county import COUNTY, POLICY_FILES, START_MS
from tests.telling_line import Hand, TellingLine


@pytest.fixture
def said() -> list[Entry]:
    return []


@pytest.fixture
def line(tmp_path: Path, said: list[Entry]) -> Iterator[TellingLine]:
    made = TellingLine(
        tmp_path / "journal.db", COUNTY, POLICY_FILES, Hand(START_MS), said.append, lambda _message: None
    )
    with closing(made):
        yield made
