"""A journal in a folder of its own, closed when the test ends."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.journal.writer import Journal


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "journal.db"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    opened = Journal.open(path)
    yield opened
    opened.close()
