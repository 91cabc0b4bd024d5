"""The card for who empties and cleans: one A4 page to print and hand over, by the desk and by ``cunjing card``.

What stands on it follows from the inventory; its sentences are in the template.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Response
from msgspec import Struct

from alerts.notify import texts
from alerts.people import EMPTIER, holders
from gateway.desk.auth import Gate, require
from gateway.desk.drafts import pick
from gateway.desk.pages import Page
from gateway.desk.present import Desk, Visit
from gateway.desk.users import UserRole
from gateway.desk.view import html, text
from telemetry.inventory import Inventory, Person
from telemetry.terms import AssetKind

STYLE: Final = Path(__file__).parents[1] / "static" / "card.css"
MOST_NAMED: Final = 24
"""Places that fit on the page in type that old eyes can read."""


class Card(Struct, frozen=True):
    """One person's page."""

    name: str
    phone: str
    through: str
    """Whose telephone it is, where it is somebody else's."""
    places: tuple[str, ...]
    more: int
    plants: bool
    """Whether they look after plants instead of pools."""
    office_phone: str
    signature: str


def card(person: Person, inventory: Inventory) -> Card:
    """What stands on somebody's card."""
    owned = [
        asset
        for asset in inventory.assets.values()
        if any(holder.person.id == person.id for holder in holders(inventory, EMPTIER, asset.areas, asset))
    ]
    named = [texts.place(asset) for asset in owned]
    relay = inventory.people.get(person.relay or "")
    return Card(
        name=person.name,
        phone=inventory.phone_of[person.id],
        through="" if relay is None else relay.name,
        places=tuple(named[:MOST_NAMED]),
        more=max(0, len(named) - MOST_NAMED),
        plants=bool(owned) and all(asset.kind is AssetKind.PLANT for asset in owned),
        office_phone=inventory.county.office_phone or "",
        signature=inventory.county.signature,
    )


def document(inventory: Inventory, people: Iterable[str]) -> str:
    """Cards as one file that needs no other, a page each."""
    made = [card(inventory.people[name], inventory) for name in people]
    return text("card.html", cards=made, style=STYLE.read_text("utf-8"))


def routes(_desk: Desk, gate: Gate) -> APIRouter:
    """One card on the desk, for who may see numbers."""
    router = APIRouter()

    @router.get("/people/{name}/card")
    def one(name: str, visit: Annotated[Visit, Depends(gate.visit)]) -> Response:
        person = pick((each for each in visit.scope.people if each.id == name), "not_found")
        require(visit, UserRole.CREW)
        return html("card.html", cards=[card(person, visit.present.inventory)], style="")

    return router


PAGE: Final = Page(path="/people/{name}/card", role=UserRole.VIEWER, routes=routes)
