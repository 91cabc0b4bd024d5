"""T3: one closing text for every ending: that somebody emptied it is said of what only receded."""

from dataclasses import fields

from alerts.alert import Alert
from alerts.notify.escalation import Escalation
from gateway.journal.restore import Restored
from gateway.pipeline import Pipeline
from telemetry.reading import Millis
from tests.storm.faults.t1 import with_escalation
from tests.storm.line import StormLine


class Thanking(Escalation):
    """Takes every end of an overflow for an emptying."""

    __slots__ = ()

    def close(self, alert: Alert, at_ms: Millis, reason: str) -> Alert:
        """See ``Escalation.close``."""
        return super().close(alert, at_ms, "emptied" if alert.rule == "overflow" else reason)


class Line(StormLine):
    """A gateway with it."""

    def _pipeline(self, restored: Restored) -> Pipeline:
        pipeline = super()._pipeline(restored)
        county, office = pipeline.county, pipeline.county.decider
        county.decider = with_escalation(
            office, Thanking(*(getattr(office.escalation, each.name) for each in fields(office.escalation)))
        )
        return pipeline
