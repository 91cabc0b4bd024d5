"""What providers push: receipts and replies over HTTP, each channel with a secret of its own in the path or a header.

A push is read whole and bounded, and answered only once the loop has made it durable: else the provider tells it again,
and twice is once. What it means is the channel's; nothing is decided here.
"""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Annotated, Final

import msgspec
from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse

from gateway.clock import monotonic_s
from gateway.commands.command import NotDurable
from gateway.desk.answers import ANSWERED_WITHIN_S, PROBLEMS, await_answer, problem_of
from gateway.desk.bodies import bears
from gateway.desk.problems import ProblemError
from gateway.inbox import Inbox, Unanswered
from gateway.lines import Pushed
from gateway.metrics import Metrics
from gateway.requests import ReceiptsAndReplies
from telemetry.reading import Millis

MOST_BYTES: Final = 262_144
MOST_A_MINUTE: Final = 5_000
"""Receipts and replies of one channel: far more than any county sends, far less than fills a disk."""
_HEADER: Final = "x-cunjing-secret"
_AS_PUSHED: Final = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": {}}}},
    "parameters": [{"name": "X-Cunjing-Secret", "in": "header", "schema": {"type": "string"}}],
}


class Hooks:
    """Every channel that is pushed to, and how much it has pushed in the present minute."""

    def __init__(
        self,
        pushed: Mapping[str, Pushed],
        metrics: Metrics,
        now_ms: Callable[[], Millis],
        monotonic: Callable[[], float] = monotonic_s,
    ) -> None:
        self._pushed = pushed
        self._metrics = metrics
        self._now_ms = now_ms
        self._monotonic = monotonic
        self._spent: dict[str, tuple[int, int]] = {}

    def admitted(self, channel: str, secret: str) -> Pushed:
        """The channel's hook for who bears its secret; a stranger learns nothing but that."""
        found = self._pushed.get(channel)
        if found is None:
            raise self.refused("unknown", "no_hook", HTTPStatus.NOT_FOUND, "there is no such hook; [hooks] names them")
        if not bears(secret, found.secret):
            detail = "a push bears the secret of its channel, as the last part of the path or as X-Cunjing-Secret"
            raise self.refused(channel, "wrong_secret", HTTPStatus.UNAUTHORIZED, detail)
        return found

    def heard(self, channel: str, body: bytes) -> ReceiptsAndReplies:
        """What one push says."""
        try:
            said = self._pushed[channel].hook.hear(msgspec.json.decode(body), self._now_ms())
        except (ValueError, RecursionError):
            said = None
        if said is None:
            detail = "this is no push of that provider; nothing was kept"
            raise self.refused(channel, "malformed", HTTPStatus.UNPROCESSABLE_ENTITY, detail)
        self._spend(channel, len(said.receipts) + len(said.replies))
        return ReceiptsAndReplies(said.receipts, said.replies)

    def took(self, channel: str, heard: ReceiptsAndReplies) -> None:
        """It is durable."""
        self._metrics.pushed.labels(channel, "receipt").inc(len(heard.receipts))
        self._metrics.pushed.labels(channel, "reply").inc(len(heard.replies))

    def refused(self, channel: str, reason: str, status: HTTPStatus, detail: str) -> ProblemError:
        """Counts it; ``channel`` is one of the configuration's or ``unknown``, never what was asked."""
        self._metrics.push_refused.labels(channel, reason).inc()
        headers = {"Retry-After": "60"} if status is HTTPStatus.TOO_MANY_REQUESTS else None
        return ProblemError(status, detail, headers)

    def _spend(self, channel: str, rows: int) -> None:
        minute = int(self._monotonic() // 60)
        at, spent = self._spent.get(channel, (minute, 0))
        spent = rows if at != minute else spent + rows
        if spent > MOST_A_MINUTE:
            detail = f"more than {MOST_A_MINUTE} receipts and replies in a minute; nothing was kept, push it again"
            raise self.refused(channel, "too_many", HTTPStatus.TOO_MANY_REQUESTS, detail)
        self._spent[channel] = (minute, spent)


def serve_hooks(app: FastAPI, inbox: Inbox, hooks: Hooks, answered_within_s: float = ANSWERED_WITHIN_S) -> None:
    """Adds the two addresses of each hook."""

    def admitted(channel: str, request: Request) -> Pushed:
        given = request.path_params.get("secret") or request.headers.get(_HEADER, "")
        return hooks.admitted(channel, given)

    async def body_of(channel: str, request: Request) -> bytes:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > MOST_BYTES:
                detail = f"a push has at most {MOST_BYTES} bytes; nothing was kept"
                raise hooks.refused(channel, "too_large", HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)
        return bytes(body)

    def pushed(
        channel: str, hook: Annotated[Pushed, Depends(admitted)], body: Annotated[bytes, Depends(body_of)]
    ) -> JSONResponse:
        """Receipts and replies as the channel's provider pushes them; answered as it expects, once they are durable."""
        heard = hooks.heard(channel, body)
        verdict = await_answer(inbox, heard, answered_within_s)
        if isinstance(verdict, Unanswered | NotDurable):
            raise problem_of(verdict)
        hooks.took(channel, heard)
        return JSONResponse(dict(hook.hook.thanks))

    for path in ("/api/v1/hooks/{channel}", "/api/v1/hooks/{channel}/{secret}"):
        in_schema = not path.endswith("{secret}")
        app.add_api_route(
            path, pushed, methods=["POST"], responses=PROBLEMS, include_in_schema=in_schema, openapi_extra=_AS_PUSHED
        )
