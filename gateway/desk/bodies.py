"""What comes with a request, before any route sees it: who may send it at all, how much of it, and for how long.

A machine's token is looked at before a byte of its body is read (law L10). What a body says is nothing to this module.
"""

import asyncio
import hmac
from http import HTTPStatus
from typing import Final

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.clock import monotonic_s
from gateway.desk.problems import problem

LARGEST: Final = 131_072
"""A command to the API; a form of the desk is smaller still, a push and a photograph know their own bounds."""
COMES_WITHIN_S: Final = 20.0
PHOTO_WITHIN_S: Final = 600.0
"""Eight megabytes over a village's telephone mast."""
PHOTO: Final = "/register/photo"
HOOKS: Final = "/api/v1/hooks/"
_API: Final = "/api/"
_OPEN: Final = ("/api/v1/openapi.json",)
TOKEN_NEEDED: Final = "commands need the bearer token of control.token, beside the journal"  # noqa: S105 -- a sentence


def bears(given: str, token: str) -> bool:
    """Whether somebody's bearer token is the one, in a time that tells nothing."""
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), token.encode())


class BoundedBodies:
    """Stands before the application. ``token`` is what machines must bear."""

    def __init__(self, app: ASGIApp, token: str, comes_within_s: float = COMES_WITHIN_S) -> None:
        self._app = app
        self._token = token
        self._comes_within_s = comes_within_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name: value for name, value in scope["headers"] if name in (b"authorization", b"content-length")}
        path = scope["path"]
        is_machine = path.startswith(_API) and not path.startswith(HOOKS) and path not in _OPEN
        if is_machine and not self._may(headers.get(b"authorization", b"").decode("latin1")):
            await _unauthorised()(scope, receive, send)
            return
        declared = headers.get(b"content-length", b"")
        if is_machine and declared.isdigit() and int(declared[:20]) > LARGEST:
            await _too_large()(scope, receive, send)
            return
        within_s = PHOTO_WITHIN_S if path == PHOTO else self._comes_within_s
        most = LARGEST if is_machine else None
        await _Body(receive, send, most, within_s).given_to(self._app, scope)

    def _may(self, authorization: str) -> bool:
        scheme, _, given = authorization.partition(" ")
        return scheme.lower() == "bearer" and bears(given.strip(), self._token)


class _Body:
    """One body as it comes: what is too large or too slow is answered here, and the route sees it cut off."""

    def __init__(self, receive: Receive, send: Send, most: int | None, within_s: float) -> None:
        self._receive = receive
        self._send = send
        self._most = most
        self._within_s = within_s
        self._ends_s = monotonic_s() + within_s
        self._size = 0
        self._is_whole = False
        self._refusal: Response | None = None
        self._begun = False

    async def given_to(self, app: ASGIApp, scope: Scope) -> None:
        try:
            await app(scope, self._next, self._answer)
        except ClientDisconnect:  # whoever hangs up while they send are nobody's mistake, and no line in the log
            self._refusal = self._refusal or Response(status_code=HTTPStatus.BAD_REQUEST)
        if self._refusal is not None and not self._begun:
            await self._refusal(scope, self._receive, self._send)

    async def _next(self) -> Message:
        if self._is_whole:
            return await self._receive()
        if self._refusal is not None:
            return {"type": "http.disconnect"}
        try:
            async with asyncio.timeout(max(0.0, self._ends_s - monotonic_s())):
                message = await self._receive()
        except TimeoutError:
            self._refusal = _too_slow(self._within_s)
            return {"type": "http.disconnect"}
        self._size += len(message.get("body", b""))
        self._is_whole = not message.get("more_body", False)
        if self._most is not None and self._size > self._most:
            self._refusal = _too_large()
            return {"type": "http.disconnect"}
        return message

    async def _answer(self, message: Message) -> None:
        if self._refusal is not None and not self._begun:
            return  # the route's own words for a body that was cut off
        self._begun = True
        await self._send(message)


def _unauthorised() -> Response:
    return problem(HTTPStatus.UNAUTHORIZED, TOKEN_NEEDED, {"WWW-Authenticate": "Bearer"})


def _too_large() -> Response:
    return problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a body has at most {LARGEST} bytes; nothing was done, send less"
    )


def _too_slow(within_s: float) -> Response:
    detail = f"the body did not come within {within_s:.0f} s; nothing was done, send it again over a better line"
    return problem(HTTPStatus.REQUEST_TIMEOUT, detail)
