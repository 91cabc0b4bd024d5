"""``cunjing sms welcome``, ``cunjing sms people``, ``cunjing card``: the first contact with people."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.ending import (
    DEFAULT_CONFIG,
    Code,
    Config,
    county_of,
    ends_with_a_sentence,
    load_settings,
    print_lines,
    say,
)

if TYPE_CHECKING:
    from gateway.journal.case_reader import First
    from gateway.settings import Settings
    from telemetry.inventory import Inventory

_People = Annotated[list[str] | None, typer.Argument(metavar="PERSON...", help="Ids of the inventory.")]
_AT_ONCE = 500
"""So many are asked for in one go."""


def welcome(
    people: _People = None,
    *,
    all_new: Annotated[bool, typer.Option("--all-new", help="Cleaners and drivers who never got it.")] = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """The first text, to these or to all who are new. Through the gateway; by night it leaves in the morning."""
    from alerts.calendars import iso
    from gateway import client
    from gateway.journal.database import JournalUnavailable
    from gateway.settings import SettingsFault

    if bool(people) == all_new:
        raise typer.BadParameter("name people, or say --all-new", param_hint="PERSON...")
    skipped: dict[str, str] = {}
    with ends_with_a_sentence(SettingsFault, client.GatewayFault, JournalUnavailable):
        settings, inventory = _county(config)
        wanted = people or _new(settings, inventory)
        for begin in range(0, len(wanted), _AT_ONCE):
            body = {"people": wanted[begin : begin + _AT_ONCE]}
            said = client.request(settings, "POST", "/api/v1/people/welcome", body, ("told", "leaves_ms", "skipped"))
            skipped |= said["skipped"]
            print_lines([f"{name} gets it at {iso(said['leaves_ms'])}" for name in said["told"]])
    if not wanted:
        say("nobody is new: cunjing sms people shows how far it has come with each")
    for name, why in skipped.items():
        say(f"{name}: {why}")
    raise typer.Exit(Code.PROBLEMS if skipped else Code.OK)


def people(config: Config = DEFAULT_CONFIG) -> None:
    """Everybody who can be told, and the first contact: never, owed, sent, delivered, lost, reached (they answered)."""
    from gateway.journal.database import JournalUnavailable
    from gateway.settings import SettingsFault

    with ends_with_a_sentence(SettingsFault, JournalUnavailable):
        settings, inventory = _county(config)
        contacts = _contacts(settings)
    print_lines(_rows(inventory, contacts))


def card(
    people: _People = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="All cleaners and drivers, a page each.")] = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """A page to print and hand over: their name, their pools, what 1 2 3 0 mean, whom to call. HTML, one A4 each."""
    from gateway.cli.ending import print_bytes
    from gateway.commands.welcome import is_greeted
    from gateway.desk.pages.card import document
    from gateway.journal.database import JournalUnavailable
    from gateway.settings import SettingsFault

    if bool(people) == every:
        raise typer.BadParameter("name people, or say --all", param_hint="PERSON...")
    with ends_with_a_sentence(SettingsFault, JournalUnavailable):
        _, inventory = _county(config)
        unknown = [name for name in people or () if name not in inventory.people]
        if unknown:
            raise SettingsFault([f"the inventory has no person {name!r}" for name in unknown])
        chosen = people or [person.id for person in inventory.people.values() if is_greeted(person)]
        if not chosen:
            raise SettingsFault(["the inventory has no cleaner and no driver who reads texts"])
    print_bytes(document(inventory, chosen).encode())


def _county(config: Path) -> "tuple[Settings, Inventory]":
    chosen = load_settings(config)
    return chosen, county_of(chosen)


def _contacts(settings: "Settings") -> "dict[str, First]":
    from contextlib import closing

    from gateway.journal.case_reader import CaseReader

    with closing(CaseReader.open(settings.journal.path)) as reader:
        return reader.contacts()


def _new(settings: "Settings", inventory: "Inventory") -> list[str]:
    from gateway.commands.welcome import is_new

    contacts = _contacts(settings)
    return [person.id for person in inventory.people.values() if is_new(person, contacts)]


def _rows(inventory: "Inventory", contacts: "dict[str, First]") -> list[str]:
    from msgspec import json

    from alerts.calendars import iso
    from gateway.journal.case_reader import NEVER

    rows = []
    for person in inventory.people.values():
        first = contacts.get(person.id, NEVER)
        reach = "voice" if person.by_voice else f"relay:{person.relay}" if person.relay else "sms"
        row = {"person": person.id, "name": person.name, "phone": inventory.phone_of[person.id], "reach": reach}
        row |= {"first_contact": first.contact.value, "since": iso(first.at_ms) if first.at_ms else ""}
        rows.append(json.encode(row).decode())
    return rows
