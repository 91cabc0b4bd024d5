"""Photographs of cases as files beside the journal, named by what they contain, readable by their owner alone.

One that came but belongs to no case yet waits in a folder of whoever sent it, and not for long; nobody's fill another's
place. Who may see one is the pages'. No file is read or written on the thread that serves all pages.
"""

import asyncio
import os
import re
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Final

from fastapi.concurrency import run_in_threadpool

from gateway.desk.photo import MEDIA, PhotoFormat, kind_of
from telemetry.reading import Millis

LARGEST: Final = 8 * 1024 * 1024
FOLDER: Final = "photos"
"""Where they are, beside the journal."""
WAITS_MS: Final = 24 * 3_600_000
WAITING_EACH: Final = 20
"""So many of one person wait for their case; for one more the oldest of theirs goes."""
COMING_EACH: Final = 2
COMING: Final = 8
"""Photographs that are on their way at the same time, of one person and in all."""
LOOKED_AT: Final = 2
"""Photographs whose bytes are gone through at the same time."""
_PORTION: Final = 256 * 1024
_NAME: Final = re.compile(r"[0-9a-f]{64}\.(jpg|png|webp)")


class PhotoTrouble(StrEnum):
    """Why a photograph was not kept."""

    TOO_LARGE = "photo_too_large"
    NOT_ONE = "photo_is_none"
    TOO_MANY = "photo_too_many"
    NO_DISK = "photo_no_disk"


class PhotoFolder:
    """One folder of photographs. Any thread may call; nothing stays open."""

    def __init__(self, folder: Path, look: Callable[[bytes], PhotoFormat | None] = kind_of) -> None:
        self._folder = folder
        self._look = look
        self._waiting = folder / "waiting"
        self._coming: Counter[str] = Counter()
        self._looking = asyncio.Semaphore(LOOKED_AT)

    @classmethod
    def beside(cls, journal: Path) -> "PhotoFolder":
        """The photographs of a journal's cases."""
        return cls(journal.parent / FOLDER)

    async def receive(self, chunks: AsyncIterator[bytes], sender: str, wall_ms: Millis) -> str | PhotoTrouble:
        """Takes one as it comes, to the disk and not into memory; its name, or why it is not kept."""
        if self._coming[sender] >= COMING_EACH or self._coming.total() >= COMING:
            return PhotoTrouble.TOO_MANY
        self._coming[sender] += 1
        try:
            return await self._take(chunks, self._place_of(sender), wall_ms)
        except OSError:
            return PhotoTrouble.NO_DISK
        finally:
            self._coming[sender] -= 1
            self._coming += Counter()  # lets go of whoever sends nothing

    def keep(self, name: str, sender: str) -> bool:
        """It belongs to a case from now on; false when there is none of that name. Doing it again changes nothing."""
        if not _NAME.fullmatch(name):
            return False
        with suppress(OSError):
            (self._place_of(sender) / name).replace(self._folder / name)
        return (self._folder / name).is_file()

    def read(self, name: str) -> tuple[bytes, str] | None:
        """A case's photograph and its media type."""
        if not _NAME.fullmatch(name):
            return None
        try:
            return (self._folder / name).read_bytes(), MEDIA[PhotoFormat(name.rpartition(".")[2])]
        except OSError:
            return None

    def _place_of(self, sender: str) -> Path:
        """Where somebody's wait; their name may be of any signs, the folder's is not."""
        return self._waiting / sha256(sender.encode()).hexdigest()[:16]

    async def _take(self, chunks: AsyncIterator[bytes], place: Path, wall_ms: Millis) -> str | PhotoTrouble:
        half = place / f"{secrets.token_hex(8)}.half"
        await run_in_threadpool(self._make_room, place, wall_ms)
        try:
            if not await self._write(chunks, half):
                return PhotoTrouble.TOO_LARGE
            async with self._looking:
                return await run_in_threadpool(_named, half, self._look)
        finally:
            with suppress(OSError):
                half.unlink(missing_ok=True)

    async def _write(self, chunks: AsyncIterator[bytes], half: Path) -> bool:
        """Whether it was no larger than it may be."""
        size, portion = 0, bytearray()
        with _made(half) as to:
            async for chunk in chunks:
                size += len(chunk)
                if size > LARGEST:
                    return False
                portion += chunk
                if len(portion) >= _PORTION:
                    await run_in_threadpool(to.write, bytes(portion))
                    portion.clear()
            await run_in_threadpool(to.write, bytes(portion))
        return True

    def _make_room(self, place: Path, wall_ms: Millis) -> None:
        """Lets go of what has waited too long, whoever's it is, and of the oldest of who has too many."""
        for folder in (self._folder, self._waiting, place):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in [
            *self._waiting.glob("*/*"),
            *self._waiting.glob("*.*"),
        ]:  # the latter are from before this folder had any
            with suppress(FileNotFoundError):
                if path.stat().st_mtime * 1000 < wall_ms - WAITS_MS:
                    path.unlink()
        mine = sorted((path.stat().st_mtime, path) for path in place.iterdir() if path.suffix != ".half")
        for _, path in mine[: max(0, len(mine) - WAITING_EACH + 1)]:
            path.unlink(missing_ok=True)


@contextmanager
def _made(path: Path) -> Iterator[BinaryIO]:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as made:
        yield made


def _named(half: Path, look: Callable[[bytes], PhotoFormat | None]) -> str | PhotoTrouble:
    """A whole photograph under the name of what it contains; runs on a thread of its own."""
    photo = half.read_bytes()
    kind = look(photo)
    if kind is None:
        return PhotoTrouble.NOT_ONE
    name = f"{sha256(photo).hexdigest()}.{kind}"
    half.replace(half.with_name(name))
    return name
