"""``cunjing boards`` as a person runs it: files made, differences told, each trouble one sentence with its remedy."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from dashboards import committed
from gateway.clock import WallClock
from gateway.journal.entry import AlertRow, Entry
from gateway.journal.writer import Journal
from tests.gateway.cli.installation import Cunjing, Installation
from tests.grafana_thirteen import TOKEN, Kept, Thirteen, thirteen
from tests.servers import free_port

GRAFANA = """
[influxdb]
url = "http://127.0.0.1:8086"
org = "cunjing"
bucket = "county"
token_file = "influxdb"
[grafana]
url = "{url}"
token_file = "grafana"
desk_url = "http://office:8080"
"""


@pytest.fixture
def double() -> Iterator[Thirteen]:
    with thirteen() as server:
        yield server


@pytest.fixture
def there(installation: Installation, double: Thirteen) -> Installation:
    """An installation with a Grafana 13."""
    configure(installation.folder, double.url)
    return installation


def configure(folder: Path, url: str) -> None:
    (folder / "influxdb-read").write_text("reads\n", "ascii")
    (folder / "grafana").write_text(f"{TOKEN}\n", "ascii")
    with (folder / "gateway.toml").open("a", encoding="utf-8") as config:
        config.write(GRAFANA.format(url=url))


def test_the_committed_boards_are_as_their_source_makes_them(cunjing: Cunjing) -> None:
    said = cunjing("boards check")
    assert (said.exit_code, said.stdout) == (0, "")


@pytest.mark.usefixtures("installation")
def test_writing_again_changes_nothing(cunjing: Cunjing) -> None:
    said = cunjing("boards write")
    assert (said.exit_code, said.stdout) == (0, "")


def test_boards_are_written_filled_in_for_provisioning(cunjing: Cunjing, there: Installation) -> None:
    said = cunjing("boards write --to out --config gateway.toml")
    assert said.exit_code == 0
    names = {path.name for path in (there.folder / "out").iterdir()}
    assert names == {f"{name}.json" for name in committed.documents()} | {"cunjing.geojson"}
    board = json.loads((there.folder / "out" / "county.json").read_text("utf-8"))
    constants = {each["name"]: each["query"] for each in board["templating"]["list"] if each["type"] == "constant"}
    assert constants == {"desk": "http://office:8080", "bucket": "county"}
    assert json.loads((there.folder / "out" / "cunjing.geojson").read_text("utf-8"))["features"]


def test_other_files_in_the_folder_stay(cunjing: Cunjing, there: Installation) -> None:
    (there.folder / "out").mkdir()
    (there.folder / "out" / "mine.json").write_text("{}", "utf-8")
    assert cunjing("boards write --to out --config gateway.toml").exit_code == 0
    assert (there.folder / "out" / "mine.json").exists()


def test_a_folder_that_cannot_be_written_is_named(cunjing: Cunjing, there: Installation) -> None:
    (there.folder / "out").write_text("a file", "utf-8")
    said = cunjing("boards write --to out --config gateway.toml")
    assert (said.exit_code, said.stdout) == (1, "")
    assert "out cannot be written: file exists; name another folder with --to" in said.stderr


@pytest.mark.usefixtures("installation")
def test_the_outline_is_geojson(cunjing: Cunjing) -> None:
    said = cunjing("boards outline --config gateway.toml")
    assert said.exit_code == 0
    assert json.loads(said.stdout)["type"] == "FeatureCollection"


@pytest.mark.usefixtures("there")
def test_pushing_says_each_step_and_a_second_time_makes_nothing(cunjing: Cunjing, double: Thirteen) -> None:
    first = cunjing("boards push --config gateway.toml")
    assert first.exit_code == 0
    assert first.stdout.count("made ") == 1 + 2 + len(committed.documents())
    assert "there is no journal yet" in first.stdout
    assert TOKEN not in first.stdout
    before = len(double.writes)
    second = cunjing("boards push --config gateway.toml")
    assert second.exit_code == 0
    assert "made" not in second.stdout
    assert len(double.writes) == before


def test_episodes_of_the_journal_become_annotations(cunjing: Cunjing, there: Installation, double: Thirteen) -> None:
    now_ms = WallClock().now_ms()
    row = AlertRow("fire/ytan-03/1", "fire", "ytan-03", "", "P1", now_ms - 60_000, None, b"", settled=False)
    there.journal_path.parent.mkdir()
    with closing(Journal.open(there.journal_path)) as journal:
        journal.commit(Entry(alerts={row.episode: row}))
    said = cunjing("boards push --config gateway.toml")
    assert said.exit_code == 0
    assert "1 episodes of P1 and P2 on the boards; 1 opened, 0 closed" in said.stdout
    assert [(note["time"], note["tags"]) for note in double.notes] == [
        (now_ms - 60_000, ["cunjing", "P1", row.episode])
    ]


@pytest.mark.usefixtures("there")
def test_a_board_edited_by_hand_ends_with_one_and_force_puts_ours_back(cunjing: Cunjing, double: Thirteen) -> None:
    assert cunjing("boards push --config gateway.toml").exit_code == 0
    double.boards["cunjing-county"] = Kept({"title": "我的"}, 7)
    said = cunjing("boards push --config gateway.toml")
    assert said.exit_code == 1
    assert "PROBLEM  the board 县域总览 was edited by hand and is left alone" in said.stdout
    assert double.boards["cunjing-county"].version == 7
    assert cunjing("boards push --config gateway.toml --force").exit_code == 0
    assert cunjing("boards push --config gateway.toml").exit_code == 0


@pytest.mark.usefixtures("there")
@pytest.mark.parametrize(
    ("status", "says"),
    [(401, "does not know the token in grafana; put a valid secret into grafana"), (403, "may not read folders")],
)
def test_a_grafana_that_refuses_is_one_sentence(cunjing: Cunjing, double: Thirteen, status: int, says: str) -> None:
    double.refuses = lambda _method, _path: (status, {"message": "no"})
    said = cunjing("boards push --config gateway.toml")
    assert (said.exit_code, said.stdout) == (1, "")
    assert says in said.stderr
    assert said.stderr.count("\n") == 1


def test_a_grafana_that_is_not_there_is_one_sentence(cunjing: Cunjing, installation: Installation) -> None:
    configure(installation.folder, f"http://127.0.0.1:{free_port()}")
    said = cunjing("boards push --config gateway.toml")
    assert (said.exit_code, said.stdout) == (1, "")
    assert "start it, or correct [grafana] url" in said.stderr
    assert said.stderr.count("\n") == 1


@pytest.mark.usefixtures("installation")
@pytest.mark.parametrize("line", ["boards push", "boards write --to out"])
def test_what_is_not_configured_is_one_sentence(cunjing: Cunjing, line: str) -> None:
    said = cunjing(f"{line} --config gateway.toml")
    assert (said.exit_code, said.stdout) == (1, "")
    assert "add it (see gateway.example.toml)" in said.stderr
