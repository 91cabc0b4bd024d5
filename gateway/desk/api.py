"""The HTTP API: how the gateway is, what it counts, and commands that are answered when they are durable.

It reads ``Health`` and ``Metrics`` and posts to the inbox; it never touches the journal or the engine.
"""

from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from alerts.conditions.thresholds import ThresholdScope
from gateway.commands.command import Done, UnknownPerson
from gateway.commands.episodes import EpisodeCommand, EpisodeVerb, UnknownEpisode
from gateway.commands.quarantine import Resend
from gateway.commands.thresholds import SetFigure
from gateway.desk.answers import ANSWERED_WITHIN_S, PROBLEMS, await_answer, permitted_by, problem_of, unknown
from gateway.desk.auth import address_of
from gateway.desk.bodies import BoundedBodies
from gateway.desk.maintenance import serve_maintenance
from gateway.desk.problems import ProblemError, answer_with_problems
from gateway.health import Health
from gateway.inbox import Inbox
from gateway.metrics import CONTENT_TYPE, Metrics

_Id = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
_Name = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")]
_Number = Annotated[float, Field(allow_inf_nan=False, strict=True)]
_Reason = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f]+$")]
_Word = Annotated[str, StringConstraints(max_length=64, pattern=r"^[^\x00-\x1f\x7f]*$")]


class CommandBody(BaseModel):
    """What a person asks about an episode; ``by`` is their id in the inventory.

    ``to`` is whom to send (``dispatch``), ``reason`` and ``until_ms`` say why and how long to keep quiet (``shelve``);
    ``reason`` is also what is noted, how it was done (``finish``), and why it is not so (``doubt``). ``looked`` names
    who has been at a fire and looked (``finish``, which resets it, and ``reset``, where it is ``by`` unless named).
    """

    model_config = ConfigDict(extra="forbid")

    command: Literal["ack", "reset", "shelve", "unshelve", "dispatch", "note", "finish", "doubt"]
    episode: _Id
    by: Annotated[_Id, Field(max_length=64)]
    to: _Word = ""
    reason: Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""
    until_ms: Annotated[int, Field(ge=0, le=2**53)] = 0
    looked: _Word = ""
    channel: Literal["api", "cli"] = "api"


class FigureBody(BaseModel):
    """One figure of a rule, as ``rules.yaml`` names it, for an area and below or for one asset; ``null`` undoes it."""

    model_config = ConfigDict(extra="forbid")

    place: ThresholdScope
    name: _Name
    rule: _Name
    figure: _Name
    value: _Number | _Name | Annotated[list[_Number], Field(max_length=8)] | None
    by: Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")]
    reason: _Reason
    channel: Literal["api", "cli"] = "api"


class FigureResult(BaseModel):
    """It counts, durably; ``at_ms`` is epoch milliseconds."""

    event: str
    at_ms: int


class ResendBody(BaseModel):
    """Since when everything is to be written to InfluxDB again (``received_at``, epoch milliseconds)."""

    model_config = ConfigDict(extra="forbid")

    since_ms: Annotated[int, Field(ge=0, le=2**53)] = 0


class ResendResult(BaseModel):
    """It has begun; ``at_ms`` is epoch milliseconds. How far it is shows in the metrics."""

    since_ms: int
    at_ms: int


class CommandResult(BaseModel):
    """What it became; it is durable. ``at_ms`` is epoch milliseconds."""

    episode: str
    event: str
    at_ms: int


class PartBody(BaseModel):
    """One part of the gateway: its state in a sentence, what to do about it, what is worth knowing."""

    ready: bool
    state: str
    remedy: str
    notes: list[str]


class Readiness(BaseModel):
    """All parts; ready when each is and the loop turns."""

    ready: bool
    loop_age_s: float
    commit_age_s: float
    parts: dict[str, PartBody]


class Liveness(BaseModel):
    """Whether the loop turns."""

    live: bool
    loop_age_s: float


def api(
    inbox: Inbox, health: Health, metrics: Metrics, token: str, answered_within_s: float = ANSWERED_WITHIN_S
) -> FastAPI:
    """The application; ``token`` is what commands must bear. ``inbox`` is given ``EpisodeCommand`` values."""
    app = FastAPI(
        title="cunjing",
        description="The gateway's API. Commands need the bearer token of control.token.",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    answer_with_problems(app)
    app.add_middleware(BoundedBodies, token=token)
    authorised = permitted_by(token)
    serve_figures(app, inbox, token, answered_within_s)
    serve_maintenance(app, inbox, token, answered_within_s)

    @app.get("/healthz", responses={503: {"model": Liveness}})
    async def healthz() -> JSONResponse:
        """Whether the loop turns; 503 tells a supervisor to restart the gateway."""
        # No thread is waited for, here and below: pages may have taken them all.
        live = Liveness(live=health.live, loop_age_s=round(health.loop_age_s, 3))
        return JSONResponse(live.model_dump(), HTTPStatus.OK if live.live else HTTPStatus.SERVICE_UNAVAILABLE)

    @app.get("/readyz", response_model=Readiness, responses={503: {"model": Readiness}})
    async def readyz() -> JSONResponse:
        """Whether broker, journal and courier work, each with its state and its remedy."""
        readiness = _readiness(health)
        status = HTTPStatus.OK if readiness.ready else HTTPStatus.SERVICE_UNAVAILABLE
        return JSONResponse(readiness.model_dump(), status)

    @app.get("/metrics", response_class=Response)
    def figures() -> Response:
        """What the gateway counts, for Prometheus."""
        return Response(metrics.exposition(), media_type=CONTENT_TYPE)

    @app.post("/api/v1/commands", responses=PROBLEMS, dependencies=[Depends(authorised)])
    def command(body: CommandBody, request: Request) -> CommandResult:
        """Does one thing to an episode; answers when the result is durable."""
        verdict = await_answer(inbox, _command(body, request), answered_within_s)
        return _result(body, verdict)

    @app.post("/api/v1/series/resend", responses=PROBLEMS, dependencies=[Depends(authorised)], status_code=202)
    def resend(body: ResendBody) -> ResendResult:
        """Writes to InfluxDB again what came since then and is still in the journal; points are not doubled."""
        match await_answer(inbox, Resend(body.since_ms), answered_within_s):
            case Done(at_ms, _):
                return ResendResult(since_ms=body.since_ms, at_ms=at_ms)
            case verdict:
                raise problem_of(verdict)

    return app


def serve_figures(app: FastAPI, inbox: Inbox, token: str, answered_within_s: float = ANSWERED_WITHIN_S) -> None:
    """Adds the route. ``inbox`` is given ``SetFigure`` values."""

    @app.post("/api/v1/figures", responses=PROBLEMS, dependencies=[Depends(permitted_by(token))])
    def set_figure(body: FigureBody, request: Request) -> FigureResult:
        """Sets a figure; the last level is judged by it, and whoever must be told is told."""
        origin = address_of(request)
        match await_answer(inbox, SetFigure(**body.model_dump(), origin=origin), answered_within_s):
            case Done(at_ms, event):
                return FigureResult(event=event, at_ms=at_ms)
            case UnknownPerson():
                raise unknown(body.by)
            case verdict:
                raise problem_of(verdict)


def _command(body: CommandBody, request: Request) -> EpisodeCommand:
    return EpisodeCommand(
        verb=EpisodeVerb(body.command),
        episode=body.episode,
        by=body.by,
        channel=body.channel,
        origin=address_of(request),
        to=body.to,
        reason=body.reason,
        until_ms=body.until_ms,
        looked=body.looked,
    )


def _readiness(health: Health) -> Readiness:
    parts = {
        name: PartBody(ready=part.ready, state=part.state, remedy=part.remedy, notes=list(part.notes))
        for name, part in health.parts.items()
    }
    return Readiness(
        ready=health.ready,
        loop_age_s=round(health.loop_age_s, 3),
        commit_age_s=round(health.commit_age_s, 3),
        parts=parts,
    )


def _result(body: CommandBody, verdict: object) -> CommandResult:
    match verdict:
        case Done(at_ms, event):
            return CommandResult(episode=body.episode, event=event, at_ms=at_ms)
        case UnknownEpisode():
            raise ProblemError(HTTPStatus.NOT_FOUND, f"there is no episode {body.episode}")
        case UnknownPerson():
            raise unknown(body.by)
        case _:
            raise problem_of(verdict)
