"""Whatever may happen has a Chinese word on the desk: every event that the code writes, found by reading the code.

And every command: what it becomes, what is answered to it, and how the audit calls it.
"""

import ast
from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

from gateway.commands import subjects, wordings
from gateway.commands.command import SignedCommand
from gateway.desk import words
from gateway.desk.words import CATALOGUE

ROOT = Path(__file__).parents[3]
WRITERS = frozenset({"record", "why", "unsaid", "_about", "_event", "event_of"})
"""Whose first argument is what happened."""
UNHEARD = frozenset({"resending", "fixed"})
"""What only the API and an SMS are answered with: no page asks for either."""


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call):
            yield node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", ""), node


def texts(said: ast.expr, module: ModuleType) -> Iterator[str]:
    """What an argument may be: written there, a constant of its module, or one of both."""
    match said:
        case ast.Constant(value=str(text)):
            yield text
        case ast.Name(id=name) if isinstance(named := getattr(module, name, None), str):
            yield named
        case ast.IfExp(body=one, orelse=other):
            yield from texts(one, module)
            yield from texts(other, module)


def module_of(path: Path) -> ModuleType:
    return import_module(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"))


def events() -> Iterator[str]:
    for path in (*ROOT.glob("alerts/**/*.py"), *ROOT.glob("gateway/**/*.py")):
        for named, node in calls(path):
            said = node.args[:1] if named in WRITERS else []
            said += [each.value for each in node.keywords if each.arg == "event" and named == "Event"]
            yield from (text for each in said for text in texts(each, module_of(path)))


def test_every_event_is_called_by_a_word() -> None:
    written = set(events())
    assert len(written) > 20
    assert sorted(written - words.catalogue()["events"].keys()) == []


def signed() -> set[type[SignedCommand[Any]]]:
    """Every command that a person signs."""
    found = (each for subject in subjects() for each in vars(subject).values() if isinstance(each, type))
    return {each for each in found if issubclass(each, SignedCommand)} - {SignedCommand}


def test_every_command_that_a_person_signs_brings_its_words() -> None:
    spoken = {command.wish: command for command in wordings()}
    assert len(spoken) == len(wordings())
    assert signed() <= spoken.keys()
    assert [name.__name__ for name, command in spoken.items() if not (all(command.deed) and command.becomes)] == []
    assert [name for command in wordings() for name, (_, answer) in command.becomes.items() if not answer] == []
    assert [name.__name__ for name in signed() if not any(row for row, _ in spoken[name].becomes.values())] == []


def test_whatever_a_command_becomes_is_answered_in_words() -> None:
    written = {
        text
        for path in (ROOT / "gateway" / "commands").glob("*.py")
        for named, node in calls(path)
        if named.endswith("Done") and len(node.args) > 1
        for text in texts(node.args[1], module_of(path))
    }
    assert len(written) > 5
    assert sorted(written - words.catalogue()["outcomes"].keys() - UNHEARD) == []


def test_whatever_a_page_notes_for_the_audit_has_a_word() -> None:
    noted = {
        text
        for path in (ROOT / "gateway" / "desk" / "pages").glob("*.py")
        for named, node in calls(path)
        if named == "obey"
        for text in [text for each in node.args for text in texts(each, module_of(path))][:1]
    }
    assert len(noted) > 5
    assert sorted(noted - words.catalogue()["deeds"].keys()) == []


def test_the_words_of_a_command_stand_with_it_alone() -> None:
    kept = yaml.safe_load(CATALOGUE.read_text("utf-8"))
    deeds = {command.deed for command in wordings()}  # which commands of a subject share, word and all
    brought = Counter(("deeds", name) for name, _ in deeds)
    for command in wordings():
        brought.update(("outcomes", name) for name in command.becomes)
        brought.update(("refusals", name) for name in command.refusals)
    in_file = [(table, name) for table in ("deeds", "events", "outcomes", "refusals") for name in kept[table]]
    assert sorted(brought.keys() & set(in_file)) == []
    assert sorted(name for command in wordings() for name in command.becomes.keys() & kept["events"].keys()) == []
    assert [name for name, count in brought.items() if count > 1] == []
