"""How a case begins: where it is, which number it gets, and what its rule asks of it. Only numbers are remembered.

A registered case and one that a sensor found differ only here.
"""

from collections.abc import Mapping
from typing import NamedTuple

from msgspec.structs import replace

from alerts.calendars import Calendar
from alerts.ledger.case import Case, LedgerRefusal, Origin, Refusal, Register
from alerts.ledger.moves import MoveFacts, deadline_ms
from alerts.model import Event
from alerts.undo import Undoable, UndoDict, UndoLog
from telemetry.inventory import Inventory
from telemetry.reading import Millis
from telemetry.terms import Level

REPORTED = "reported"
"""The rule of a case of which nobody has said by which rule it goes."""


class CasePlace(NamedTuple):
    """Where a case is: its own areas, those and all above, and the town that numbers it."""

    asset: str
    areas: tuple[str, ...]
    within: tuple[str, ...]
    town: str


class CaseNumbers(Undoable):
    """Ids: the local day, the town, and a number that starts anew with both; none is given twice."""

    def __init__(self, calendar: Calendar, undo: UndoLog) -> None:
        super().__init__(undo)
        self._calendar = calendar
        self._highest: dict[tuple[str, str], int] = UndoDict(undo)

    def restore(self, highest: Mapping[tuple[str, str], int]) -> None:
        """Goes on after the highest number of each (day, town)."""
        self._highest = UndoDict(self._undo, highest)

    def next(self, town: str, at_ms: Millis) -> str:
        """``20261122-qingshi-003``."""
        key = self._calendar.local(at_ms).strftime("%Y%m%d"), town
        self._highest[key] = number = self._highest.get(key, 0) + 1
        return f"{key[0]}-{town}-{number:03d}"


def numbered(case: str) -> tuple[tuple[str, str], int]:
    """The (day, town) and the number that an id is made of."""
    day, _, rest = case.partition("-")
    town, _, number = rest.rpartition("-")
    return (day, town), int(number)


def find_place(asset: str, inventory: Inventory) -> CasePlace | None:
    """Where an asset, a radio gateway or the county itself is."""
    known, gateway = inventory.assets.get(asset), inventory.radio_gateways.get(asset)
    if known is not None:
        return _at(asset, known.areas, inventory)
    return None if gateway is None else _at(asset, (gateway.area,), inventory)


def of_person(event: Event, inventory: Inventory) -> CasePlace | None:
    """Where a matter about a person is: in the area of their duty, else in the county."""
    detail = event.detail or {}
    if event.asset != inventory.county.id or "person" not in detail:
        return None
    area = str(detail.get("area", ""))
    return _at("", (area,) if area in inventory.areas else (), inventory)


def placed(wish: Register, desk: MoveFacts) -> CasePlace | Refusal:
    """Where a registered case is; it needs an asset or an area that the inventory knows."""
    inventory = desk.inventory
    if wish.rule and wish.rule not in desk.policy.rules:
        known = ", ".join(sorted(desk.policy.rules)) or "none"
        return Refusal(LedgerRefusal.UNKNOWN_RULE, f"there is no rule {wish.rule} for cases: known are {known}")
    if wish.asset:
        place = find_place(wish.asset, inventory)
        return place or Refusal(
            LedgerRefusal.UNKNOWN_PLACE, f"the inventory has no asset {wish.asset}: name one of its ids"
        )
    if wish.area in inventory.areas:
        return _at("", (wish.area,), inventory)
    if wish.area:
        return Refusal(LedgerRefusal.UNKNOWN_PLACE, f"the inventory has no area {wish.area}: name one of its ids")
    return Refusal(LedgerRefusal.UNKNOWN_PLACE, "a case is somewhere: name an asset, or an area and the place in words")


def registered(wish: Register, place: CasePlace, name: str, at_ms: Millis, desk: MoveFacts) -> Case:
    """What a person has written down."""
    rule = wish.rule or REPORTED
    due_ms = deadline_ms(desk, rule, at_ms)
    return Case(
        id=name,
        origin=wish.reported,
        what=wish.what,
        rule=rule,
        opened_ms=at_ms,
        areas=place.areas,
        within=place.within,
        town=place.town,
        asset=place.asset,
        place=wish.place,
        caller_name=wish.caller_name,
        caller_phone=wish.caller_phone,
        photo=wish.photo,
        key=wish.key,
        deadline_ms=due_ms,
        due_ms=due_ms,
    )


def found_wrong(event: Event, place: CasePlace, name: str, desk: MoveFacts) -> Case:
    """What a sensor has found."""
    due_ms = deadline_ms(desk, event.rule, event.at_ms)
    return Case(
        id=name,
        origin=Origin.TELEMETRY,
        what=desk.policy.of(event.rule).says,
        rule=event.rule,
        opened_ms=event.at_ms,
        areas=place.areas,
        within=place.within,
        town=place.town,
        severity=event.severity,
        asset=place.asset,
        place=str((event.detail or {}).get("person", "")),  # whom it is about, where it is about somebody
        episode=event.episode,
        standing=True,
        deadline_ms=due_ms,
        due_ms=due_ms,
    )


def doubted(event: Event, place: CasePlace, name: str, desk: MoveFacts) -> Case:
    """A check of the sensor behind an episode that somebody says is not so; it has no episode of its own."""
    check = found_wrong(replace(event, rule="sensor_check"), place, name, desk)
    return replace(check, origin=Origin.ANSWER, severity="P3", episode="", standing=False)


def _at(asset: str, areas: tuple[str, ...], inventory: Inventory) -> CasePlace:
    lineage = [node for area in areas for node in inventory.lineage(area)]
    town = next((node.id for node in lineage if node.level is Level.TOWN), inventory.county.id)
    within = (inventory.county.id, *dict.fromkeys(node.id for node in lineage))
    return CasePlace(asset, areas or (inventory.county.id,), within, town)
