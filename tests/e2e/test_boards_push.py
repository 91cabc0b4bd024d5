"""Pushing into a real Grafana, twice, over a hand's edits, with rights and without; and boards that come from files."""

import copy
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from threading import Event
from time import monotonic, time

import pytest
import yaml

from dashboards import committed
from dashboards.annotations import Episode
from dashboards.inspection import inspected
from dashboards.push import FOLDER, Grafana, GrafanaAccess, GrafanaUnserved, PushStep, pushed, sync_annotations
from dashboards.sources import FLUX, INFLUXQL, Installation, definition
from gateway import boards
from gateway.journal.reader import JournalReader
from tests.board_questions import asked_through_grafana, panel_questions
from tests.county_week import HOUR_MS, Week
from tests.grafana_entrance import entrance, entrance_of_role
from tests.series_line import BUCKET, made_ready
from tests.servers import ORG, GrafanaServer, InfluxServer, running

pytestmark = [pytest.mark.e2e, pytest.mark.influxdb, pytest.mark.grafana]

PROVISIONING = Path(__file__).parents[2] / "config" / "grafana" / "provisioning"
TITLES = {each["uid"]: each["title"] for each in committed.documents().values()}
MINUTE_MS = 60_000
READ_AGAIN_WITHIN_S = 240.0


@pytest.fixture(scope="module")
def influx(influxd: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxServer]:
    server = InfluxServer(influxd, tmp_path_factory.mktemp("influx"))
    with running(server):
        server.set_up()
        yield server


@pytest.fixture(scope="module")
def here(influx: InfluxServer, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """What the boards need of an installation whose InfluxDB is there and empty."""
    chosen = made_ready(influx, tmp_path_factory.mktemp("secrets"))
    return Installation(influx.url, ORG, BUCKET, chosen.reader_file.read_text("utf-8").strip(), "http://desk:8080")


@pytest.fixture(scope="module")
def used_grafana(grafana_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GrafanaServer]:
    server = GrafanaServer(grafana_home, tmp_path_factory.mktemp("grafana"))
    with running(server):
        yield server


@pytest.fixture
def tidied(used_grafana: GrafanaServer) -> GrafanaServer:
    """The same server for most tests of this file, with nothing of the last one in it."""
    for path in (f"/api/folders/{FOLDER}", f"/api/datasources/uid/{FLUX}", f"/api/datasources/uid/{INFLUXQL}"):
        assert used_grafana.answer("DELETE", path).status_code in (200, 404)
    for note in used_grafana.ask("GET", "/api/annotations", params={"limit": 1_000}):
        used_grafana.ask("DELETE", f"/api/annotations/{note['id']}")
    return used_grafana


def at_once(seconds: float) -> None:
    """Nothing was changed of which Grafana remembers another state."""
    _ = seconds


def push(
    grafana: GrafanaServer, here: Installation, rest: Callable[[float], object] = at_once, *, force: bool = False
) -> tuple[list[PushStep], int]:
    """The steps, and how many writes they took."""
    ours = Grafana(entrance(grafana))
    return list(pushed(ours, here, rest, force=force)), ours.writes


def board(grafana: GrafanaServer, uid: str) -> dict[str, object]:
    found: dict[str, object] = grafana.ask("GET", f"/api/dashboards/uid/{uid}")["dashboard"]
    return found


def test_a_first_push_makes_everything_and_a_second_sends_no_write(tidied: GrafanaServer, here: Installation) -> None:
    steps, writes = push(tidied, here)
    assert all(step.is_well for step in steps), steps
    assert writes == 1 + 2 + len(TITLES)
    again, none = push(tidied, here)
    assert none == 0
    assert not any(step.changed for step in again)
    found = tidied.ask("GET", "/api/search", params={"type": "dash-db"})
    assert {each["uid"]: each["title"] for each in found} == TITLES
    assert {each["folderUid"] for each in found} == {FOLDER}
    assert {tuple(each["tags"]) for each in found} == {("cunjing",)}
    assert {board(tidied, uid)["version"] for uid in TITLES} == {1}


def test_grafana_says_of_both_data_sources_that_they_read(tidied: GrafanaServer, here: Installation) -> None:
    steps, _ = push(tidied, here)
    assert [step.said for step in steps if "reads InfluxDB" in step.said] == [
        f"through {uid} Grafana reads InfluxDB" for uid in (FLUX, INFLUXQL)
    ]
    assert here.token not in str([tidied.ask("GET", f"/api/datasources/uid/{uid}") for uid in (FLUX, INFLUXQL)])


def test_a_wrong_token_is_said_and_a_right_one_mends_it(grafana: GrafanaServer, here: Installation) -> None:
    steps, _ = push(grafana, replace(here, token="wrong"))  # noqa: S106 -- that is the point
    ailing = [step.said for step in steps if not step.is_well]
    assert len(ailing) == 2
    assert all("cannot read InfluxDB" in said and "cunjing influx setup" in said for said in ailing)
    second = int(time())
    eventually(lambda: int(time()) > second)  # Grafana tells two states of a data source apart by the second
    steps, writes = push(grafana, here, Event().wait)
    assert all(step.is_well for step in steps)
    assert writes == 2


def test_an_address_that_leads_nowhere_is_said(grafana: GrafanaServer, here: Installation) -> None:
    steps, _ = push(grafana, replace(here, influxdb_url="http://127.0.0.1:9"))
    ailing = [step.said for step in steps if not step.is_well]
    assert len(ailing) == 2
    assert all("http://127.0.0.1:9 must be right as seen from Grafana" in said for said in ailing)


def test_a_board_edited_by_hand_is_left_alone_until_forced(tidied: GrafanaServer, here: Installation) -> None:
    push(tidied, here)
    uid = "cunjing-county"
    edited = copy.deepcopy(board(tidied, uid))
    edited["title"] = "我改过的总览"
    tidied.ask("POST", "/api/dashboards/db", json={"dashboard": edited, "folderUid": FOLDER})
    steps, writes = push(tidied, here)
    (said,) = [step.said for step in steps if not step.is_well]
    assert said.startswith("the board 县域总览 was edited by hand and is left alone; ")
    assert said.endswith("then push with --force")
    assert writes == 0
    assert board(tidied, uid)["title"] == "我改过的总览"
    steps, writes = push(tidied, here, force=True)
    assert (all(step.is_well for step in steps), writes) == (True, 1)
    assert board(tidied, uid)["title"] == "县域总览"
    assert push(tidied, here)[1] == 0


def test_a_board_that_was_deleted_is_made_again(tidied: GrafanaServer, here: Installation) -> None:
    push(tidied, here)
    tidied.ask("DELETE", "/api/dashboards/uid/cunjing-bins")
    steps, writes = push(tidied, here)
    assert [step.said for step in steps if step.changed] == ["the board 垃圾桶 made"]
    assert writes == 1


def test_a_board_saved_meanwhile_is_not_overwritten(tidied: GrafanaServer, here: Installation) -> None:
    """Somebody saves between our look and our save: Grafana refuses the older version."""
    push(tidied, here)
    moved = replace(here, desk_url="http://elsewhere:8080")

    class Slow(Grafana):
        def write(self, method: str, path: str, body: dict[str, object], wish: str) -> object:
            if path == "/dashboards/db":
                theirs = board(tidied, "cunjing-alerts")
                theirs["title"] = "正在改"
                tidied.ask("POST", "/api/dashboards/db", json={"dashboard": theirs, "folderUid": FOLDER})
            return super().write(method, path, body, wish)

    with pytest.raises(
        GrafanaUnserved, match="the board 告警复盘 was changed in Grafana while it was pushed; push again"
    ):
        list(pushed(Slow(entrance(tidied)), moved, at_once))
    assert board(tidied, "cunjing-alerts")["title"] == "正在改"


def test_another_board_of_the_same_name_is_said(tidied: GrafanaServer, here: Installation) -> None:
    tidied.ask("POST", "/api/folders", json={"uid": FOLDER, "title": "村净"})
    theirs = {"uid": "theirs", "title": "告警复盘", "panels": []}
    tidied.ask("POST", "/api/dashboards/db", json={"dashboard": theirs, "folderUid": FOLDER})
    with pytest.raises(
        GrafanaUnserved, match="has another board called 告警复盘; rename that one in Grafana, then push again"
    ):
        push(tidied, here)


@pytest.mark.parametrize("role", ["Viewer", "Editor"])
def test_a_service_account_without_rights_is_said(tidied: GrafanaServer, here: Installation, role: str) -> None:
    ours = Grafana(entrance_of_role(tidied, role))
    with pytest.raises(
        GrafanaUnserved, match=r"the token in secrets/grafana may not read folders .*give it the role Admin"
    ):
        list(pushed(ours, here, at_once))


def test_a_service_account_of_the_role_admin_may_push(tidied: GrafanaServer, here: Installation) -> None:
    assert all(step.is_well for step in pushed(Grafana(entrance_of_role(tidied, "Admin")), here, at_once))


def test_a_secret_that_grafana_does_not_know_is_said(tidied: GrafanaServer, here: Installation) -> None:
    with pytest.raises(GrafanaUnserved, match="does not know the token in secrets/grafana"):
        list(pushed(Grafana(GrafanaAccess(tidied.url, "glsa_wrong", "secrets/grafana")), here, at_once))


def now_ms() -> int:
    return int(time() * 1_000)


def test_the_weeks_episodes_are_opened_and_closed_when_they_clear(
    tidied: GrafanaServer, lived_week: Week, here: Installation
) -> None:
    push(tidied, here)
    ours = Grafana(entrance(tidied))
    with closing(JournalReader.open(lived_week.journal)) as reader:
        episodes = boards.episodes(reader, lived_week.inventory, now_ms())
    standing = [each for each in episodes if each.cleared_ms is None]
    assert len(episodes) > len(standing) > 0
    theirs = {"time": now_ms() - HOUR_MS, "tags": ["电网"], "text": "检修通知"}
    tidied.ask("POST", "/api/annotations", json=theirs)
    step = sync_annotations(ours, episodes, now_ms())
    assert (step.changed, step.is_well, ours.writes) == (True, True, len(episodes))
    assert noted(tidied) == {
        each.episode: (each.raised_ms, each.raised_ms if each.cleared_ms is None else each.cleared_ms, each.text)
        for each in episodes
    }
    assert not sync_annotations(ours, episodes, now_ms()).changed
    assert ours.writes == len(episodes)
    over = [each._replace(cleared_ms=each.cleared_ms or now_ms()) for each in episodes]
    sync_annotations(ours, over, now_ms())
    assert ours.writes == len(episodes) + len(standing)
    assert noted(tidied) == {each.episode: (each.raised_ms, each.cleared_ms, each.text) for each in over}
    assert not sync_annotations(ours, over, now_ms()).changed
    (other,) = tidied.ask("GET", "/api/annotations", params={"tags": "电网"})
    assert (other["time"], other["timeEnd"], other["text"]) == (theirs["time"], theirs["time"], "检修通知")


def noted(grafana: GrafanaServer) -> dict[str, tuple[int, int, str]]:
    """Our annotations by their episode, as Grafana finds them by our tag."""
    found = grafana.ask("GET", "/api/annotations", params={"tags": "cunjing", "limit": 1_000})
    return {
        next(tag for tag in each["tags"] if "/" in tag): (each["time"], each["timeEnd"], each["text"]) for each in found
    }


def test_an_editor_may_keep_the_annotations(tidied: GrafanaServer) -> None:
    """What the running gateway needs each minute is less than a push needs."""
    ours = Grafana(entrance_of_role(tidied, "Editor"))
    episode = Episode("fire/a/1", "P1", now_ms() - MINUTE_MS, None, "火警：柳潭3号池")
    assert sync_annotations(ours, [episode], now_ms()).is_well
    assert sync_annotations(ours, [episode._replace(cleared_ms=now_ms())], now_ms()).changed


def test_a_viewer_may_not_and_it_is_said(tidied: GrafanaServer) -> None:
    ours = Grafana(entrance_of_role(tidied, "Viewer"))
    step = sync_annotations(ours, [Episode("fire/a/1", "P1", now_ms(), None, "火警")], now_ms())
    assert not step.is_well
    assert "may not write annotations" in step.said


def test_doctor_finds_what_was_pushed_and_changes_nothing(tidied: GrafanaServer, here: Installation) -> None:
    push(tidied, here)
    assert [
        step.said for step in inspected(Grafana(entrance_of_role(tidied, "Editor")), here) if not step.is_well
    ] == []
    assert tidied.ask("GET", "/api/annotations") == []


def test_doctor_says_which_board_is_gone_and_which_was_edited(tidied: GrafanaServer, here: Installation) -> None:
    push(tidied, here)
    gone, edited, *_ = sorted(TITLES)
    tidied.ask("DELETE", f"/api/dashboards/uid/{gone}")
    there = board(tidied, edited)
    body = {"dashboard": there | {"title": "改过的"}, "folderUid": FOLDER, "overwrite": True}
    tidied.ask("POST", "/api/dashboards/db", json=body)
    said = [step.said for step in inspected(Grafana(entrance(tidied)), here) if not step.is_well]
    assert said == [
        f"the board {TITLES[gone]} is not in Grafana; run `cunjing boards push`",
        (
            f"the board {TITLES[edited]} was edited by hand; save what you need of it under another name,"
            " then run `cunjing boards push --force`"
        ),
    ]


def test_doctor_says_what_a_viewer_may_not(tidied: GrafanaServer, here: Installation) -> None:
    push(tidied, here)
    organisation, first, *others = inspected(Grafana(entrance_of_role(tidied, "Viewer")), here)
    assert organisation.is_well
    assert "may not write annotations" in first.said
    assert "give it the role Editor" in first.said
    assert all(step.is_well for step in others)


@pytest.fixture
def provisioned(
    grafana_home: Path, influx: InfluxServer, here: Installation, tmp_path: Path
) -> Iterator[GrafanaServer]:
    """A Grafana that starts with the files that compose mounts; only places are those of this machine."""
    token = tmp_path / "influxdb-read"
    token.write_text(f"{here.token}\n", "utf-8")
    folder = tmp_path / "boards"
    folder.mkdir()
    for name, text in committed.texts().items():
        (folder / f"{name}.json").write_text(text, "utf-8")
    server = GrafanaServer(grafana_home, tmp_path / "grafana")
    here_instead = {
        "http://influxdb:8086": influx.url,
        "/run/secrets/influxdb-read": str(token),
        "/etc/grafana/boards": str(folder),
        "updateIntervalSeconds: 60": "updateIntervalSeconds: 1",
    }
    for source in PROVISIONING.rglob("*.yaml"):
        text = source.read_text("utf-8")
        for there, instead in here_instead.items():
            text = text.replace(there, instead)
        target = server.provisioning / source.relative_to(PROVISIONING)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")
    with running(server):
        yield server


def eventually(reached: Callable[[], bool]) -> None:
    """Waits for something real to come about."""
    ends = monotonic() + READ_AGAIN_WITHIN_S
    while not reached():
        assert monotonic() < ends
        Event().wait(0.05)


def test_files_bring_data_sources_and_boards_and_a_push_leaves_them_alone(
    provisioned: GrafanaServer, here: Installation, tmp_path: Path
) -> None:
    def found() -> dict[str, str]:
        return {
            each["uid"]: each["title"] for each in provisioned.ask("GET", "/api/search", params={"type": "dash-db"})
        }

    eventually(lambda: found() == TITLES)
    for uid in (FLUX, INFLUXQL):
        assert provisioned.ask("GET", f"/api/datasources/uid/{uid}/health")["status"] == "OK"
    question = panel_questions()[0]
    assert isinstance(asked_through_grafana(provisioned, question, now_ms() - HOUR_MS, now_ms()), list)
    ours = Grafana(entrance(provisioned))
    steps = list(pushed(ours, here, at_once))
    assert all(step.is_well for step in steps)
    assert ours.writes == 0
    assert sum("comes from a file" in step.said for step in steps) == 2 + len(TITLES)
    theirs = provisioned.ask("GET", "/api/dashboards/uid/cunjing-bins")["dashboard"] | {"title": "改"}
    refused = provisioned.answer("POST", "/api/dashboards/db", json={"dashboard": theirs, "folderUid": FOLDER})
    assert refused.status_code == 400, "a provisioned board cannot be saved from Grafana's own page"
    file = tmp_path / "boards" / "bins.json"
    file.write_text(file.read_text("utf-8").replace('"title": "垃圾桶"', '"title": "垃圾桶（新）"'), "utf-8")
    eventually(lambda: found()["cunjing-bins"] == "垃圾桶（新）")


def test_the_files_say_of_the_data_sources_what_a_push_would() -> None:
    text = (PROVISIONING / "datasources" / "cunjing.yaml").read_text("utf-8")
    token = "$__file{/run/secrets/influxdb-read}"  # noqa: S105 -- where it is
    for source in yaml.safe_load(text)["datasources"]:
        pushed_one = definition(source["uid"], "http://influxdb:8086", "cunjing", "telemetry", token, "")
        pushed_one["jsonData"].pop("cunjingToken")
        pushed_one.pop("basicAuth")
        assert source.pop("editable") is False
        assert source == pushed_one
