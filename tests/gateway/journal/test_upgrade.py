"""Journals of an older program open, and end like those of a run that began with this one (case J5).

They are in tests/golden/journals, which says how they were made.
"""

import json
import lzma
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from alerts.answers import reply
from gateway.commands.absences import EndAbsence
from gateway.journal.database import migrations, seen_by
from gateway.journal.writer import Journal
from telemetry.reading import Values
from tests.before_the_upgrade import LOST, NAME, Morning
from tests.packed import packed
from tests.telling_county import HOUR, MINUTE, START_MS

GOLDEN: Final = Path(__file__).parents[2] / "golden" / "journals"
VERSIONS: Final = range(1, 8)
CUT_MS: Final = START_MS + 51 * MINUTE
"""When the machine lost its power."""
_SAID: Final = {
    "event": "SELECT at_ms, event, rule, asset, episode, detail FROM event ORDER BY id",
    "alert": "SELECT episode, severity, raised_ms, cleared_ms, settled FROM alert ORDER BY episode",
    "notification": "SELECT key, at_ms, recipient, phone, state FROM notification ORDER BY id",
    "case": "SELECT id, state, origin, rule, owner, deadline_ms, closed_ms FROM ledger_case ORDER BY number",
    "mailbox": "SELECT phone FROM mailbox ORDER BY phone",
    "quarantine": "SELECT reason FROM quarantine",
    "absences": "SELECT value FROM meta WHERE key = 'absences'",
}


class Ended(NamedTuple):
    """What a journal says in the end, and which texts left after the cut: key and telephone of each.

    What they say is not compared: a text that waited was worded by the program of then.
    """

    said: dict[str, list[tuple[Any, ...]]]
    texts: list[tuple[str, str]]


def golden(version: int, folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / NAME).write_bytes(lzma.decompress((GOLDEN / f"{version}.db.xz").read_bytes()))
    return folder / NAME


def ended(folder: Path) -> Ended:
    """A day on from the cut, with today's program: the fire is put out, the pools are emptied, the plant runs again."""
    morning = Morning(folder, at_ms=CUT_MS + 2 * MINUTE)
    line, hand = morning.line, morning.hand
    morning.live(5 * MINUTE)
    line.hear(replies=[reply("one", "r2", "13900000001", "1", hand.at_ms)])
    for _ in range(3):
        morning.say("s-road", Values(temperature_c=20.0))
        morning.everybody("s-road")
        morning.live(10 * MINUTE)
    absence = "absence/crew/20261122T233000Z"
    line.order(EndAbsence(absence=absence, by="office"))
    for _ in range(4):
        morning.everybody()
        morning.live(20 * MINUTE)
    morning.live(20 * HOUR)
    line.close()
    return Ended(said(folder / NAME), [(key, phone) for key, phone, _ in morning.texts])


def said(journal: Path) -> dict[str, list[tuple[Any, ...]]]:
    with closing(sqlite3.connect(journal)) as found:
        ended = {name: found.execute(query).fetchall() for name, query in _SAID.items()}
    return ended | {"event": [row for row in ended["event"] if row[0] > CUT_MS]}


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """The same morning with today's program, cut at the same text, and a day on."""
    fresh, cut = tmp_path_factory.mktemp("fresh"), tmp_path_factory.mktemp("cut")
    Morning(fresh, cut / NAME).run()
    return ended(cut)


def test_the_newest_ends_like_a_run_that_began_with_this_program(tmp_path: Path, expected: Ended) -> None:
    golden(7, tmp_path / "old")
    found = ended(tmp_path / "old")
    assert found.texts == expected.texts
    assert found.said == expected.said
    assert found.texts[0][0] == f"{LOST}20261123T002100Z#first.0.0@cleaner", "the one that was half sent"
    assert [row[-1] for row in found.said["alert"]].count(1) >= 9


@pytest.mark.parametrize("version", VERSIONS)
def test_each_opens_with_all_that_it_has_and_its_alerts_come_to_the_same_end(
    version: int, tmp_path: Path, expected: Ended
) -> None:
    path = golden(version, tmp_path / "old")
    had = columns(path)
    before = rows(path, had)
    Journal.open(path).close()
    assert rows(path, had) == before
    with closing(sqlite3.connect(path)) as opened:
        assert list(seen_by(opened, path)) == sorted(step.name for step in migrations())
    found = ended(tmp_path / "old")
    assert found.said["alert"] == expected.said["alert"]
    assert found.said["quarantine"] == [("not_json",)], "nothing failed by our own mistake"
    assert found.said["absences"] == expected.said["absences"]
    assert expected.texts[0] in found.texts


CALLED_NOW = {"Figure": "ThresholdKey"}
"""Classes that had another name when the golden file was written."""


def test_what_is_kept_packed_is_read_as_it_was_written() -> None:
    """What is read by place only grows at its end, and whatever is new can be done without; bytes name no module."""
    then, now = json.loads((GOLDEN / "packed.json").read_text("ascii")), packed()
    for name, was in then.items():
        old = name.rpartition(".")[2]
        alike = [how for other, how in now.items() if other.rpartition(".")[2] == CALLED_NOW.get(old, old)]
        assert any(reads(how, was) for how in alike), name


def reads(how: dict[str, Any], was: dict[str, Any]) -> bool:
    """Whether a struct that lies so reads what was written by one that lay so."""
    stands = not was["by_place"] or how["fields"][: len(was["fields"])] == was["fields"]
    return how["by_place"] == was["by_place"] and stands and set(how["required"]) <= set(was["required"])


def columns(path: Path) -> dict[str, str]:
    """The columns of each table."""
    with closing(sqlite3.connect(path)) as journal:
        tables = journal.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        return {
            table: ", ".join(f'"{row[1]}"' for row in journal.execute(f"PRAGMA table_info('{table}')"))
            for (table,) in tables.fetchall()
        }


def rows(path: Path, of: dict[str, str]) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of these tables in these columns."""
    with closing(sqlite3.connect(path)) as journal:
        return {
            table: journal.execute(f'SELECT {names} FROM "{table}" ORDER BY 1').fetchall()  # noqa: S608 -- its own
            for table, names in of.items()
        }
