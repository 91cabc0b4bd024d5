"""登记: a case by telephone or on sight in ten seconds; a double click is one case.

What is wrong is said beside the form, which keeps what was typed. The ledger is asked what
the API asks; nothing is decided here about a case.
"""

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError

from alerts.ledger.case import Register
from gateway.commands.cases import REGISTER, AskLedger
from gateway.desk.auth import CSRF_HEADER, DeskRefusal, Form, Gate, came_from_here
from gateway.desk.bodies import bears
from gateway.desk.cases import REGISTER_BODY
from gateway.desk.commands_api import wish_of
from gateway.desk.drafts import Draft, choose, signed
from gateway.desk.pages import MenuPlace, Page
from gateway.desk.photos import LARGEST, PhotoTrouble
from gateway.desk.present import Desk, Visit
from gateway.desk.saying import asked
from gateway.desk.scope import UserScope
from gateway.desk.users import UserRole
from gateway.desk.view import html, lay_out
from telemetry.terms import Level

REPORTED: Final = "reported"
MOST_SPOTS: Final = 12
KEY: Final = 24
"""Random bytes' worth of letters that make one form one case."""
_SAID_BY_FIELD: Final = {
    "what": "bad_what",
    "place": "bad_detail",
    "caller_name": "bad_caller",
    "caller_phone": "bad_phone",
}
_FIELDS: Final = ("where", "detail", "rule", "what", "reported", "caller_name", "caller_phone", "photo", "key")


@dataclass(frozen=True, slots=True)
class Spot:
    """An asset or an area under the words by which it is chosen."""

    label: str
    asset: str = ""
    area: str = ""
    also: str = ""
    """Other words that people may use for it."""

    @property
    def id(self) -> str:
        """What a form says for it."""
        return f"asset:{self.asset}" if self.asset else f"area:{self.area}"


@dataclass(slots=True)
class CaseDraft(Draft):
    """What is wrong with it by its names in the template, and which places it may mean."""

    spots: list[Spot] = field(default_factory=list)


def routes(desk: Desk, gate: Gate) -> APIRouter:
    """The form, what it offers while one types, a photograph, and the case."""
    router = APIRouter()
    anybody = gate.for_role(UserRole.VIEWER)

    @router.get("/register")
    def empty(
        visit: Annotated[Visit, Depends(gate.visit)], asset: Annotated[str, Query(max_length=64)] = ""
    ) -> Response:
        spot = spot_by_id(visit.scope, f"asset:{asset}") if asset else None
        return _page(visit, CaseDraft({"where": spot.label if spot else ""}))

    @router.get("/register/places")
    def offered(
        visit: Annotated[Visit, Depends(anybody.visit)], where: Annotated[str, Query(max_length=80)] = ""
    ) -> Response:
        return html("places.html", spots=find_spots(visit.scope, where))

    @router.post("/register/photo")
    async def photo(request: Request, visit: Annotated[Visit, Depends(gate.visit)]) -> Response:
        if not came_from_here(request) or not bears(request.headers.get(CSRF_HEADER, ""), visit.session.csrf):
            raise DeskRefusal(HTTPStatus.FORBIDDEN, "csrf")
        kept = await desk.photos.receive(request.stream(), visit.user.name, desk.wall_ms())
        return _kept(kept)

    @router.post("/register")
    def register(sent: Annotated[tuple[Visit, Form], Depends(gate.writing)]) -> Response:
        visit, form = sent
        who = signed(visit)
        draft = CaseDraft.of(form, _FIELDS)
        wish = _wish(desk, visit, draft, form, who)
        if wish is None:
            return _page(visit, draft)
        outcome = asked(desk, AskLedger(wish))
        if not outcome.good:
            draft.faults.append(outcome.name)
            return _page(visit, draft, outcome.detail)
        return RedirectResponse(f"/cases/{outcome.case}?said=registered", HTTPStatus.SEE_OTHER)

    return router


PAGE: Final = Page(path="/register", role=UserRole.CREW, menu=MenuPlace("登记", 30), routes=routes)


def _kept(kept: str | PhotoTrouble) -> Response:
    if not isinstance(kept, PhotoTrouble):
        return html("photo.html", fault="", name=kept)
    if kept is not PhotoTrouble.TOO_MANY:
        return html("photo.html", HTTPStatus.UNPROCESSABLE_ENTITY, fault=str(kept), name="")
    busy = html("photo.html", HTTPStatus.SERVICE_UNAVAILABLE, fault=str(kept), name="")
    busy.headers["Retry-After"] = "10"
    return busy


def _page(visit: Visit, draft: CaseDraft, detail: str = "") -> Response:
    draft.typed.setdefault("key", "")
    return lay_out(
        visit,
        "register.html",
        "/register",
        HTTPStatus.UNPROCESSABLE_ENTITY if draft.faults else HTTPStatus.OK,
        typed={name: draft.typed.get(name, "") for name in _FIELDS} | {"key": draft.typed["key"] or _key()},
        faults=draft.faults,
        spots=draft.spots,
        detail=detail,
        rules=[(name, rule) for name, rule in visit.present.cases.rules.items() if not rule.seen],
        largest_mb=LARGEST // 1024**2,
    )


def _key() -> str:
    return secrets.token_hex(KEY // 2)


def _wish(desk: Desk, visit: Visit, draft: CaseDraft, form: Form, who: Mapping[str, str]) -> Register | None:
    """What the ledger is asked; ``None`` when something is wrong, which the draft then says."""
    typed = draft.typed
    spot = _spot(visit, draft, form)
    rules = visit.present.cases.rules
    rule = choose(typed["rule"] or REPORTED, rules)
    what = typed["what"] or ("" if rule == REPORTED else rules[rule].says)
    if not what:
        draft.faults.append("no_what")
    if typed["photo"] and not desk.photos.keep(typed["photo"], visit.user.name):
        draft.faults.append("photo_gone")
        typed["photo"] = ""
    try:
        body = REGISTER_BODY.model_validate(
            {
                "what": what or "-",
                "by": visit.user.person,
                "reported": typed["reported"] or "telephone",
                "asset": spot.asset if spot else "",
                "area": spot.area if spot else "",
                "place": typed["detail"],
                "rule": rule,
                "caller_name": typed["caller_name"],
                "caller_phone": typed["caller_phone"],
                "photo": typed["photo"],
                "key": f"{visit.user.name}.{typed['key']}"[:64] if typed["key"] else "",
            }
        )
    except ValidationError as error:
        named = {_SAID_BY_FIELD.get(str(fault["loc"][0]), "bad_form") for fault in error.errors()}
        draft.faults += sorted(named)
        return None
    return None if draft.faults else wish_of(REGISTER, body, channel="desk", origin=who["origin"])


def _spot(visit: Visit, draft: CaseDraft, form: Form) -> Spot | None:
    """Where it is; where several may be meant, the page asks which, and takes the answer for the same words only."""
    where = draft.typed["where"][:80]
    chosen = form.get("spot", "") if form.get("spots_of", "") == where else ""
    spot = spot_by_id(visit.scope, chosen) if chosen else spot_meant(visit.scope, where)
    if spot is None:
        draft.spots = find_spots(visit.scope, where)
        draft.faults.append("which_place" if draft.spots else "unknown_place" if where else "no_place")
    return spot


def find_spots(scope: UserScope, words: str, most: int = MOST_SPOTS) -> list[Spot]:
    """What these words may mean, what they begin before what they are a part of."""
    parts = words.lower().split()
    if not parts:
        return []
    hits = [spot for spot in _spots(scope) if all(part in f"{spot.label} {spot.also}".lower() for part in parts)]
    hits.sort(key=lambda spot: (spot.label != words.strip(), not spot.also.lower().startswith(parts[0])))
    return hits[:most]


def spot_meant(scope: UserScope, words: str) -> Spot | None:
    """The one that is meant beyond doubt: the only one, or the only one that is called just so."""
    hits = find_spots(scope, words, 2)
    just_so = [spot for spot in find_spots(scope, words) if words.strip() in (spot.label, *spot.also.split())]
    if len(just_so) == 1:
        return just_so[0]
    return hits[0] if len(hits) == 1 else None


def spot_by_id(scope: UserScope, name: str) -> Spot | None:
    """The one that a form named."""
    return next((spot for spot in _spots(scope) if spot.id == name), None)


def _spots(scope: UserScope) -> Iterator[Spot]:
    for asset in scope.assets:
        town = scope.town_of(asset.area)
        where = f"（{asset.landmark}）" if asset.landmark else ""
        yield Spot(f"{town} {asset.name}{where}".strip(), asset=asset.id, also=f"{asset.short} {asset.name} {asset.id}")
    for area in scope.inventory.areas.values():
        if scope.sees_area(area.id):
            town = "" if area.level is Level.TOWN else scope.town_of(area.id)
            yield Spot(f"{town} {area.name}".strip(), area=area.id, also=f"{area.name} {area.id}")
