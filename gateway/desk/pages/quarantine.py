"""隔离: what was refused on its way in, by reason, and 重新处理 once the cause is mended. Nothing is judged here."""

import re
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Response

from gateway.commands.quarantine import NO_UPLINKS, LookAgain
from gateway.desk.auth import DeskRefusal, Form, Gate
from gateway.desk.drafts import obey, say, signed
from gateway.desk.pages import MenuPlace, Page
from gateway.desk.present import Desk, Visit
from gateway.desk.users import UserRole
from gateway.desk.view import lay_out

SHOWN: Final = 200
_REASON: Final = re.compile(r"[a-z_]{1,40}")


def routes(desk: Desk, gate: Gate) -> APIRouter:
    """The page, and the second look."""
    router = APIRouter()
    dispatcher = gate.for_role(UserRole.DISPATCHER)

    @router.get("/quarantine")
    def quarantine(
        visit: Annotated[Visit, Depends(gate.visit)], reason: Annotated[str, Query(max_length=64)] = ""
    ) -> Response:
        with desk.journal() as journal:
            reasons = journal.quarantine_by_reason()
            newest = journal.newest_quarantine(reason, SHOWN)
        return lay_out(
            visit,
            "quarantine.html",
            "/quarantine",
            reasons=reasons,
            newest=newest,
            reason=reason,
            shown=_shown,
            not_again=NO_UPLINKS,
        )

    @router.post("/quarantine/again")
    def again(sent: Annotated[tuple[Visit, Form], Depends(dispatcher.writing)]) -> Response:
        visit, form = sent
        reason = form.get("reason", "")
        who = signed(visit)
        if not _REASON.fullmatch(reason):
            raise DeskRefusal(HTTPStatus.BAD_REQUEST, "bad_form")
        outcome = obey(desk, visit, LookAgain(reason=reason, **who), "looked_again", f"{reason} -")
        return say(visit, "/quarantine", ("events", "looked_again"), outcome, f"/quarantine?reason={reason}")

    return router


PAGE: Final = Page(path="/quarantine", role=UserRole.CREW, menu=MenuPlace("隔离", 90), whole=True, routes=routes)


def _shown(payload: bytes) -> str:
    """The beginning of a payload as far as it is text, else its bytes."""
    text = payload.decode("utf-8", "replace")
    return text if text.isprintable() else payload.hex(" ")
