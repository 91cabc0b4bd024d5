"""Figures of rules over HTTP: set for an area or an asset through the inbox, answered when it is durable.

It posts to the inbox and decides nothing: what a figure may be is its rule's, who may set it is ``gateway.figuring``.
"""

from typing import Annotated, Literal

from fastapi import Depends, FastAPI, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from alerts.conditions.thresholds import Place
from gateway.commands.command import Done, UnknownPerson
from gateway.commands.thresholds import SetFigure
from gateway.desk.answers import ANSWERED_WITHIN_S, PROBLEMS, answered, permitted_by, problem_of, unknown
from gateway.desk.visiting import address_of
from gateway.inbox import Inbox

_Id = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")]
_Number = Annotated[float, Field(allow_inf_nan=False, strict=True)]
_Reason = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f]+$")]


class FigureBody(BaseModel):
    """One figure of a rule, as ``rules.yaml`` names it, for an area and below or for one asset; ``null`` undoes it."""

    model_config = ConfigDict(extra="forbid")

    place: Place
    name: _Id
    rule: _Id
    figure: _Id
    value: _Number | _Id | Annotated[list[_Number], Field(max_length=8)] | None
    by: Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")]
    reason: _Reason
    channel: Literal["api", "cli"] = "api"


class FigureResult(BaseModel):
    """It counts, durably; ``at_ms`` is epoch milliseconds."""

    event: str
    at_ms: int


def serve_figures(app: FastAPI, inbox: Inbox, token: str, answered_within_s: float = ANSWERED_WITHIN_S) -> None:
    """Adds the route. ``inbox`` is given ``SetFigure`` values."""

    @app.post("/api/v1/figures", responses=PROBLEMS, dependencies=[Depends(permitted_by(token))])
    def set_figure(body: FigureBody, request: Request) -> FigureResult:
        """Sets a figure; the last level is judged by it, and whoever must be told is told."""
        origin = address_of(request)
        match answered(inbox, SetFigure(**body.model_dump(), origin=origin), answered_within_s):
            case Done(at_ms, event):
                return FigureResult(event=event, at_ms=at_ms)
            case UnknownPerson():
                raise unknown(body.by)
            case verdict:
                raise problem_of(verdict)
