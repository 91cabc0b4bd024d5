"""The HTTP API: how the gateway is, what it counts, and commands that are answered when they are durable.

It reads ``Health`` and ``Metrics`` and posts to the inbox; it never touches the journal or the engine.
"""

from functools import partial
from http import HTTPStatus

from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict

from gateway.desk.answers import ANSWERED_WITHIN_S
from gateway.desk.bodies import BoundedBodies
from gateway.desk.commands_api import serve_commands
from gateway.desk.problems import answer_with_problems
from gateway.health import Health
from gateway.inbox import Inbox
from gateway.metrics import CONTENT_TYPE, Metrics


class PartBody(BaseModel):
    """One part of the gateway: its state in a sentence, what to do about it, what is worth knowing."""

    model_config = ConfigDict(from_attributes=True)

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
    """The application; ``token`` is what commands must bear. ``inbox`` is given what they ask."""
    app = FastAPI(
        title="cunjing",
        description="The gateway's API. Commands need the bearer token of control.token.",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    answer_with_problems(app)
    app.add_middleware(BoundedBodies, token=token)
    serve = partial(serve_commands, app, inbox, token, answered_within_s=answered_within_s)
    serve(range(10))

    @app.get("/healthz", responses={503: {"model": Liveness}})
    async def healthz() -> JSONResponse:
        """Whether the loop turns; 503 tells a supervisor to restart the gateway."""
        # No thread is waited for, here and below: pages may have taken them all.
        live = Liveness(live=health.live, loop_age_s=round(health.loop_age_s, 3))
        return JSONResponse(live.model_dump(), HTTPStatus.OK if live.live else HTTPStatus.SERVICE_UNAVAILABLE)

    @app.get("/readyz", response_model=Readiness, responses={503: {"model": Readiness}})
    async def readyz() -> JSONResponse:
        """Whether broker, journal and courier work, each with its state and its remedy."""
        readiness = Readiness(
            ready=health.ready,
            loop_age_s=round(health.loop_age_s, 3),
            commit_age_s=round(health.commit_age_s, 3),
            parts={name: PartBody.model_validate(part) for name, part in health.parts.items()},
        )
        status = HTTPStatus.OK if readiness.ready else HTTPStatus.SERVICE_UNAVAILABLE
        return JSONResponse(readiness.model_dump(), status)

    @app.get("/metrics", response_class=Response, name="figures")  # as the API's document has always called it
    def expose_metrics() -> Response:
        """What the gateway counts, for Prometheus."""
        return Response(metrics.exposition(), media_type=CONTENT_TYPE)

    serve(range(10, 20))
    return app
