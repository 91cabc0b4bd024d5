"""短信: every text with what became of it, and what is held and until when."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Response

from alerts.alert import Alert
from alerts.delivery.delivery import DueState
from gateway.desk.auth import Gate
from gateway.desk.pages import MenuPlace, Page
from gateway.desk.present import Desk, Visit
from gateway.desk.users import UserRole
from gateway.desk.view import lay_out

A_PAGE: Final = 100
_LAST: Final = 2**62
FILTERS: Final = {
    "all": ("owed", "sending", "accepted", "delivered", "refused", "failed", "dropped"),
    "waiting": (DueState.OWED, DueState.SENDING),
    "wrong": ("refused", "failed"),
    "dropped": ("dropped",),
}


def routes(desk: Desk, gate: Gate) -> APIRouter:
    """The page of texts."""
    router = APIRouter()

    @router.get("/texts")
    def texts(
        visit: Annotated[Visit, Depends(gate.visit)],
        show: str = "all",
        to: Annotated[str, Query(max_length=64)] = "",
        before: Annotated[int, Query(ge=1, le=_LAST)] = _LAST,
    ) -> Response:
        chosen = show if show in FILTERS else "all"
        with desk.journal() as journal:
            found = journal.messages(A_PAGE, before, FILTERS[chosen], to)
        return lay_out(
            visit,
            "texts.html",
            "/texts",
            messages=[each for each in found if visit.scope.sees(each.asset)],
            older=found[-1].id if len(found) == A_PAGE else 0,
            held=_held(visit) if before == _LAST and not to else [],
            show=chosen,
            filters=list(FILTERS),
            to=to,
            phones=visit.user.role.reaches(UserRole.CREW),
        )

    return router


PAGE: Final = Page(path="/texts", role=UserRole.VIEWER, menu=MenuPlace("短信", 60), routes=routes)


def _held(visit: Visit) -> list[Alert]:
    """Open episodes with something due later, what is due first first."""
    with visit.present.feed.present() as projection:
        held = [
            alert
            for alert in projection.open.values()
            if (alert.tell_ms or alert.shelved_until_ms) and visit.scope.sees(alert.asset)
        ]
    return sorted(held, key=lambda alert: alert.tell_ms or alert.shelved_until_ms)[:A_PAGE]
