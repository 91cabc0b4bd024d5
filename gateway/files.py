"""Text files that a person named, read whole or not at all; and secrets written so that only their owner reads them.

What a file says is for others to judge.
"""

import os
from pathlib import Path

from gateway.settings_faults import SettingsFault


def read_text(path: Path) -> str:
    """The file's text; ``SettingsFault`` naming the file when it cannot be read or is not UTF-8."""
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        raise SettingsFault([f"{path} cannot be read: it is not UTF-8; save it as UTF-8"]) from None
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise SettingsFault([f"{path} cannot be read: {why}; check its name and its rights"]) from None


def write_secret(path: Path, secret: str) -> None:
    """Puts a secret on the first line of a file of mode 600, whole or not at all; ``SettingsFault`` when it cannot."""
    half_written = path.with_name(f"{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        half_written.unlink(missing_ok=True)
        with os.fdopen(os.open(half_written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as to:
            to.write(f"{secret}\n")
        half_written.replace(path)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise SettingsFault([f"{path} cannot be written: {why}; check its folder and its rights"]) from None
