"""T1: the text of a step whose people are off duty is dropped, and nobody is told instead."""

from dataclasses import fields, replace

from alerts.alert import Alert, WaitingStep, why
from alerts.episodes.decide import Decider, Flapping
from alerts.episodes.responses import Responses
from alerts.model import Log
from alerts.notify.escalation import OFF_DUTY, Escalation
from alerts.notify.schedule import Manned
from alerts.policy import StepPolicy
from gateway.journal.restore import Restored
from gateway.pipeline import Pipeline
from telemetry.reading import Millis
from tests.storm.line import StormLine


class Dropping(Escalation):
    """Two right filters whose windows do not meet."""

    __slots__ = ()

    def _whom(
        self, alert: Alert, step: StepPolicy, manned: Manned, at_ms: Millis, log: Log
    ) -> tuple[list[str], list[WaitingStep]]:
        _ = step
        log.extend(why("dropped", alert, at_ms, OFF_DUTY, person=each.person.id) for each in manned.off_duty)
        return self.roster.instead(alert, manned.present, at_ms, log), []


class Line(StormLine):
    """A gateway with it."""

    def _pipeline(self, restored: Restored) -> Pipeline:
        pipeline = super()._pipeline(restored)
        county, decider = pipeline.county, pipeline.county.decider
        telling = Dropping(*(getattr(decider.escalation, each.name) for each in fields(decider.escalation)))
        county.decider = with_escalation(decider, telling)
        return pipeline


def with_escalation(decider: Decider, telling: Escalation) -> Decider:
    """The same decider under other rules of telling."""
    responses = Responses(decider.inventory, telling)
    return replace(decider, escalation=telling, responses=responses, flapping=Flapping(telling))
