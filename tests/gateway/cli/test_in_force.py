"""Between an edit of the inventory and the next start, commands speak of what the gateway works by, and say so."""

import json
from contextlib import closing
from hashlib import sha256

import pytest

from gateway.imports import in_force
from gateway.journal.entry import Entry, InventoryBody
from gateway.journal.writer import Journal
from tests.gateway.cli.installation import COUNTY, Cunjing, Installation

BEFORE = COUNTY.read_text("utf-8")
AFTER = BEFORE.replace("13900000001", "13900000099").replace("李大姐", "王大姐")
READ_MS = 1_795_305_600_000


@pytest.fixture
def edited(installation: Installation) -> Installation:
    """A gateway read the inventory, and then somebody edited it."""
    with closing(Journal.open(installation.journal_path)) as journal:
        journal.commit(Entry(inventory=InventoryBody(READ_MS, sha256(BEFORE.encode()).hexdigest(), BEFORE)))
    (installation.folder / "inventory.yaml").write_text(AFTER, "utf-8")
    return installation


def test_people_are_those_whom_the_gateway_knows(edited: Installation, cunjing: Cunjing) -> None:
    assert edited.folder.is_dir()
    said = cunjing("sms people --config gateway.toml")
    assert said.exit_code == 0, said.output
    people = {row["person"]: row["phone"] for row in map(json.loads, said.stdout.splitlines())}
    assert people["cleaner-li"] == "13900000001"
    assert "was edited since" in said.stderr
    assert "after a restart" in said.stderr


@pytest.mark.parametrize("line", ["card cleaner-li", "why ytan-03"])
def test_so_are_cards_and_accounts(edited: Installation, cunjing: Cunjing, line: str) -> None:
    assert edited.folder.is_dir()
    said = cunjing(f"{line} --config gateway.toml")
    assert said.exit_code == 0, said.output
    assert "王大姐" not in said.output
    assert "was edited since" in said.stderr


def test_the_doctor_notes_it(edited: Installation, cunjing: Cunjing) -> None:
    assert edited.folder.is_dir()
    (noted,) = (line for line in cunjing("doctor --config gateway.toml").output.splitlines() if "edited since" in line)
    assert "note: inventory.yaml was edited since 2026-11-22T00:00:00Z" in noted


def test_without_a_journal_the_file_is_what_counts(installation: Installation, cunjing: Cunjing) -> None:
    (installation.folder / "inventory.yaml").write_text(AFTER, "utf-8")
    assert "王大姐" in cunjing("card cleaner-li --config gateway.toml").output


def test_a_file_that_is_broken_or_gone_meanwhile_is_noted_and_costs_nothing(edited: Installation) -> None:
    path = edited.folder / "inventory.yaml"
    path.unlink()
    found = in_force(path, edited.journal_path)
    assert found.inventory.people["cleaner-li"].name == "李大姐"
    assert "cannot be read" in found.note
