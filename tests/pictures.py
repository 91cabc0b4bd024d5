"""``make pictures``: the pages of the desk at both widths, from a demo that has run for a while, in ``docs/pictures``.

A picture is looked at before it is committed. Nothing is judged here.
"""

import argparse
import re
import subprocess
import sys
import threading
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from playwright.sync_api import Browser, Page

from tests.browser import DESK, PHONE, chromium, find_chromium, window
from tests.desk_gateway import until
from tests.servers import free_port

PAGES: Final = {
    "today": "/",
    "map": "/map",
    "register": "/register",
    "cases": "/cases?show=all",
    "assets": "/assets",
    "texts": "/texts",
    "duty": "/duty",
    "trial": "/trial",
    "quarantine": "/quarantine",
    "audit": "/audit",
    "telephone": "/telephone",
}
LINK: Final = re.compile(r"http://\S*?/welcome/[\w-]+")
FOLDER: Final = Path(__file__).parents[1] / "docs" / "pictures"


@contextmanager
def demo(folder: Path, speed: int) -> Iterator[str]:
    """A demo while the context lasts; its link."""
    log = folder / "demo.log"
    arguments = [
        "demo",
        "--speed",
        str(speed),
        "--data",
        str(folder / "data"),
        "--port",
        str(free_port()),
        "--no-browser",
    ]
    with log.open("wb") as out:
        running = subprocess.Popen([sys.executable, "-m", "gateway.cli", *arguments], stdout=out, stderr=out)
    try:
        until(lambda: LINK.search(log.read_text("utf-8")) is not None or running.poll() is not None, 30)
        found = LINK.search(log.read_text("utf-8"))
        assert found, log.read_text("utf-8")
        yield found[0]
    finally:
        running.terminate()
        running.wait(20)


def main() -> None:
    """Waits until the demo has reached an hour of its day, then shoots."""
    wanted = argparse.ArgumentParser(description=__doc__)
    wanted.add_argument("--until", default="12:10", help="the hour of the demo's day")
    wanted.add_argument("--speed", type=int, default=300)
    wanted.add_argument("--png", action="store_true", help="PNG instead of WebP, for eyes that cannot read it")
    wanted.add_argument("--story", action="store_true", help="only the demo itself, where a driver has answered 2")
    chosen = wanted.parse_args()
    program = find_chromium()
    if program is None:
        sys.exit("chromium is not here; install the Debian packages chromium and fonts-noto-cjk")
    with TemporaryDirectory() as folder, demo(Path(folder), chosen.speed) as link, chromium(program) as browser:
        if chosen.story:
            _shoot_story(browser, link, png=chosen.png)
            return
        for size, suffix in ((DESK, ""), (PHONE, "-phone")):
            with window(browser, size) as opened:
                opened.page.goto(link)
                while opened.page.locator(".date time").inner_text() < chosen.until:
                    threading.Event().wait(1)
                    opened.page.reload()
                if not suffix:
                    opened.page.locator(".case").get_by_role("button", name="确认").last.click()
                    opened.page.locator("#said.shown").wait_for()
                _shoot(opened.page, link.partition("/welcome")[0], suffix, png=chosen.png)
    sys.stdout.write(f"look at them: {FOLDER}\n")


def _shoot_story(browser: Browser, link: str, *, png: bool) -> None:
    """The demo as its visitor has it before them: what is going on, the case, and the phone beside it."""
    with window(browser, DESK) as opened:
        opened.page.goto(link)
        opened.page.locator("#caption-now.caption-answered").wait_for(timeout=90_000)
        opened.page.locator(".case", has_text="回复去不了").wait_for()
        opened.page.locator("#pocket .mine").wait_for()
        _keep(opened.page, "demo-desk", png=png)


def _shoot(page: Page, url: str, suffix: str, *, png: bool) -> None:
    asset = page.locator(".case h3 a").first.get_attribute("href")
    page.goto(f"{url}/cases?show=all")
    case = page.locator(".ledger a").first.get_attribute("href")
    for name, path in {**PAGES, "asset": f"{asset}?days=1", "case": str(case)}.items():
        page.goto(f"{url}{path}")
        page.evaluate("document.querySelectorAll('.caption, .pocket').forEach((own) => own.remove())")  # the demo's own
        _keep(page, f"desk-{name}{suffix}", png=png)


def _keep(page: Page, name: str, *, png: bool) -> None:
    shot = page.screenshot()
    kind = "png" if png else "webp"
    (FOLDER / f"{name}.{kind}").write_bytes(shot if png else _webp(page, shot))


def _webp(page: Page, png: bytes) -> bytes:
    """A third of the size; the browser knows how, so that nothing else has to."""
    with page.context.expect_page() as opening:
        page.evaluate("window.open('about:blank')")
    blank = opening.value
    said = str(blank.evaluate(_CONVERSION, b64encode(png).decode()))
    blank.close()
    return b64decode(said.partition(",")[2])


_CONVERSION: Final = """async (png) => {
    const image = new Image();
    image.src = `data:image/png;base64,${png}`;
    await image.decode();
    const canvas = Object.assign(document.createElement("canvas"), {width: image.width, height: image.height});
    canvas.getContext("2d").drawImage(image, 0, 0);
    return canvas.toDataURL("image/webp", 0.85);
}"""


if __name__ == "__main__":
    main()
