"""What people do about a case: 确认, 派, 搁置, 复位. Each is a command into the inbox, answered when it is durable.

Nothing is decided here: the gateway says what became of it, and the page says what the gateway said.
"""

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Response

from alerts.alert import Alert
from gateway.commands import Command, Done, NotDurable, NotPossible, UnknownEpisode, UnknownPerson, Verb
from gateway.desk.leaf import leaf
from gateway.desk.present import ANSWERED_WITHIN_S, Desk, Visit
from gateway.desk.users import Deed, Role
from gateway.desk.visiting import Form, Gate, Refusal, require
from gateway.sources.inbox import Unanswered
from telemetry.inventory import Person
from telemetry.reading import Millis

HOUR_MS: Final = 3_600_000
LONGEST_REASON: Final = 60
NEEDS: Final = {
    Verb.ACK: Role.CREW,
    Verb.RESET: Role.CREW,
    Verb.SHELVE: Role.CREW,
    Verb.UNSHELVE: Role.CREW,
    Verb.DISPATCH: Role.DISPATCHER,
}
"""From which role on a verb is there for somebody."""
LONGEST_SHELF_H: Final = {Role.CREW: 8, Role.DISPATCHER: 24, Role.ADMIN: 24}
_DUTIES: Final = {"cleaner": 0, "collector": 1, "crew": 2, "village_head": 3, "dispatcher": 4, "town_leader": 5}


def routes(desk: Desk, gate: Gate) -> APIRouter:
    """The dialog of a verb, and the act itself."""
    router = APIRouter()

    @router.get("/act")
    def ask(
        visit: Annotated[Visit, Depends(gate.visit)], verb: Verb, episode: Annotated[str, Query(max_length=200)]
    ) -> Response:
        require(visit, NEEDS[verb])
        alert = _standing(visit, episode)
        return leaf(
            visit,
            "act.html",
            "",
            verb=verb,
            alert=alert,
            asset=visit.present.inventory.assets.get(alert.asset),
            people=_people(visit, alert) if verb is Verb.DISPATCH else [],
            hours=[hours for hours in (1, 2, 4, 8, 24) if hours <= LONGEST_SHELF_H[visit.user.role]],
        )

    @router.post("/act")
    def act(sent: Annotated[tuple[Visit, Form], Depends(gate.writing)]) -> Response:
        visit, form = sent
        command = _command(visit, form)
        asked = desk.inbox.post(command)
        verdict = asked if isinstance(asked, Unanswered) else asked.wait(ANSWERED_WITHIN_S)
        outcome, detail, good = _said(verdict)
        what = f"{command.verb} {command.episode} {outcome}"
        desk.users.note(Deed(desk.wall_ms(), visit.user.name, visit.address, "commanded", what))
        return leaf(visit, "said.html", "", verb=command.verb, outcome=outcome, detail=detail, good=good)

    return router


def _command(visit: Visit, form: Form) -> Command:
    try:
        verb = Verb(form.get("verb", ""))
    except ValueError:
        raise Refusal(HTTPStatus.BAD_REQUEST, "bad_form") from None
    require(visit, NEEDS[verb])
    alert = _standing(visit, form.get("episode", ""))
    if not visit.user.person:
        raise Refusal(HTTPStatus.FORBIDDEN, "no_person")
    to, reason = form.get("to", ""), form.get("reason", "").strip()
    if to and to not in {person.id for person in visit.scope.people}:
        raise Refusal(HTTPStatus.BAD_REQUEST, "bad_form")
    if len(reason) > LONGEST_REASON or not (reason.isprintable()):
        raise Refusal(HTTPStatus.BAD_REQUEST, "long_reason")
    if verb is Verb.SHELVE and not reason:
        raise Refusal(HTTPStatus.BAD_REQUEST, "no_reason")
    return Command(
        verb=verb,
        episode=alert.episode,
        by=visit.user.person,
        channel="desk",
        origin=f"{visit.user.name}@{visit.address}",
        to=to,
        reason=reason,
        until_ms=_until_ms(visit, form) if verb is Verb.SHELVE else 0,
    )


def _until_ms(visit: Visit, form: Form) -> Millis:
    hours = form.get("hours", "")
    if not hours.isdecimal() or not 1 <= int(hours) <= LONGEST_SHELF_H[visit.user.role]:
        raise Refusal(HTTPStatus.BAD_REQUEST, "bad_form")
    return visit.now_ms + int(hours) * HOUR_MS


def _standing(visit: Visit, episode: str) -> Alert:
    """An open episode that the visitor may see; any other is as if it were not there."""
    with visit.present.feed.present() as projection:
        alert = projection.open.get(episode)
    if alert is None or not visit.scope.sees(alert.asset):
        raise Refusal(HTTPStatus.NOT_FOUND, "no_case")
    return alert


def _said(verdict: object) -> tuple[str, str, bool]:
    """The name of the outcome in the catalogue, the gateway's own words where it has some, and whether it is done."""
    match verdict:
        case Done(_, event):
            return event, "", True
        case UnknownEpisode():
            return "unknown_episode", "", False
        case UnknownPerson():
            return "unknown_person", "", False
        case NotPossible(reason):
            return "not_possible", reason, False
        case NotDurable(reason):
            return "not_durable", reason, False
        case Unanswered.FULL:
            return "busy", "", False
        case _:
            return "pending", "", False


def _people(visit: Visit, alert: Alert) -> list[tuple[Person, str, bool]]:
    """Whom one may send, with their duty and whether it is their time; those nearest to the case first."""
    inventory, calendar = visit.present.inventory, visit.present.calendar
    asset = inventory.assets.get(alert.asset)
    near = {node.id for area in (asset.areas if asset is not None else ()) for node in inventory.lineage(area)}
    route = inventory.route_of.get(alert.asset)
    rows = [(person, duty) for person in visit.scope.people for duty in person.duties if duty.role in _DUTIES]
    rows.sort(
        key=lambda row: (
            not (row[1].area in near or (route is not None and row[1].route == route.id)),
            _DUTIES[row[1].role],
        )
    )
    found: dict[str, tuple[Person, str, bool]] = {}
    for person, duty in rows:
        on_duty = duty.hours is None or calendar.is_within(visit.now_ms, duty.hours)
        found.setdefault(person.id, (person, duty.role, on_duty))
    return list(found.values())
