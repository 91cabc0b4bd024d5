"""T4: an object dies in one table and lives in another: the alert of what nothing watches ends, its case does not."""

from functools import partial

from alerts.model import Event
from gateway.pipeline import Pipeline
from tests.storm.line import StormLine


class Surviving(Pipeline):
    """Its ledger does not hear that something is retired."""

    def follow(self) -> None:
        """See ``Pipeline.follow``."""
        log = self.changes.log
        while self._heard < len(log):
            said = log[self._heard]
            if not (isinstance(said, Event) and said.event == "retired"):
                self.barrier.attempt(partial(self.ledger.hear, said), lambda _: None, "a case")
            self._heard += 1


class Line(StormLine):
    """A gateway with it."""

    kind = Surviving
