"""A desk on a real gateway in this process, and somebody who has logged in to it."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.desk_gateway import PASSWORD, DeskGateway, at, desk_gateway
from tests.plain import PLAIN

MORNING = at(24, 8)
WITHIN_S = 240
"""No test is decided by how fast a busy machine answers."""


class Visitor(httpx.Client):
    """A browser that shows nothing: it keeps cookies, and knows the token of the page that it saw last."""

    csrf = ""

    def __init__(self, **given: Any) -> None:  # noqa: ANN401 -- httpx's own keywords
        super().__init__(**{"timeout": WITHIN_S, "verify": PLAIN, **given})

    def see(self, path: str) -> httpx.Response:
        """A page, as a browser asks for it."""
        page = self.get(path, headers={"accept": "text/html"})
        found = re.search(r'name="csrf" value="([^"]+)"', page.text)
        self.csrf = found[1] if found else self.csrf
        return page

    def log_in(self, name: str, password: str = PASSWORD) -> httpx.Response:
        """The form of the door, filled in."""
        door = self.get("/login")
        knock = re.search(r'name="knock" value="([^"]+)"', door.text)
        assert knock
        return self.post("/login", data={"name": name, "password": password, "knock": knock[1]})

    def act(self, **form: str) -> httpx.Response:
        """A form of a page, with its token."""
        return self.post("/act", data={"csrf": self.csrf, **form})


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[DeskGateway]:
    with desk_gateway(tmp_path, MORNING) as running:
        yield running


@pytest.fixture
def visitor_at() -> Iterator[Callable[[DeskGateway, str], Visitor]]:
    """Somebody logged in to a gateway of the test's own."""
    with ExitStack() as stack:

        def enter(gateway: DeskGateway, name: str) -> Visitor:
            made = stack.enter_context(Visitor(base_url=gateway.url, trust_env=False))
            assert made.log_in(name).status_code == httpx.codes.SEE_OTHER
            made.see("/")
            return made

        yield enter


@pytest.fixture
def visitor(gateway: DeskGateway) -> Iterator[Callable[[str], Visitor]]:
    """Somebody by the name of a user, logged in; the empty name has not knocked yet."""
    with ExitStack() as stack:

        def enter(name: str = "") -> Visitor:
            made = stack.enter_context(Visitor(base_url=gateway.url, trust_env=False))
            if name:
                assert made.log_in(name).status_code == httpx.codes.SEE_OTHER
                made.see("/")
            return made

        yield enter
