"""The token that commands over HTTP must bear: ``control.token`` beside the journal, readable by its owner alone."""

import os
import secrets
from pathlib import Path
from typing import Final

NAME: Final = "control.token"


def control_token(journal: Path) -> str:
    """The token beside ``journal``; made, mode 600, when there is none. ``OSError`` when the folder takes no file."""
    path = token_file(journal)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text("ascii").strip()
    with os.fdopen(handle, "w", encoding="ascii") as written:
        token = secrets.token_urlsafe(32)
        written.write(token + "\n")
    return token


def token_file(journal: Path) -> Path:
    """Where it is; ``cunjing ack`` reads it there."""
    return journal.parent / NAME
