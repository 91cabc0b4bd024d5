"""What looks after a county, over HTTP: a trial that is over, what was refused looked at again, and the first texts.

It posts to the inbox and answers when it is durable; what comes of it is decided on the loop's thread.
"""

from typing import Annotated, Final, Literal

from fastapi import Depends, FastAPI, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from alerts.notify.holds import TrialKind
from gateway.commands.command import Done, UnknownPerson
from gateway.commands.quarantine import LookAgain
from gateway.commands.trials import EndTrial
from gateway.commands.welcome import Welcome, Welcomed
from gateway.desk.answers import ANSWERED_WITHIN_S, PROBLEMS, await_answer, permitted_by, problem_of, unknown
from gateway.desk.auth import address_of
from gateway.inbox import Inbox

MOST_WELCOMED: Final = 1_000
_Id = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]*$")]
_Person = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")]


class TrialBody(BaseModel):
    """Whose trial is over: an area (with all that is new in it), an asset or a device, by its id in the inventory."""

    model_config = ConfigDict(extra="forbid")

    kind: TrialKind
    name: _Id
    by: _Id
    channel: Literal["api", "cli"] = "api"


class TrialResult(BaseModel):
    """It is over, durably; ``at_ms`` is epoch milliseconds."""

    kind: TrialKind
    name: str
    at_ms: int


class LookAgainBody(BaseModel):
    """For which reason it was refused that has been mended; ``by`` is a person of the inventory."""

    model_config = ConfigDict(extra="forbid")

    reason: _Id
    by: _Id
    channel: Literal["api", "cli"] = "api"


class RequeueAnswer(BaseModel):
    """``looked_again`` where anything was taken, else ``refused_again``; ``at_ms`` is epoch milliseconds."""

    event: str
    at_ms: int


def serve_upkeep(app: FastAPI, inbox: Inbox, token: str, answered_within_s: float = ANSWERED_WITHIN_S) -> None:
    """Adds the routes. ``inbox`` is given ``EndTrial`` and ``LookAgain`` values."""
    authorised = permitted_by(token)

    def ask(wish: EndTrial | LookAgain) -> Done:
        match await_answer(inbox, wish, answered_within_s):
            case Done() as done:
                return done
            case UnknownPerson():
                raise unknown(wish.by)
            case verdict:
                raise problem_of(verdict)

    @app.post("/api/v1/trials/end", responses=PROBLEMS, dependencies=[Depends(authorised)])
    def end_trial(body: TrialBody, request: Request) -> TrialResult:
        """转正式: alerts are told from now on; answers when it is durable."""
        done = ask(EndTrial(**body.model_dump(), origin=address_of(request)))
        return TrialResult(kind=body.kind, name=body.name, at_ms=done.at_ms)

    @app.post("/api/v1/quarantine/again", responses=PROBLEMS, dependencies=[Depends(authorised)])
    def again(body: LookAgainBody, request: Request) -> RequeueAnswer:
        """Puts up to 500 of those refused for a reason through the line once more; answers when it is durable."""
        done = ask(LookAgain(**body.model_dump(), origin=address_of(request)))
        return RequeueAnswer(event=done.event, at_ms=done.at_ms)


class WelcomeBody(BaseModel):
    """Ids of the inventory, at most a thousand at once."""

    model_config = ConfigDict(extra="forbid")

    people: Annotated[list[_Person], Field(min_length=1, max_length=MOST_WELCOMED)]


class WelcomeResult(BaseModel):
    """Who gets it, from when on (epoch milliseconds), and why others do not."""

    told: list[str]
    leaves_ms: int
    skipped: dict[str, str]


def serve_welcome(app: FastAPI, inbox: Inbox, token: str, answered_within_s: float = 30.0) -> None:
    """Adds the route of the first texts. ``inbox`` is given ``Welcome`` values."""
    authorised = permitted_by(token)

    @app.post("/api/v1/people/welcome", responses=PROBLEMS, dependencies=[Depends(authorised)])
    def welcome(body: WelcomeBody) -> WelcomeResult:
        """Owes everybody named their first text, once a day at most; answers when that is durable."""
        match await_answer(inbox, Welcome(tuple(body.people)), answered_within_s):
            case Welcomed(told, leaves_ms, skipped):
                return WelcomeResult(told=list(told), leaves_ms=leaves_ms, skipped=skipped)
            case verdict:
                raise problem_of(verdict)
