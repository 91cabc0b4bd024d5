"""Pushing into a Grafana 13 that refuses: what is written once, what is left alone, each trouble in one sentence."""

import copy
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from dashboards import committed
from dashboards.annotations import Episode
from dashboards.fingerprint import NAME
from dashboards.push import REMEMBERED_S, Grafana, GrafanaAccess, GrafanaUnserved, PushStep, pushed, sync_annotations
from dashboards.sources import FLUX, INFLUXQL, Installation
from tests.grafana_thirteen import PASSWORD, TOKEN, Answer, Kept, Thirteen, edited_on_its_page, thirteen
from tests.servers import free_port

HERE = Installation("http://influxdb:8086", "cunjing", "telemetry", "the-reading-token", "http://desk:8080")
NOW_MS = 1_795_334_400_000
MINUTE_MS = 60_000
BOARDS = sorted(each["uid"] for each in committed.documents().values())


@pytest.fixture
def double() -> Iterator[Thirteen]:
    with thirteen() as server:
        yield server


def grafana(double: Thirteen, secret: str = TOKEN) -> Grafana:
    return Grafana(GrafanaAccess(double.url, secret, "secrets/grafana"))


def push(double: Thirteen, here: Installation = HERE, *, force: bool = False) -> list[PushStep]:
    return list(pushed(grafana(double), here, at_once, force=force))


def at_once(seconds: float) -> None:
    """Nothing here remembers anything."""
    _ = seconds


def said(steps: list[PushStep], part: str) -> PushStep:
    (found,) = [step for step in steps if part in step.said]
    return found


def test_everything_is_made_and_a_second_time_nothing_is_written(double: Thirteen) -> None:
    first = push(double)
    assert all(step.is_well for step in first)
    assert sorted(double.boards) == BOARDS
    assert sorted(double.sources) == [FLUX, INFLUXQL]
    assert list(double.folders) == ["cunjing"]
    before = len(double.writes)
    second = push(double)
    assert all(step.is_well and not step.changed for step in second)
    assert len(double.writes) == before == 1 + 2 + len(BOARDS)


def test_a_name_and_a_password_let_in_as_well(double: Thirteen) -> None:
    entrance = GrafanaAccess(double.url, PASSWORD, "secrets/grafana", username="admin")
    assert all(step.is_well for step in pushed(Grafana(entrance), HERE, at_once))


def test_the_boards_there_have_this_installations_constants(double: Thirteen) -> None:
    push(double)
    for kept in double.boards.values():
        constants = {each["name"]: each["query"] for each in kept.board["templating"]["list"] if each["hide"]}
        assert constants.pop(NAME)
        assert constants == {"bucket": "telemetry", "desk": "http://desk:8080"}


def test_another_desk_renews_the_boards_and_nothing_else(double: Thirteen) -> None:
    push(double)
    before = len(double.writes)
    moved = replace(HERE, desk_url="http://elsewhere:8080")
    steps = push(double, moved)
    assert [path for _, path in double.writes[before:]] == ["/api/dashboards/db"] * len(BOARDS)
    assert all(step.is_well for step in steps)


def test_a_new_token_is_told_to_the_data_sources_and_is_nowhere_to_be_read(double: Thirteen) -> None:
    push(double)
    before = len(double.writes)
    steps = push(double, replace(HERE, token="another-token"))  # noqa: S106 -- that is the point
    assert [verb for verb, _ in double.writes[before:]] == ["PUT", "PUT"]
    assert [step.said for step in steps if step.changed] == [
        f"the data source {FLUX} corrected",
        f"the data source {INFLUXQL} corrected",
    ]
    assert "another-token" not in str(double.sources)


def test_what_grafana_remembers_of_a_changed_data_source_is_waited_for(double: Thirteen) -> None:
    rested: list[float] = []
    for token, waits in (("one", 0), ("one", 0), ("two", 1)):
        for _ in pushed(grafana(double), replace(HERE, token=token), rested.append):
            pass
        assert len(rested) == waits
    assert set(rested) == {REMEMBERED_S}
    assert [path.endswith("/health") for _, path in double.requests[-2:]] == [True, True]


def test_a_data_source_from_a_file_is_left_alone(double: Thirteen) -> None:
    double.sources[FLUX] = {"uid": FLUX, "readOnly": True}
    step = said(push(double), f"{FLUX} comes from a file")
    assert (step.changed, step.is_well) == (False, True)
    assert double.sources[FLUX] == {"uid": FLUX, "readOnly": True}


def test_a_board_from_a_file_is_left_alone(double: Thirteen) -> None:
    uid = BOARDS[0]
    double.boards[uid] = Kept({"title": "x"}, 3, provisioned=True)
    step = said(push(double), "comes from a file")
    assert (step.changed, step.is_well) == (False, True)
    assert double.boards[uid].version == 3


def edit(double: Thirteen, uid: str) -> None:
    kept = double.boards[uid]
    board = copy.deepcopy(kept.board)
    board["panels"][0]["title"] = "我改过的"
    double.boards[uid] = Kept(board, kept.version + 1)


@pytest.mark.parametrize("by_hand", [edit, edited_on_its_page], ids=["through the API", "on its own page"])
def test_a_board_edited_by_hand_is_reported_and_only_force_overwrites_it(
    double: Thirteen, by_hand: Callable[[Thirteen, str], None]
) -> None:
    push(double)
    uid = BOARDS[0]
    by_hand(double, uid)
    edited = double.boards[uid]
    before = len(double.writes)
    step = said(push(double), "edited by hand")
    assert (step.changed, step.is_well) == (False, False)
    assert "--force" in step.said
    assert double.boards[uid] is edited
    assert len(double.writes) == before
    assert all(step.is_well for step in push(double, force=True))
    assert double.boards[uid].board["panels"][0]["title"] != "我改过的"
    assert not any(step.changed for step in push(double))


def test_a_strangers_board_under_our_uid_is_left_alone(double: Thirteen) -> None:
    double.boards[BOARDS[0]] = Kept({"title": "别人的", "panels": []}, 1)
    assert not said(push(double), "edited by hand").is_well


def test_a_board_that_was_deleted_is_made_again(double: Thirteen) -> None:
    push(double)
    del double.boards[BOARDS[0]]
    steps = push(double)
    assert [step.said.endswith(" made") for step in steps if step.changed] == [True]
    assert sorted(double.boards) == BOARDS


def test_a_grafana_that_keeps_boards_in_a_form_of_its_own_is_no_hand(double: Thirteen) -> None:
    double.keeps = lambda board: board | {"liveNow": False, "panels": [{**panel, "x": 1} for panel in board["panels"]]}
    assert all(step.is_well for step in push(double))
    before = len(double.writes)
    assert not any(step.changed for step in push(double))
    edit(double, BOARDS[0])
    assert not said(push(double), "edited by hand").is_well
    assert len(double.writes) == before


def test_a_grafana_that_keeps_them_otherwise_each_time_is_said(double: Thirteen) -> None:
    times = iter(range(100))
    double.keeps = lambda board: board | {"iteration_of_its_own": next(times)}
    with pytest.raises(GrafanaUnserved, match="in another form each time"):
        push(double)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (
            (412, {"message": "changed", "status": "version-mismatch"}),
            "was changed in Grafana while it was pushed; push again",
        ),
        ((409, {"message": "Dashboard already exists"}), "was changed in Grafana while it was pushed; push again"),
        ((412, {"message": "x", "status": "name-exists"}), "has another board called .*; rename that one"),
        ((404, {"message": "not found"}), "was deleted in Grafana while it was pushed; push again"),
        ((400, {"message": "bad panel"}), r"HTTP 400 \(bad panel\)"),
        ((500, {"message": "disk full"}), r"Grafana is in trouble: HTTP 500 \(disk full\); look at its log"),
    ],
    ids=["412", "409", "name", "deleted underneath", "400", "500"],
)
def test_a_save_that_fails_is_one_sentence_with_its_remedy(double: Thirteen, answer: Answer, says: str) -> None:
    double.refuses = lambda method, path: answer if (method, path) == ("POST", "/api/dashboards/db") else None
    with pytest.raises(GrafanaUnserved, match=says) as trouble:
        push(double)
    assert "\n" not in str(trouble.value)


def test_a_board_deleted_right_after_it_was_saved_is_said(double: Thirteen) -> None:
    asked = []

    def refuses(method: str, path: str) -> Answer | None:
        asked.append(method)
        return (404, {"message": "gone"}) if method == "GET" and "POST" in asked and "/uid/cunjing-a" in path else None

    double.refuses = refuses
    with pytest.raises(GrafanaUnserved, match="was deleted in Grafana while it was pushed; push again"):
        push(double)


def test_a_token_that_grafana_does_not_know(double: Thirteen) -> None:
    with pytest.raises(GrafanaUnserved, match="does not know the token in secrets/grafana; put a valid secret into"):
        list(pushed(grafana(double, "wrong"), HERE, at_once))


def test_a_user_whom_grafana_does_not_know(double: Thirteen) -> None:
    entrance = GrafanaAccess(double.url, "wrong", "secrets/grafana", username="admin")
    with pytest.raises(GrafanaUnserved, match="does not know the user admin; put a valid secret into secrets/grafana"):
        list(pushed(Grafana(entrance), HERE, at_once))


@pytest.mark.parametrize(
    ("path", "wish"),
    [
        ("/api/folders", "make folders"),
        ("/api/datasources", "make data sources"),
        ("/api/dashboards/db", "save the board"),
    ],
)
def test_a_token_without_rights(double: Thirteen, path: str, wish: str) -> None:
    double.refuses = lambda method, at: (403, {"message": "no"}) if method == "POST" and at == path else None
    with pytest.raises(GrafanaUnserved, match=f"the token in secrets/grafana may not {wish}.*give it the role Admin"):
        push(double)


def test_a_grafana_that_is_not_there() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(
        GrafanaUnserved, match=r"Grafana does not answer at http://127\.0\.0\.1:\d+ \(.*refused\); start it"
    ) as found:
        list(pushed(Grafana(GrafanaAccess(url, TOKEN, "x")), HERE, at_once))
    assert found.value.status == 0


def test_something_else_that_answers_there(double: Thirteen) -> None:
    double.refuses = lambda _method, _path: (200, "<html>please log in</html>")
    with pytest.raises(GrafanaUnserved, match="is not Grafana; correct"):
        push(double)


def test_a_data_source_that_cannot_read_says_why(double: Thirteen) -> None:
    double.health = (400, {"status": "ERROR", "message": "unauthorized access"})
    step = said(push(double), f"{FLUX} cannot read InfluxDB: unauthorized access")
    assert not step.is_well
    assert "[grafana] influxdb_url" in step.said
    assert "cunjing influx setup" in step.said


def episode(number: int, cleared_ms: int | None = None, severity: str = "P2") -> Episode:
    raised_ms = NOW_MS - number * 10 * MINUTE_MS
    return Episode(
        f"overflow/bin-{number}/20261122T00000{number}Z", severity, raised_ms, cleared_ms, f"满溢：{number}号"
    )


def test_episodes_are_opened_and_closed_and_nothing_is_written_twice(double: Thirteen) -> None:
    standing, over = episode(1), episode(2, NOW_MS - MINUTE_MS, "P1")
    step = sync_annotations(grafana(double), [standing, over], NOW_MS)
    assert (step.changed, step.is_well) == (True, True)
    assert [(note["time"], note["timeEnd"], note["tags"], note["text"]) for note in double.notes] == [
        (standing.raised_ms, standing.raised_ms, ["cunjing", "P2", standing.episode], "满溢：1号"),
        (over.raised_ms, over.cleared_ms, ["cunjing", "P1", over.episode], "满溢：2号"),
    ]
    before = len(double.writes)
    assert not sync_annotations(grafana(double), [standing, over], NOW_MS + MINUTE_MS).changed
    assert len(double.writes) == before
    cleared = standing._replace(cleared_ms=NOW_MS + MINUTE_MS)
    assert sync_annotations(grafana(double), [cleared, over], NOW_MS + 2 * MINUTE_MS).changed
    assert double.writes[before:] == [("PATCH", "/api/annotations/1")]
    assert double.notes[0]["timeEnd"] == NOW_MS + MINUTE_MS
    assert double.notes[0]["text"] == "满溢：1号"
    assert not sync_annotations(grafana(double), [cleared, over], NOW_MS + 3 * MINUTE_MS).changed


def test_what_others_noted_is_never_touched(double: Thirteen) -> None:
    theirs = [
        {"id": 1, "time": NOW_MS - 5, "timeEnd": NOW_MS - 5, "tags": ["停电通知"], "text": "电网检修"},
        {"id": 2, "time": NOW_MS - 6, "timeEnd": NOW_MS - 6, "tags": ["cunjing"], "text": "手工写的"},
    ]
    double.notes = copy.deepcopy(theirs)
    sync_annotations(grafana(double), [episode(1, NOW_MS)], NOW_MS)
    assert double.notes[:2] == theirs
    assert len(double.notes) == 3


def test_a_long_episode_that_began_before_the_others_is_found_again(double: Thirteen) -> None:
    long = episode(9_000)
    sync_annotations(grafana(double), [episode(1), long], NOW_MS)
    assert not sync_annotations(grafana(double), [episode(1), long], NOW_MS).changed


@pytest.mark.parametrize("status", [401, 403, 500])
def test_trouble_while_syncing_is_said_and_never_raised(double: Thirteen, status: int) -> None:
    double.refuses = lambda _method, _path: (status, {"message": "no"})
    step = sync_annotations(grafana(double), [episode(1)], NOW_MS)
    assert not step.is_well
    assert ";" in step.said


def test_a_grafana_that_is_away_while_syncing_is_said_and_never_raised() -> None:
    away = Grafana(GrafanaAccess(f"http://127.0.0.1:{free_port()}", TOKEN, "x"))
    step = sync_annotations(away, [episode(1)], NOW_MS)
    assert (step.changed, step.is_well) == (False, False)
    assert "does not answer" in step.said


def test_without_episodes_nothing_is_written(double: Thirteen) -> None:
    assert not sync_annotations(grafana(double), [], NOW_MS).changed


@pytest.mark.parametrize("key", ["elements", "layout", "apiVersion", "spec"])
def test_the_double_refuses_the_newer_format(double: Thirteen, key: str) -> None:
    push(double)
    board = {"title": "x", "uid": "cunjing-x", key: {}}
    body = {"dashboard": board, "folderUid": "cunjing", "overwrite": True}
    with pytest.raises(GrafanaUnserved, match="HTTP 400"):
        grafana(double).write("POST", "/dashboards/db", body, "save a board")


def test_the_double_knows_no_numeric_ids() -> None:
    with pytest.raises(AssertionError, match="routes that Grafana 13 does not have"), thirteen() as double:
        assert grafana(double).get("/datasources/1", "read data sources") is None
