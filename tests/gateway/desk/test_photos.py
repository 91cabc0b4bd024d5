"""Where photographs wait for their case: each person's by themselves, few on their way at once, no page held up."""

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from gateway.desk.photos import (
    COMING,
    COMING_EACH,
    LARGEST,
    WAITING_EACH,
    WAITS_MS,
    PhotoFolder,
    PhotoFormat,
    PhotoTrouble,
    kind_of,
)
from tests.photographs import JPEG, PNG, png

_Outcome = TypeVar("_Outcome")


async def sent(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def run(scene: Coroutine[Any, Any, _Outcome]) -> _Outcome:
    """To its end, in a thread of its own: a browser that a test before left open has a loop in ours."""
    with ThreadPoolExecutor(1) as apart:
        return apart.submit(asyncio.run, scene).result()


def kept(folder: PhotoFolder, photo: bytes, sender: str = "lin", wall_ms: int = 0) -> str | PhotoTrouble:
    return run(folder.receive(sent(photo), sender, wall_ms))


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_what_one_person_lets_wait_fills_nobody_elses_place(tmp_path: Path) -> None:
    folder = PhotoFolder(tmp_path)
    theirs = kept(folder, JPEG, "wu")
    mine = [kept(folder, png(number, 1)) for number in range(1, WAITING_EACH + 6)]
    assert all(not isinstance(name, PhotoTrouble) for name in mine)
    assert len(files(tmp_path)) == WAITING_EACH + 1
    assert folder.keep(str(theirs), "wu"), "the oldest of all, but not of the one who sent too many"
    assert folder.keep(str(mine[-1]), "lin"), "the newest is there"
    assert not folder.keep(str(mine[0]), "lin"), "the oldest made room"


def test_it_is_whose_sent_it(tmp_path: Path) -> None:
    folder = PhotoFolder(tmp_path)
    name = str(kept(folder, JPEG, "../wu"))
    assert not folder.keep(name, "lin")
    assert folder.keep(name, "../wu")
    assert folder.keep(name, "../wu"), "twice is once"
    assert folder.read(name) == (JPEG, "image/jpeg")
    assert files(tmp_path) == [tmp_path / name]


def test_what_has_waited_for_a_day_is_let_go_whoevers_it_is(tmp_path: Path) -> None:
    folder = PhotoFolder(tmp_path)
    name = kept(folder, JPEG, "wu")
    (path,) = files(tmp_path)
    assert path.name == name
    late_ms = round(path.stat().st_mtime * 1_000) + WAITS_MS + 1
    kept(folder, PNG, "lin", late_ms)
    assert path not in files(tmp_path)


def test_a_refused_one_leaves_nothing(tmp_path: Path) -> None:
    folder = PhotoFolder(tmp_path)
    assert kept(folder, b"no photograph") is PhotoTrouble.NOT_ONE
    assert kept(folder, b" " * (LARGEST + 1)) is PhotoTrouble.TOO_LARGE
    (tmp_path / "file").touch()
    assert kept(PhotoFolder(tmp_path / "file"), JPEG) is PhotoTrouble.NO_DISK
    assert files(tmp_path) == [tmp_path / "file"]


def test_few_are_on_their_way_at_once(tmp_path: Path) -> None:
    folder = PhotoFolder(tmp_path)

    async def scene() -> None:
        go = asyncio.Event()

        async def slowly() -> AsyncIterator[bytes]:
            yield JPEG[:9]
            await go.wait()
            yield JPEG[9:]

        coming = [asyncio.create_task(folder.receive(slowly(), f"p{number // 2}", 0)) for number in range(COMING)]
        await asyncio.sleep(0)
        assert await folder.receive(sent(JPEG), "another", 0) is PhotoTrouble.TOO_MANY
        go.set()
        assert all(not isinstance(name, PhotoTrouble) for name in await asyncio.gather(*coming))
        go.clear()
        mine = [asyncio.create_task(folder.receive(slowly(), "lin", 0)) for _ in range(COMING_EACH)]
        await asyncio.sleep(0)
        assert await folder.receive(sent(JPEG), "lin", 0) is PhotoTrouble.TOO_MANY
        assert not isinstance(await folder.receive(sent(JPEG), "wu", 0), PhotoTrouble)
        go.set()
        await asyncio.gather(*mine)
        assert not isinstance(await folder.receive(sent(JPEG), "lin", 0), PhotoTrouble), "there is room again"

    run(scene())


def test_pages_are_served_while_one_is_looked_at(tmp_path: Path) -> None:
    """It is the loop that lets the look come to its end: were it made on the loop, both would wait for ever."""
    begun, served = threading.Event(), threading.Event()

    def look(photo: bytes) -> PhotoFormat | None:
        begun.set()
        assert served.wait(240), "nothing else happened meanwhile"
        return kind_of(photo)

    async def scene() -> str | PhotoTrouble:
        coming = asyncio.create_task(PhotoFolder(tmp_path, look).receive(sent(JPEG), "lin", 0))
        await asyncio.to_thread(begun.wait, 30)
        served.set()
        return await coming

    assert not isinstance(run(scene()), PhotoTrouble)
