"""试运行: what is on trial and until when, what it keeps quiet, and 转正式, which ends it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Response

from alerts.alert import Alert
from alerts.notify.holds import Trial, TrialKind
from alerts.notify.stages import TRIAL
from gateway.commands.trials import EndTrial
from gateway.desk.auth import Form, Gate, require
from gateway.desk.drafts import choose, obey, pick, say, signed
from gateway.desk.pages import MenuPlace, Page
from gateway.desk.present import Desk, Visit
from gateway.desk.users import UserRole
from gateway.desk.view import lay_out
from telemetry.reading import Millis

SHOWN: Final = 100
_FEW: Final = 2
"""From so many new things on an area is offered as a whole."""


@dataclass(frozen=True, slots=True)
class TrialRow:
    """Something on trial as the page shows it; ``new`` counts what is new within an area."""

    kind: TrialKind
    id: str
    name: str
    path: str
    until_ms: Millis
    usual: bool = False
    new: int = 0


def routes(desk: Desk, gate: Gate) -> APIRouter:
    """The page, the dialog, and the end of a trial."""
    router = APIRouter()

    @router.get("/trial")
    def trial(visit: Annotated[Visit, Depends(gate.visit)]) -> Response:
        rows = _rows(visit)
        may_end = visit.user.role.reaches(UserRole.DISPATCHER) and bool(visit.user.person)
        return lay_out(
            visit,
            "trial.html",
            "/trial",
            trials=rows[:SHOWN],
            more=max(0, len(rows) - SHOWN),
            held=_held(visit),
            may_end=may_end,
        )

    @router.get("/trial/end")
    def ask(
        visit: Annotated[Visit, Depends(gate.visit)], kind: TrialKind, name: Annotated[str, Query(max_length=64)]
    ) -> Response:
        require(visit, UserRole.DISPATCHER)
        return lay_out(visit, "trial_end.html", "/trial", row=_row(visit, kind, name))

    @router.post("/trial/end")
    def end(sent: Annotated[tuple[Visit, Form], Depends(gate.writing)]) -> Response:
        visit, form = sent
        require(visit, UserRole.DISPATCHER)
        who = signed(visit)
        kind = TrialKind(choose(form.get("kind", ""), list(TrialKind)))
        row = _row(visit, kind, form.get("name", ""))
        outcome = obey(desk, visit, EndTrial(kind=row.kind, name=row.id, **who), "trial", f"{row.kind} {row.id}")
        return say(visit, "/trial", ("events", "trial_ended"), outcome, "/trial")

    return router


PAGE: Final = Page(path="/trial", role=UserRole.VIEWER, menu=MenuPlace("试运行", 80), routes=routes)


def _row(visit: Visit, kind: TrialKind, name: str) -> TrialRow:
    """One that runs and may be seen; any other is as if it were not there."""
    return pick((row for row in _rows(visit) if (row.kind, row.id) == (kind, name)), "no_trial")


def _rows(visit: Visit) -> list[TrialRow]:
    """Everything on trial, areas first, then what ends first."""
    running = list(visit.present.arrangements.trials.running(visit.now_ms))
    rows = [*_new_by_area(visit, running), *(row for trial in running for row in _of_one(visit, trial))]
    return sorted(rows, key=lambda row: (row.kind is not TrialKind.AREA, row.until_ms, row.name))


def _of_one(visit: Visit, trial: Trial) -> Iterator[TrialRow]:
    inventory, scope = visit.present.inventory, visit.scope
    if trial.kind is TrialKind.AREA:
        if scope.sees_area(trial.name):
            yield TrialRow(trial.kind, trial.name, inventory.areas[trial.name].name, "", trial.until_ms)
        return
    asset = trial.name if trial.kind is TrialKind.ASSET else inventory.devices[trial.name].asset
    if scope.sees(asset):
        name = inventory.assets[asset].name if trial.kind is TrialKind.ASSET else trial.name
        yield TrialRow(trial.kind, trial.name, name, f"/assets/{asset}", trial.until_ms, trial.usual)


def _new_by_area(visit: Visit, running: list[Trial]) -> Iterator[TrialRow]:
    """Areas in which several things are new, so that one need not go through them one by one."""
    inventory, dated = visit.present.inventory, {trial.name for trial in running if trial.kind is TrialKind.AREA}
    counted: Counter[str] = Counter()
    until: dict[str, Millis] = {}
    for trial in running:
        if trial.usual:
            for node in inventory.around(inventory.assets[trial.name].areas):
                counted[node] += 1
                until[node] = max(until.get(node, 0), trial.until_ms)
    for area in inventory.areas.values():
        if counted[area.id] >= _FEW and area.id not in dated and visit.scope.sees_area(area.id):
            yield TrialRow(TrialKind.AREA, area.id, area.name, "", until[area.id], new=counted[area.id])


def _held(visit: Visit) -> list[Alert]:
    """Episodes that would have told somebody by now, or will, but for a trial."""
    with visit.present.feed.present() as projection:
        held = [alert for alert in projection.open.values() if alert.reason == TRIAL and visit.scope.sees(alert.asset)]
    return sorted(held, key=lambda alert: alert.raised_ms)
