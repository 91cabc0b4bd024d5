"""T2: a digit is taken for an answer to the newest text to that number, whether that asks for it or not."""

from dataclasses import replace
from typing import Any

from alerts.answers import Asked
from gateway.commands.replies import InboundSms, Remembered
from gateway.pipeline import Pipeline
from telemetry.reading import Millis
from tests.storm.line import StormLine


class Newest:
    """What the journal remembers, but of what a number was told only the newest: as if it asked for everything."""

    def __init__(self, memoir: Remembered) -> None:
        self._memoir = memoir

    def __getattr__(self, name: str) -> object:
        return getattr(self._memoir, name)

    def told(self, phone: str, since_ms: Millis) -> list[Asked]:
        """See ``Memoir.told``."""
        found = [each for each in self._memoir.told(phone, since_ms) if each.accepted]
        return [replace(each, text="", kind="", template="") for each in found[:1]]


class Guessing(InboundSms):
    """Asks no text whether it asked."""

    def __init__(self, pipeline: Pipeline, memoir: Remembered, kept_claims: str | None = None) -> None:
        newest: Any = Newest(memoir)
        super().__init__(pipeline, newest, kept_claims)


class Line(StormLine):
    """A gateway with it."""

    ear = Guessing
