"""审计: who did what, when and from where: to an episode, to a case, at the door, for the county's upkeep."""

from typing import Annotated, Final, NamedTuple

from fastapi import APIRouter, Depends, Response

from alerts.model import Event
from gateway.commands import wordings
from gateway.commands.quarantine import Result
from gateway.desk import sentences, words
from gateway.desk.auth import Gate
from gateway.desk.pages import MenuPlace, Page
from gateway.desk.present import Desk, Visit
from gateway.desk.sentences import of_line
from gateway.desk.users import AuditRecord, UserRole
from gateway.desk.view import lay_out
from gateway.desk.words import clock
from telemetry.reading import Millis

SHOWN: Final = 200
AMONG: Final = 200_000
"""Commands are looked for among so many of the newest events."""
ORDERS: Final = ("absence_added", "absence_ended", "extra_ordered", "extra_cancelled")


class AuditLine(NamedTuple):
    """One line of the audit: from the journal what was done to a case, from the door what was done at the desk."""

    at_ms: Millis
    who: str
    where: str
    what: str
    about: str
    event: Event | None = None
    reason: str = ""


def _commands() -> list[str]:
    """What a person did, of all that happens: the rows that commands leave."""
    return [name for command in wordings() for name, (row, _) in command.becomes.items() if row]


def routes(desk: Desk, gate: Gate) -> APIRouter:
    """The record."""
    router = APIRouter()

    @router.get("/audit")
    def audit(visit: Annotated[Visit, Depends(gate.visit)]) -> Response:
        with desk.journal() as journal:
            events = journal.newest_events(_commands(), SHOWN, AMONG)
        done = [
            AuditLine(
                event.at_ms,
                _text(event, "by"),
                _where(event),
                words.word("events", event.event),
                _order(visit, event) or _named(visit, event),
                event,
                _text(event, "reason"),
            )
            for event in events
        ]
        door = [
            AuditLine(deed.at_ms, deed.user, deed.address, words.word("deeds", deed.what), _about(visit, deed))
            for deed in desk.users.deeds(SHOWN)
        ]
        with desk.ledger() as ledger:
            cases = [(case, of_line(line, visit)) for case, line in ledger.newest_deeds(SHOWN)]
        failures = desk.users.failures(SHOWN)
        return lay_out(
            visit,
            "audit.html",
            "/audit",
            done=done,
            door=door,
            cases=cases,
            failures=failures,
            wall_ms=desk.wall_ms(),
        )

    return router


PAGE: Final = Page(path="/audit", role=UserRole.DISPATCHER, menu=MenuPlace("审计", 100), whole=True, routes=routes)


def _order(visit: Visit, event: Event) -> str:
    """Whom or what an order is about; empty for what was done to an episode, which has a page of its own."""
    return sentences.episode(visit.present.inventory, event.episode) if event.event in ORDERS else ""


def _text(event: Event, key: str) -> str:
    return str((event.detail or {}).get(key, ""))


def _where(event: Event) -> str:
    channel = _text(event, "channel")
    return " ".join(
        part for part in (words.word("channels", channel) if channel else "", _text(event, "origin")) if part
    )


def _named(visit: Visit, event: Event) -> str:
    """What something was done to that is no episode: the end of a trial, a second look, a parameter."""
    name = _text(event, "name")
    if event.event == "figure_set":
        parameter, was, now, reason = (_text(event, key) for key in ("figure", "was", "now", "reason"))
        rule = words.rule(event.rule)
        return words.word("figures", "set").format(
            name=name, rule=rule, figure=parameter, was=was, now=now, reason=reason
        )
    if event.event in {"work_declared", "work_withdrawn"}:
        return _on_work(visit, event)
    if event.event == "called_back":
        who = _text(event, "person")
        return sentences.person(visit.present.inventory, who) if who else words.word("whys", "stranger")
    if event.event == "looked_again":
        counted = [f"{words.word('again', each)} {_text(event, each)}" for each in Result if _text(event, each) != "0"]
        return f"{words.word('quarantine', name)}：{'，'.join(counted)}"
    if event.event == "trial_ended":
        return _on_trial(visit, _text(event, "kind"), name)
    return "" if event.asset or not name else _called(visit, name)


def _about(visit: Visit, deed: AuditRecord) -> str:
    """What was asked of what, and what came of it; anything else as it was noted."""
    what, _, rest = deed.detail.partition(" ")
    name, _, outcome = rest.partition(" ")
    about = _asked(visit, deed.what, what, name) if outcome else ""
    return f"{about}：{words.word('outcomes', outcome)}" if about else deed.detail


def _asked(visit: Visit, deed: str, what: str, name: str) -> str:
    """What somebody wanted; empty for what is noted in words of its own.

    A deed that is not here is noted as what its command becomes and whom or what that is about.
    """
    inventory = visit.present.inventory
    match deed:
        case "stepped":
            return f"{words.word('steps', what)} {name}"
        case "looked_again" | "called":
            return words.word("events", "called_back") if deed == "called" else words.word("quarantine", what)
        case "trial":
            return f"{words.word('trials', what)} {_on_trial(visit, what, name)}"
        case "work":
            feeder = inventory.feeders.get(name)
            return f"{words.rule(what)} {feeder.name if feeder else sentences.subject(inventory, name)}"
        case "figure":
            return f"{words.word('figures', what)} {sentences.subject(inventory, name)}"
        case "commanded":
            return f"{words.word('verbs', what)} {sentences.episode(inventory, name)}"
        case _ if what in _commands():
            return f"{words.word('events', what)} {_called(visit, name)}"
        case _:
            return ""


def _called(visit: Visit, name: str) -> str:
    """Whatever the inventory knows by this id; a device by what it is on."""
    inventory = visit.present.inventory
    device = inventory.devices.get(name)
    return sentences.subject(inventory, name if device is None else device.asset)


def _on_work(visit: Visit, event: Event) -> str:
    """检修 梅岭站（08:00—10:00）：换泵."""
    detail, written = event.detail or {}, clock(visit.present.arrangements.calendar, visit.now_ms)
    span = [written(at_ms) for key in ("from_ms", "until_ms") if isinstance(at_ms := detail.get(key), int)]
    window = sentences.episode(visit.present.inventory, _text(event, "window"))
    return f"{window}（{'—'.join(span)}）：{_text(event, 'reason')}"


def _on_trial(visit: Visit, kind: str, name: str) -> str:
    inventory = visit.present.inventory
    if kind == "area":
        return inventory.areas[name].name if name in inventory.areas else name
    return sentences.subject(inventory, name) if inventory.known_asset(name) else name
