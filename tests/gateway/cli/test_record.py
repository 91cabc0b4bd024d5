"""``cunjing record --journal``: an incident out of an installation, so that its own misses become scenarios."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from benchmarks.score.running import score_files
from gateway import shipped
from gateway.cli import app
from gateway.imports import checked
from gateway.journal.entry import Entry, InventoryBody
from gateway.journal.writer import Journal
from gateway.replay import read, replay
from telemetry.wire import Uplink
from tests.gateway.test_wishes import hot, line
from tests.small_county import COUNTY, at, county, iso
from tests.virtual_line import VirtualLine

BURNS = hot(10, 80, 20, 20)
OTHERS = [
    Uplink(
        at(nth / 6),
        "cunjing/v1/xiang/plant-1/telemetry",
        line(v=1, boot=3, seq=nth, ts=at(nth / 6), readings={"flow_m3h": 1.0}),
    )
    for nth in range(9)
]


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """What a gateway has kept of an hour of the bin and the plant."""
    path = tmp_path / "journal.db"
    running = VirtualLine(path, county(), shipped.policy_files(), at(0))
    running.take(sorted([*BURNS, *OTHERS], key=lambda uplink: uplink.received_ms))
    running.commit()
    running.close()
    kept = Journal.open(path)
    kept.commit(Entry(inventory=InventoryBody(at(0), "0" * 64, COUNTY)))
    kept.close()
    return path


def recorded(journal: Path, into: Path, asset: str = "a", begins: float = 0, ends: float = 2) -> Result:
    span = ["--from", iso(begins), "--to", iso(ends)]
    return CliRunner().invoke(app, ["record", "--journal", str(journal), "--asset", asset, *span, "--into", str(into)])


def test_the_files_replay_to_what_was_said_then(journal: Path, tmp_path: Path) -> None:
    found = recorded(journal, tmp_path / "incident")
    assert (found.exit_code, found.stdout) == (0, "")
    with (tmp_path / "incident" / "uplinks.jsonl").open("rb") as lines:
        uplinks = list(read(lines, "uplinks.jsonl"))
    alone = checked(tmp_path / "incident" / "inventory.yaml")
    assert [uplink.received_ms for uplink in uplinks] == [uplink.received_ms for uplink in BURNS]
    policies = shipped.policy_files()
    said, before = (
        [json.loads(each)["episode"] for each in replay(told, of, policies) if '"raised"' in each]
        for told, of in ((uplinks, alone), (BURNS, county()))
    )
    assert said == [episode for episode in before if "plant" not in episode]
    assert len(said) == 2, "hot ash and fire"


def test_nobody_real_goes_with_it_and_what_was_said_does(journal: Path, tmp_path: Path) -> None:
    recorded(journal, tmp_path / "incident")
    inventory, truth = ((tmp_path / "incident" / name).read_text("utf-8") for name in ("inventory.yaml", "truth.jsonl"))
    assert "李大姐" not in inventory
    assert "55661234" not in inventory
    assert "plant-1" not in inventory
    words = [json.loads(each) for each in truth.splitlines()]
    assert [word["truth"] for word in words[:2]] == ["world", "site"]
    said = {(word["said"], word["rule"]) for word in words[2:]}
    assert said == {("raised", "hot_ash"), ("raised", "fire"), ("cleared", "hot_ash")}


def test_a_completed_label_is_scored(journal: Path, tmp_path: Path) -> None:
    into = tmp_path / "incident"
    recorded(journal, into)
    uplinks, inventory, truth = (into / name for name in ("uplinks.jsonl", "inventory.yaml", "truth.jsonl"))

    def false_fires() -> int:
        return score_files(uplinks, inventory, truth).tallies["platform"].of("fire.false").hits

    assert false_fires() == 1, "nobody has said yet that it burned"
    burned = {"truth": "fault", "asset": "a", "fault": "fire", "from": iso(0.2), "to": iso(1)}
    truth.write_text(truth.read_text("utf-8") + json.dumps(burned) + "\n", "utf-8")
    assert false_fires() == 0


def test_nothing_is_overwritten_and_nothing_is_made_of_nothing(journal: Path, tmp_path: Path) -> None:
    into = tmp_path / "incident"
    assert recorded(journal, into).exit_code == 0
    for again, says in (
        (recorded(journal, into), "cannot be written: file exists; name another folder"),
        (recorded(journal, tmp_path / "x", asset="nobody"), "has no asset nobody"),
        (recorded(journal, tmp_path / "x", begins=30, ends=40), "has no reading of a from then"),
    ):
        assert (again.exit_code, again.stdout) == (1, "")
        assert says in again.stderr


@pytest.mark.parametrize("asked", [[], ["--journal", "J"], ["--journal", "J", "--broker", "mqtt://127.0.0.1:1"]])
def test_one_of_broker_and_journal_is_asked_for(asked: list[str], journal: Path) -> None:
    found = CliRunner().invoke(app, ["record", *(str(journal) if each == "J" else each for each in asked)])
    assert found.exit_code == 2
    assert "--journal" in found.stderr


def test_the_journal_is_only_read(journal: Path, tmp_path: Path) -> None:
    before = journal.read_bytes()
    recorded(journal, tmp_path / "incident")
    assert journal.read_bytes() == before
