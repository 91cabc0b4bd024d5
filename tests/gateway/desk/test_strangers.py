"""What a stranger may do to the desk without a name: stand there and say nothing, say it slowly, or say too much."""

import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from http import HTTPStatus
from ipaddress import ip_network
from typing import Final
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi import FastAPI, Request

from gateway.desk.addresses import neighbourhood, plain
from gateway.desk.api import api
from gateway.desk.auth import address_of
from gateway.desk.bodies import LARGEST, BoundedBodies
from gateway.desk.server import Limits, bind, serving
from gateway.health import Health
from gateway.inbox import Inbox
from gateway.metrics import Metrics
from gateway.settings import Endpoint
from tests.desk_gateway import DeskGateway, until

HALF: Final = b"GET /healthz HTTP/1.1\r\nHost: desk\r\n"
WHOLE: Final = HALF + b"\r\n"
QUICK: Final = 0.2
SLOW: Final = 3_600.0
MEBIBYTE: Final = 2**20
TOO_MUCH: Final = 400 * MEBIBYTE


@contextmanager
def desk(limits: Limits | None = None, app: FastAPI | None = None, proxies: str = "") -> Iterator[Endpoint]:
    """A desk that knows nothing but how it is itself; where it listens."""
    inbox: Inbox = Inbox(capacity=1)
    with closing(inbox), bind(Endpoint("127.0.0.1", 0)) as bound:
        made = app or api(inbox, Health((), lambda: 0.0), Metrics(), "hush")
        known = [ip_network(proxies)] if proxies else []
        where = Endpoint(*bound.getsockname())
        with serving(made, bound, limits, known):
            yield where


def called(where: Endpoint, said: bytes = b"", of: str = "127.0.0.1") -> socket.socket:
    """A connection over which so much was said."""
    made = socket.create_connection(where, 30, (of, 0))
    made.sendall(said)
    return made


def answer(connection: socket.socket) -> bytes:
    """A whole answer, head and body; nothing from one that hangs up."""
    said = b""
    try:
        while not is_whole(said) and (more := connection.recv(65_536)):
            said += more
    except ConnectionError:
        return b""
    return said


def is_whole(said: bytes) -> bool:
    head, ends, body = said.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: ([0-9]+)", head)
    return bool(ends) and len(body) >= (int(length[1]) if length else 0)


def is_closed(connection: socket.socket) -> bool:
    connection.settimeout(0)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def test_whoever_waits_longest_without_a_request_goes_when_somebody_comes() -> None:
    with ExitStack() as stack, desk(Limits(most=8, most_each=8, header_s=SLOW)) as where:
        strangers = [stack.enter_context(called(where, HALF)) for _ in range(40)]
        for _ in range(3):
            assert answer(stack.enter_context(called(where, WHOLE))).startswith(b"HTTP/1.1 200")
        until(lambda: sum(map(is_closed, strangers)) >= 32)


def test_one_address_takes_no_room_from_another() -> None:
    with ExitStack() as stack, desk(Limits(most=16, most_each=4, header_s=SLOW)) as where:
        quiet = stack.enter_context(called(where, HALF))
        strangers = [stack.enter_context(called(where, HALF, "127.0.0.2")) for _ in range(40)]
        until(lambda: sum(map(is_closed, strangers)) == 36)
        quiet.sendall(b"\r\n")
        assert answer(quiet).startswith(b"HTTP/1.1 200"), "the oldest of all, but not of the one who took too many"


def test_a_proxy_speaks_for_many() -> None:
    with ExitStack() as stack, desk(Limits(most=16, most_each=4, header_s=SLOW), proxies="127.0.0.2/32") as where:
        through = [stack.enter_context(called(where, HALF, "127.0.0.2")) for _ in range(12)]
        for each in through:
            each.sendall(b"\r\n")
            assert answer(each).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("said", "limits"),
    [
        (b"", Limits(header_s=QUICK)),
        (HALF, Limits(header_s=QUICK)),
        (b"POST /login HTTP/1.1\r\nHost: desk\r\nContent-Length: 9\r\n\r\nname", Limits(still_s=QUICK)),
    ],
    ids=["nothing", "half a head", "half a body"],
)
def test_one_that_says_no_more_is_closed(said: bytes, limits: Limits) -> None:
    waiting = FastAPI()

    @waiting.post("/login")
    async def login(request: Request) -> str:
        return (await request.body()).decode()

    waiting.add_middleware(BoundedBodies, token="hush", comes_within_s=SLOW)  # noqa: S106 -- known to the test
    with desk(limits, waiting) as where, called(where, said) as silent:
        assert not answer(silent).startswith(b"HTTP/1.1 200")
        until(lambda: is_closed(silent))


def test_a_head_that_does_not_end_is_refused() -> None:
    with desk() as where, called(where, HALF + b"X: " + b"x" * 20_000) as endless:
        assert answer(endless).startswith(b"HTTP/1.1 400")


def machines_doors(where: Endpoint) -> list[tuple[str, str]]:
    """Every address of the API that takes a body, and its method."""
    with httpx.Client(base_url=f"http://{where.host}:{where.port}", trust_env=False, timeout=240) as http:
        paths = http.get("/api/v1/openapi.json").json()["paths"]
    return [
        (verb.upper(), path.replace("{", "").replace("}", ""))
        for path, verbs in paths.items()
        for verb in verbs
        if path.startswith("/api/v1/") and "/hooks/" not in path
    ]


def test_the_token_is_looked_at_before_anything_of_a_body(gateway: DeskGateway) -> None:
    """Of the four hundred megabytes nothing is ever sent, and still everybody is answered."""
    parts = urlsplit(gateway.url)
    where = Endpoint(parts.hostname or "", parts.port or 0)
    doors = machines_doors(where)
    assert len(doors) > 12
    for token in ("", "Authorization: Bearer wrong\r\n", "Authorization: Basic hush\r\n"):
        for verb, path in doors:
            head = f"{verb} {path} HTTP/1.1\r\nHost: desk\r\n{token}Content-Length: {TOO_MUCH}\r\n\r\n"
            with called(where, head.encode()) as stranger:
                assert answer(stranger).startswith(b"HTTP/1.1 401"), (verb, path)
    known_to_us = f"Authorization: Bearer hush\r\nContent-Length: {TOO_MUCH}\r\n\r\n"
    for verb, path in doors:
        with called(where, f"{verb} {path} HTTP/1.1\r\nHost: desk\r\n{known_to_us}".encode()) as known:
            assert answer(known).startswith(b"HTTP/1.1 413"), (verb, path)


def test_a_body_that_does_not_say_how_long_it_is_is_counted() -> None:
    head = b"POST /api/v1/commands HTTP/1.1\r\nHost: desk\r\nAuthorization: Bearer hush\r\n"
    head += b"Transfer-Encoding: chunked\r\n\r\n"
    chunk = b"%x\r\n" % 65_536 + b" " * 65_536 + b"\r\n"
    with desk() as where, called(where, head + chunk * (LARGEST // 65_536 + 1)) as known:
        said = answer(known)
        assert said.startswith(b"HTTP/1.1 413")
        assert f"at most {LARGEST} bytes; nothing was done, send less".encode() in said


def test_a_body_that_comes_too_slowly_is_told_so() -> None:
    slow = FastAPI()

    @slow.post("/api/v1/commands")
    def command(body: dict[str, str]) -> dict[str, str]:
        return body

    slow.add_middleware(BoundedBodies, token="hush", comes_within_s=QUICK)  # noqa: S106 -- known to the test
    head = b"POST /api/v1/commands HTTP/1.1\r\nHost: desk\r\nAuthorization: Bearer hush\r\nContent-Length: 9\r\n\r\n{"
    with desk(app=slow) as where, called(where, head) as known:
        said = answer(known)
        assert said.startswith(b"HTTP/1.1 408")
        assert b"send it again" in said


def test_a_form_that_nobody_may_send_is_not_read(gateway: DeskGateway) -> None:
    parts = urlsplit(gateway.url)
    head = f"POST /act HTTP/1.1\r\nHost: desk\r\nAccept: text/html\r\nContent-Length: {TOO_MUCH}\r\n\r\n"
    with called(Endpoint(parts.hostname or "", parts.port or 0), head.encode()) as stranger:
        assert answer(stranger).startswith(b"HTTP/1.1 303")


def test_a_form_of_the_door_is_read_to_its_bound_and_no_further(gateway: DeskGateway) -> None:
    said = httpx.post(
        f"{gateway.url}/login", content=b"name=" + b"x" * MEBIBYTE, headers={"accept": "text/html"}, timeout=60
    )
    assert said.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    assert "内容太长" in said.text


@pytest.mark.parametrize(
    ("proxies", "forwarded", "seen"),
    [
        ("", "10.9.9.9", "127.0.0.1"),
        ("127.0.0.1/32", "10.9.9.9", "10.9.9.9"),
        ("127.0.0.1/32", "10.1.1.1, 10.9.9.9", "10.9.9.9"),
        ("127.0.0.1/32", "10.9.9.9, 127.0.0.1", "10.9.9.9"),
        ("127.0.0.1/32", "::ffff:10.9.9.9", "10.9.9.9"),
        ("127.0.0.1/32", "<script>", ""),
        ("10.0.0.0/8", "10.9.9.9", "127.0.0.1"),
    ],
)
def test_only_a_proxy_that_is_named_is_believed(proxies: str, forwarded: str, seen: str) -> None:
    told = FastAPI()

    @told.get("/who")
    def who(request: Request) -> list[str]:
        return [address_of(request), request.url.scheme]

    headers = {"x-forwarded-for": forwarded, "x-forwarded-proto": "https"}
    with desk(app=told, proxies=proxies) as where:
        said = httpx.get(f"http://{where.host}:{where.port}/who", headers=headers, trust_env=False, timeout=240).json()
    assert said == [seen, "https" if seen != "127.0.0.1" else "http"]


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("10.0.0.5", "10.0.0.5"),
        ("::ffff:10.0.0.5", "10.0.0.5"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:1", "2001:db8::/64"),
        ("x" * 300, ""),
    ],
)
def test_an_address_is_counted_by_the_network_that_somebody_has(address: str, counted: str) -> None:
    assert neighbourhood(address) == counted
    assert neighbourhood(plain(address)) == counted
