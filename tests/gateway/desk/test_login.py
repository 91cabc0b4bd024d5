"""The door over a real socket: many at once, strangers beside those who belong here, cookies, and a new password."""

import threading
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

import httpx

from gateway.desk.login import TRIES
from gateway.desk.users import User, UserRole, hash_password
from tests.desk_gateway import PASSWORD, DeskGateway, desk_gateway
from tests.gateway.desk.conftest import MORNING, Visitor

Enter = Callable[[str], Visitor]
AT_ONCE = 60
LONGER = "another long enough word"


def test_sixty_at_once_are_answered_and_hardly_any_is_verified(gateway: DeskGateway) -> None:
    gateway.desk.users.keep(
        User("lin", UserRole.DISPATCHER, person="lin"), hash_password(PASSWORD), 0
    )  # at the house's own cost
    said: list[httpx.Response] = []
    go = threading.Barrier(AT_ONCE)

    def try_it() -> None:
        once = httpx.Limits(max_keepalive_connections=0)  # a connection that waited might just be closed as too idle
        with Visitor(base_url=gateway.url, trust_env=False, timeout=240, limits=once) as stranger:
            go.wait(240)
            said.append(stranger.log_in("lin", "guess"))

    threads = [threading.Thread(target=try_it) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    with httpx.Client(base_url=gateway.url, trust_env=False, timeout=240) as other:
        while any(thread.is_alive() for thread in threads):
            assert other.get("/healthz").status_code == HTTPStatus.OK
    statuses = [answer.status_code for answer in said]
    assert len(statuses) == AT_ONCE
    assert set(statuses) <= {HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
    assert statuses.count(HTTPStatus.UNAUTHORIZED) == TRIES
    for answer in said:
        if answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
            assert answer.headers["retry-after"]
            assert "请过几秒再试" in answer.text


def test_a_strangers_wrong_tries_shut_out_no_other_name_and_no_browser_that_is_known(visitor: Enter) -> None:
    lin = visitor("lin")
    lin.post("/logout", data={"csrf": lin.csrf})
    stranger = visitor("")
    for _ in range(TRIES):
        assert stranger.log_in("lin", "guess").status_code == HTTPStatus.UNAUTHORIZED
    assert stranger.log_in("lin").status_code == HTTPStatus.TOO_MANY_REQUESTS
    assert visitor("").log_in("guest").status_code == HTTPStatus.SEE_OTHER, "from the same address"
    assert lin.log_in("lin").status_code == HTTPStatus.SEE_OTHER, "from the same address, in the same browser"


def test_cookies_are_for_tls_alone_where_a_trusted_proxy_says_so(tmp_path: Path) -> None:
    told = {"x-forwarded-proto": "https", "x-forwarded-for": "10.9.9.9"}
    for proxy, secure, seen in (("127.0.0.1/32", True, "10.9.9.9"), ("", False, "127.0.0.1")):
        folder = tmp_path / (proxy.partition("/")[0] or "none")
        folder.mkdir()
        with (
            desk_gateway(folder, MORNING, proxy=proxy) as gateway,
            Visitor(base_url=gateway.url, trust_env=False, headers=told) as lin,
        ):
            knock = lin.get("/login").headers["set-cookie"]
            if secure:  # over plain HTTP this client would send no such cookie back
                lin.cookies.set("cunjing_knock", knock.partition("=")[2].partition(";")[0])
            said = lin.log_in("lin") if not secure else _log_in_behind(lin)
            cookies = [knock, *said.headers.get_list("set-cookie")]
            assert said.status_code == HTTPStatus.SEE_OTHER
            assert len(cookies) == 3
            assert [("Secure" in cookie) for cookie in cookies] == [secure] * 3
            assert all("HttpOnly" in cookie for cookie in cookies)
            assert gateway.desk.users.deeds(1)[0].address == seen


def _log_in_behind(lin: Visitor) -> httpx.Response:
    door = lin.get("/login")
    knock = door.headers["set-cookie"].partition("=")[2].partition(";")[0]
    form = {"name": "lin", "password": PASSWORD, "knock": knock}
    return lin.post("/login", data=form, headers={"cookie": f"cunjing_knock={knock}"})


def test_a_form_comes_from_here_whatever_name_a_proxy_gives_us(visitor: Enter) -> None:
    lin = visitor("lin")
    form = {"csrf": lin.csrf, "old": "x", "new": "y", "again": "z"}
    foreign = {"origin": "https://desk.example"}
    assert lin.post("/password", data=form, headers=foreign).status_code == HTTPStatus.FORBIDDEN
    ours = foreign | {"sec-fetch-site": "same-origin"}
    assert lin.post("/password", data=form, headers=ours).status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    theirs = foreign | {"sec-fetch-site": "cross-site"}
    assert lin.post("/password", data=form, headers=theirs).status_code == HTTPStatus.FORBIDDEN


def test_a_user_changes_the_password_and_every_other_session_ends(visitor: Enter) -> None:
    lin, elsewhere = visitor("lin"), visitor("lin")
    assert 'href="/password"' in lin.see("/").text

    def changed(**form: str) -> httpx.Response:
        lin.see("/password")
        return lin.post("/password", data={"csrf": lin.csrf, **form})

    for form, words in (
        ({"old": PASSWORD, "new": LONGER, "again": "else"}, "两次写的新密码不一样"),
        ({"old": PASSWORD, "new": "short", "again": "short"}, "新密码要 10 到 128 个字符"),
        ({"old": PASSWORD, "new": PASSWORD, "again": PASSWORD}, "新密码和旧的一样"),
        ({"old": "guess", "new": LONGER, "again": LONGER}, "旧密码不对"),
    ):
        refused = changed(**form)
        assert words in refused.text
        assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "密码改好了" in changed(old=PASSWORD, new=LONGER, again=LONGER).text
    assert lin.see("/").status_code == HTTPStatus.OK
    assert elsewhere.see("/").status_code == HTTPStatus.SEE_OTHER
    assert visitor("").log_in("lin").status_code == HTTPStatus.UNAUTHORIZED
    assert visitor("").log_in("lin", LONGER).status_code == HTTPStatus.SEE_OTHER
    audit = lin.see("/audit").text
    assert "改密码" in audit
    assert "没进来的" in audit


def test_a_demos_visitor_has_no_password_to_change(tmp_path: Path) -> None:
    with desk_gateway(tmp_path, MORNING, "key") as gateway, Visitor(base_url=gateway.url, trust_env=False) as visitor:
        visitor.get("/welcome/key")
        assert 'href="/password"' not in visitor.see("/").text
        form = {"csrf": visitor.csrf, "old": PASSWORD, "new": LONGER, "again": LONGER}
        assert visitor.post("/password", data=form).status_code == HTTPStatus.FORBIDDEN
