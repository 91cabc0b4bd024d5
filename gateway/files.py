"""Text files that a person named, read whole or not at all; and what only their owner may read, kept so (case H14).

What a file says is for others to judge.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gateway.settings import SettingsFault, tell_why

_OTHERS: Final = 0o077


def read_text(path: Path) -> str:
    """The file's text; ``SettingsFault`` naming the file when it cannot be read or is not UTF-8."""
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        raise SettingsFault([f"{path} cannot be read: it is not UTF-8; save it as UTF-8"]) from None
    except OSError as error:
        raise SettingsFault([f"{path} cannot be read: {tell_why(error)}; check its name and its rights"]) from None


def write_privately(path: Path, text: str) -> None:
    """Writes a file of mode 600, whole or not at all; ``OSError`` when it cannot."""
    half_written = path.with_name(f"{path.name}.new")
    path.parent.mkdir(0o700, parents=True, exist_ok=True)
    half_written.unlink(missing_ok=True)
    with os.fdopen(os.open(half_written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as to:
        to.write(text)
    half_written.replace(path)


def write_secret(path: Path, secret: str) -> None:
    """Puts a secret on the first line of such a file; ``SettingsFault`` when it cannot."""
    try:
        write_privately(path, f"{secret}\n")
    except OSError as error:
        raise SettingsFault([f"{path} cannot be written: {tell_why(error)}; check its folder and its rights"]) from None


def close_to_others() -> None:
    """What this process makes from now on is its owner's alone, and so is what the programs make that it starts."""
    os.umask(_OTHERS)


def tighten(*paths: Path) -> list[Path]:
    """Takes from others what rights they have to these files, and to these folders with all that is in them.

    Answers what others had a right to. Left alone is what belongs to somebody else, a folder that is meant for
    everybody (sticky, as /tmp is), what a link leads to, and what is not there.
    """
    tightened = []
    for path in paths:
        for found in _with_all_in_it(path):
            try:
                status = found.lstat()
                mode = stat.S_IMODE(status.st_mode)
                if status.st_uid != os.geteuid() or stat.S_ISLNK(status.st_mode) or not mode & _OTHERS:
                    continue
                found.chmod(mode & ~_OTHERS)
            except OSError:  # it ended meanwhile, or its file system knows no rights
                continue
            tightened.append(found)
    return tightened


def _with_all_in_it(path: Path) -> Iterator[Path]:
    if path.is_dir():
        if path.stat().st_mode & stat.S_ISVTX:
            return
        yield from path.rglob("*")
    yield path
