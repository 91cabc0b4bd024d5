"""检修 and 计划停电 from a site's page: what is declared, what is ended before its time, and what stands.

What is wrong is said beside the form, which keeps what was typed. What may be declared, by whom and for how long, the
gateway decides; here stand only what somebody sees and how a moment is typed.
"""

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Response

from alerts.maintenance import covered
from alerts.windows import Work
from gateway.commands import Declare, Declared, Windows, Wish, Withdraw
from gateway.desk import words
from gateway.desk.leaf import leaf
from gateway.desk.present import Desk, Visit
from gateway.desk.saying import Outcome, answered, said
from gateway.desk.typed_times import moment
from gateway.desk.users import Deed, Role
from gateway.desk.visiting import Form, Gate, Refusal, require
from telemetry.inventory import Asset
from telemetry.reading import Millis

HOUR_MS: Final = 3_600_000
USUAL_H: Final = 4
"""For how long work is declared where nobody says otherwise."""
LONGEST_REASON: Final = 60
_FIELDS: Final = ("work", "since", "until", "reason")


@dataclass(slots=True)
class Draft:
    """What was typed, and in sentences what is wrong with it."""

    typed: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def fault(self, name: str) -> None:
        """One more thing that is wrong."""
        self.faults.append(words.word("work_faults", name))


@dataclass(frozen=True, slots=True)
class Feeder:
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
        return _sheet(desk, visit, _asset(visit, name), Draft())

    @router.post("/assets/{name}/work")
    def declare(sent: Annotated[tuple[Visit, Form], Depends(gate.writing)], name: str) -> Response:
        visit, form = sent
        asset = _asset(visit, name)
        by, draft = _person(visit), Draft({key: form.get(key, "").strip() for key in _FIELDS})
        wish = _wish(visit, asset, draft)
        if draft.faults:
            return _sheet(desk, visit, asset, draft)
        verdict = answered(desk, Declare(wish=wish, by=by, channel="desk", origin=_origin(visit)))
        outcome = _outcome(verdict, "work_declared")
        _note(desk, visit, f"{wish.work} {wish.subject} {outcome.name}")
        if not outcome.good:
            draft.faults.append(_sentence(outcome))
            return _sheet(desk, visit, asset, draft)
        return _said(visit, asset, outcome)

    @router.post("/assets/{name}/work/end")
    def end(sent: Annotated[tuple[Visit, Form], Depends(gate.writing)], name: str) -> Response:
        visit, form = sent
        asset = _asset(visit, name)
        by = _person(visit)
        found = {each.window.id: each for each in _standing(answered(desk, Windows()), asset)}.get(
            form.get("window", "")
        )
        if found is None or not _may_end(visit, found):
            raise Refusal(HTTPStatus.NOT_FOUND, "no_work")
        window = found.window
        verdict = answered(desk, Withdraw(window=window.id, by=by, channel="desk", origin=_origin(visit)))
        outcome = _outcome(verdict, "work_withdrawn")
        _note(desk, visit, f"{window.work} {window.subject} {outcome.name}")
        return _said(visit, asset, outcome)

    return router


def _sheet(desk: Desk, visit: Visit, asset: Asset, draft: Draft) -> Response:
    calendar, status = visit.present.calendar, HTTPStatus.UNPROCESSABLE_ENTITY if draft.faults else HTTPStatus.OK
    verdict = answered(desk, Windows())
    usual = calendar.local(visit.now_ms + USUAL_H * HOUR_MS)
    return leaf(
        visit,
        "work.html",
        "assets",
        status,
        asset=asset,
        feeder=_feeder(visit, asset),
        typed={"work": "", "since": "", "until": f"{usual:%Y-%m-%dT%H:00}", "reason": ""} | draft.typed,
        faults=draft.faults,
        known=isinstance(verdict, tuple),
        standing=[(each.window, len(each.assets), _may_end(visit, each)) for each in _standing(verdict, asset)],
        longest=LONGEST_REASON,
    )


def _asset(visit: Visit, name: str) -> Asset:
    """A site that a dispatcher sees; any other is as if it were not there."""
    require(visit, Role.DISPATCHER)
    asset = visit.present.inventory.assets.get(name)
    if asset is None or not visit.scope.sees(name):
        raise Refusal(HTTPStatus.NOT_FOUND, "not_found")
    return asset


def _person(visit: Visit) -> str:
    if not visit.user.person:
        raise Refusal(HTTPStatus.FORBIDDEN, "no_person")
    return visit.user.person


def _feeder(visit: Visit, asset: Asset) -> Feeder | None:
    if asset.plant is None or not asset.plant.feeder:
        return None
    inventory, feeder = visit.present.inventory, asset.plant.feeder
    plants = covered(inventory, Work.PLANNED_CUT, feeder)
    within = all(visit.scope.sees(plant.id) for plant in plants)
    return Feeder(feeder, inventory.feeders[feeder].name, len(plants), within)


def _wish(visit: Visit, asset: Asset, draft: Draft) -> Wish:
    """What the gateway is asked; it counts only where the draft has no fault."""
    typed, subject = draft.typed, asset.id
    try:
        work = Work(typed["work"])
    except ValueError:
        raise Refusal(HTTPStatus.BAD_REQUEST, "bad_form") from None
    if work is Work.PLANNED_CUT:
        feeder = _feeder(visit, asset)
        if feeder is None:
            raise Refusal(HTTPStatus.BAD_REQUEST, "bad_form")
        if not feeder.within:
            draft.fault("wider")
        subject = feeder.id
    reason = typed["reason"]
    if not reason:
        draft.fault("no_reason")
    elif len(reason) > LONGEST_REASON or not reason.isprintable():
        draft.fault("bad_reason")
    since_ms, until_ms = _span(visit, draft)
    return Wish(work, subject, since_ms, until_ms, reason)


def _span(visit: Visit, draft: Draft) -> tuple[Millis, Millis]:
    """From when, 0 for now, until when."""
    calendar, typed = visit.present.calendar, draft.typed
    since_ms = moment(calendar, typed["since"]) if typed["since"] else 0
    until_ms = moment(calendar, typed["until"])
    if since_ms is None:
        draft.fault("bad_since")
    elif 0 != since_ms < visit.now_ms:
        draft.fault("since_past")
    if until_ms is None:
        draft.fault("bad_until" if typed["until"] else "no_until")
    elif until_ms <= max(since_ms or 0, visit.now_ms):
        draft.fault("ends_early")
    return since_ms or 0, until_ms or 0


def _standing(verdict: object, asset: Asset) -> list[Declared]:
    """The windows of a site that are not over, by when they begin."""
    found = verdict if isinstance(verdict, tuple) else ()
    return sorted((each for each in found if asset.id in each.assets), key=lambda each: each.window.from_ms)


def _may_end(visit: Visit, declared: Declared) -> bool:
    """Whoever sees only a part of what is covered does not end it for the rest."""
    return all(visit.scope.sees(asset) for asset in declared.assets)


def _outcome(verdict: object, event: str) -> Outcome:
    return Outcome(event, good=True) if isinstance(verdict, Declared) else said(verdict)


def _sentence(outcome: Outcome) -> str:
    return "：".join(part for part in (words.word("outcomes", outcome.name), outcome.detail) if part)


def _said(visit: Visit, asset: Asset, outcome: Outcome) -> Response:
    title = words.word("events", "work_declared")
    return leaf(visit, "said.html", "assets", title=title, outcome=outcome, back=f"/assets/{asset.id}")


def _note(desk: Desk, visit: Visit, what: str) -> None:
    desk.users.note(Deed(desk.wall_ms(), visit.user.name, visit.address, "work", what))


def _origin(visit: Visit) -> str:
    return f"{visit.user.name}@{visit.address}"
