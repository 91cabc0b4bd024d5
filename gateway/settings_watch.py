"""The tables of the configuration that are about the house itself: ``[watch]``, and who may push to it: ``[hooks]``.

Shapes and their checks only; what is done with them is ``gateway/watching`` and ``gateway/desk/hooks.py``.
"""

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from alerts.policy import DayTime


def _beat_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError('write it as "http://host:port/path", or with https')
    if parts.username or parts.password:
        raise ValueError("user and password do not belong in the URL; use token_file")
    _ = parts.port  # raises for a port that cannot be
    return value


BeatUrl = Annotated[str, AfterValidator(_beat_url)]
Phone = Annotated[str, Field(pattern=r"^[0-9]{5,15}$")]


class Watch(BaseModel):
    """``[watch]``: what the gateway says of itself to the outside, and how long it bears to hear no device.

    ``url`` is asked every ``every_s`` while the house works, ``phone`` gets one text a day at ``daily_at``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    url: BeatUrl | None = None
    method: Literal["POST", "GET"] = "POST"
    token_file: Path | None = None
    every_s: Annotated[float, Field(gt=0, le=3_600)] = 60.0
    timeout_s: Annotated[float, Field(gt=0, le=60)] = 10.0
    phone: Phone | None = None
    daily_at: DayTime = Field(default="07:30", validate_default=True)
    deaf_minutes: Annotated[float, Field(gt=0, le=1_440)] = 10.0

    @model_validator(mode="after")
    def _token_has_a_url(self) -> "Watch":
        if self.token_file is not None and self.url is None:
            raise ValueError("token_file is for the url: give one, or leave both out")
        return self
