"""The demo's telephone: the texts of one person as they come in, on a screen like their own. Never in production."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Response

from gateway.desk.leaf import leaf
from gateway.desk.present import Desk, Visit
from gateway.desk.visiting import Gate

SHOWN: Final = 30
_ARRIVED: Final = ("accepted", "delivered")
_LAST: Final = 2**62
_AMONG: Final = 300


def routes(desk: Desk, gate: Gate) -> APIRouter:
    """The telephone."""
    router = APIRouter()

    @router.get("/telephone")
    def telephone(
        visit: Annotated[Visit, Depends(gate.visit)], of: Annotated[str, Query(max_length=64)] = ""
    ) -> Response:
        with desk.journal() as journal:
            all_texts = journal.messages(_AMONG, _LAST, _ARRIVED)
            counts: dict[str, int] = {}
            for each in all_texts:
                counts[each.to] = counts.get(each.to, 0) + 1
            chosen = of if of in visit.present.inventory.people else next((each.to for each in all_texts), "")
            texts = journal.messages(SHOWN, _LAST, _ARRIVED, chosen) if chosen else []
        return leaf(visit, "telephone.html", "telephone", texts=list(reversed(texts)), chosen=chosen, counts=counts)

    return router
