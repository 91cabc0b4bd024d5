"""The configuration of ``cunjing watch``: one TOML file on the other machine, every fault said in one sentence.

It names ways to hear of the gateway and ways to speak; at least one of each.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from gateway.settings import BeatUrl, Endpoint, Listen, Phone, SettingsFault, Sms, sentence


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ListenTable(_Table):
    """``[listen]``: where heartbeats come in, and the token that they bear."""

    address: Listen = Endpoint("127.0.0.1", 8090)
    token_file: Path


class PollTable(_Table):
    """``[poll]``: a gateway's ``/readyz``, asked every ``every_s``."""

    url: BeatUrl
    every_s: Annotated[float, Field(gt=0, le=3_600)] = 60.0


class AlarmTable(_Table):
    """``[alarm]``: after how long a silence, how often again, and by which command or to which numbers."""

    after_min: Annotated[float, Field(gt=0, le=1_440)] = 10.0
    repeat_min: Annotated[float, Field(gt=0, le=1_440)] = 60.0
    repeats: Annotated[int, Field(ge=0, le=24)] = 3
    command: tuple[str, ...] = ()
    to: tuple[Phone, ...] = ()
    signature: str = ""
    timezone: str = "Asia/Shanghai"
    notebook: Path | None = None


class WatchFile(_Table):
    """All of it. ``[sms]`` and ``[channels.NAME]`` are as in the gateway's own configuration."""

    listen: ListenTable | None = None
    poll: PollTable | None = None
    alarm: AlarmTable
    sms: Sms | None = None
    channels: dict[str, dict[str, Any]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _hears_and_speaks(self) -> "WatchFile":
        if self.listen is None and self.poll is None:
            raise ValueError("it hears nothing; add [listen], [poll] or both")
        if not self.alarm.command and not self.alarm.to:
            raise ValueError("[alarm] reaches nobody; give a command, or numbers in to")
        if self.alarm.to and (self.sms is None or not self.alarm.signature):
            raise ValueError("[alarm] to needs a signature there, and [sms] with a channel")
        return self


def load(path: Path) -> WatchFile:
    """What stands in ``path``; ``SettingsFault`` with a sentence for each fault."""
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        why = (error.strerror or str(error)).lower() if isinstance(error, OSError) else "it is not UTF-8"
        raise SettingsFault([f"{path} cannot be read: {why}; copy config/watch.example.toml there"]) from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsFault([f"{path} is not valid TOML: {error}"]) from None
    try:
        return WatchFile(**document)
    except ValidationError as errors:
        raise SettingsFault(sentence(error, str(path), WatchFile, {}) for error in errors.errors()) from None
