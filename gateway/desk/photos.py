"""Photographs of cases as files beside the journal, named by what they contain, readable by their owner alone.

Whether bytes are one at all is told by the frame of the file, of which every part must fit; nothing is decoded, and how
many parts there are is bounded: a stranger's file is made of as many empty ones as fit (law L10). One that came but
belongs to no case yet waits in a folder of whoever sent it, and not for long; nobody's fill another's place. Who may
see one is the pages'. No file is read or written on the thread that serves all pages.
"""

import asyncio
import os
import re
import secrets
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Final

from fastapi.concurrency import run_in_threadpool

from telemetry.reading import Millis


class PhotoFormat(StrEnum):
    """What a photograph is kept as; the value is the end of its name."""

    JPEG = "jpg"
    PNG = "png"
    WEBP = "webp"


MEDIA: Final = {PhotoFormat.JPEG: "image/jpeg", PhotoFormat.PNG: "image/png", PhotoFormat.WEBP: "image/webp"}
LONGEST_SIDE: Final = 20_000
MOST_PIXELS: Final = 65_000_000
"""As many as the largest sensor of a telephone has; whoever looks at it needs four bytes of memory for each."""
MOST_PARTS: Final = 4_096
"""Far more than any telephone writes: a file of eight megabytes has a thousand chunks at most."""

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_BARE: Final = frozenset({0x01, *range(0xD0, 0xD8)})
"""Markers of a JPEG that carry no length."""
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SCAN: Final = 0xDA


def kind_of(photo: bytes) -> PhotoFormat | None:
    """What it is, or ``None`` for anything that is not a whole photograph."""
    for kind, size in ((PhotoFormat.JPEG, _jpeg), (PhotoFormat.PNG, _png), (PhotoFormat.WEBP, _webp)):
        try:
            width, height = size(photo)
        except (ValueError, IndexError):
            continue
        if 0 < width <= LONGEST_SIDE and 0 < height <= LONGEST_SIDE and width * height <= MOST_PIXELS:
            return kind
    return None


def _jpeg(photo: bytes) -> tuple[int, int]:
    """Width and height from the frame's header; what is compressed must follow it, and the end be marked."""
    if photo[:2] != b"\xff\xd8":
        raise ValueError
    size, at = (0, 0), 2
    for _ in range(MOST_PARTS):
        if photo[at] != 0xFF:  # noqa: PLR2004 -- what every marker begins with
            raise ValueError
        marker = photo[at + 1]
        if marker == 0xFF:  # noqa: PLR2004 -- a filling byte
            at += 1
        elif marker in _BARE:
            at += 2
        elif marker == _SCAN:
            if photo.rfind(b"\xff\xd9") <= at:
                raise ValueError
            return size
        else:
            length = int.from_bytes(photo[at + 2 : at + 4])
            if marker in _FRAMES:
                size = int.from_bytes(photo[at + 7 : at + 9]), int.from_bytes(photo[at + 5 : at + 7])
            if length < 2:  # noqa: PLR2004 -- it counts itself
                raise ValueError
            at += 2 + length
    raise ValueError


def _png(photo: bytes) -> tuple[int, int]:
    """Width and height of a file of which every chunk bears its right sum, from the head to the end."""
    if photo[:8] != _PNG:
        raise ValueError
    chunks = list(_chunks(photo))
    names = [name for name, _ in chunks]
    head = chunks[0][1]
    if names[0] != b"IHDR" or names[-1] != b"IEND" or b"IDAT" not in names or len(head) != 13:  # noqa: PLR2004 -- as the format has it
        raise ValueError
    return int.from_bytes(head[:4]), int.from_bytes(head[4:8])


def _chunks(photo: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 8
    for _ in range(MOST_PARTS):
        if at >= len(photo):
            return
        length = int.from_bytes(photo[at : at + 4])
        name, body = photo[at + 4 : at + 8], photo[at + 8 : at + 8 + length]
        total = photo[at + 8 + length : at + 12 + length]
        if len(total) != 4 or zlib.crc32(name + body) != int.from_bytes(total):  # noqa: PLR2004 -- bytes of a sum
            raise ValueError
        yield name, body
        at += 12 + length
        if name == b"IEND":
            return
    raise ValueError


def _webp(photo: bytes) -> tuple[int, int]:
    """Width and height of the first chunk, if the container is as long as it says."""
    if photo[:4] != b"RIFF" or photo[8:12] != b"WEBP" or int.from_bytes(photo[4:8], "little") + 8 > len(photo):
        raise ValueError
    name, body = photo[12:16], photo[20:30]
    if name == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        return int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF
    if name == b"VP8L" and body[0] == 0x2F:  # noqa: PLR2004 -- its signature
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if name == b"VP8X" and (b"VP8 " in photo or b"VP8L" in photo or b"ANMF" in photo):
        return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
    raise ValueError


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
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as to:
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


def _named(half: Path, look: Callable[[bytes], PhotoFormat | None]) -> str | PhotoTrouble:
    """A whole photograph under the name of what it contains; runs on a thread of its own."""
    photo = half.read_bytes()
    kind = look(photo)
    if kind is None:
        return PhotoTrouble.NOT_ONE
    name = f"{sha256(photo).hexdigest()}.{kind}"
    half.replace(half.with_name(name))
    return name
