"""谁会收到: who would be told, and when, if a rule stood on a site now. The same for the page and for ``cunjing who``.

The gateway's loop works it out on what is durable; here are the page and the words.
"""

from typing import Annotated, Final, NamedTuple

from fastapi import APIRouter, Depends, Query, Response

from alerts.calendars import Calendar
from alerts.episodes.rehearsal import Foreseen
from alerts.model import URGENT
from gateway.commands.episodes import Foresee
from gateway.desk import sentences, words
from gateway.desk.auth import Gate, site
from gateway.desk.pages import Page
from gateway.desk.present import Desk, Visit
from gateway.desk.saying import await_answer, word_outcome
from gateway.desk.users import UserRole
from gateway.desk.view import lay_out
from gateway.desk.words import clock, moment
from telemetry.inventory import Asset, Inventory
from telemetry.reading import Millis

_MOST: Final = 40


class ForeseenLine(NamedTuple):
    """One thing that would happen: when, and in a sentence; ``is_text`` where somebody is told."""

    at_ms: Millis
    words: str
    is_text: bool


def routes(desk: Desk, gate: Gate) -> APIRouter:
    """The sheet of one site."""
    router = APIRouter()

    @router.get("/assets/{name}/who")
    def ask(
        visit: Annotated[Visit, Depends(gate.visit)],
        name: str,
        rule: Annotated[str, Query(max_length=40)] = "",
        at: Annotated[str, Query(max_length=20)] = "",
    ) -> Response:
        asset = site(visit, name)
        known = _rules(visit, asset)
        chosen = rule if rule in known else next(iter(known), "")
        calendar = visit.present.arrangements.calendar
        at_ms = (moment(calendar, at) if at else None) or visit.now_ms
        verdict = await_answer(desk, Foresee(rule=chosen, asset=name, at_ms=at_ms)) if chosen else None
        foreseen = verdict if isinstance(verdict, Foreseen) else None
        return lay_out(
            visit,
            "who.html",
            "/assets",
            asset=asset,
            rules=known,
            rule=chosen,
            local_at=f"{calendar.local(at_ms):%Y-%m-%dT%H:%M}",
            lines=[] if foreseen is None else told(foreseen, visit.present.inventory, calendar, visit.now_ms),
            foreseen=foreseen,
            verdict="" if foreseen is None else verdict_of(foreseen, calendar),
            refused=None if foreseen is not None or verdict is None else word_outcome(verdict),
        )

    return router


PAGE: Final = Page(path="/assets/{name}/who", role=UserRole.DISPATCHER, routes=routes)


def _rules(visit: Visit, asset: Asset) -> list[str]:
    """The rules that watch a site, the urgent ones first."""
    watching = visit.present.arrangements.thresholds.plan(asset).slots
    ranked = sorted(watching, key=lambda slot: slot.rule.severity_of(asset, {}) not in URGENT)
    return list(dict.fromkeys(slot.rule.kind for slot in ranked))


def told(foreseen: Foreseen, inventory: Inventory, calendar: Calendar, now_ms: Millis) -> list[ForeseenLine]:
    """Texts and reasons in their order, each in words."""
    at = clock(calendar, now_ms)
    lines = [
        ForeseenLine(
            each.at_ms,
            f"{words.word('samples', 'text')} → {sentences.person(inventory, each.to)}"
            f"（{words.word('kinds', each.kind)}）：{each.text}",
            is_text=True,
        )
        for each in foreseen.told
    ]
    lines += [
        ForeseenLine(each.at_ms, sentences.of_event(each, inventory, at), is_text=False) for each in foreseen.reasons
    ]
    return sorted(lines, key=lambda line: line.at_ms)[:_MOST]


def verdict_of(foreseen: Foreseen, calendar: Calendar) -> str:
    """In one sentence whether somebody would be told in time."""
    if not foreseen.told:
        return words.word("foresight", "nobody")
    first = f"{calendar.local(foreseen.told[0].at_ms):%-d日%H:%M}"
    if not foreseen.bound_ms:
        return words.word("foresight", "told").format(at=first)
    name = "in_time" if foreseen.is_in_time else "late"
    return words.word("foresight", name).format(at=first, bound=f"{calendar.local(foreseen.bound_ms):%-d日%H:%M}")


def lines_of(foreseen: Foreseen, asset: Asset, inventory: Inventory, calendar: Calendar, at_ms: Millis) -> list[str]:
    """The same as plain text."""
    rule = foreseen.episode.partition("/")[0]
    at = clock(calendar, at_ms)
    head = f"{asset.name} · {words.rule(rule)} · {calendar.local(at_ms):%Y-%m-%d %H:%M}"
    body = [f"  {at(line.at_ms)} {line.words}" for line in told(foreseen, inventory, calendar, at_ms)]
    return [head, verdict_of(foreseen, calendar), *body]
