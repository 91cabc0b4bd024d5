"""The channel without a provider: each text becomes one JSON file in a folder, for the desk, the demo and the tests.

A file is whole from the moment it has its name. ``calls.jsonl`` beside them counts every call, so that what a provider
would have got twice is seen; nothing here ever reads it.
"""

import errno
import json
import os
import re
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

from alerts.channels import Accepted, ChannelKind, Failed, Fitness, Message, Outcome, SendRefused

CALLS: Final = "calls.jsonl"

_NUMBER: Final = re.compile(r"\+?[0-9][0-9 -]{2,19}")
_NOT_FOR_NAMES: Final = re.compile(r"[^A-Za-z0-9-]")
_FOLDER_MODE: Final = 0o700
_FILE_MODE: Final = 0o600
"""A text names somebody, and is nobody else's."""
_MARK: Final = 16
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


class OutboxSettings(BaseModel):
    """``[sms]`` for this channel. The folder is made when the first text needs it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    outbox_folder: Path = Path("data/outbox")


class Outbox:
    """Texts as files in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def send(self, message: Message) -> Outcome:
        """Writes the text's file and reports it delivered once the file has its name.

        A text whose file is there already counts as a call and makes no second file. Refuses what has no number or no
        text; fails with ``full`` or ``unwritable`` when the folder does.
        """
        if not _NUMBER.fullmatch(message.phone):
            return SendRefused("no_number", dead_number=True)
        if not message.text:
            return SendRefused("no_text")
        name = _name(message)
        try:
            self.folder.mkdir(_FOLDER_MODE, parents=True, exist_ok=True)
            self._count(message)
            if not (self.folder / name).exists():
                self._write(name, message)
        except OSError as error:
            return Failed("full" if error.errno in _FULL else "unwritable")
        return Accepted(reference=name, delivered=True)

    def find(self, message: Message) -> Accepted | None:
        """The file made for this key, if there is one."""
        found = next(self.folder.glob(f"*_{message.mark[:_MARK]}.json"), None)
        return None if found is None else Accepted(reference=found.name, delivered=True)

    def _count(self, message: Message) -> None:
        line = json.dumps({"key": message.key, "at": message.at}, ensure_ascii=False)
        _append(self.folder / CALLS, f"{line}\n".encode())

    def _write(self, name: str, message: Message) -> None:
        body = {
            "to": message.to,
            "phone": message.phone,
            "text": message.text,
            "episode": message.episode,
            "key": message.key,
            "at": message.at,
        }
        unfinished = self.folder / f".{name}.part"
        unfinished.unlink(missing_ok=True)  # what a crash left
        _append(unfinished, json.dumps(body, ensure_ascii=False, indent=2).encode() + b"\n")
        unfinished.replace(self.folder / name)
        sync_folder(self.folder)


def _name(message: Message) -> str:
    """The file's name: when, for whom, and the key's mark, by which it is found without an index.

    The same for every try, since a key has one instant and one recipient.
    """
    when = _NOT_FOR_NAMES.sub("", message.at)
    who = _NOT_FOR_NAMES.sub("-", message.to)[:32]
    return f"{when}_{who}_{message.mark[:_MARK]}.json"


def _append(path: Path, line: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, _FILE_MODE), "ab") as file:
        file.write(line)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _examine(settings: OutboxSettings) -> Fitness:
    """Whether the folder takes files, or could be made."""
    folder = settings.outbox_folder.absolute()
    standing = next(part for part in (folder, *folder.parents) if part.exists())
    if standing.is_dir() and os.access(standing, os.W_OK | os.X_OK):
        return Fitness(usable=True, state=f"it writes into {settings.outbox_folder}")
    why = "is not writable for this user" if standing.is_dir() else "is not a folder"
    remedy = "give the gateway's user the right to it, or name another [sms] outbox_folder"
    return Fitness(usable=False, state=f"{standing} {why}", remedy=remedy)


CHANNEL: Final = ChannelKind(
    name="outbox",
    settings=OutboxSettings,
    open=lambda settings: Outbox(settings.outbox_folder),
    examine=_examine,
)
