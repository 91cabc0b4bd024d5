"""Commands over HTTP, made from what each subject of ``gateway.commands`` says of them, and what each answers.

It posts to the inbox and reads nothing; a command is added in its own file, and only a new answer has a shape here.
"""

from collections.abc import Callable, Mapping
from functools import reduce
from http import HTTPStatus
from operator import or_
from typing import Annotated, Any, Final, Literal

from fastapi import Depends, FastAPI, Request
from msgspec.structs import asdict
from pydantic import AliasPath, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic import create_model as make_body

from alerts.calendars import iso
from alerts.notify.holds import TrialKind
from gateway.commands import fields, routes
from gateway.commands.absences import AbsenceDone, AbsenceList, EndAbsence, ListAbsences, RecordAbsence
from gateway.commands.command import Command, Done, SignedCommand, UnknownPerson
from gateway.commands.episodes import EpisodeCommand, UnknownEpisode
from gateway.commands.extra_rounds import CancelExtraRound, ExtraDone, ExtraList, ListExtraRounds, OrderExtraRound
from gateway.commands.fields import CommandRoute, W
from gateway.commands.maintenance import DeclareWindow, EndWindow, ListWindows, WindowDone
from gateway.commands.quarantine import LookAgain, Resend
from gateway.commands.thresholds import SetFigure
from gateway.commands.trials import EndTrial
from gateway.commands.welcome import Welcome, Welcomed
from gateway.desk.answers import ANSWERED_WITHIN_S, PROBLEMS, await_answer, permitted_by, problem_of
from gateway.desk.auth import address_of
from gateway.desk.problems import ProblemError
from gateway.inbox import Inbox

_Instant = Annotated[str, BeforeValidator(iso)]


class _Answer(BaseModel):
    """What stands in an answer is read off what the loop answered."""

    model_config = ConfigDict(from_attributes=True)


class AbsenceBody(_Answer):
    """An absence as it is kept; times in ISO 8601 UTC."""

    absence: Annotated[str, Field(validation_alias="id")]
    person: str
    stand_in: str
    begins: Annotated[_Instant, Field(validation_alias="from_ms")]
    ends: Annotated[_Instant, Field(validation_alias="until_ms")]
    reason: str
    by: str


class RosterBody(_Answer):
    """Who is away or will be, and the areas with a bin that nobody empties now."""

    at: Annotated[_Instant, Field(validation_alias="at_ms")]
    absences: list[AbsenceBody]
    uncovered: list[str]


class ExtraBody(_Answer):
    """An extra round as it is kept; times in ISO 8601 UTC."""

    extra: Annotated[str, Field(validation_alias="id")]
    place: str
    begins: Annotated[_Instant, Field(validation_alias="start_ms")]
    ends: Annotated[_Instant, Field(validation_alias="end_ms")]
    reason: str
    by: str


class ExtrasBody(_Answer):
    """The extra rounds that are not over for long."""

    at: Annotated[_Instant, Field(validation_alias="at_ms")]
    extras: list[ExtraBody]


class WindowBody(_Answer):
    """A window; times in ISO 8601 UTC."""

    window: Annotated[str, Field(validation_alias=AliasPath("window", "id"))]
    work: Annotated[str, Field(validation_alias=AliasPath("window", "work"))]
    subject: Annotated[str, Field(validation_alias=AliasPath("window", "subject"))]
    since: Annotated[_Instant, Field(validation_alias=AliasPath("window", "from_ms"))]
    until: Annotated[_Instant, Field(validation_alias=AliasPath("window", "until_ms"))]
    reason: Annotated[str, Field(validation_alias=AliasPath("window", "reason"))]
    by: Annotated[str, Field(validation_alias=AliasPath("window", "by"))]
    begun: Annotated[bool, Field(validation_alias=AliasPath("window", "begun"))]
    assets: list[str]


class WindowList(_Answer):
    """Those that are not over, by when they begin."""

    windows: list[WindowBody]


class DoneBody(_Answer):
    """What it became; it is durable. ``at_ms`` is epoch milliseconds."""

    event: str
    at_ms: int


class FigureResult(DoneBody):
    """It counts, durably; ``at_ms`` is epoch milliseconds."""


class ResendResult(_Answer):
    """It has begun; ``at_ms`` is epoch milliseconds. How far it is shows in the metrics."""

    since_ms: int
    at_ms: int


class CommandResult(_Answer):
    """What it became; it is durable. ``at_ms`` is epoch milliseconds."""

    episode: str
    event: str
    at_ms: int


class TrialResult(_Answer):
    """It is over, durably; ``at_ms`` is epoch milliseconds."""

    kind: TrialKind
    name: str
    at_ms: int


class RequeueAnswer(DoneBody):
    """``looked_again`` where anything was taken, else ``refused_again``; ``at_ms`` is epoch milliseconds."""


class WelcomeResult(_Answer):
    """Who gets it, from when on (epoch milliseconds), and why others do not."""

    told: list[str]
    leaves_ms: int
    skipped: dict[str, str]


ANSWERS: Final[Mapping[type[Command[Any]], type[_Answer]]] = {
    ListAbsences: RosterBody,
    RecordAbsence: AbsenceBody,
    EndAbsence: AbsenceBody,
    ListExtraRounds: ExtrasBody,
    OrderExtraRound: ExtraBody,
    CancelExtraRound: ExtraBody,
    ListWindows: WindowList,
    DeclareWindow: WindowBody,
    EndWindow: WindowBody,
    SetFigure: FigureResult,
    EpisodeCommand: CommandResult,
    Resend: ResendResult,
    EndTrial: TrialResult,
    LookAgain: RequeueAnswer,
    Welcome: WelcomeResult,
}
"""What a command is answered with; any other with ``DoneBody``."""


def serve_commands(
    app: FastAPI,
    inbox: Inbox,
    token: str,
    places: range,
    answered_within_s: float = ANSWERED_WITHIN_S,
) -> None:
    """Adds a route for each that has its place in the document there. ``inbox`` is given their wishes."""
    for route in (each for each in routes() if each.place in places):
        endpoint = _endpoint(route, inbox, max(answered_within_s, route.within_s))
        add_route(app, route, endpoint, ANSWERS.get(route.wish, DoneBody), token)


def add_route(
    app: FastAPI, route: CommandRoute[Any], endpoint: Callable[..., object], answer: type, token: str
) -> None:
    """Serves one as it says, to whoever bears the token."""
    app.add_api_route(
        route.path,
        endpoint,
        methods=[route.method],
        name=route.name,
        description=route.says,
        status_code=route.status,
        response_model=answer,
        responses=PROBLEMS,
        dependencies=[Depends(permitted_by(token))],
    )


def body_of(route: CommandRoute[Any]) -> type[BaseModel]:
    """The body of its requests: each field with what it may say, and with what it says where it is left out."""
    made: dict[str, Any] = {}
    for name, kind in route.fields.items():
        wished = getattr(kind, "of", "") or name
        shape, default = _shape(kind), route.defaults.get(wished, ...)
        if isinstance(kind, fields.MomentField) and default is not ...:
            shape, default = shape | None, None
        made[name] = (shape, Field(default, description=route.explained.get(name)))
    if issubclass(route.wish, SignedCommand):
        made["channel"] = (Literal["api", "cli"], "api")
    return make_body(route.body, __config__=ConfigDict(extra="forbid"), __doc__=route.about, **made)


def wish_of(route: CommandRoute[W], body: BaseModel, **more: str) -> W:
    """What a request asks for."""
    wished: dict[str, Any] = {**body.model_dump(), **more}
    for name, kind in route.fields.items():
        match kind:
            case fields.MomentField(of=of):
                at = wished.pop(name)
                wished[of] = 0 if at is None else round(at.timestamp() * 1000)
            case fields.ChoiceField(words, of=of):
                wished[of or name] = words(wished.pop(name))
            case fields.ListField():
                wished[name] = tuple(wished[name])
    return route.wish(**wished)


def _shape(kind: fields.Field) -> Any:  # noqa: ANN401 -- a type, as pydantic has it
    match kind:
        case fields.TextField(most, least, signs, strip):
            bounds = StringConstraints(min_length=least, max_length=most, pattern=signs, strip_whitespace=strip or None)
            return Annotated[str, bounds]
        case fields.MomentField():
            return AwareDatetime
        case fields.CountField(most):
            return Annotated[int, Field(ge=0, le=most)]
        case fields.NumberField():
            return Annotated[float, Field(allow_inf_nan=False, strict=True)]
        case fields.ChoiceField(words):
            return Literal[tuple(str(each) for each in words)]
        case fields.ListField(each, most, least):
            return Annotated[list.__class_getitem__(_shape(each)), Field(min_length=least or None, max_length=most)]
        case fields.EitherField(kinds):
            return reduce(or_, (_shape(each) for each in kinds))
        case _:
            return kind


def _endpoint(route: CommandRoute[Command[Any]], inbox: Inbox, within_s: float) -> Callable[..., _Answer]:
    def ask(wish: Command[Any]) -> _Answer:
        return _answer(route, wish, await_answer(inbox, wish, within_s))

    def act(body: BaseModel, request: Request) -> _Answer:
        origin = {"origin": address_of(request)} if issubclass(route.wish, SignedCommand) else {}
        return ask(wish_of(route, body, **origin))

    def look() -> _Answer:
        return ask(route.wish())

    if not route.fields:
        return look
    act.__annotations__["body"] = body_of(route)
    return act


def _answer(route: CommandRoute[Command[Any]], wish: Command[Any], verdict: object) -> _Answer:
    """What became of it; a problem where nothing did."""
    match verdict:
        case AbsenceDone(absence=absence):
            return AbsenceBody.model_validate(absence)
        case ExtraDone(extra=extra):
            return ExtraBody.model_validate(extra)
        case AbsenceList() | ExtraList() | WindowDone() | Welcomed():
            return ANSWERS[route.wish].model_validate(verdict)
        case tuple():
            ordered = sorted(verdict, key=lambda each: (each.window.from_ms, each.window.id))
            return WindowList.model_validate({"windows": ordered})
        case Done():
            return ANSWERS.get(route.wish, DoneBody).model_validate({**asdict(wish), **asdict(verdict)})
        case UnknownPerson() if isinstance(wish, SignedCommand):
            raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, route.stranger.format(**asdict(wish)))
        case UnknownEpisode() if isinstance(wish, EpisodeCommand):
            raise ProblemError(HTTPStatus.NOT_FOUND, f"there is no episode {wish.episode}")
        case _:
            raise problem_of(verdict)
