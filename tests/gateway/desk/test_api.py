"""The HTTP API over a real socket: health, metrics, and commands that are answered when they are durable."""

import json
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import pytest

from alerts.conditions.thresholds import ThresholdScope
from gateway.client import control_token
from gateway.commands.command import Done, NotDurable, NotPossible, UnknownPerson
from gateway.commands.episodes import EpisodeCommand, EpisodeVerb, UnknownEpisode
from gateway.commands.thresholds import SetFigure
from gateway.desk.api import api
from gateway.desk.server import bind, serving
from gateway.health import STALLED_AFTER_S, Health, Part
from gateway.inbox import Inbox
from gateway.metrics import Metrics
from gateway.settings import Endpoint, SettingsFault

ACK = {"command": "ack", "episode": "over_two_thirds/bin-1/7", "by": "li"}
PERMIT = {"Authorization": "Bearer hush"}
VERDICTS = {
    "known": Done(1_000, "acked"),
    "unknown": UnknownEpisode(),
    "burning": NotPossible("it still burns: fill is 92 %"),
    "stranger": UnknownPerson(),
    "disk full": NotDurable("the journal's disk is full"),
}


class Desk:
    def __init__(self) -> None:
        self.now_s = 0.0
        self.health = Health(("broker", "journal"), lambda: self.now_s)
        self.metrics = Metrics()
        self.inbox: Inbox = Inbox(capacity=1)


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    yield made
    made.inbox.close()


@contextmanager
def client(desk: Desk, answered_within_s: float = 5.0) -> Iterator[httpx.Client]:
    bound = bind(Endpoint("127.0.0.1", 0))
    url = f"http://127.0.0.1:{bound.getsockname()[1]}"
    app = api(desk.inbox, desk.health, desk.metrics, "hush", answered_within_s)
    with serving(app, bound), httpx.Client(base_url=url, trust_env=False) as opened:
        yield opened


@contextmanager
def loop(desk: Desk, answer: Callable[[Any], object]) -> Iterator[list[Any]]:
    """A loop that answers what is posted, until the context ends."""
    seen: list[Any] = []
    ended = threading.Event()

    def turn() -> None:
        while not ended.is_set():
            for posted in desk.inbox.take():
                seen.append(posted.item)
                posted.answer.resolve(answer(posted.item))
            ended.wait(0.005)

    thread = threading.Thread(target=turn)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()


def test_a_command_reaches_the_loop_and_its_durable_result_comes_back(desk: Desk) -> None:
    with client(desk) as http, loop(desk, lambda _: Done(1_000, "acked")) as seen:
        answer = http.post("/api/v1/commands", json=ACK, headers=PERMIT)
    assert answer.json() == {"episode": "over_two_thirds/bin-1/7", "event": "acked", "at_ms": 1_000}
    assert seen == [
        EpisodeCommand(
            verb=EpisodeVerb.ACK, episode="over_two_thirds/bin-1/7", by="li", channel="api", origin="127.0.0.1"
        )
    ]


def test_whom_to_send_and_how_long_to_keep_quiet_come_with_the_verb(desk: Desk) -> None:
    with client(desk) as http, loop(desk, lambda command: Done(1_000, command.verb)) as seen:
        http.post("/api/v1/commands", json={**ACK, "command": "dispatch", "to": "wang"}, headers=PERMIT)
        shelved = {**ACK, "command": "shelve", "reason": "修路", "until_ms": 9_000}
        http.post("/api/v1/commands", json=shelved, headers=PERMIT)
    assert [(one.verb, one.to, one.reason, one.until_ms) for one in seen] == [
        (EpisodeVerb.DISPATCH, "wang", "", 0),
        (EpisodeVerb.SHELVE, "", "修路", 9_000),
    ]


def test_each_verdict_has_its_status_and_every_error_is_a_problem(desk: Desk) -> None:
    statuses = {}
    with client(desk) as http, loop(desk, lambda command: VERDICTS[command.episode]):
        for episode in VERDICTS:
            answer = http.post("/api/v1/commands", json={**ACK, "episode": episode}, headers=PERMIT)
            statuses[episode] = answer.status_code
            if answer.is_error:
                assert answer.headers["content-type"] == "application/problem+json"
                assert answer.json()["status"] == answer.status_code
    assert statuses == {"known": 200, "unknown": 404, "burning": 409, "stranger": 422, "disk full": 503}


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (ACK, {}, HTTPStatus.UNAUTHORIZED),
        (ACK, {"Authorization": "Bearer other"}, HTTPStatus.UNAUTHORIZED),
        (ACK, {"Authorization": "Basic aHVzaA=="}, HTTPStatus.UNAUTHORIZED),
        ({**ACK, "command": "shout"}, PERMIT, HTTPStatus.UNPROCESSABLE_ENTITY),
        ({**ACK, "reason": "a" * 201}, PERMIT, HTTPStatus.UNPROCESSABLE_ENTITY),
        ({**ACK, "until_ms": -1}, PERMIT, HTTPStatus.UNPROCESSABLE_ENTITY),
        ({**ACK, "channel": "sms"}, PERMIT, HTTPStatus.UNPROCESSABLE_ENTITY),
        ({**ACK, "extra": 1}, PERMIT, HTTPStatus.UNPROCESSABLE_ENTITY),
        ({**ACK, "episode": "a\nb"}, PERMIT, HTTPStatus.UNPROCESSABLE_ENTITY),
        ([], PERMIT, HTTPStatus.UNPROCESSABLE_ENTITY),
    ],
)
def test_what_is_wrong_is_refused_as_a_problem_and_posts_nothing(
    desk: Desk, body: object, headers: dict[str, str], status: HTTPStatus
) -> None:
    with client(desk) as http:
        answer = http.post("/api/v1/commands", json=body, headers=headers)
        missing = http.get("/nowhere")
    assert answer.status_code == status
    assert answer.headers["content-type"] == missing.headers["content-type"] == "application/problem+json"
    assert missing.status_code == HTTPStatus.NOT_FOUND
    assert desk.inbox.depth == 0


def test_a_full_inbox_and_a_loop_that_does_not_answer_are_busy(desk: Desk) -> None:
    with client(desk, answered_within_s=0.01) as http:
        pending = http.post("/api/v1/commands", json=ACK, headers=PERMIT)
        full = http.post("/api/v1/commands", json=ACK, headers=PERMIT)
    assert pending.status_code == full.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert "not durable yet" in pending.json()["detail"]
    assert "busy" in full.json()["detail"]


def test_readiness_names_each_part_with_its_state_and_remedy(desk: Desk) -> None:
    with client(desk) as http:
        desk.health.report("journal", Part(ready=True, state="open"))
        desk.health.report("broker", Part(ready=False, state="cannot be reached", remedy="start it", notes=("old",)))
        waiting = http.get("/readyz")
        desk.health.report("broker", Part(ready=True, state="subscribed"))
        ready = http.get("/readyz")
    assert (waiting.status_code, ready.status_code) == (503, 200)
    assert waiting.json()["parts"]["broker"] == {
        "ready": False,
        "state": "cannot be reached",
        "remedy": "start it",
        "notes": ["old"],
    }


def test_liveness_is_the_age_of_the_loop(desk: Desk) -> None:
    with client(desk) as http:
        alive = http.get("/healthz")
        desk.now_s = STALLED_AFTER_S
        stalled = http.get("/healthz")
        desk.health.turned()
        again = http.get("/healthz")
    assert [answer.status_code for answer in (alive, stalled, again)] == [200, 503, 200]


def test_metrics_are_prometheus_text(desk: Desk) -> None:
    desk.metrics.count("refused", {"too_large": 2})
    desk.metrics.durable(500, 0.004, 0.009)
    desk.metrics.ask((desk.metrics.inbox_depth, lambda: desk.inbox.depth))
    with client(desk) as http:
        lines = http.get("/metrics").text.splitlines()
    assert 'cunjing_quarantined_total{reason="too_large"} 2.0' in lines
    assert "cunjing_messages_committed_total 500.0" in lines
    assert 'cunjing_commit_seconds_bucket{le="0.005"} 1.0' in lines
    assert "cunjing_inbox_depth 0.0" in lines


def test_openapi_is_open_and_describes_the_commands(desk: Desk) -> None:
    with client(desk) as http:
        document = json.loads(http.get("/api/v1/openapi.json").text)
    assert {"401", "404", "409", "422", "503"} <= document["paths"]["/api/v1/commands"]["post"]["responses"].keys()


def test_a_taken_port_is_said_before_anything_starts() -> None:
    with bind(Endpoint("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(SettingsFault, match=f"cannot listen on 127.0.0.1:{port}: address already in use; stop"):
            bind(Endpoint("127.0.0.1", port))


def test_the_token_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    token = control_token(tmp_path / "journal.db")
    assert control_token(tmp_path / "journal.db") == token
    assert stat.S_IMODE((tmp_path / "control.token").stat().st_mode) == 0o600


def test_a_wish_to_send_again_needs_the_token_and_a_time_that_can_be(desk: Desk) -> None:
    with client(desk) as http, loop(desk, lambda _: Done(1_000, "resending")):
        path = "/api/v1/series/resend"
        assert http.post(path, json={}).status_code == HTTPStatus.UNAUTHORIZED
        assert http.post(path, json={"since_ms": -1}, headers=PERMIT).status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        answer = http.post(path, json={"since_ms": 7}, headers=PERMIT)
        assert (answer.status_code, answer.json()) == (HTTPStatus.ACCEPTED, {"since_ms": 7, "at_ms": 1_000})


def test_a_part_that_is_only_shown_does_not_make_the_gateway_unready(desk: Desk) -> None:
    desk.health.report("broker", Part(ready=True, state="subscribed"))
    desk.health.report("journal", Part(ready=True, state="every commit is taken"))
    desk.health.report("series", Part(ready=False, state="InfluxDB does not answer", remedy="start it"))
    with client(desk) as http:
        answer = http.get("/readyz")
    assert answer.status_code == HTTPStatus.OK
    assert answer.json()["parts"]["series"] == {
        "ready": False,
        "state": "InfluxDB does not answer",
        "remedy": "start it",
        "notes": [],
    }


FIGURE = {
    "place": "asset",
    "name": "bin-1",
    "rule": "over_two_thirds",
    "figure": "raise_pct",
    "value": 60,
    "by": "wu",
    "reason": "赶集",
}


def test_a_figure_reaches_the_loop_whatever_kind_it_is(desk: Desk) -> None:
    wanted: list[object] = [60, 60.5, "P2", [24.0, 12.0, 4.0], None]
    with client(desk) as http, loop(desk, lambda _: Done(1_000, "figure_set")) as seen:
        answers = [http.post("/api/v1/figures", json={**FIGURE, "value": each}, headers=PERMIT) for each in wanted]
    assert [answer.json() for answer in answers] == [{"event": "figure_set", "at_ms": 1_000}] * len(wanted)
    wishes = [one for one in seen if isinstance(one, SetFigure)]
    assert [one.value for one in wishes] == wanted
    assert {(one.place, one.name, one.by, one.reason, one.channel, one.origin) for one in wishes} == {
        (ThresholdScope.ASSET, "bin-1", "wu", "赶集", "api", "127.0.0.1")
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {"place": "county"},
        {"name": ""},
        {"rule": "a b"},
        {"value": True},
        {"value": {}},
        {"value": [1.0] * 9},
        {"reason": ""},
        {"reason": "x" * 61},
        {"reason": "two\nlines"},
        {"more": 1},
    ],
    ids=str,
)
def test_a_figure_of_the_wrong_shape_never_reaches_the_loop(desk: Desk, wrong: dict[str, object]) -> None:
    with client(desk) as http, loop(desk, lambda _: Done(1_000, "figure_set")) as seen:
        answer = http.post("/api/v1/figures", json={**FIGURE, **wrong}, headers=PERMIT)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert seen == []


def test_a_figure_that_is_no_number_never_reaches_the_loop(desk: Desk) -> None:
    raw = json.dumps(FIGURE).replace("60", "NaN")
    with client(desk) as http, loop(desk, lambda _: Done(1_000, "figure_set")) as seen:
        answer = http.post("/api/v1/figures", content=raw, headers={**PERMIT, "content-type": "application/json"})
    assert answer.status_code == 422
    assert seen == []


def test_a_figure_needs_the_token_and_says_why_nothing_came_of_it(desk: Desk) -> None:
    verdicts = iter([NotPossible("it watches no bin"), UnknownPerson()])
    with client(desk) as http, loop(desk, lambda _: next(verdicts)) as seen:
        assert http.post("/api/v1/figures", json=FIGURE).status_code == 401
        assert seen == []
        statuses = [http.post("/api/v1/figures", json=FIGURE, headers=PERMIT).status_code for _ in range(2)]
    assert statuses == [409, 422]
