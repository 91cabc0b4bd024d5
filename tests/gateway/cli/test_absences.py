"""Absences and extra rounds over a real socket and from the command line, with a real county behind."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

import httpx
import pytest

from alerts.model import Event
from gateway import start
from gateway.client import control_token
from gateway.desk.api import api
from gateway.desk.commands_api import serve_commands
from gateway.desk.server import bind, serving
from gateway.health import Health
from gateway.inbox import Inbox
from gateway.metrics import Metrics
from gateway.pipeline import Pipeline
from gateway.replay import Memory
from gateway.settings import Endpoint
from telemetry.reading import Millis
from tests.acting import do
from tests.gateway.cli.installation import Cunjing, Installation
from tests.scenario_file import read
from tests.scenario_run import policy_files

NOON: Millis = 1_795_406_400_000  # 2026-11-23T04:00:00Z
ADD = {"person": "cleaner-li", "ends": "2026-11-25T00:00:00+08:00", "by": "dispatch-wu", "stand_in": "cleaner-zhou"}
PERMIT = {"Authorization": "Bearer hush"}


@contextmanager
def gateway(token: str) -> Iterator[tuple[str, Pipeline, int]]:
    """A desk on a port of its own, and a county that is always at noon."""
    pipeline = start.anew(read("absent").inventory, policy_files(), Memory(), NOON)
    pipeline.county.listen(NOON, None, pipeline.changes, started=True)
    bound = bind(Endpoint("127.0.0.1", 0))
    port = bound.getsockname()[1]
    inbox: Inbox = Inbox()
    ended = threading.Event()

    def turn() -> None:
        while not ended.wait(0.005):
            for posted in inbox.take():
                posted.answer.resolve(do(posted.item, pipeline, NOON))

    app = api(inbox, Health((), lambda: 0.0), Metrics(), token)
    serve_commands(app, inbox, token, range(20, 100))
    thread = threading.Thread(target=turn)
    thread.start()
    try:
        with serving(app, bound):
            yield f"http://127.0.0.1:{port}", pipeline, port
    finally:
        ended.set()
        thread.join()
        inbox.close()


def test_an_absence_is_added_listed_and_ended_with_its_row_for_the_audit() -> None:
    with gateway("hush") as (url, pipeline, _), httpx.Client(base_url=url, trust_env=False, headers=PERMIT) as desk:
        added = desk.post("/api/v1/absences", json=ADD)
        listed = desk.get("/api/v1/absences").json()
        ended = desk.post("/api/v1/absences/end", json={"absence": added.json()["absence"], "by": "dispatch-wu"})
        left = desk.get("/api/v1/absences").json()
    assert added.status_code == HTTPStatus.CREATED
    assert (added.json()["begins"], added.json()["ends"]) == ("2026-11-23T04:00:00Z", "2026-11-24T16:00:00Z")
    assert listed["absences"] == [added.json()]
    assert ended.status_code == HTTPStatus.OK
    assert left["absences"] == []
    rows = [each for each in pipeline.list_said() if isinstance(each, Event) and each.rule == "absence"]
    assert [(row.event, (row.detail or {})["by"], (row.detail or {})["origin"]) for row in rows] == [
        ("absence_added", "dispatch-wu", "127.0.0.1"),
        ("absence_ended", "dispatch-wu", "127.0.0.1"),
    ]


@pytest.mark.parametrize(
    ("wrong", "status", "says"),
    [
        ({"ends": "2026-11-25T00:00:00"}, HTTPStatus.UNPROCESSABLE_ENTITY, "timezone"),
        ({"ends": "soon"}, HTTPStatus.UNPROCESSABLE_ENTITY, "ends"),
        ({"person": "nobody"}, HTTPStatus.UNPROCESSABLE_ENTITY, "no person dispatch-wu or nobody"),
        ({"stand_in": "nobody"}, HTTPStatus.CONFLICT, "name one of its people"),
        ({"ends": "2026-11-22T00:00:00+08:00"}, HTTPStatus.CONFLICT, "name another until"),
        ({"ends": "2036-11-22T00:00:00+08:00"}, HTTPStatus.CONFLICT, "at most"),
        ({"reason": "\x1b[2J"}, HTTPStatus.UNPROCESSABLE_ENTITY, "reason"),
        ({"sickness": "flu"}, HTTPStatus.UNPROCESSABLE_ENTITY, "sickness"),
    ],
)
def test_what_is_wrong_is_a_problem_and_changes_nothing(wrong: dict[str, str], status: HTTPStatus, says: str) -> None:
    with gateway("hush") as (url, pipeline, _), httpx.Client(base_url=url, trust_env=False, headers=PERMIT) as desk:
        answer = desk.post("/api/v1/absences", json=ADD | wrong)
    assert (answer.status_code, says in answer.json()["detail"]) == (status, True), answer.text
    assert pipeline.absences.list_current(0) == ()


def test_without_the_token_nobody_is_told_who_is_away() -> None:
    with gateway("hush") as (url, _, _), httpx.Client(base_url=url, trust_env=False) as desk:
        answers = [desk.get("/api/v1/absences"), desk.post("/api/v1/absences", json=ADD)]
    assert {answer.status_code for answer in answers} == {HTTPStatus.UNAUTHORIZED}


def test_the_command_line_does_the_same(cunjing: Cunjing, installation: Installation) -> None:
    installation.journal_path.parent.mkdir()
    with gateway(control_token(installation.journal_path)) as (_, pipeline, port):
        installation.configure(port=port)
        way = "--by dispatch-wu --config gateway.toml"
        added = cunjing(f"absence add cleaner-li --until 2026-11-25T00:00:00+08:00 --stand-in cleaner-zhou {way}")
        listed = cunjing("absence list --config gateway.toml")
        twice = cunjing(f"absence add cleaner-li --until 2026-11-25T00:00:00+08:00 --stand-in cleaner-zhou {way}")
        ended = cunjing(f"absence end {json.loads(added.stdout)['absence']} {way}")
    assert added.exit_code == 0, added.stderr
    assert json.loads(listed.stdout) == json.loads(added.stdout)
    assert (twice.exit_code, "is away already" in twice.stderr) == (1, True)
    assert ended.exit_code == 0
    assert pipeline.absences.list_current(0) == ()


ORDER = {"place": "liutan", "ends": "2026-11-23T13:00:00+08:00", "by": "dispatch-wu"}


def test_an_extra_round_is_ordered_listed_and_cancelled() -> None:
    with gateway("hush") as (url, pipeline, _), httpx.Client(base_url=url, trust_env=False, headers=PERMIT) as desk:
        ordered = desk.post("/api/v1/extra-rounds", json=ORDER)
        listed = desk.get("/api/v1/extra-rounds").json()
        ended = desk.post("/api/v1/extra-rounds/end", json={"extra": ordered.json()["extra"], "by": "dispatch-wu"})
    assert ordered.status_code == HTTPStatus.CREATED
    assert listed["extras"] == [ordered.json()]
    assert (ended.status_code, pipeline.extras.list_current(0)) == (HTTPStatus.OK, ())


@pytest.mark.parametrize(
    ("wrong", "status", "says"),
    [
        ({"ends": "2026-11-23T13:00:00"}, HTTPStatus.UNPROCESSABLE_ENTITY, "timezone"),
        ({"by": "nobody"}, HTTPStatus.UNPROCESSABLE_ENTITY, "no person nobody"),
        ({"place": "nowhere"}, HTTPStatus.CONFLICT, "name one of its ids"),
        ({"ends": "2026-11-26T13:00:00+08:00"}, HTTPStatus.CONFLICT, "one for each day"),
        ({"place": ""}, HTTPStatus.UNPROCESSABLE_ENTITY, "place"),
    ],
)
def test_a_wrong_order_is_a_problem_and_orders_nothing(wrong: dict[str, str], status: HTTPStatus, says: str) -> None:
    with gateway("hush") as (url, pipeline, _), httpx.Client(base_url=url, trust_env=False, headers=PERMIT) as desk:
        answer = desk.post("/api/v1/extra-rounds", json=ORDER | wrong)
    assert (answer.status_code, says in answer.json()["detail"]) == (status, True), answer.text
    assert pipeline.extras.list_current(0) == ()


def test_extra_rounds_from_the_command_line(cunjing: Cunjing, installation: Installation) -> None:
    installation.journal_path.parent.mkdir()
    with gateway(control_token(installation.journal_path)) as (_, pipeline, port):
        installation.configure(port=port)
        way = "--by dispatch-wu --config gateway.toml"
        ordered = cunjing(f"round order liutan --until 2026-11-23T13:00:00+08:00 {way}")
        listed = cunjing("round list --config gateway.toml")
        ended = cunjing(f"round cancel {json.loads(ordered.stdout)['extra']} {way}")
    assert json.loads(listed.stdout) == json.loads(ordered.stdout)
    assert (ended.exit_code, pipeline.extras.list_current(0)) == (0, ())
