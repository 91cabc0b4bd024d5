"""An event of the journal as one sentence for people, the same on the desk and from ``cunjing why``. Pure.

Only what the event says is said; every word comes from the catalogue.
"""

from collections.abc import Callable, Mapping
from typing import Final

from alerts.alert import Alert
from alerts.model import Detail, Event
from alerts.notify.texts import tenths
from alerts.windows import is_window
from gateway.desk import words
from telemetry.inventory import Inventory
from telemetry.reading import Millis

Clock = Callable[[Millis], str]
"""How an instant is written."""

_EPISODES: Final = frozenset({"inhibited", "released"})
"""Events whose reason is another episode."""


_SAID_OTHERWISE: Final = frozenset({"round_missed", "folded"})
"""Events whose reason is a number or a key, and nothing for people."""


def person(inventory: Inventory, name: str) -> str:
    """Somebody's name, or of a role what it is called."""
    known = inventory.people.get(name)
    return words.word("duties", name) if known is None else known.name


def subject(inventory: Inventory, name: str) -> str:
    """What an episode stands on, as people call it."""
    asset = inventory.known_asset(name)
    if asset is not None:
        return asset.short
    places = (inventory.radio_gateways, inventory.areas, inventory.feeders, inventory.people)
    named = next((found[name] for found in places if name in found), inventory.county)
    return named.name


def episode(inventory: Inventory, name: str) -> str:
    """过三分之二 柳潭3号: an episode by what it is, not by its id."""
    rule, _, rest = name.partition("/")
    about = rest.partition("/")[0]
    device = inventory.devices.get(about)
    return f"{words.rule(rule)} {subject(inventory, about if device is None else device.asset)}"


def of_event(event: Event, inventory: Inventory, clock: Clock) -> str:
    """先不发 过三分之二：等这班来清，到 11:30."""
    detail = event.detail or {}
    named = words.word("events", event.event)
    if event.event == "run_state":
        return f"{named}{words.word('looks', str(detail.get('to', '')))}"
    if event.event in ("emptied", "partly_emptied"):
        return f"{named}：{_tenths(detail, 'from_pct')} → {_tenths(detail, 'to_pct')}"
    about = " ".join(part for part in (named, words.rule(event.rule) if event.rule else "") if part)
    clauses = [clause for clause in _clauses(event, detail, inventory, clock) if clause]
    return f"{about}：{'，'.join(clauses)}" if clauses else about


def of_wait(alert: Alert, clock: Clock) -> str:
    """等这班来清，先不发（到 11:30）: what an open episode waits for; empty when nothing is due any more."""
    if is_window(alert.parent):
        return f"{words.rule(alert.parent.partition('/')[0])}{words.word('waits', 'work')}"
    due_ms = alert.tell_ms or alert.shelved_until_ms
    if not due_ms:
        return ""
    if alert.reason:
        return f"{words.word('reasons', alert.reason)}（{words.word('waits', 'until')} {clock(due_ms)}）"
    return f"{clock(due_ms)} {words.word('waits', next_step(alert))}"


def next_step(alert: Alert) -> str:
    """What is due of it next, as the catalogue names it under ``waits``."""
    due = {alert.fresh_ms: "afresh", alert.round_ms: "round", alert.repeat_ms: "repeat", alert.due_ms: "step"}
    due |= {each.at_ms: "kept" for each in alert.kept}
    name = due.get(alert.tell_ms, "step")
    return "first" if name == "step" and alert.step == 0 else name


def _clauses(event: Event, detail: Detail, inventory: Inventory, clock: Clock) -> list[str]:
    said: list[str] = []
    reason = str(detail.get("reason", "") or "")
    if event.event in _EPISODES:
        said.append(episode(inventory, reason))
    elif event.event not in _SAID_OTHERWISE and reason:
        said.append(words.word("reasons", reason))
    who = detail.get("person") or detail.get("to")
    if isinstance(who, str):
        said.append(person(inventory, who))
    if isinstance(kind := detail.get("kind"), str):
        said.append(words.word("kinds", kind))
    if isinstance(until_ms := detail.get("until_ms"), int):
        said.append(f"{words.word('waits', 'until')} {clock(until_ms)}")
    if isinstance(looked := detail.get("looked"), str):
        said.append(f"{looked}{words.word('waits', 'looked')}")
    if isinstance(by := detail.get("by"), str) and by in inventory.people:
        said.append(person(inventory, by))
    wheres = (detail.get(key) for key in ("channel", "origin"))
    said += [words.word("channels", where) for where in wheres if isinstance(where, str) and where]
    if event.event in ("raised", "reignited"):
        said += evidence(detail)
    return said


def evidence(detail: Mapping[str, object]) -> list[str]:
    """What was measured when it was raised: 装满 83.2 %."""
    known = words.catalogue()["quantities"]
    return [
        words.quantity(name, float(value))
        for name, value in detail.items()
        if name in known and isinstance(value, int | float)
    ]


def _tenths(detail: Detail, key: str) -> str:
    value = detail.get(key)
    return tenths(float(value)) if isinstance(value, int | float) else ""
