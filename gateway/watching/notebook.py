"""What the watcher elsewhere remembers over a restart: that an outage stands, what was said of it, and by which ways.

One small file, written whole. One that cannot be read or written costs a repeated word at most, and never the watch.
"""

from pathlib import Path

import msgspec

from gateway.logs import logger
from telemetry.reading import Millis

_log = logger(__name__)


class Kept(msgspec.Struct, frozen=True):
    """An outage as it stands, by wall-clock time; ``said`` is 0 while there is none."""

    said: int = 0
    said_ms: Millis = 0
    seen_ms: Millis = 0
    told: tuple[str, ...] = ()


def read(path: Path | None) -> Kept:
    """What was kept; nothing where there is no file, or none of ours."""
    if path is None:
        return Kept()
    try:
        return msgspec.json.decode(path.read_bytes(), type=Kept)
    except FileNotFoundError:
        return Kept()
    except (OSError, msgspec.DecodeError) as error:
        _log.warning("notebook_unread", path=str(path), reason=str(error))
        return Kept()


def write(path: Path | None, kept: Kept) -> None:
    """Keeps it, whole or not at all."""
    if path is None:
        return
    beside = path.with_name(f"{path.name}.new")
    try:
        path.parent.mkdir(0o700, parents=True, exist_ok=True)
        beside.unlink(missing_ok=True)
        beside.touch(0o600)
        beside.write_bytes(msgspec.json.encode(kept))
        beside.replace(path)
    except OSError as error:
        _log.warning("notebook_unwritten", path=str(path), reason=str(error))
