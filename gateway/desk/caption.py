"""The demo's caption under the menu: every page asks for it, and gets it when it has changed. Never in production."""

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Response

from gateway.desk.captions import EVENTS, Kind, Known, caption
from gateway.desk.leaf import leaf
from gateway.desk.morning import exposure
from gateway.desk.pages.demo import ACTOR
from gateway.desk.present import Desk, Visit
from gateway.desk.visiting import Gate

_EVENTS: Final = 200
_WITHIN: Final = 3_000
_TEXTS: Final = 100
_LAST: Final = 2**62
_ARRIVED: Final = ("accepted", "delivered")


def routes(desk: Desk, gate: Gate) -> APIRouter:
    """The caption."""
    router = APIRouter()

    @router.get("/caption")
    def now(
        visit: Annotated[Visit, Depends(gate.visit)], shown: Annotated[str, Query(max_length=200)] = ""
    ) -> Response:
        present = visit.present
        with desk.journal() as journal:
            events = journal.newest_events(EVENTS, _EVENTS, _WITHIN)
            messages = journal.messages(_TEXTS, _LAST, _ARRIVED)
            with present.feed.present() as projection:
                seen = exposure(visit.scope, projection, present.arrangements.lines_pct)
                running = present.rounds.of(visit.scope.assets, projection, visit.now_ms)
                known = Known(present.inventory, events, messages, frozenset(projection.open), seen, running)
            said = caption(visit.now_ms, known)
            alone = said.by_itself
            if said.kind is Kind.ANSWERED and said.person in present.inventory.people:
                last = journal.said_from(present.inventory.people[said.person].phone, 1)
                alone = bool(last) and last[0].channel == ACTOR
        if said.key == shown:
            return Response(status_code=HTTPStatus.NO_CONTENT)
        return leaf(visit, "caption.html", "", said=said, seen=seen, running=running, alone=alone)

    return router
