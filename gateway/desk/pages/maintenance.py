"""检修 and 计划停电 from a site's page: what is declared, what is ended before its time, and what stands.

What is wrong is said beside the form, which keeps what was typed. What may be declared, by whom and for how long, the
gateway decides; here stand only what somebody sees and how a moment is typed.
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Response

from alerts.episodes.maintenance import Declared, Wish, covered
from alerts.windows import Work
from gateway.commands.maintenance import DeclareWindow, EndWindow, ListWindows
from gateway.desk import words
from gateway.desk.auth import DeskRefusal, Form, Gate, site
from gateway.desk.drafts import LONGEST_REASON, Draft, signed
from gateway.desk.layout import lay_out
from gateway.desk.page import Page
from gateway.desk.present import Desk, Visit
from gateway.desk.saying import Outcome, await_answer, word_outcome
from gateway.desk.users import UserRole
from telemetry.inventory import Asset

HOUR_MS: Final = 3_600_000
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
        wish = _wish(visit, asset, draft)
        if draft.faults:
            return _sheet(desk, visit, asset, draft)
        if any(_same(each, wish) for each in _standing(await_answer(desk, ListWindows()), asset)):
            return _said(visit, asset, Outcome("work_known", good=True))
        outcome = _outcome(await_answer(desk, DeclareWindow(wish=wish, **who._asdict())), "work_declared")
        desk.note(visit, "work", f"{wish.work} {wish.subject} {outcome.name}")
        if not outcome.good:
            draft.refused(outcome)
            return _sheet(desk, visit, asset, draft)
        return _said(visit, asset, outcome)

    @router.post("/assets/{name}/work/end")
    def end(sent: Annotated[tuple[Visit, Form], Depends(gate.writing)], name: str) -> Response:
        visit, form = sent
        asset = site(visit, name)
        who = signed(visit)
        standing = _standing(await_answer(desk, ListWindows()), asset)
        found = next((each for each in standing if each.window.id == form.get("window")), None)
        if found is None or not _may_end(visit, found):
            raise DeskRefusal(HTTPStatus.NOT_FOUND, "no_work")
        window = found.window
        outcome = _outcome(await_answer(desk, EndWindow(window=window.id, **who._asdict())), "work_withdrawn")
        desk.note(visit, "work", f"{window.work} {window.subject} {outcome.name}")
        return _said(visit, asset, outcome)

    return router


PAGE: Final = Page(path="/assets/{name}/work", role=UserRole.DISPATCHER, routes=routes)


def _sheet(desk: Desk, visit: Visit, asset: Asset, draft: Draft) -> Response:
    verdict = await_answer(desk, ListWindows())
    usual = visit.present.arrangements.calendar.local(visit.now_ms + USUAL_H * HOUR_MS)
    return lay_out(
        visit,
        "work.html",
        "/assets",
        draft.status,
        asset=asset,
        feeder=_feeder(visit, asset),
        typed={"work": "", "since": "", "until": f"{usual:%Y-%m-%dT%H:00}", "reason": ""} | draft.typed,
        faults=draft.faults,
        known=isinstance(verdict, tuple),
        standing=[(each.window, len(each.assets), _may_end(visit, each)) for each in _standing(verdict, asset)],
        longest=LONGEST_REASON,
    )


def _feeder(visit: Visit, asset: Asset) -> FeederChoice | None:
    if asset.plant is None or not asset.plant.feeder:
        return None
    inventory, feeder = visit.present.inventory, asset.plant.feeder
    plants = covered(inventory, Work.PLANNED_CUT, feeder)
    within = all(visit.scope.sees(plant.id) for plant in plants)
    return FeederChoice(feeder, inventory.feeders[feeder].name, len(plants), within)


def _wish(visit: Visit, asset: Asset, draft: Draft) -> Wish:
    """What the gateway is asked; it counts only where the draft has no fault."""
    subject = asset.id
    try:
        work = Work(draft.typed["work"])
    except ValueError:
        raise DeskRefusal(HTTPStatus.BAD_REQUEST, "bad_form") from None
    if work is Work.PLANNED_CUT:
        feeder = _feeder(visit, asset)
        if feeder is None:
            raise DeskRefusal(HTTPStatus.BAD_REQUEST, "bad_form")
        if not feeder.within:
            draft.fault("wider")
        subject = feeder.id
    reason = draft.reason()
    return Wish(work, subject, *draft.span(visit), reason)


def _standing(verdict: object, asset: Asset) -> list[Declared]:
    """The windows of a site that are not over, by when they begin."""
    found = verdict if isinstance(verdict, tuple) else ()
    return sorted((each for each in found if asset.id in each.assets), key=lambda each: each.window.from_ms)


def _same(declared: Declared, wish: Wish) -> bool:
    """A button that is pressed twice declares once."""
    window = declared.window
    there = (window.work, window.subject, window.until_ms, window.reason)
    return there == (wish.work, wish.subject, wish.until_ms, wish.reason)


def _may_end(visit: Visit, declared: Declared) -> bool:
    """Whoever sees only a part of what is covered does not end it for the rest."""
    return all(visit.scope.sees(asset) for asset in declared.assets)


def _outcome(verdict: object, event: str) -> Outcome:
    return Outcome(event, good=True) if isinstance(verdict, Declared) else word_outcome(verdict)


def _said(visit: Visit, asset: Asset, outcome: Outcome) -> Response:
    title = words.word("events", "work_declared")
    return lay_out(visit, "said.html", "/assets", title=title, outcome=outcome, back=f"/assets/{asset.id}")
