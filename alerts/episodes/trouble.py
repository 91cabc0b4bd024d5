"""What the house says about itself: a part of it needs a person, or works again. An episode of the county's own.

Values only; who is told is the escalation file's.
"""

from msgspec import Struct

from alerts.alert import Alert
from alerts.calendars import stamp
from alerts.model import Detail, Severity
from telemetry.reading import Millis


class Trouble(Struct, frozen=True):
    """How a part of the house is: ``problem`` says why a person has to see to it, empty when it works.

    ``detail`` is what a text about it says besides.
    """

    rule: str
    part: str
    problem: str = ""
    detail: Detail = {}

    def alert(self, county: str, at_ms: Millis) -> Alert:
        """The episode that it begins."""
        return Alert(
            episode=f"{self.rule}/{self.part}/{stamp(at_ms)}",
            rule=self.rule,
            asset=county,
            device="",
            severity=Severity.P3,
            raised_ms=at_ms,
            since_ms=at_ms,
            detail={"problem": self.problem, **self.detail},
        )
