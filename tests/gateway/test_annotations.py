"""The episodes on the boards while a gateway runs: asked for when something happened, told when something is wrong."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from dashboards.push import Grafana, GrafanaAccess
from gateway import imports
from gateway.boards import LOOKED_OVER_MS, PART, Annotations
from gateway.health import Health, Part
from gateway.journal.entry import AlertRow, Entry
from gateway.journal.writer import Journal
from gateway.settings import Settings
from tests.grafana_thirteen import PASSWORD, TOKEN, Thirteen, thirteen

COUNTY = imports.checked(Path(__file__).parents[1] / "golden" / "inventory" / "county.yaml")
NOW_MS = 1_795_334_400_000
HOUR_MS = 3_600_000


@pytest.fixture
def double() -> Iterator[Thirteen]:
    with thirteen() as server:
        yield server


class Kept:
    """A journal with one fire, the boards' Grafana, and what keeps the one on the other."""

    def __init__(self, folder: Path, double: Thirteen) -> None:
        (folder / "grafana").write_text(f"{TOKEN}\n", "utf-8")
        self.secret = folder / "grafana"
        self.settings = Settings.model_validate(
            {
                "mqtt": {"url": "mqtt://127.0.0.1:1", "topics": ["#"]},
                "journal": {"path": folder / "journal.db"},
                "inventory": {"path": folder / "inventory.yaml"},
                "grafana": {"url": double.url, "token_file": self.secret},
            }
        )
        self.now_ms = NOW_MS
        self.health = Health((), lambda: 0.0)
        self.journal = Journal.open(folder / "journal.db")
        self.annotations = Annotations(self.settings, COUNTY, self.health, lambda: self.now_ms)
        self.fire(None)

    def fire(self, cleared_ms: int | None) -> None:
        row = AlertRow(
            "fire/ytan-03/1", "fire", "ytan-03", "", "P1", NOW_MS - HOUR_MS, cleared_ms, b"", cleared_ms is not None
        )
        self.journal.commit(Entry(alerts={row.episode: row}))

    def part(self) -> Part:
        return self.health.parts[PART]


@pytest.fixture
def kept(tmp_path: Path, double: Thirteen) -> Iterator[Kept]:
    made = Kept(tmp_path, double)
    with closing(made.journal):
        yield made


def test_an_episode_is_opened_and_closed_and_grafana_is_left_alone_between(kept: Kept, double: Thirteen) -> None:
    kept.annotations.keep()
    assert [note["timeEnd"] for note in double.notes] == [NOW_MS - HOUR_MS]
    assert kept.part().ready
    asked = len(double.requests)
    kept.annotations.keep()
    assert len(double.requests) == asked, "nothing happened"
    kept.fire(NOW_MS)
    kept.annotations.keep()
    assert [note["timeEnd"] for note in double.notes] == [NOW_MS]


def test_what_somebody_deleted_is_back_within_the_hour(kept: Kept, double: Thirteen) -> None:
    kept.annotations.keep()
    double.notes.clear()
    kept.now_ms += LOOKED_OVER_MS
    kept.annotations.keep()
    assert len(double.notes) == 1


def test_a_secret_that_was_mended_is_used_the_next_time(kept: Kept, double: Thirteen) -> None:
    kept.secret.write_text("wrong\n", "utf-8")
    kept.annotations.keep()
    assert not kept.part().ready
    assert "put a valid secret into" in kept.part().state
    kept.secret.write_text(f"{TOKEN}\n", "utf-8")
    kept.annotations.keep()
    assert kept.part().ready
    assert len(double.notes) == 1


def test_a_secret_that_is_gone_is_told_and_nothing_is_raised(kept: Kept, double: Thirteen) -> None:
    kept.secret.unlink()
    kept.annotations.keep()
    assert not kept.part().ready
    assert "[grafana] token_file" in kept.part().state
    assert double.requests == []


def test_a_journal_that_is_not_there_waits(kept: Kept, double: Thirteen, tmp_path: Path) -> None:
    journal = kept.settings.journal.model_copy(update={"path": tmp_path / "none.db"})
    elsewhere = kept.settings.model_copy(update={"journal": journal})
    Annotations(elsewhere, COUNTY, kept.health, lambda: kept.now_ms).keep()
    assert double.requests == []


def test_a_name_and_a_password_let_it_in(kept: Kept, double: Thirteen) -> None:
    entrance = GrafanaAccess(double.url, PASSWORD, "x", "admin")
    Annotations(kept.settings, COUNTY, kept.health, lambda: kept.now_ms, lambda _: Grafana(entrance)).keep()
    assert len(double.notes) == 1
