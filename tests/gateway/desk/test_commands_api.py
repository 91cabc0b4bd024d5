"""What each command says of how it is asked over HTTP: that its wish can be made of it, and that the API has it."""

from dataclasses import fields as fields_of
from dataclasses import is_dataclass
from http import HTTPMethod
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from fastapi import FastAPI
from msgspec.structs import fields

from alerts.ledger.case import CaseCommand, Register
from gateway.commands import routes
from gateway.commands.cases import REGISTER, STEP, STEP_FORMS
from gateway.commands.command import Done, SignedCommand
from gateway.commands.fields import CommandRoute, CountField, TextField
from gateway.commands.welcome import Welcomed
from gateway.desk.commands_api import serve_commands
from gateway.inbox import Inbox

SUBJECTS = Path(__file__).parents[3] / "gateway" / "commands"


@pytest.mark.parametrize("route", [*routes(), REGISTER, STEP], ids=lambda route: f"{route.method} {route.path}")
def test_a_route_asks_for_all_that_its_wish_needs_and_for_nothing_else(route: CommandRoute[Any]) -> None:
    said = {getattr(kind, "of", "") or name for name, kind in route.fields.items()}
    asked = said | {name for _, name, _, _ in Formatter().parse(route.path) if name}
    known = {each.name: each.required for each in fields(route.wish)}
    signed = {"channel", "origin"} if issubclass(route.wish, SignedCommand | Register | CaseCommand) else set()
    assert asked <= known.keys()
    assert {name for name, required in known.items() if required} <= asked
    assert known.keys() - asked == signed
    assert route.explained.keys() <= route.fields.keys()
    assert HTTPMethod(route.method) is (HTTPMethod.POST if route.fields else HTTPMethod.GET)
    assert route.body if route.fields else not route.body


@pytest.mark.parametrize("route", routes(), ids=lambda route: f"{route.method} {route.path}")
def test_an_answer_is_made_by_itself_or_of_what_was_asked_and_done(route: CommandRoute[Any]) -> None:
    assert is_dataclass(route.answer)
    assert route.answer.__doc__
    if not hasattr(route.answer, "of"):
        known = {each.name for each in (*fields(route.wish), *fields(Done), *fields(Welcomed))}
        assert {each.name for each in fields_of(route.answer)} <= known


def test_what_the_form_of_a_step_asks_is_typed_and_stands_in_its_body() -> None:
    asked = {ask.name for asks in STEP_FORMS.values() for ask in asks}
    assert {name for name in asked if not isinstance(STEP.fields[name], TextField | CountField)} == set()
    typed = {name for name, kind in STEP.fields.items() if isinstance(kind, TextField | CountField)}
    assert typed - asked == {"by", "to", "rule"}, "those are chosen; what is typed, no form leaves out"


def test_every_subject_that_says_so_is_found_and_served_in_its_order() -> None:
    saying = [path.stem for path in SUBJECTS.glob("*.py") if "\nCOMMANDS: Final" in path.read_text("utf-8")]
    assert {route.wish.__module__.rpartition(".")[2] for route in routes()} == set(saying)
    app, inbox = FastAPI(), Inbox()
    serve_commands(app, inbox, "hush", range(100))
    inbox.close()
    served = [(method.upper(), path) for path, said in app.openapi()["paths"].items() for method in said]
    assert sorted(served) == sorted((route.method, route.path) for route in routes())
