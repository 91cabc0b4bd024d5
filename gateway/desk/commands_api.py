"""Commands over HTTP, made from what each subject of ``gateway.commands`` says of them and of their answers.

It posts to the inbox and reads nothing. No command is added here: each says itself how it is asked and answered.
"""

from collections.abc import Callable
from dataclasses import fields as fields_of
from functools import reduce
from http import HTTPStatus
from operator import or_
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, Request
from msgspec import Struct
from msgspec.structs import asdict
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints
from pydantic import create_model as make_body

from gateway.commands import fields, routes
from gateway.commands.command import Command, NotDurable, NotPossible, SignedCommand, UnknownPerson
from gateway.commands.episodes import EpisodeCommand, UnknownEpisode
from gateway.commands.fields import CommandRoute, W
from gateway.desk.answers import ANSWERED_WITHIN_S, PROBLEMS, await_answer, permitted_by, problem_of
from gateway.desk.auth import address_of
from gateway.desk.problems import ProblemError
from gateway.inbox import Inbox, Unanswered


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
        add_route(app, route, endpoint, token)


def add_route(app: FastAPI, route: CommandRoute[Any], endpoint: Callable[..., object], token: str) -> None:
    """Serves one as it says, to whoever bears the token."""
    app.add_api_route(
        route.path,
        endpoint,
        methods=[route.method],
        name=route.name,
        description=route.says,
        status_code=route.status,
        response_model=route.answer,
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


def _endpoint(route: CommandRoute[Command[Any]], inbox: Inbox, within_s: float) -> Callable[..., object]:
    def ask(wish: Command[Any]) -> object:
        return _answer(route, wish, await_answer(inbox, wish, within_s))

    def act(body: BaseModel, request: Request) -> object:
        origin = {"origin": address_of(request)} if issubclass(route.wish, SignedCommand) else {}
        return ask(wish_of(route, body, **origin))

    def look() -> object:
        return ask(route.wish())

    if not route.fields:
        return look
    act.__annotations__["body"] = body_of(route)
    return act


def _answer(route: CommandRoute[Command[Any]], wish: Command[Any], verdict: object) -> object:
    """What became of it; a problem where nothing did."""
    match verdict:
        case UnknownPerson() if isinstance(wish, SignedCommand):
            raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, route.stranger.format(**asdict(wish)))
        case UnknownEpisode() if isinstance(wish, EpisodeCommand):
            raise ProblemError(HTTPStatus.NOT_FOUND, f"there is no episode {wish.episode}")
        case NotPossible() | NotDurable() | Unanswered():
            raise problem_of(verdict)
        case _ if (of := getattr(route.answer, "of", None)) is not None:
            return of(verdict)
        case Struct():
            known = {**asdict(wish), **asdict(verdict)}
            return route.answer(**{each.name: known[each.name] for each in fields_of(route.answer)})
        case _:
            raise problem_of(verdict)
