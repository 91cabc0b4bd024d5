"""A desk on a real gateway in this process, and a browser's window at a desk's width. No test is here."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser import DESK, Window, window
from tests.desk_gateway import DeskGateway, at, desk_gateway

WELCOME = "come-in"


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[DeskGateway]:
    with desk_gateway(tmp_path, at(24, 8), WELCOME) as running:
        yield running


@pytest.fixture
def desk(browser: Browser) -> Iterator[Window]:
    with window(browser, DESK) as opened:
        yield opened
