"""Pushes over a real socket into a real loop: what a provider tells counts once, what it never would is refused."""

import json
from collections.abc import Iterator
from contextlib import closing, suppress
from http import HTTPStatus
from itertools import permutations
from pathlib import Path
from sqlite3 import connect

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from alerts.channels import Accepted
from alerts.channels.aliyun import CHANNEL
from gateway.desk.hooks import MOST_A_MINUTE, MOST_BYTES, Hooks, serve_hooks
from gateway.desk.problems import ProblemError, answer_with_problems
from gateway.desk.server import bind, serving
from gateway.inbox import Inbox
from gateway.lines import Pushed
from gateway.metrics import Metrics
from gateway.requests import ReceiptsAndReplies
from gateway.settings import Endpoint
from tests.desk_gateway import DeskGateway, at, desk_gateway
from tests.plain import PLAIN

SECRET = "0123456789abcdef-ABCDEF_xyz"  # noqa: S105 nobody's but these tests'
MORNING = at(22, 11)  # between the rounds, which an overflow would wait for
MEI = "13900001001"
assert CHANNEL.hook is not None
PUSHED = {"aliyun": Pushed(CHANNEL.hook, SECRET)}


def report(reference: str, *, arrived: bool = True, code: str = "DELIVERED") -> dict[str, object]:
    """A row of SmsReport as the provider's papers have it."""
    times = {"send_time": "2026-11-22 08:40:00", "report_time": "2026-11-22 08:40:05"}
    named = {"phone_number": MEI, "biz_id": reference, "out_id": "", "sms_size": "1"}
    return {**named, **times, "success": arrived, "err_code": code, "err_msg": ""}


def written(text: str, number: str) -> dict[str, object]:
    """A row of SmsUp."""
    about = {"send_time": "2026-11-22 08:41:00", "sign_name": "禾湾环卫", "dest_code": "1069"}
    return {"phone_number": MEI, "content": text, "sequence_id": number, **about}


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[DeskGateway]:
    with desk_gateway(tmp_path, MORNING, hooks=PUSHED, via="aliyun") as made:
        made.channel.answer = lambda message: Accepted(f"biz-{message.phone}-{len(made.channel.sent)}")
        yield made


def pushed(gateway: DeskGateway, said: object, bears: str = SECRET, path: str = "aliyun") -> httpx.Response:
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    headers = {"X-Cunjing-Secret": bears}
    answer = httpx.post(
        f"{gateway.url}/api/v1/hooks/{path}", content=body, headers=headers, trust_env=False, verify=PLAIN
    )
    gateway.settle()
    return answer


def told(gateway: DeskGateway) -> tuple[str, str]:
    """The state of the cleaner's text about her pool, and the episode that it is about."""
    with gateway.desk.journal() as journal:
        (row,) = [row for row in journal.notifications() if row["phone"] == MEI and row["rule"] == "overflow"]
    return str(row["state"]), str(row["episode"])


def exposition(gateway: DeskGateway) -> str:
    return httpx.get(f"{gateway.url}/metrics", trust_env=False, verify=PLAIN).text


def test_a_receipt_and_an_answer_arrive_as_if_they_had_been_fetched(gateway: DeskGateway) -> None:
    gateway.filled("bin-0101", 97)
    state, episode = told(gateway)
    assert state == "accepted"
    answer = pushed(gateway, [report(f"biz-{MEI}-1")])
    assert (answer.status_code, answer.json()) == (200, {"code": 0, "msg": "成功"})
    assert told(gateway)[0] == "delivered"
    assert pushed(gateway, [written("１", "77")]).status_code == 200
    with gateway.desk.present.feed.present() as projection:
        assert projection.open[episode].acked_by == "mei"
    said = exposition(gateway)
    assert 'cunjing_pushed_total{channel="aliyun",kind="receipt"} 1.0' in said
    assert 'cunjing_pushed_total{channel="aliyun",kind="reply"} 1.0' in said


def test_pushes_that_come_again_and_in_any_order_come_to_the_same(tmp_path: Path) -> None:
    said = ([report(f"biz-{MEI}-1", arrived=False, code="MOBILE_OFF")], [report(f"biz-{MEI}-1")], [written("1", "77")])
    found = set()
    for number, order in enumerate(permutations(said)):
        (tmp_path / str(number)).mkdir()
        with desk_gateway(tmp_path / str(number), MORNING, hooks=PUSHED, via="aliyun") as gateway:
            gateway.channel.answer = lambda message: Accepted(f"biz-{message.phone}-1")
            gateway.filled("bin-0101", 97)
            for push in (*order, *order):
                assert pushed(gateway, push).status_code == 200
            with gateway.desk.present.feed.present() as projection:
                acked = [alert.acked_by for alert in projection.open.values() if alert.rule == "overflow"]
            found.add((told(gateway)[0], *acked))
    assert found == {("delivered", "mei")}


def test_the_secret_may_stand_in_the_path(gateway: DeskGateway) -> None:
    assert pushed(gateway, [report("x")], bears="", path=f"aliyun/{SECRET}").status_code == 200
    assert pushed(gateway, [report("x")], bears="", path=f"aliyun/{SECRET[:-1]}").status_code == 401


@pytest.mark.parametrize(
    ("said", "secret", "path", "status", "counted"),
    [
        ([report("forged")], "guessed", "aliyun", 401, 'channel="aliyun",reason="wrong_secret"'),
        ([report("forged")], "", "aliyun", 401, 'channel="aliyun",reason="wrong_secret"'),
        ([report("forged")], SECRET, "gammu", 404, 'channel="unknown",reason="no_hook"'),
        (b"{not json", SECRET, "aliyun", 422, 'channel="aliyun",reason="malformed"'),
        (b"\xff\xfe\x00", SECRET, "aliyun", 422, 'channel="aliyun",reason="malformed"'),
        (b"[" * 100_000, SECRET, "aliyun", 422, 'channel="aliyun",reason="malformed"'),
        (b"", SECRET, "aliyun", 422, 'channel="aliyun",reason="malformed"'),
        ({"code": 0}, SECRET, "aliyun", 422, 'channel="aliyun",reason="malformed"'),
        ([{**report("forged"), "success": "true"}], SECRET, "aliyun", 422, 'channel="aliyun",reason="malformed"'),
        (b" " * (MOST_BYTES + 1), SECRET, "aliyun", 413, 'channel="aliyun",reason="too_large"'),
    ],
)
def test_what_is_forged_or_malformed_is_refused_counted_and_not_kept(
    gateway: DeskGateway, said: object, secret: str, path: str, status: int, counted: str
) -> None:
    answer = pushed(gateway, said, secret, path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json()["status"] == status
    assert f"cunjing_pushes_refused_total{{{counted}}} 1.0" in exposition(gateway)
    assert "pushed_total{" not in exposition(gateway)
    with closing(connect(gateway.journal)) as rows:
        assert rows.execute("SELECT (SELECT count(*) FROM receipt) + (SELECT count(*) FROM answer)").fetchone() == (0,)


def test_a_forged_receipt_for_a_text_that_is_not_there_changes_nothing(gateway: DeskGateway) -> None:
    gateway.filled("bin-0101", 97)
    assert pushed(gateway, [report("biz-of-nobody", arrived=False)]).status_code == 200
    assert told(gateway)[0] == "accepted"


class Still:
    """Nobody takes what is posted."""

    def __init__(self, hook: Pushed, capacity: int = 10) -> None:
        self.inbox: Inbox = Inbox(capacity)
        self.app = FastAPI()
        answer_with_problems(self.app)
        serve_hooks(self.app, self.inbox, Hooks({"aliyun": hook}, Metrics(), lambda: MORNING), answered_within_s=0.05)


def test_what_is_not_durable_in_time_is_to_be_pushed_again() -> None:
    still = Still(PUSHED["aliyun"], capacity=1)
    bound = bind(Endpoint("127.0.0.1", 0))
    url = f"http://127.0.0.1:{bound.getsockname()[1]}/api/v1/hooks/aliyun/{SECRET}"
    with serving(still.app, bound), httpx.Client(trust_env=False) as http:
        slow, full = (http.post(url, json=[report("x")]) for _ in range(2))
    assert (slow.status_code, slow.headers["retry-after"]) == (HTTPStatus.SERVICE_UNAVAILABLE, "5")
    assert (full.status_code, full.headers["retry-after"]) == (HTTPStatus.SERVICE_UNAVAILABLE, "1")
    still.inbox.close()


def test_a_flood_of_true_pushes_is_bounded_by_the_minute() -> None:
    seconds = [0.0]
    hooks = Hooks(PUSHED, Metrics(), lambda: MORNING, lambda: seconds[0])
    body = json.dumps([report(f"biz-{n}") for n in range(1_000)]).encode()
    for _ in range(MOST_A_MINUTE // 1_000):
        assert len(hooks.heard("aliyun", body).receipts) == 1_000
    with pytest.raises(ProblemError) as refused:
        hooks.heard("aliyun", body)
    assert refused.value.status is HTTPStatus.TOO_MANY_REQUESTS
    seconds[0] = 60.0
    assert hooks.heard("aliyun", body) != ReceiptsAndReplies()


@given(body=st.binary(max_size=200) | st.recursive(st.none() | st.booleans() | st.text(), st.lists).map(json.dumps))
def test_no_body_does_anything_but_being_heard_or_refused(body: bytes | str) -> None:
    hooks = Hooks(PUSHED, Metrics(), lambda: MORNING)
    said = body.encode() if isinstance(body, str) else body
    with suppress(ProblemError):
        assert hooks.heard("aliyun", said) != ReceiptsAndReplies()
