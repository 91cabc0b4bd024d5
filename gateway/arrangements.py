"""What people have arranged, as the journal has it: ended trials, absences, extra rounds, figures, callers.

For whoever looks on beside the loop. It follows the journal's small marks, commit by commit, and never the loop's own
memory, where something may stand that is not durable yet.
"""

from collections.abc import Mapping

import msgspec

from alerts.calendars import Calendar
from alerts.conditions.state import Plan
from alerts.conditions.thresholds import Thresholds, Tuned
from alerts.notify.exposure import lines_pct
from alerts.notify.holds import Ended, Trials
from alerts.operations.absences import Absence, Absences
from alerts.operations.extra_rounds import ExtraRound, ExtraRounds
from gateway.commands import callers
from gateway.commands.absences import ABSENCES
from gateway.commands.callers import CALLERS
from gateway.commands.extra_rounds import EXTRAS
from gateway.commands.thresholds import FIGURES
from gateway.commands.trials import TRIALS
from gateway.pipeline import Pipeline
from telemetry.inventory import Inventory

MARKS = frozenset({ABSENCES, CALLERS, EXTRAS, FIGURES, TRIALS})
"""The small marks that say so."""


class Arrangements:
    """Those of one county. One thread calls ``take``; others read, for each part is replaced and never changed."""

    def __init__(
        self,
        inventory: Inventory,
        trials: Trials,
        thresholds: Thresholds,
        plans: Mapping[str, Plan],
        marks: Mapping[str, str],
    ) -> None:
        """``marks`` are those of the moment; ``trials`` and ``thresholds`` only say under which figures."""
        self._inventory = inventory
        self.absences = Absences(inventory)
        self.extras = ExtraRounds(inventory)
        self.trials = trials.anew()
        self.calendar = Calendar.of(inventory.county, self.extras.slots)
        """With the extra rounds as they are arranged now."""
        self.callers = callers.waiting("[]")
        """Who waits for a call, whoever has waited longest first."""
        self.thresholds = thresholds.anew()
        self._plans = dict(plans)
        self.lines_pct = lines_pct(self._plans)
        """The line of each site that counts for the score."""
        self.take(marks)

    @classmethod
    def of(cls, pipeline: Pipeline, marks: Mapping[str, str]) -> "Arrangements":
        """Those of a county that has just been started from its journal."""
        return cls(pipeline.county.inventory, pipeline.trials, pipeline.thresholds, pipeline.county.plans, marks)

    def take(self, marks: Mapping[str, str]) -> bool:
        """Follows what one commit has marked; answers whether anything is arranged differently now."""
        if ABSENCES in marks:
            self.absences.restore(msgspec.json.decode(marks[ABSENCES], type=list[Absence]))
        if CALLERS in marks:
            self.callers = callers.waiting(marks[CALLERS])
        if EXTRAS in marks:
            self.extras.restore(msgspec.json.decode(marks[EXTRAS], type=list[ExtraRound]))
        if TRIALS in marks:
            self.trials.restore(msgspec.json.decode(marks[TRIALS], type=list[Ended]))
        if FIGURES in marks:
            self.thresholds.restore(msgspec.json.decode(marks[FIGURES], type=list[Tuned]))
            self._plans.update((asset.id, self.thresholds.plan(asset)) for asset in self._inventory.assets.values())
        return not MARKS.isdisjoint(marks)
