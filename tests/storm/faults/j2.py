"""J2: what comes out of the inbox is not patient: one refused read ends the loop, and who waits has no answer."""

from gateway.commands.command import A, Command, NotDurable
from gateway.commands.dispatcher import CommandDispatcher
from gateway.journal.database import JournalUnavailable
from telemetry.reading import Millis
from tests.fakes import Crash
from tests.storm.line import StormLine


class Impatient(CommandDispatcher):
    """Ends the process when the journal refuses."""

    def do(self, item: Command[A], now_ms: Millis) -> A | NotDurable:
        """See ``CommandDispatcher.do``."""

        def act() -> A | NotDurable:
            return self._once(item, now_ms)

        return self._attempt(act, self.failed, type(item).__name__)

    def _once(self, item: Command[A], now_ms: Millis) -> A:
        try:
            return item.do(self._context, now_ms)
        except JournalUnavailable as refused:
            raise Crash from refused


class Line(StormLine):
    """A gateway with it."""

    dispatcher = Impatient
