"""Debian's chromium, driven by playwright: how it is found and started, and a page that remembers its errors.

It talks to loopback alone. Nothing is judged here.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

WITHIN_MS: Final = 240_000
"""What a page is to do or to show it does within this time, on a busy machine, too; an idle one needs far less."""
QUIET: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DESK: Final = (1440, 900)
PHONE: Final = (390, 844)


expect.set_options(timeout=WITHIN_MS)


def find_chromium() -> Path | None:
    """Where the program is, if it is there."""
    found = shutil.which("chromium")
    return None if found is None else Path(found)


@contextmanager
def chromium(program: Path) -> Iterator[Browser]:
    """A browser without a window while the context lasts."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(QUIET))
        try:
            yield browser
        finally:
            browser.close()


class Window:
    """One person's browser: a page, and every error that its console has shown."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.errors: list[str] = []
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.errors.append(message.text)

    @property
    def overflow(self) -> int:
        """By how many pixels the page is wider than its window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


@contextmanager
def window(browser: Browser, size: tuple[int, int] = DESK) -> Iterator[Window]:
    """A browser of one's own, with nobody else's cookies."""
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, locale="zh-CN")
    context.set_default_timeout(WITHIN_MS)
    try:
        yield Window(context.new_page())
    finally:
        context.close()
