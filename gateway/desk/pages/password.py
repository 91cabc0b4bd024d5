"""改密码: one's own password, for who knows the old one. Whether it is the old one is ``login``'s to say.

Whoever has forgotten it is helped by ``cunjing desk adduser``, on the machine itself.
"""

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response

from gateway.desk.auth import COOKIE, DeskRefusal, Form, Gate
from gateway.desk.login import RETRY_AFTER_S, LoginOutcome
from gateway.desk.pages import Page
from gateway.desk.present import Desk, Visit
from gateway.desk.users import LONGEST, SHORTEST, UserRole
from gateway.desk.view import lay_out

_STATUS: Final = {
    LoginOutcome.OPEN: HTTPStatus.OK,
    LoginOutcome.WRONG: HTTPStatus.UNPROCESSABLE_ENTITY,
    LoginOutcome.BARRED: HTTPStatus.TOO_MANY_REQUESTS,
    LoginOutcome.BUSY: HTTPStatus.SERVICE_UNAVAILABLE,
}


def routes(desk: Desk, gate: Gate) -> APIRouter:
    """The form, and the change itself."""
    router = APIRouter()

    @router.get("/password")
    def form_for(visit: Annotated[Visit, Depends(gate.visit)]) -> Response:
        return _page(visit)

    @router.post("/password")
    def change(request: Request, sent: Annotated[tuple[Visit, Form], Depends(gate.writing)]) -> Response:
        visit, form = sent
        if visit.user.demo:
            raise DeskRefusal(HTTPStatus.FORBIDDEN, "role")
        old, new = form.get("old", ""), form.get("new", "")
        if new != form.get("again", ""):
            return _page(visit, HTTPStatus.UNPROCESSABLE_ENTITY, "different")
        if new == old:
            return _page(visit, HTTPStatus.UNPROCESSABLE_ENTITY, "same")
        if not SHORTEST <= len(new) <= LONGEST:
            return _page(visit, HTTPStatus.UNPROCESSABLE_ENTITY, "weak")
        session = request.cookies.get(COOKIE, "")
        said = desk.authenticator.change(visit.user, session, old, new, visit.address, desk.wall_ms())
        page = _page(visit, _STATUS[said], said)
        if said is LoginOutcome.BUSY:
            page.headers["Retry-After"] = RETRY_AFTER_S
        return page

    return router


PAGE: Final = Page(path="/password", role=UserRole.VIEWER, routes=routes)


def _page(visit: Visit, status: HTTPStatus = HTTPStatus.OK, said: str = "") -> Response:
    return lay_out(visit, "password.html", "", status, said=said, shortest=SHORTEST, longest=LONGEST)
