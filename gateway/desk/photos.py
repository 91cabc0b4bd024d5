"""Photographs of cases as files beside the journal, named by what they contain, readable by their owner alone.

One that came but belongs to no case yet waits in a folder of its own, and not for long. Who may see one is the pages'.
"""

import os
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import suppress
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Final

from gateway.desk.photo import MEDIA, Kind, kind_of
from telemetry.reading import Millis

LARGEST: Final = 8 * 1024 * 1024
FOLDER: Final = "photos"
"""Where they are, beside the journal."""
WAITS_MS: Final = 24 * 3_600_000
MOST_WAITING: Final = 200
"""So many at most wait for their case (law L10)."""
_NAME: Final = re.compile(r"[0-9a-f]{64}\.(jpg|png|webp)")


class Trouble(StrEnum):
    """Why a photograph was not kept."""

    TOO_LARGE = "photo_too_large"
    NOT_ONE = "photo_is_none"
    TOO_MANY = "photo_too_many"
    NO_DISK = "photo_no_disk"


class PhotoFolder:
    """One folder of photographs. Any thread may call; nothing stays open."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._waiting = folder / "waiting"

    @classmethod
    def beside(cls, journal: Path) -> "PhotoFolder":
        """The photographs of a journal's cases."""
        return cls(journal.parent / FOLDER)

    async def receive(self, chunks: AsyncIterator[bytes], wall_ms: Millis) -> str | Trouble:
        """Takes one as it comes, to the disk and not into memory; its name, or why it is not kept."""
        half = self._waiting / f"{secrets.token_hex(8)}.half"
        try:
            for folder in (self._folder, self._waiting):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self._sweep(wall_ms) >= MOST_WAITING:
                return Trouble.TOO_MANY
            with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as to:
                size = 0
                async for chunk in chunks:
                    size += len(chunk)
                    if size > LARGEST:
                        return Trouble.TOO_LARGE
                    to.write(chunk)
            photo = half.read_bytes()
            kind = kind_of(photo)
            if kind is None:
                return Trouble.NOT_ONE
            name = f"{sha256(photo).hexdigest()}.{kind}"
            half.replace(self._waiting / name)
        except OSError:
            return Trouble.NO_DISK
        else:
            return name
        finally:
            with suppress(OSError):
                half.unlink(missing_ok=True)

    def keep(self, name: str) -> bool:
        """It belongs to a case from now on; false when there is none of that name. Doing it again changes nothing."""
        if not _NAME.fullmatch(name):
            return False
        with suppress(OSError):
            (self._waiting / name).replace(self._folder / name)
        return (self._folder / name).is_file()

    def read(self, name: str) -> tuple[bytes, str] | None:
        """A case's photograph and its media type."""
        if not _NAME.fullmatch(name):
            return None
        try:
            return (self._folder / name).read_bytes(), MEDIA[Kind(name.rpartition(".")[2])]
        except OSError:
            return None

    def _sweep(self, wall_ms: Millis) -> int:
        """Lets go of what has waited too long; how many still wait."""
        left = 0
        for path in self._waiting.iterdir():
            if path.stat().st_mtime * 1000 < wall_ms - WAITS_MS:
                path.unlink(missing_ok=True)
            else:
                left += 1
        return left
