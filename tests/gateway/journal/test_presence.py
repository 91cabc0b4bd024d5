"""A journal that is taken away under the gateway: nothing more is committed, and what was outlasts the process (H8)."""

import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from gateway.journal.database import JournalUnavailable, Problem
from gateway.journal.entry import Entry
from gateway.journal.place import openers
from gateway.journal.reader import JournalReader
from gateway.journal.writer import Journal
from tests.gateway.journal.entries import full_entry, reading


def stored(path: Path) -> int:
    with closing(JournalReader.open(path)) as reader:
        return len(list(reader.readings()))


def refused(journal: Journal) -> JournalUnavailable:
    """The second refusal: by then what was committed has been seen to."""
    for _ in range(2):
        with pytest.raises(JournalUnavailable) as caught:
            journal.commit(Entry(readings=[reading(5_000)]))
        assert caught.value.problem is Problem.GONE
    return caught.value


def saved(path: Path) -> Path:
    (found,) = path.parent.glob("journal.db.saved-*")
    return found


def delete(path: Path) -> None:
    for part in path.parent.glob("journal.db*"):
        part.unlink()


def replace(path: Path) -> None:
    another = path.with_name("another.db")
    Journal.open(another).close()
    another.replace(path)


@pytest.mark.parametrize("take_away", [delete, Path.unlink, replace])
def test_what_a_deleted_journal_held_is_saved_and_no_new_one_is_begun_over_it(
    take_away: Callable[[Path], None], path: Path
) -> None:
    with closing(Journal.open(path)) as journal:
        journal.commit(full_entry())
        take_away(path)
        refusal = refused(journal)
        assert f"saved as {saved(path).name}" in str(refusal)
        assert ";" in str(refusal)
    assert stored(saved(path)) == 30
    if not path.exists():
        with pytest.raises(JournalUnavailable, match="rename that to journal") as caught:
            Journal.open(path)
        assert caught.value.problem is Problem.LEFT_BEHIND
    log = path.with_name("journal.db-wal")
    assert not log.exists() or log.stat().st_size == 0, "it would be read into whatever takes the place"
    saved(path).replace(path)
    with closing(Journal.open(path)) as journal:
        assert journal.commit(full_entry(40)).last_reading_id == 70


@pytest.mark.parametrize("part", ["journal.db-wal", "journal.db-shm"])
def test_without_its_log_nothing_is_committed_and_what_was_is_in_the_file(part: str, path: Path) -> None:
    with closing(Journal.open(path)) as journal:
        journal.commit(full_entry())
        path.with_name(part).unlink()
        assert "all that was committed is in the file" in str(refused(journal))
    with closing(Journal.open(path)) as journal:
        assert journal.commit(full_entry(40)).last_reading_id == 70


def test_a_folder_that_was_renamed_is_named_and_goes_on_when_it_is_back(path: Path) -> None:
    with closing(Journal.open(path)) as journal:
        journal.commit(full_entry())
        moved = path.parent.rename(path.parent.with_name("elsewhere"))
        assert str(moved / "journal.db") in str(refused(journal))
        moved.rename(path.parent)
        assert journal.commit(full_entry(40)).last_reading_id == 70
    assert stored(path) == 70


def test_what_cannot_be_saved_is_said_and_tried_again(path: Path) -> None:
    with closing(Journal.open(path)) as journal:
        journal.commit(full_entry())
        shutil.rmtree(path.parent)
        assert "could not be saved" in str(refused(journal))
        path.parent.mkdir()
    assert stored(saved(path)) == 30, "the end tries once more"


def test_who_has_the_journal_open_is_known(path: Path) -> None:
    assert openers(path) == []
    with closing(Journal.open(path)):
        (one,) = openers(path)
    assert "(" in one
