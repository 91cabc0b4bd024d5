"""Who may declare work or a planned power cut, for which assets and how long; and what is done of it in a county.

Refusals are sentences with a name. What becomes of an asset's alerts meanwhile is ``engine`` and ``decide``.
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from alerts.calendars import HOUR_MS, stamp
from alerts.conditions import engine
from alerts.episodes.county import Changes, County
from alerts.model import Actor, Detail, Event, Refused
from alerts.policy import MaintenancePolicy
from alerts.windows import Window, Work
from telemetry.inventory import Asset, Inventory, Person
from telemetry.reading import Millis

LONGEST_REASON: Final = 60


class Declared(Struct, frozen=True):
    """A window that stands, and the assets that it covers."""

    window: Window
    assets: tuple[str, ...]


class Wish(Struct, frozen=True):
    """What somebody wants declared. ``from_ms`` may be 0: now."""

    work: Work
    subject: str
    from_ms: Millis
    until_ms: Millis
    reason: str


def standing(county: County) -> Mapping[str, Declared]:
    """Every window of a county that is not over, by its id, as the assets remember it."""
    found: dict[str, tuple[Window, list[str]]] = {}
    for asset, state in county.states.items():
        for window in state.windows:
            found.setdefault(window.id, (window, []))[1].append(asset)
    return {name: Declared(window, tuple(assets)) for name, (window, assets) in found.items()}


def declare(county: County, wish: Wish, asked: Actor, at_ms: Millis, changes: Changes) -> Declared | Refused:
    """The window, from now or later on; why not where it cannot be."""
    policy = _policy(county)
    assets = covered(county.inventory, wish.work, wish.subject)
    refusal = _refusal(wish, assets, policy, at_ms)
    if refusal is not None:
        return refusal
    if not _may(county.inventory, policy, county.inventory.people[asked.by], assets):
        roles = ", ".join(policy.declared_by)
        sentence = f"{asked.by} may not declare this: it takes one of {roles} for every asset of {wish.subject}"
        return Refused("work_not_yours", sentence)
    name = _name(f"{wish.work.value}/{wish.subject}/{stamp(at_ms)}", standing(county))
    window = Window(name, max(wish.from_ms, at_ms), wish.until_ms, wish.reason, asked.by)
    changes.log.append(_record("work_declared", county.inventory, window, asked, at_ms))
    for asset in assets:
        county.keep(county.plans[asset.id], engine.declare_work(county.states[asset.id], window), at_ms, changes)
    county.advance(at_ms, changes)
    return standing(county)[name]


def withdraw(county: County, name: str, asked: Actor, at_ms: Millis, changes: Changes) -> Declared | Refused:
    """The window is over now, or does not come; why not where that cannot be."""
    declared = standing(county).get(name)
    if declared is None:
        return Refused("work_over", f"there is no window {name}: it may be over; see which ones stand")
    assets = tuple(county.inventory.assets[asset] for asset in declared.assets)
    if not _may(county.inventory, _policy(county), county.inventory.people[asked.by], assets):
        return Refused("work_not_yours", f"{asked.by} may not end this: it takes who may declare it")
    changes.log.append(_record("work_withdrawn", county.inventory, declared.window, asked, at_ms))
    for asset in declared.assets:
        plan = county.plans[asset]
        county.keep(plan, engine.withdraw_work(plan, county.states[asset], name, at_ms), at_ms, changes)
    return declared


def covered(inventory: Inventory, work: Work, subject: str) -> tuple[Asset, ...]:
    """One asset, those of an area and all below it, or the plants on a feeder; none where nothing is called so."""
    if work is Work.PLANNED_CUT:
        return tuple(
            asset for asset in inventory.assets.values() if asset.plant is not None and asset.plant.feeder == subject
        )
    if subject in inventory.assets:
        return (inventory.assets[subject],)
    return tuple(asset for asset in inventory.assets.values() if subject in inventory.around(asset.areas))


def _policy(county: County) -> MaintenancePolicy:
    return county.decider.escalation.holds.policies.maintenance


def _refusal(wish: Wish, assets: tuple[Asset, ...], policy: MaintenancePolicy, at_ms: Millis) -> Refused | None:
    if not assets:
        what = "feeder with plants on it" if wish.work is Work.PLANNED_CUT else "asset, and no area with assets,"
        return Refused("work_nowhere", f"the inventory has no {what} {wish.subject}; use an id of the inventory")
    if not wish.reason.strip() or len(wish.reason) > LONGEST_REASON or not wish.reason.isprintable():
        sentence = f"say why in 1 to {LONGEST_REASON} signs: the reason is missing, too long or not plain text"
        return Refused("work_reason", sentence)
    if wish.until_ms <= max(wish.from_ms, at_ms):
        return Refused("work_ends_early", "it would end before it begins, or in the past; name a later end")
    if wish.until_ms - max(wish.from_ms, at_ms) > policy.longest:
        return Refused("work_long", f"it may last {policy.longest // HOUR_MS} h at most; name an earlier end")
    return None


def _may(inventory: Inventory, policy: MaintenancePolicy, person: Person, assets: tuple[Asset, ...]) -> bool:
    """Whether they hold a role that may, at or above each of the assets."""
    areas = {duty.area for duty in person.duties if duty.role in policy.declared_by and duty.area is not None}
    return all(not areas.isdisjoint(inventory.around(asset.areas)) for asset in assets)


def _name(mint: str, taken: Mapping[str, Declared]) -> str:
    """Several may be declared for one thing in one second."""
    found, number = mint, 2
    while found in taken:
        found, number = f"{mint}-{number}", number + 1
    return found


def _record(event: str, inventory: Inventory, window: Window, asked: Actor, at_ms: Millis) -> Event:
    asset = window.subject if window.subject in inventory.assets else inventory.county.id
    about: Detail = {
        "reason": window.reason,
        "window": window.id,
        "from_ms": window.from_ms,
        "until_ms": window.until_ms,
    }
    return Event(at_ms=at_ms, event=event, asset=asset, detail={**asked.detail(), **about})
