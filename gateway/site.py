"""One installation's folder, in which things are made for their owner: folders, secrets, texts. Nothing is overwritten.

What is there already is kept, and its rights are put right where they are too wide. What an installation needs is
decided in ``installing.py``.
"""

import os
import stat
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple

from gateway.files import write_secret
from gateway.settings import read_secret
from gateway.settings_faults import SettingsFault

FOLDER_MODE: Final = 0o700
SECRET_MODE: Final = 0o600


class Done(StrEnum):
    """What became of one thing."""

    MADE = "made"
    KEPT = "kept"
    MENDED = "mended"


class Step(NamedTuple):
    """One thing of the installation, by its path in the folder, and what it is."""

    done: Done
    path: str
    what: str


class Owner(NamedTuple):
    """Whose the files are: the user and group under whose numbers the containers run."""

    uid: int
    gid: int


class Site:
    """A folder, and who owns what is made in it. ``SettingsFault`` where a thing must stay as it is, or ``OSError``."""

    def __init__(self, folder: Path, owner: Owner) -> None:
        self._folder = folder
        self._owner = owner

    def private_folder(self, path: str, what: str) -> Step:
        """A folder that only its owner may enter."""
        place = self._folder / path
        if not place.exists():
            place.mkdir(FOLDER_MODE, parents=True)
            self._hand_over(place)
            return Step(Done.MADE, path, what)
        if not place.is_dir():
            raise SettingsFault([f"{place} is not a folder; move it away, a folder of this name is needed"])
        return self._kept(path, what, FOLDER_MODE)

    def secret(self, path: str, what: str, secret: str) -> Step:
        """A secret in a file that only its owner may read; one that is there stays, whatever it is."""
        place = self._folder / path
        if not place.exists():
            write_secret(place, secret)
            self._hand_over(place)
            return Step(Done.MADE, path, what)
        read_secret(place, path)
        return self._kept(path, what, SECRET_MODE)

    def listing(self, path: str, what: str) -> Step:
        """A file of secrets that others fill, entry by entry; it may be empty."""
        place = self._folder / path
        if place.exists():
            return self._kept(path, what, SECRET_MODE)
        place.touch(SECRET_MODE, exist_ok=False)
        self._hand_over(place)
        return Step(Done.MADE, path, what)

    def replace_secret(self, path: str, what: str, text: str) -> Step:
        """A file of secrets that the caller has read and extended, written anew with its owner's rights."""
        place = self._folder / path
        done = Done.MENDED if place.exists() else Done.MADE
        write_secret(place, text)
        self._hand_over(place)
        return Step(done, path, what)

    def text(self, path: str, what: str, text: str) -> Step:
        """A file that holds no secret and is the operator's to change; one that is there stays."""
        place = self._folder / path
        if place.exists():
            return Step(Done.KEPT, path, what)
        if not place.parent.exists():
            place.parent.mkdir(parents=True)
            self._hand_over(place.parent)
        with place.open("x", encoding="utf-8") as made:
            made.write(text)
        self._hand_over(place)
        return Step(Done.MADE, path, what)

    def _kept(self, path: str, what: str, mode: int) -> Step:
        place = self._folder / path
        found = place.stat()
        if found.st_uid != self._owner.uid and os.geteuid() != 0:
            remedy = f"make it theirs: sudo chown -R {self._owner.uid}:{self._owner.gid} {place}"
            whose = f"{place} belongs to user {found.st_uid}, and the containers run as {self._owner.uid}"
            raise SettingsFault([f"{whose}; {remedy}"])
        theirs = found.st_gid == self._owner.gid or os.geteuid() != 0
        if stat.S_IMODE(found.st_mode) == mode and found.st_uid == self._owner.uid and theirs:
            return Step(Done.KEPT, path, what)
        place.chmod(mode)
        self._hand_over(place)
        return Step(Done.MENDED, path, f"{what}; what it holds was kept, its rights are {mode:o} now")

    def _hand_over(self, place: Path) -> None:
        """Only root can give away; anybody else is the owner already."""
        if os.geteuid() == 0:
            os.chown(place, *self._owner)
