"""Whom one may choose for something that has to be done, those nearest to it first. Pure look-ups in a visit."""

from typing import Final

from gateway.desk.present import Visit
from telemetry.inventory import Person

_DUTIES: Final = {"cleaner": 0, "collector": 1, "crew": 2, "village_head": 3, "dispatcher": 4, "town_leader": 5}


def near(visit: Visit, asset: str, areas: tuple[str, ...] = ()) -> list[tuple[Person, str, bool]]:
    """Whom one may send, with their duty and whether it is their time; those nearest to the case first."""
    inventory, calendar = visit.present.inventory, visit.present.arrangements.calendar
    known = inventory.assets.get(asset)
    around = known.areas if known is not None else areas
    close = {node.id for area in around if area in inventory.areas for node in inventory.lineage(area)}
    route = inventory.route_of.get(asset)
    rows = [(person, duty) for person in visit.scope.people for duty in person.duties if duty.role in _DUTIES]
    rows.sort(
        key=lambda row: (
            not (row[1].area in close or (route is not None and row[1].route == route.id)),
            _DUTIES[row[1].role],
        )
    )
    found: dict[str, tuple[Person, str, bool]] = {}
    for person, duty in rows:
        on_duty = duty.hours is None or calendar.is_within(visit.now_ms, duty.hours)
        found.setdefault(person.id, (person, duty.role, on_duty))
    return list(found.values())
