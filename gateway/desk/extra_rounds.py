"""加收 over HTTP: extra rounds listed, ordered for a village or a bin, and cancelled.

It posts to the inbox and reads nothing; what is possible is decided in ``alerts.operations.extra_rounds``.
"""

from http import HTTPStatus
from typing import Annotated, Final, Literal

from fastapi import Depends, FastAPI, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints

from alerts.calendars import iso
from alerts.operations.extra_rounds import ExtraRound
from gateway.commands.command import UnknownPerson
from gateway.commands.extra_rounds import CancelExtraRound, ExtraDone, ExtraList, ListExtraRounds, OrderExtraRound
from gateway.desk.answers import ANSWERED_WITHIN_S, PROBLEMS, await_answer, permitted_by, problem_of, unknown
from gateway.desk.auth import address_of
from gateway.inbox import Inbox

_CLEAN: Final = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]*$"

_Id = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=_CLEAN)]
_Way = Literal["api", "cli"]


class OrderBody(BaseModel):
    """Where (an area or a bin), from when to when (ISO 8601 with its zone); ``by`` orders it.

    Without ``begins`` from now on.
    """

    model_config = ConfigDict(extra="forbid")

    place: _Id
    ends: AwareDatetime
    by: _Id
    begins: AwareDatetime | None = None
    reason: Annotated[str, StringConstraints(max_length=200, pattern=_CLEAN, strip_whitespace=True)] = ""
    channel: _Way = "api"


class CancelBody(BaseModel):
    """Which extra round is cancelled; ``by`` says so."""

    model_config = ConfigDict(extra="forbid")

    extra: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_CLEAN)]
    by: _Id
    channel: _Way = "api"


class ExtraBody(BaseModel):
    """An extra round as it is kept; times in ISO 8601 UTC."""

    extra: str
    place: str
    begins: str
    ends: str
    reason: str
    by: str


class ExtrasBody(BaseModel):
    """The extra rounds that are not over for long."""

    at: str
    extras: list[ExtraBody]


def serve_extra_rounds(app: FastAPI, inbox: Inbox, token: str, answered_within_s: float = ANSWERED_WITHIN_S) -> None:
    """Adds the routes. ``inbox`` is given ``OrderExtraRound``, ``CancelExtraRound`` and ``ListExtraRounds`` values."""
    permit = [Depends(permitted_by(token))]

    def asked(wish: OrderExtraRound | CancelExtraRound | ListExtraRounds) -> object:
        return await_answer(inbox, wish, answered_within_s)

    @app.get("/api/v1/extra-rounds", responses=PROBLEMS, dependencies=permit)
    def extras() -> ExtrasBody:
        """What begins first first."""
        match asked(ListExtraRounds()):
            case ExtraList(at_ms, found):
                return ExtrasBody(at=iso(at_ms), extras=[_body(each) for each in found])
            case verdict:
                raise problem_of(verdict)

    @app.post("/api/v1/extra-rounds", responses=PROBLEMS, dependencies=permit, status_code=HTTPStatus.CREATED)
    def order(body: OrderBody, request: Request) -> ExtraBody:
        """加收: answers when it is durable."""
        wish = OrderExtraRound(
            place=body.place,
            from_ms=0 if body.begins is None else round(body.begins.timestamp() * 1000),
            until_ms=round(body.ends.timestamp() * 1000),
            by=body.by,
            reason=body.reason,
            channel=body.channel,
            origin=address_of(request),
        )
        return _done(asked(wish), wish.by)

    @app.post("/api/v1/extra-rounds/end", responses=PROBLEMS, dependencies=permit)
    def cancel(body: CancelBody, request: Request) -> ExtraBody:
        """取消加收: it neither holds nor is missed; answers when it is durable."""
        wish = CancelExtraRound(extra=body.extra, by=body.by, channel=body.channel, origin=address_of(request))
        return _done(asked(wish), wish.by)


def _done(verdict: object, by: str) -> ExtraBody:
    match verdict:
        case ExtraDone(_, _, extra):
            return _body(extra)
        case UnknownPerson():
            raise unknown(by)
        case _:
            raise problem_of(verdict)


def _body(extra: ExtraRound) -> ExtraBody:
    return ExtraBody(
        extra=extra.id,
        place=extra.place,
        begins=iso(extra.start_ms),
        ends=iso(extra.end_ms),
        reason=extra.reason,
        by=extra.by,
    )
