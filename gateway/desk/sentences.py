"""An event, or a line of a case's history, as one sentence for people: on the desk and from ``cunjing why``.

Pure. Only what the journal says is said; every word comes from the catalogue.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, NamedTuple

from alerts.alert import Alert
from alerts.model import Detail, Event
from alerts.notify.texts import tenths
from alerts.windows import is_window
from gateway.desk import words
from gateway.desk.present import Visit
from gateway.journal.view import Row
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


_TO: Final = re.compile(r"to (\S+)")
_BY: Final = re.compile(r"by (\S+)")
_TIME: Final = re.compile(r"(due|until) (\d{4}-\S+)")
_LEVEL: Final = re.compile(r"level (\d+): (.*)")
_PERSONAL: Final = frozenset({"told"})
"""Lines whose reason is a person."""
_OF_EPISODES: Final = frozenset({"raised", "acked", "reignited"})
"""Lines whose reason is the id of an episode, and nothing for people."""


class HistoryLine(NamedTuple):
    """One line of the history."""

    at_ms: Millis
    deed: str
    who: str
    where: str
    said: str
    now: str


def of_line(line: Row, visit: Visit) -> HistoryLine:
    """What the journal has of it, in words."""
    inventory = visit.present.inventory
    where = " ".join(part for part in (words.word("channels", line["channel"]), line["origin"]) if part)
    return HistoryLine(
        round(datetime.fromisoformat(line["at"]).timestamp() * 1000),
        line["deed"],
        person(inventory, line["by"]) if line["by"] else "",
        where,
        _said(line, visit),
        line["now"] if line["now"] != line["was"] else "",
    )


def _said(line: Row, visit: Visit) -> str:
    reason, deed = str(line["reason"]), line["deed"]
    if deed in _OF_EPISODES:
        return ""
    if deed in _PERSONAL:
        return person(visit.present.inventory, reason)
    if not line["by"]:
        return _of_the_house(reason, visit)
    if deed not in ("assign", "defer", "verify", "fix", "start"):
        return reason
    first, mark, rest = reason.partition("; ")
    parts = [_detail(part, visit) for part in first.split(", ")]
    if all(part is not None for part in parts) and first:
        return "，".join([part for part in parts if part] + ([rest] if mark else []))
    return reason


def _detail(part: str, visit: Visit) -> str | None:
    """What was decided with it, 给梅大姐; ``None`` for what a person wrote."""
    if found := _TO.fullmatch(part):
        return f"{words.word('case_details', 'to')}{person(visit.present.inventory, found[1])}"
    if found := _BY.fullmatch(part):
        rule = visit.present.cases.of(found[1])
        return f"{words.word('case_details', 'by')}{rule.standard or rule.says}"
    if found := _TIME.fullmatch(part):
        calendar = visit.present.arrangements.calendar
        if (at_ms := words.moment(calendar, found[2])) is not None:
            local = calendar.local(at_ms)
            return f"{words.word('case_details', found[1])}{local.month}月{local.day}日{local:%H:%M}"
    return None


def _of_the_house(reason: str, visit: Visit) -> str:
    found = _LEVEL.fullmatch(reason)
    if found is None:
        return words.word("case_reasons", reason)
    people = (person(visit.present.inventory, name) for name in found[2].split(", ") if name)
    return f"{words.word('case_details', 'level')}{'、'.join(people) or words.word('case_details', 'nobody')}"
