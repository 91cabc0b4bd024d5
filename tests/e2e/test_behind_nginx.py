"""The desk behind Debian's nginx: as it is when nobody has said anything, and with the file of docs/operations.md."""

import re
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

import httpx
import pytest
from playwright.sync_api import Page, expect

from gateway.desk.login import TRIES
from tests.browser import Window
from tests.desk_gateway import PASSWORD, DeskGateway, at, desk_gateway
from tests.gateway.desk.conftest import Visitor
from tests.photographs import JPEG
from tests.servers import Server

pytestmark = pytest.mark.e2e

PAGE: Final = Path(__file__).parents[2] / "docs" / "operations.md"
SILENT_MS: Final = 41_000


class Papers(NamedTuple):
    """A certificate that vouches for itself, and its key."""

    certificate: Path
    key: Path


def papers(folder: Path) -> Papers:
    folder.mkdir()
    made = Papers(folder / "desk.pem", folder / "desk.key")
    kind = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    names = ("-subj", "/CN=desk", "-addext", "subjectAltName=IP:127.0.0.1")
    where = ("-out", str(made.certificate), "-keyout", str(made.key))
    subprocess.run(["openssl", "req", "-x509", *kind, *names, *where], check=True, capture_output=True)
    return made


class Nginx(Server):
    """One nginx on a folder of its own, in the foreground, with one server."""

    def __init__(self, program: Path, folder: Path, server: str, papers: Papers | None = None) -> None:
        super().__init__(folder)
        self.scheme = "http" if papers is None else "https"
        self._program = program
        self._trusts = papers
        temporary = "".join(
            f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (folder / "nginx.conf").write_text(
            f"daemon off;\nmaster_process off;\npid {folder}/pid;\nerror_log stderr;\n"
            f"events {{}}\nhttp {{\naccess_log off;\n{temporary}{server.replace('PORT', str(self.port))}\n}}\n",
            "utf-8",
        )

    def http(self, headers: Mapping[str, str] = MappingProxyType({})) -> Visitor:
        """A client that trusts it."""
        verify = ssl.create_default_context(cafile=str(self._trusts.certificate)) if self._trusts else True
        return Visitor(
            base_url=f"{self.scheme}://127.0.0.1:{self.port}", trust_env=False, verify=verify, headers=headers
        )

    def _command(self) -> list[str]:
        return [str(self._program), "-e", "stderr", "-p", str(self.folder), "-c", "nginx.conf"]

    def _answers(self) -> bool:
        try:
            with self.http() as asked:
                return asked.get("/healthz").status_code == HTTPStatus.OK
        except httpx.TransportError:
            return False


@contextmanager
def behind(server: Nginx) -> Iterator[Nginx]:
    server.start()
    try:
        yield server
    finally:
        server.kill()


def of_the_page(desk: str, shown: Papers) -> str:
    """The sample file, with the addresses and papers of this test."""
    found = re.search(r"```nginx\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert found
    sample = found[1]
    for was, becomes in (
        ("listen 443 ssl;", "listen 127.0.0.1:PORT ssl;"),
        ("http://127.0.0.1:8080", desk),
        ("/etc/ssl/desk.pem", str(shown.certificate)),
        ("/etc/ssl/desk.key", str(shown.key)),
    ):
        assert was in sample
        sample = sample.replace(was, becomes)
    return sample


def test_behind_nginx_as_it_comes_what_changes_is_told_at_once(
    nginx: Path, gateway: DeskGateway, tmp_path: Path
) -> None:
    server = f"server {{ listen 127.0.0.1:PORT; location / {{ proxy_pass {gateway.url}; }} }}"
    with behind(Nginx(nginx, tmp_path / "nginx", server)) as proxy, proxy.http() as lin:
        assert lin.log_in("lin").status_code == HTTPStatus.SEE_OTHER
        with lin.stream("GET", "/live") as stream:
            lines = stream.iter_lines()
            assert next(lines) == "retry: 2000"
            gateway.filled("bin-0101", 72)
            assert any(line == "event: levels" for line in lines)


def test_with_the_file_of_the_page_everything_works_over_tls(nginx: Path, tmp_path: Path) -> None:
    shown = papers(tmp_path / "papers")
    with desk_gateway(tmp_path, at(24, 8), proxy="127.0.0.1/32") as gateway:
        server = of_the_page(gateway.url, shown)
        with behind(Nginx(nginx, tmp_path / "nginx", server, shown)) as proxy, proxy.http() as lin:
            said = lin.log_in("lin")
            assert said.status_code == HTTPStatus.SEE_OTHER
            assert all("Secure" in cookie for cookie in said.headers.get_list("set-cookie"))
            lin.see("/register")
            large = JPEG + b"\0" * (8 * 1024 * 1024 - len(JPEG))
            sent = lin.post("/register/photo", content=large, headers={"x-csrf": lin.csrf, "origin": str(lin.base_url)})
            assert 'name="photo"' in sent.text
            with lin.stream("GET", "/live") as stream:
                assert next(stream.iter_lines()) == "retry: 2000"
            for _ in range(TRIES):  # whatever a stranger says of himself, it is his address that is seen
                with proxy.http(headers={"x-forwarded-for": "10.9.9.9"}) as stranger:
                    stranger.log_in("guest", "guess")
            assert {one.address for one in gateway.desk.users.failures(9)} == {"127.0.0.1"}


def test_a_page_that_hears_nothing_says_so_and_asks_again(gateway: DeskGateway, desk: Window) -> None:
    """A proxy that keeps everything for itself: the connection stands, and nothing comes of it."""
    page = desk.page
    page.clock.install()
    asked: list[str] = []
    log_in(page, gateway)
    page.route("**/live?*", lambda route: asked.append(route.request.url))
    page.goto(f"{gateway.url}/duty")
    cut = page.locator("#cut")
    expect(cut).to_be_hidden()
    page.clock.fast_forward(SILENT_MS)
    expect(cut).to_contain_text("和网关的连接断了")
    expect(cut).to_be_visible()
    assert len(asked) >= 2
    page.unroute("**/live?*")
    page.clock.fast_forward(SILENT_MS)
    expect(cut).to_be_hidden()
    gateway.filled("bin-0101", 72)


def test_a_page_that_found_no_room_says_so(gateway: DeskGateway, desk: Window) -> None:
    page = desk.page
    log_in(page, gateway)
    told = "retry: 30000\nevent: full\ndata: 1\n\n"
    page.route("**/live?*", lambda route: route.fulfill(body=told, content_type="text/event-stream"))
    page.goto(f"{gateway.url}/duty")
    expect(page.locator("#full")).to_contain_text("这一页半分钟更新一次")
    expect(page.locator("#full")).to_be_visible()
    expect(page.locator("#cut")).to_be_hidden()


def log_in(page: Page, gateway: DeskGateway) -> None:
    page.goto(f"{gateway.url}/")
    page.get_by_label("名字").fill("lin")
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("heading", name="要拿主意的")).to_be_visible()
