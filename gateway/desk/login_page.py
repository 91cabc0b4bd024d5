"""The door: logging in and out, and the demo's link. Who may come in is ``login``'s to say."""

import secrets
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from gateway.desk.auth import COOKIE, DeskRefusal, Form, Gate, address_of, came_from_here, form_of
from gateway.desk.bodies import bears
from gateway.desk.login import RETRY_AFTER_S, LoginOutcome
from gateway.desk.present import Desk, Visit
from gateway.desk.users import BROWSER_MS, SESSION_MS
from gateway.desk.view import html

_KNOCK: Final = "cunjing_knock"
"""Proves that the form of the door was ours, before there is a session that could."""
_BROWSER: Final = "cunjing_browser"
"""By it a browser is known in which somebody has logged in: no bar that others cause shuts it out."""
_STATUS: Final = {
    LoginOutcome.WRONG: HTTPStatus.UNAUTHORIZED,
    LoginOutcome.BARRED: HTTPStatus.TOO_MANY_REQUESTS,
    LoginOutcome.BUSY: HTTPStatus.SERVICE_UNAVAILABLE,
}


def routes(desk: Desk, gate: Gate) -> APIRouter:
    """Log-in, log-out and the demo's way in."""
    router = APIRouter()

    @router.get("/login")
    def door(request: Request, back: str = "") -> Response:
        return _door(desk, request, back, HTTPStatus.OK, "")

    @router.post("/login")
    def enter(request: Request, form: Annotated[Form, Depends(form_of)]) -> Response:
        knock = request.cookies.get(_KNOCK, "")
        if not knock or not came_from_here(request) or not bears(form.get("knock", ""), knock):
            raise DeskRefusal(HTTPStatus.FORBIDDEN, "csrf")
        name, password = form.get("name", "").strip(), form.get("password", "")
        known = request.cookies.get(_BROWSER, "")
        came = desk.authenticator.enter(name, password, address_of(request), desk.wall_ms(), known)
        if came.entrance is not LoginOutcome.OPEN:
            refused = _door(desk, request, form.get("back", ""), _STATUS[came.entrance], came.entrance)
            if came.entrance is LoginOutcome.BUSY:
                refused.headers["Retry-After"] = RETRY_AFTER_S
            return refused
        answer = _let_in(desk, request, came.session, form.get("back", ""))
        lasts_s, secure = BROWSER_MS // 1000, _is_secure(desk, request)
        answer.set_cookie(_BROWSER, came.browser, max_age=lasts_s, httponly=True, samesite="strict", secure=secure)
        return answer

    @router.post("/logout")
    def leave(request: Request, sent: Annotated[tuple[Visit, Form], Depends(gate.writing)]) -> Response:
        visit, _ = sent
        desk.authenticator.leave(request.cookies.get(COOKIE, ""), visit.user, visit.address, desk.wall_ms())
        answer = RedirectResponse("/login", HTTPStatus.SEE_OTHER)
        answer.delete_cookie(COOKIE)
        return answer

    if desk.is_demo:

        @router.get("/welcome/{key}")
        def welcome(request: Request, key: str) -> Response:
            session = desk.authenticator.welcome(key, address_of(request), desk.wall_ms())
            if session is None:
                raise DeskRefusal(HTTPStatus.FORBIDDEN, "welcome")
            return _let_in(desk, request, session, "")

    return router


def _door(desk: Desk, request: Request, back: str, status: HTTPStatus, entrance: str) -> Response:
    knock = secrets.token_urlsafe(24)
    answer = html("login.html", status, knock=knock, back=_own(back), entrance=entrance)
    answer.set_cookie(_KNOCK, knock, httponly=True, samesite="strict", secure=_is_secure(desk, request))
    return answer


def _let_in(desk: Desk, request: Request, key: str, back: str) -> Response:
    answer = RedirectResponse(_own(back) or "/", HTTPStatus.SEE_OTHER)
    answer.set_cookie(
        COOKIE, key, max_age=SESSION_MS // 1000, httponly=True, samesite="lax", secure=_is_secure(desk, request)
    )
    return answer


def _is_secure(desk: Desk, request: Request) -> bool:
    return desk.behind_tls or request.url.scheme == "https"


def _own(back: str) -> str:
    """A path of our own, or nothing: nobody is sent elsewhere from here."""
    return back if back.startswith("/") and not back.startswith(("//", "/\\")) else ""
