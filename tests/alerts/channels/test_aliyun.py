"""Aliyun's real SDKs against a server on loopback that answers as its papers say: texts, calls, receipts, replies."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from alerts.channels import Accepted, Awaited, Failed, Message, SendRefused, Unreachable
from alerts.channels.aliyun import Aliyun, AliyunSettings, Approved, faults, heard
from alerts.channels.aliyun_voice import AliyunVoice, AliyunVoiceSettings

pytest.importorskip("alibabacloud_dysmsapi20170525", reason="install the extra aliyun")

NOW_MS = 1_795_334_400_000
FIRE = Approved(code="SMS_1", text="火警：${where}着火。看过回1。", variables={"where": "{day}{place}"})


class Provider:
    """Answers what ``says`` gives for an action, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.says: Callable[[dict[str, str]], tuple[int, dict[str, Any]]] = lambda _: (200, {"Code": "OK"})
        self.released = threading.Event()
        self.port = 0


@contextmanager
def serving(provider: Provider) -> Iterator[None]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            query = parse_qs(f"{urlsplit(self.path).query}&{sent}")
            said = {name: values[0] for name, values in query.items()}
            said.setdefault("Action", self.headers.get("x-acs-action", ""))
            provider.asked.append(said)
            status, body = provider.says(said)
            raw = json.dumps(body).encode()
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)
            except OSError:
                pass

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    provider.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        provider.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    with serving(made):
        yield made


def account(provider: Provider, folder: Path) -> dict[str, Any]:
    for name in ("id", "secret"):
        (folder / name).write_text(f"the-{name}\n", "utf-8")
    return {
        "access_key_id_file": folder / "id",
        "access_key_secret_file": folder / "secret",
        "endpoint": f"127.0.0.1:{provider.port}",
        "protocol": "http",
        "templates": {"fire": FIRE},
        "timeout_s": 0.5,
    }


@pytest.fixture
def aliyun(provider: Provider, tmp_path: Path) -> Aliyun:
    return Aliyun(AliyunSettings(signature="湘阳环卫", **account(provider, tmp_path)))


@pytest.fixture
def voice(provider: Provider, tmp_path: Path) -> AliyunVoice:
    return AliyunVoice(AliyunVoiceSettings(**account(provider, tmp_path)))


def message(template: str = "fire", place: str = "柳潭3号池（村部东侧）") -> Message:
    facts = {"day": "22日", "place": place}
    return Message(
        "fire/1#first.0.0@li", "fire/1", "li", "13900000001", "…", "2026-11-22T16:40:01Z", "P1", template, facts
    )


def detail(status: int, out_id: str = "", code: str = "DELIVERED") -> dict[str, Any]:
    row = {"SendStatus": status, "OutId": out_id, "ErrCode": code, "PhoneNum": "13900000001"}
    return {"Code": "OK", "TotalCount": 1, "SmsSendDetailDTOs": {"SmsSendDetailDTO": [row]}}


def test_a_text_leaves_by_its_template_with_its_variables_and_our_mark(provider: Provider, aliyun: Aliyun) -> None:
    provider.says = lambda _: (200, {"Code": "OK", "BizId": "biz-7", "RequestId": "r"})
    assert aliyun.send(message()) == Accepted("biz-7")
    (asked,) = provider.asked
    assert (asked["TemplateCode"], asked["SignName"], asked["OutId"]) == ("SMS_1", "湘阳环卫", message().mark)
    assert json.loads(asked["TemplateParam"]) == {"where": "22日柳潭3号池（村部东侧）"}


@pytest.mark.parametrize(
    ("status", "code", "outcome"),
    [
        (200, "isv.BUSINESS_LIMIT_CONTROL", Failed("rate_limited")),
        (200, "isv.MOBILE_NUMBER_ILLEGAL", SendRefused("isv.MOBILE_NUMBER_ILLEGAL", dead_number=True)),
        (200, "isv.AMOUNT_NOT_ENOUGH", Failed("isv.AMOUNT_NOT_ENOUGH")),
        (200, "", Failed("unreachable")),
        (400, "Throttling.User", Failed("rate_limited")),
        (503, "ServiceUnavailable", Failed("ServiceUnavailable")),
    ],
)
def test_an_error_in_the_body_is_one_whatever_http_says(
    status: int, code: str, outcome: object, provider: Provider, aliyun: Aliyun, voice: AliyunVoice
) -> None:
    provider.says = lambda _: (status, {"Code": code, "Message": "no", "RequestId": "r"})
    assert aliyun.send(message()) == outcome
    assert voice.send(message()) == outcome
    assert len(provider.asked) == 2, "the SDK does not try again by itself"


@pytest.mark.parametrize(
    ("code", "words", "outcome"),
    [
        ("isv.BUSINESS_LIMIT_CONTROL", "触发分钟级流控Permits:1", Failed("limit_minute")),
        ("isv.BUSINESS_LIMIT_CONTROL", "触发小时级流控Permits:5", Failed("limit_hour")),
        ("isv.BUSINESS_LIMIT_CONTROL", "触发天级流控Permits:10", Failed("limit_day")),
        ("isv.BUSINESS_LIMIT_CONTROL", "触发号码天级流控Permits:40", Failed("limit_day")),
        ("isv.BUSINESS_LIMIT_CONTROL", "触发月级流控Permits:50", Failed("limit_month")),
        ("isv.DAY_LIMIT_CONTROL", "触发日发送限额", Failed("limit_day")),
        ("isv.MONTH_LIMIT_CONTROL", "触发月发送限额", Failed("limit_month")),
        ("isv.MOBILE_NUMBER_ILLEGAL", "", SendRefused("isv.MOBILE_NUMBER_ILLEGAL", dead_number=True)),
        ("isv.MOBILE_IN_BLACK", "", SendRefused("isv.MOBILE_IN_BLACK", dead_number=True)),
        ("isv.SMS_TEMPLATE_ILLEGAL", "", SendRefused("isv.SMS_TEMPLATE_ILLEGAL")),
        ("isv.SMS_SIGNATURE_ILLEGAL", "", SendRefused("isv.SMS_SIGNATURE_ILLEGAL")),
        ("isv.BLACK_KEY_CONTROL_LIMIT", "", SendRefused("isv.BLACK_KEY_CONTROL_LIMIT")),
        ("isv.PARAM_LENGTH_LIMIT", "", SendRefused("isv.PARAM_LENGTH_LIMIT")),
        ("isv.OUT_OF_SERVICE", "", Failed("isv.OUT_OF_SERVICE")),
    ],
)
def test_a_limit_is_told_by_its_span_and_what_is_final_from_what_may_pass(
    code: str, words: str, outcome: object, provider: Provider, aliyun: Aliyun, voice: AliyunVoice
) -> None:
    provider.says = lambda _: (200, {"Code": code, "Message": words, "RequestId": "r"})
    assert (aliyun.send(message()), voice.send(message())) == (outcome, outcome)


def test_a_list_that_is_longer_than_a_variable_is_cut_and_sent(provider: Provider, tmp_path: Path) -> None:
    listed = Approved(code="SMS_2", text="请清：${names}。", variables={"names": "{names}"})
    settings = account(provider, tmp_path) | {"templates": {"list": listed}}
    aliyun = Aliyun(AliyunSettings(signature="湘阳环卫", **settings))
    provider.says = lambda _: (200, {"Code": "OK", "BizId": "b"})
    names = "、".join(f"柳潭{number}号" for number in range(1, 9)) + "等12处"
    said = replace(message("list"), variables={"names": names})
    assert isinstance(aliyun.send(said), Accepted)
    sent = json.loads(provider.asked[-1]["TemplateParam"])["names"]
    assert sent == "、".join(f"柳潭{number}号" for number in range(1, 7)) + "等12处"


def test_a_provider_that_takes_it_and_says_nothing_is_asked_by_our_mark(provider: Provider, aliyun: Aliyun) -> None:
    def silent(asked: dict[str, str]) -> tuple[int, dict[str, Any]]:
        if "TemplateCode" in asked:
            provider.released.wait(3)
        return 200, detail(3, message().mark)

    provider.says = silent
    assert aliyun.send(message()) == Failed("timeout")
    assert aliyun.find(message()) == Accepted(f"out:{message().mark}", delivered=True)
    assert provider.asked[-1]["SendDate"] == "20261123", "the day in China"
    provider.says = lambda _: (200, detail(3, "another"))
    assert aliyun.find(message()) is None


def test_receipts_are_asked_for_and_repeat(provider: Provider, aliyun: Aliyun) -> None:
    awaited = [Awaited("biz-7", "13900000001", NOW_MS)]
    provider.says = lambda _: (200, detail(1))
    assert aliyun.collect(awaited, NOW_MS).receipts == ()
    provider.says = lambda _: (200, detail(2, code="MK:0005"))
    (lost,) = aliyun.collect(awaited, NOW_MS).receipts
    assert (lost.delivered, lost.reason) == (False, "MK:0005")
    provider.says = lambda _: (200, detail(3))
    assert aliyun.collect(awaited, NOW_MS) == aliyun.collect(awaited, NOW_MS)
    assert aliyun.collect(awaited, NOW_MS).receipts[0].delivered
    provider.says = lambda _: (200, {"Code": "isp.SYSTEM_ERROR"})
    with pytest.raises(Unreachable):
        aliyun.collect(awaited, NOW_MS)


def test_a_call_is_delivered_when_somebody_answered_it(provider: Provider, voice: AliyunVoice) -> None:
    provider.says = lambda _: (200, {"Code": "OK", "CallId": "1^2"})
    assert voice.send(message()) == Accepted("1^2")
    for end, duration, expected in (
        ("", 0, []),
        ("2026-11-22 10:00:30", 12, [True]),
        ("2026-11-22 10:00:30", 0, [False]),
    ):
        said = json.dumps({"endDate": end, "duration": duration, "state": "200010"})
        provider.says = lambda _, said=said: (200, {"Code": "OK", "Data": said})  # type: ignore[misc] # bound now
        found = voice.collect([Awaited("1^2", "13900000001", NOW_MS)], NOW_MS).receipts
        assert [each.delivered for each in found] == expected


def test_what_cannot_be_sent_is_not_tried(provider: Provider, aliyun: Aliyun) -> None:
    assert aliyun.send(message("unknown")) == SendRefused("no_template")
    assert aliyun.send(message(place="柳" * 40)) == SendRefused("variable_too_long")
    assert provider.asked == []


def test_pushed_reports_and_replies_are_read_and_rows_that_are_neither_are_left_out() -> None:
    report = {"phone_number": "13900000001", "report_time": "2026-11-22 08:00:00", "err_msg": "", "sms_size": "1"}
    pushed = [
        {**report, "biz_id": "b", "out_id": "", "success": True, "err_code": "DELIVERED"},
        {**report, "biz_id": "c", "out_id": "m", "success": False, "err_code": "x" * 500},
        {**report, "biz_id": "d", "success": "true"},
        {**report, "biz_id": ["e"], "success": True},
        {"sequence_id": 7, "phone_number": "8613900000001", "content": "１", "sign_name": "湘阳环卫"},
        {"sequence_id": True, "phone_number": "13900000001", "content": "1"},
        {"sequence_id": "8", "phone_number": 13_900_000_001, "content": "1"},
        {"phone_number": "1"},
        None,
        [],
    ]
    found = heard(pushed, NOW_MS)
    assert found is not None
    first, *second = found.receipts
    assert (first.reference, first.delivered, first.reason) == ("b", True, "")
    assert [(each.reference, each.delivered, len(each.reason)) for each in second] == [
        ("c", False, 128),
        ("out:m", False, 128),
    ]
    assert [(each.number, each.phone, each.text) for each in found.replies] == [("7", "13900000001", "１")]


@pytest.mark.parametrize("pushed", [{"biz_id": "b", "success": True}, [], [[]], [None], "x", 7, None, [{"code": 0}]])
def test_what_the_provider_would_never_push_is_nothing(pushed: object) -> None:
    assert heard(pushed, NOW_MS) is None


@pytest.mark.parametrize(
    ("text", "variables", "fault"),
    [
        ("【湘阳】${a}", {"a": "x"}, "【】 stands in the text"),
        ("升到${a}℃", {"a": "{temperature}"}, "'℃' is refused"),
        ("看www.x.cn${a}", {"a": "x"}, "the link"),
        ("${a}${b}", {"a": "x", "b": "y"}, "variables a and b touch"),
        ("${a}", {}, "nothing is said for variable a"),
        ("水", {"a": "x"}, "variable a is not in the text"),
        ("${a}", {"a": "{weather}"}, "speaks of {weather}"),
        ("${甲}", {"甲": "x"}, "is no name for a variable"),
        ("${a}", {"a": "{place}{signs}，{told}"}, "can get 43 signs long, 35 are allowed"),
    ],
)
def test_a_template_that_the_provider_would_refuse_is_named(text: str, variables: dict[str, str], fault: str) -> None:
    (found,) = faults("here", Approved(code="c", text=text, variables=variables), 35)
    assert fault in found
    assert found.startswith("here: ")
    assert list(faults("here", FIRE, 35)) == []
