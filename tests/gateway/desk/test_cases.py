"""The ledger over a real socket: what is asked reaches the loop, what is wrong posts nothing, lists are filtered."""

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from alerts.ledger.case import CaseCommand, CaseVerb, Deed, Origin, Register, State
from gateway.commands.cases import AskLedger, CaseDone, UnknownCase
from gateway.commands.command import NotPossible, UnknownPerson
from gateway.desk.api import api
from gateway.desk.cases import serve_cases
from gateway.desk.server import bind, serving
from gateway.journal.entry import Entry
from gateway.journal.writer import Journal
from gateway.pipeline import case_row
from gateway.settings import Endpoint
from tests.gateway.desk.test_api import PERMIT, Desk, loop
from tests.gateway.journal.entries import DAY_MS, LEAK, NOW_MS

CALL = {"what": "化粪池满溢", "by": "dispatch-wu", "area": "liutan", "place": "村部后面"}


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    yield made
    made.inbox.close()


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    path = tmp_path / "journal.db"
    late = replace(
        LEAK,
        id="20261122-qingshi-002",
        state=State.DOING,
        owner="crew-chen",
        rule="toilet",
        what="公厕要修",
        asset="wc",
    )
    other = replace(LEAK, id="20261123-heng-001", within=("xiang", "heng"), opened_ms=NOW_MS + 3 * DAY_MS, town="heng")
    other = replace(other, deadline_ms=NOW_MS + 9 * DAY_MS, origin=Origin.SIGHT)
    with closing(Journal.open(path)) as opened:
        for case in (LEAK, late, other):
            line = Deed(case=case.id, at_ms=NOW_MS, deed="registered", by="dispatch-wu", now="open")
            opened.commit(Entry(cases={case.id: case_row(case)}, deeds=[line]))
    return path


@contextmanager
def client(desk: Desk, journal: Path) -> Iterator[httpx.Client]:
    bound = bind(Endpoint("127.0.0.1", 0))
    url = f"http://127.0.0.1:{bound.getsockname()[1]}"
    app = api(desk.inbox, desk.health, desk.metrics, "hush")
    serve_cases(app, desk.inbox, journal, "hush", lambda: NOW_MS + 2 * DAY_MS)
    with serving(app, bound), httpx.Client(base_url=url, trust_env=False, headers=PERMIT) as opened:
        yield opened


def answer(asked: AskLedger) -> object:
    match asked.wish:
        case Register(by="stranger"):
            return UnknownPerson()
        case Register():
            return CaseDone(NOW_MS, LEAK)
        case CaseCommand(case="20200101-qingshi-001"):
            return UnknownCase(settled=True)
        case CaseCommand(case="no-such"):
            return UnknownCase(settled=False)
        case CaseCommand(verb=CaseVerb.CLOSE):
            return NotPossible("20261122-qingshi-001 is open: only what is verified is closed")
        case _:
            return CaseDone(NOW_MS, replace(LEAK, state=State.ASSIGNED, owner="crew-chen"))


def test_a_call_is_registered_and_a_case_moved_with_who_and_by_which_way(desk: Desk, journal: Path) -> None:
    with client(desk, journal) as http, loop(desk, answer) as seen:
        made = http.post("/api/v1/cases", json={**CALL, "caller_name": "周师傅", "caller_phone": "139 0000 0001"})
        body = {"by": "dispatch-wu", "to": "crew-chen", "deadline": "2026-11-23T12:00:00+08:00"}
        moved = http.post(f"/api/v1/cases/{LEAK.id}/assign", json=body)
    assert (made.status_code, made.json()["case"]) == (HTTPStatus.CREATED, LEAK.id)
    assert (moved.status_code, moved.json()["state"], moved.json()["owner"]) == (200, "assigned", "crew-chen")
    posted = [each.wish for each in seen]
    register, assign = posted
    assert register == Register(
        **CALL, channel="api", caller_name="周师傅", caller_phone="139 0000 0001", reported=Origin.TELEPHONE
    )
    assert assign == CaseCommand(
        verb=CaseVerb.ASSIGN,
        case=LEAK.id,
        by="dispatch-wu",
        channel="api",
        to="crew-chen",
        deadline_ms=1_795_406_400_000,
    )


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("", {**CALL, "by": "stranger"}, 422),
        ("/no-such/start", {"by": "dispatch-wu"}, 404),
        ("/20200101-qingshi-001/reopen", {"by": "dispatch-wu", "reason": "x"}, 409),
        (f"/{LEAK.id}/close", {"by": "dispatch-wu"}, 409),
    ],
)
def test_each_verdict_has_its_status(desk: Desk, journal: Path, path: str, body: dict[str, str], status: int) -> None:
    with client(desk, journal) as http, loop(desk, answer):
        said = http.post(f"/api/v1/cases{path}", json=body)
    assert said.status_code == status
    assert said.headers["content-type"] == "application/problem+json"
    assert len(said.json()["detail"].split()) > 4


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("", {**CALL, "what": ""}),
        ("", {**CALL, "what": " \u3000 "}),
        ("", {**CALL, "what": "垃" * 201}),
        ("", {**CALL, "what": "a\u202eb"}),
        ("", {**CALL, "place": "a\nb"}),
        ("", {**CALL, "caller_phone": "call me"}),
        ("", {**CALL, "photo": "../../etc/passwd"}),
        ("", {**CALL, "reported": "telemetry"}),
        ("", {**CALL, "extra": 1}),
        (f"/{LEAK.id}/shout", {"by": "dispatch-wu"}),
        (f"/{LEAK.id}/defer", {"by": "dispatch-wu", "reason": "x", "until": "2026-11-25T00:00:00"}),
        (f"/{LEAK.id}/note", {"by": "dispatch-wu", "reason": "x" * 501}),
    ],
)
def test_what_is_wrong_is_a_problem_and_posts_nothing(desk: Desk, journal: Path, path: str, body: object) -> None:
    with client(desk, journal) as http:
        said = http.post(f"/api/v1/cases{path}", json=body)
    assert said.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert said.headers["content-type"] == "application/problem+json"
    assert desk.inbox.depth == 0


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, [3, 2, 1]),
        ({"area": "qingshi"}, [2, 1]),
        ({"area": "heng"}, [3]),
        ({"area": "qing"}, []),
        ({"state": ["doing", "closed"]}, [2]),
        ({"rule": "septic"}, [3, 1]),
        ({"owner": "crew-chen"}, [2]),
        ({"asset": "wc"}, [2]),
        ({"text": "公厕"}, [2]),
        ({"text": "周师傅"}, [3, 2, 1]),
        ({"text": "' OR 1=1 --"}, []),
        ({"text": "%"}, []),
        ({"overdue": "true"}, [2, 1]),
        ({"from": "2026-11-24T00:00:00Z"}, [3]),
        ({"to": "2026-11-24T00:00:00Z"}, [2, 1]),
    ],
)
def test_lists_are_filtered(desk: Desk, journal: Path, query: dict[str, Any], found: list[int]) -> None:
    ids = {"20261122-qingshi-001": 1, "20261122-qingshi-002": 2, "20261123-heng-001": 3}
    with client(desk, journal) as http:
        said = http.get("/api/v1/cases", params=query)
    assert [ids[case["case"]] for case in said.json()["cases"]] == found


def test_a_list_goes_on_where_the_page_before_ended(desk: Desk, journal: Path) -> None:
    pages: list[list[str]] = []
    with client(desk, journal) as http:
        before: dict[str, int] = {}
        while True:
            said = http.get("/api/v1/cases", params={"limit": 2, **before}).json()
            pages.append([case["case"] for case in said["cases"]])
            if said["next"] is None:
                break
            before = {"before": said["next"]}
    assert [len(page) for page in pages] == [2, 1]


def test_a_case_comes_with_its_history_and_an_unknown_one_is_not_found(desk: Desk, journal: Path) -> None:
    with client(desk, journal) as http:
        said = http.get(f"/api/v1/cases/{LEAK.id}").json()
        missing = http.get("/api/v1/cases/no-such")
    assert said["case"]["caller_name"] == "周师傅"
    assert [(line["deed"], line["by"]) for line in said["history"]] == [("registered", "dispatch-wu")]
    assert missing.status_code == HTTPStatus.NOT_FOUND


def test_nothing_of_it_is_shown_or_done_without_the_token(desk: Desk, journal: Path) -> None:
    with client(desk, journal) as http:
        http.headers.pop("Authorization")
        said = [
            http.get("/api/v1/cases"),
            http.get(f"/api/v1/cases/{LEAK.id}"),
            http.post("/api/v1/cases", json=CALL),
            http.post(f"/api/v1/cases/{LEAK.id}/start", json={"by": "dispatch-wu"}),
        ]
    assert {answered.status_code for answered in said} == {HTTPStatus.UNAUTHORIZED}
    assert desk.inbox.depth == 0


def test_a_journal_that_is_not_there_yet_is_said(desk: Desk, tmp_path: Path) -> None:
    with client(desk, tmp_path / "nowhere.db") as http:
        said = http.get("/api/v1/cases")
    assert said.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert said.headers["content-type"] == "application/problem+json"


def test_openapi_describes_every_route(desk: Desk, journal: Path) -> None:
    with client(desk, journal) as http:
        paths = json.loads(http.get("/api/v1/openapi.json").text)["paths"]
    for path, method in (
        ("/api/v1/cases", "get"),
        ("/api/v1/cases", "post"),
        ("/api/v1/cases/{case}", "get"),
        ("/api/v1/cases/{case}/{verb}", "post"),
    ):
        assert {"401", "404", "409", "422", "503"} <= paths[path][method]["responses"].keys()
