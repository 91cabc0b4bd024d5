"""J2: what comes out of the inbox is not patient: one refused read ends the loop, and who waits has no answer."""

from functools import partial

from gateway.deeds import CommandDispatcher
from gateway.journal.trouble import JournalUnavailable
from telemetry.reading import Millis
from tests.fakes import Crash
from tests.storm.line import StormLine


class Impatient(CommandDispatcher):
    """Ends the process when the journal refuses."""

    def do(self, item: object, now_ms: Millis) -> object:
        """See ``CommandDispatcher.do``."""
        return self._pipeline.barrier.attempt(partial(self._once, item, now_ms), self.failed, type(item).__name__)

    def _once(self, item: object, now_ms: Millis) -> object:
        try:
            return self._do(item, now_ms)
        except JournalUnavailable as refused:
            raise Crash from refused


class Line(StormLine):
    """A gateway with it."""

    deeds = Impatient
