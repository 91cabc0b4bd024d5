"""检修 and 计划停电 from a site's page: what is declared, what is ended before its time, and what stands.

What is wrong is said beside the form, which keeps what was typed. What may be declared, by whom and for how long, the
gateway decides; here stand only what somebody sees and how a moment is typed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Response

from alerts.calendars import HOUR_MS
from alerts.episodes.maintenance import Declared, covered
from alerts.windows import Work
from gateway.commands.maintenance import DeclareWindow, EndWindow, ListWindows
from gateway.desk.auth import DeskRefusal, Form, Gate, site
from gateway.desk.drafts import Draft, choose, obey, pick, say, signed
from gateway.desk.pages import Page
from gateway.desk.present import Desk, Visit
from gateway.desk.saying import Outcome, await_answer
from gateway.desk.users import UserRole
from telemetry.inventory import Asset

USUAL_H: Final = 4
"""For how long work is declared where nobody says otherwise."""
_FIELDS: Final = ("work", "since", "until", "reason")


@dataclass(frozen=True, slots=True)
class FeederChoice:
    """The power line of a plant, how many plants hang on it, and whether the visitor sees them all."""

    id: str
    name: str
    plants: int
    within: bool


def routes(desk: Desk, gate: Gate) -> APIRouter:
    """The sheet of one site, a window declared, and one ended."""
    router = APIRouter()

    @router.get("/assets/{name}/work")
    def ask(visit: Annotated[Visit, Depends(gate.visit)], name: str) -> Response:
        return _sheet(desk, visit, site(visit, name), Draft())

    @router.post("/assets/{name}/work")
    def declare(sent: Annotated[tuple[Visit, Form], Depends(gate.writing)], name: str) -> Response:
        visit, form = sent
        asset = site(visit, name)
        who, draft = signed(visit), Draft.of(form, _FIELDS)
        wish = _wish(visit, asset, draft, who)
        if draft.faults:
            return _sheet(desk, visit, asset, draft)
        if any(_same(each, wish) for each in _standing(await_answer(desk, ListWindows()), asset)):
            return _said(visit, asset, Outcome("work_known", good=True))
        outcome = draft.obey(desk, visit, wish, "work", f"{wish.work} {wish.subject}")
        return _sheet(desk, visit, asset, draft) if outcome is None else _said(visit, asset, outcome)

    @router.post("/assets/{name}/work/end")
    def end(sent: Annotated[tuple[Visit, Form], Depends(gate.writing)], name: str) -> Response:
        visit, form = sent
        asset = site(visit, name)
        who = signed(visit)
        standing = _standing(await_answer(desk, ListWindows()), asset)
        named = (each for each in standing if each.window.id == form.get("window") and _may_end(visit, each))
        window = pick(named, "no_work").window
        outcome = obey(desk, visit, EndWindow(window=window.id, **who), "work", f"{window.work} {window.subject}")
        return _said(visit, asset, outcome)

    return router


PAGE: Final = Page(path="/assets/{name}/work", role=UserRole.DISPATCHER, routes=routes)


def _sheet(desk: Desk, visit: Visit, asset: Asset, draft: Draft) -> Response:
    verdict = await_answer(desk, ListWindows())
    usual = visit.present.arrangements.calendar.local(visit.now_ms + USUAL_H * HOUR_MS)
    return draft.lay_out(
        visit,
        "work.html",
        "/assets",
        dict.fromkeys(_FIELDS, "") | {"until": f"{usual:%Y-%m-%dT%H:00}"},
        asset=asset,
        feeder=_feeder(visit, asset),
        known=isinstance(verdict, tuple),
        standing=[(each.window, len(each.assets), _may_end(visit, each)) for each in _standing(verdict, asset)],
    )


def _feeder(visit: Visit, asset: Asset) -> FeederChoice | None:
    if asset.plant is None or not asset.plant.feeder:
        return None
    inventory, feeder = visit.present.inventory, asset.plant.feeder
    plants = covered(inventory, Work.PLANNED_CUT, feeder)
    within = all(visit.scope.sees(plant.id) for plant in plants)
    return FeederChoice(feeder, inventory.feeders[feeder].name, len(plants), within)


def _wish(visit: Visit, asset: Asset, draft: Draft, who: Mapping[str, str]) -> DeclareWindow:
    """What the gateway is asked; it counts only where the draft has no fault."""
    subject = asset.id
    work = Work(choose(draft.typed["work"], list(Work)))
    if work is Work.PLANNED_CUT:
        feeder = _feeder(visit, asset)
        if feeder is None:
            raise DeskRefusal(HTTPStatus.BAD_REQUEST, "bad_form")
        if not feeder.within:
            draft.fault("wider")
        subject = feeder.id
    reason, (since_ms, until_ms) = draft.reason(), draft.span(visit)
    return DeclareWindow(work=work, subject=subject, from_ms=since_ms, until_ms=until_ms, reason=reason, **who)


def _standing(verdict: object, asset: Asset) -> list[Declared]:
    """The windows of a site that are not over, by when they begin."""
    found = verdict if isinstance(verdict, tuple) else ()
    return sorted((each for each in found if asset.id in each.assets), key=lambda each: each.window.from_ms)


def _same(declared: Declared, wish: DeclareWindow) -> bool:
    """A button that is pressed twice declares once."""
    window = declared.window
    there = (window.work, window.subject, window.until_ms, window.reason)
    return there == (wish.work, wish.subject, wish.until_ms, wish.reason)


def _may_end(visit: Visit, declared: Declared) -> bool:
    """Whoever sees only a part of what is covered does not end it for the rest."""
    return all(visit.scope.sees(asset) for asset in declared.assets)


def _said(visit: Visit, asset: Asset, outcome: Outcome) -> Response:
    return say(visit, "/assets", ("events", "work_declared"), outcome, f"/assets/{asset.id}")
