"""``cunjing who``: who would be told, and when, from the journal alone."""

from contextlib import closing
from hashlib import sha256

import pytest

from gateway.journal.entry import Entry, InventoryBody
from gateway.journal.writer import Journal
from tests.gateway.cli.installation import COUNTY, Cunjing, Installation


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("who overflow ytan-03 --at 2026-11-23T03:00:00+08:00", 0, "06:30 短信 → "),
        ("who overflow ytan-03 --at 2026-11-23T10:00:00+08:00", 0, "23日10:00 就有人收到，限 23日10:15 前，来得及"),
        ("who overflow nowhere", 1, "no asset nowhere"),
        ("who stopped ytan-03", 1, "no rule stopped watches ytan-03: known are"),
        ("who overflow ytan-03 --at 2026-11-23", 2, "has no time zone"),
    ],
)
def test_the_command_says_it_from_the_journal(
    line: str, code: int, said: str, cunjing: Cunjing, installation: Installation
) -> None:
    text = COUNTY.read_text("utf-8")
    with closing(Journal.open(installation.journal_path)) as journal:
        journal.commit(Entry(inventory=InventoryBody(1_795_000_000_000, sha256(text.encode()).hexdigest(), text)))
    shown = cunjing(f"{line} --config gateway.toml")
    assert shown.exit_code == code, shown.output
    assert said in shown.output


def test_it_needs_no_journal(cunjing: Cunjing, installation: Installation) -> None:
    assert installation.folder.is_dir()
    shown = cunjing("who overflow ytan-03 --at 2026-11-23T10:00:00+08:00 --config gateway.toml")
    assert shown.exit_code == 0, shown.output
