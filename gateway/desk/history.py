"""A line of a case's history as people read it: who did what, when, by which way, and what they said. Pure."""

import re
from datetime import datetime
from typing import Final, NamedTuple

from gateway.desk import sentences, words
from gateway.desk.present import Visit
from gateway.journal.view import Row
from telemetry.reading import Millis

_TO: Final = re.compile(r"to (\S+)")
_BY: Final = re.compile(r"by (\S+)")
_TIME: Final = re.compile(r"(due|until) (\d{4}-\S+)")
_LEVEL: Final = re.compile(r"level (\d+): (.*)")
_PERSONAL: Final = frozenset({"told"})
"""Lines whose reason is a person."""
_EPISODES: Final = frozenset({"raised", "acked", "reignited"})
"""Lines whose reason is the id of an episode, and nothing for people."""


class HistoryLine(NamedTuple):
    """One line of the history."""

    at_ms: Millis
    deed: str
    who: str
    where: str
    said: str
    now: str


def told(line: Row, visit: Visit) -> HistoryLine:
    """What the journal has of it, in words."""
    inventory = visit.present.inventory
    where = " ".join(part for part in (words.word("channels", line["channel"]), line["origin"]) if part)
    return HistoryLine(
        round(datetime.fromisoformat(line["at"]).timestamp() * 1000),
        line["deed"],
        sentences.person(inventory, line["by"]) if line["by"] else "",
        where,
        _said(line, visit),
        line["now"] if line["now"] != line["was"] else "",
    )


def _said(line: Row, visit: Visit) -> str:
    reason, deed = str(line["reason"]), line["deed"]
    if deed in _EPISODES:
        return ""
    if deed in _PERSONAL:
        return sentences.person(visit.present.inventory, reason)
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
        return f"{words.word('case_details', 'to')}{sentences.person(visit.present.inventory, found[1])}"
    if found := _BY.fullmatch(part):
        rule = visit.present.cases.of(found[1])
        return f"{words.word('case_details', 'by')}{rule.standard or rule.says}"
    if found := _TIME.fullmatch(part):
        at = datetime.fromisoformat(found[2]).timestamp()
        local = visit.present.arrangements.calendar.local(round(at * 1000))
        return f"{words.word('case_details', found[1])}{local.month}月{local.day}日{local:%H:%M}"
    return None


def _of_the_house(reason: str, visit: Visit) -> str:
    found = _LEVEL.fullmatch(reason)
    if found is None:
        return words.word("case_reasons", reason)
    people = (sentences.person(visit.present.inventory, name) for name in found[2].split(", ") if name)
    return f"{words.word('case_details', 'level')}{'、'.join(people) or words.word('case_details', 'nobody')}"
