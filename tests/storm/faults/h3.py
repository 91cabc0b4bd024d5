"""H3: after a clock step the lists of every day that nobody saw are made and sent."""

from gateway.pipeline import Pipeline
from telemetry.reading import Millis
from tests.storm.line import StormLine


class Flooding(Pipeline):
    """Makes each list whose hour has passed, however long ago."""

    def _list(self, now_ms: Millis) -> None:
        due_ms = self._pass_list(now_ms)
        self.county.post([*self._lists.made(due_ms, now_ms, self.county, self._archive.crossings)], self.changes)


class Line(StormLine):
    """A gateway with it."""

    kind = Flooding
