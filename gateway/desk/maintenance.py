"""Work and planned power cuts over HTTP: declared, taken back, and which ones stand. All of it goes through the inbox.

It knows no journal and no county; what is possible is decided in ``alerts.episodes.maintenance``.
"""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Final, Literal

from fastapi import Depends, FastAPI, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints

from alerts.calendars import iso
from alerts.episodes.maintenance import Declared, Wish
from alerts.windows import Work
from gateway.commands.command import UnknownPerson
from gateway.commands.maintenance import DeclareWindow, EndWindow, ListWindows, WindowDone
from gateway.desk.answers import ANSWERED_WITHIN_S, PROBLEMS, await_answer, permitted_by, problem_of, unknown
from gateway.desk.auth import address_of
from gateway.inbox import Inbox
from telemetry.reading import Millis

_CLEAN: Final = r"^[^\x00-\x1f\x7f]+$"
_Id = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=_CLEAN)]
_Window = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_CLEAN)]
_Reason = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=_CLEAN, strip_whitespace=True)]


class DeclareBody(BaseModel):
    """``subject`` is an asset or an area, for a planned cut a feeder; without ``since`` it begins now."""

    model_config = ConfigDict(extra="forbid")

    work: Literal["maintenance", "planned_cut"] = "maintenance"
    subject: _Id
    since: AwareDatetime | None = None
    until: AwareDatetime
    reason: _Reason
    by: _Id
    channel: Literal["api", "cli"] = "api"


class WithdrawBody(BaseModel):
    """Which window is over, or does not come; ``by`` says so."""

    model_config = ConfigDict(extra="forbid")

    window: _Window
    by: _Id
    channel: Literal["api", "cli"] = "api"


class WindowBody(BaseModel):
    """A window; times in ISO 8601 UTC."""

    window: str
    work: str
    subject: str
    since: str
    until: str
    reason: str
    by: str
    begun: bool
    assets: list[str]


class WindowList(BaseModel):
    """Those that are not over, by when they begin."""

    windows: list[WindowBody]


def serve_maintenance(app: FastAPI, inbox: Inbox, token: str, answered_within_s: float = ANSWERED_WITHIN_S) -> None:
    """Adds the routes. ``inbox`` is given ``DeclareWindow``, ``EndWindow`` and ``ListWindows`` values."""
    permit = [Depends(permitted_by(token))]

    def asked(item: DeclareWindow | EndWindow | ListWindows) -> object:
        return await_answer(inbox, item, answered_within_s)

    @app.get("/api/v1/maintenance", responses=PROBLEMS, dependencies=permit)
    def standing() -> WindowList:
        """Every window of work that is not over."""
        found = asked(ListWindows())
        if not isinstance(found, tuple):
            raise problem_of(found)
        ordered = sorted(found, key=lambda each: (each.window.from_ms, each.window.id))
        return WindowList(windows=[_body(each) for each in ordered])

    @app.post("/api/v1/maintenance", responses=PROBLEMS, dependencies=permit, status_code=HTTPStatus.CREATED)
    def declare(body: DeclareBody, request: Request) -> WindowBody:
        """Declares one; answers when it is durable."""
        wish = Wish(Work(body.work), body.subject, _ms(body.since), _ms(body.until), body.reason)
        item = DeclareWindow(wish=wish, by=body.by, channel=body.channel, origin=address_of(request))
        return _result(asked(item), body.by)

    @app.post("/api/v1/maintenance/end", responses=PROBLEMS, dependencies=permit)
    def end(body: WithdrawBody, request: Request) -> WindowBody:
        """Ends one, or takes it back before it begins; answers when it is durable."""
        item = EndWindow(window=body.window, by=body.by, channel=body.channel, origin=address_of(request))
        return _result(asked(item), body.by)


def _result(verdict: object, by: str) -> WindowBody:
    match verdict:
        case WindowDone():
            return _body(verdict)
        case UnknownPerson():
            raise unknown(by)
        case _:
            raise problem_of(verdict)


def _body(declared: Declared | WindowDone) -> WindowBody:
    window = declared.window
    return WindowBody(
        window=window.id,
        work=window.work,
        subject=window.subject,
        since=iso(window.from_ms),
        until=iso(window.until_ms),
        reason=window.reason,
        by=window.by,
        begun=window.begun,
        assets=list(declared.assets),
    )


def _ms(at: datetime | None) -> Millis:
    return 0 if at is None else round(at.timestamp() * 1000)
