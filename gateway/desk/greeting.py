"""First texts over HTTP: who is to be welcomed, for ``cunjing sms welcome``. It posts to the inbox and nothing else."""

from typing import Annotated, Final

from fastapi import Depends, FastAPI
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from gateway.commands.welcome import Welcome, Welcomed
from gateway.desk.answers import PROBLEMS, answered, permitted_by, problem_of
from gateway.inbox import Inbox

MOST: Final = 1_000
_Id = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")]


class WelcomeBody(BaseModel):
    """Ids of the inventory, at most a thousand at once."""

    model_config = ConfigDict(extra="forbid")

    people: Annotated[list[_Id], Field(min_length=1, max_length=MOST)]


class WelcomeResult(BaseModel):
    """Who gets it, from when on (epoch milliseconds), and why others do not."""

    told: list[str]
    leaves_ms: int
    skipped: dict[str, str]


def serve_greeting(app: FastAPI, inbox: Inbox, token: str, answered_within_s: float = 30.0) -> None:
    """Adds the one route."""
    authorised = permitted_by(token)

    @app.post("/api/v1/people/welcome", responses=PROBLEMS, dependencies=[Depends(authorised)])
    def welcome(body: WelcomeBody) -> WelcomeResult:
        """Owes everybody named their first text, once a day at most; answers when that is durable."""
        match answered(inbox, Welcome(tuple(body.people)), answered_within_s):
            case Welcomed(told, leaves_ms, skipped):
                return WelcomeResult(told=list(told), leaves_ms=leaves_ms, skipped=skipped)
            case verdict:
                raise problem_of(verdict)
