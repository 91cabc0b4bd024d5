"""J3: a list whose read is refused is taken for our own mistake, after the mark was moved: it is lost for good."""

from gateway.journal.database import JournalUnavailable
from gateway.pipeline import Pipeline
from telemetry.reading import Millis
from tests.storm.line import StormLine


class Forgetting(Pipeline):
    """Passes a list over that could not be made at once."""

    def _list(self, now_ms: Millis) -> None:
        try:
            super()._list(now_ms)
        except JournalUnavailable as refused:
            raise RuntimeError("taken for our own mistake") from refused


class Line(StormLine):
    """A gateway with it."""

    kind = Forgetting
