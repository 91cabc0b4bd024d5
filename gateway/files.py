"""Text files that a person named: read whole, or a sentence that says why not. What they say is for others to judge."""

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
