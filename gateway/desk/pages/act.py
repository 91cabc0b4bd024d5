"""What people do about a case: 确认, 派, 搁置, 复位. Each is a command into the inbox, answered when it is durable.

Nothing is decided here: the gateway says what became of it, and the page says what the gateway said.
"""

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Response

from alerts.alert import Alert
from alerts.calendars import HOUR_MS
from gateway.commands.episodes import EpisodeCommand, EpisodeVerb
from gateway.desk.auth import DeskRefusal, Form, Gate, require
from gateway.desk.drafts import LONGEST_REASON, choose, obey, say, signed
from gateway.desk.pages import Page
from gateway.desk.present import Desk, Visit, near
from gateway.desk.users import UserRole
from gateway.desk.view import lay_out
from telemetry.reading import Millis

LONGEST_NOTE: Final = 200
LONGEST_NAME: Final = 20
NEEDS: Final = {
    EpisodeVerb.ACK: UserRole.CREW,
    EpisodeVerb.RESET: UserRole.CREW,
    EpisodeVerb.SHELVE: UserRole.CREW,
    EpisodeVerb.UNSHELVE: UserRole.CREW,
    EpisodeVerb.DISPATCH: UserRole.DISPATCHER,
    EpisodeVerb.NOTE: UserRole.CREW,
    EpisodeVerb.FINISH: UserRole.DISPATCHER,
    EpisodeVerb.DOUBT: UserRole.DISPATCHER,
}
"""From which role on a verb is there for somebody."""
_WITH_REASON: Final = frozenset({EpisodeVerb.SHELVE, EpisodeVerb.NOTE, EpisodeVerb.DOUBT})
LONGEST_SHELF_H: Final = {UserRole.CREW: 8, UserRole.DISPATCHER: 24, UserRole.ADMIN: 24}


def routes(desk: Desk, gate: Gate) -> APIRouter:
    """The dialog of a verb, and the act itself."""
    router = APIRouter()

    @router.get("/act")
    def ask(
        visit: Annotated[Visit, Depends(gate.visit)], verb: EpisodeVerb, episode: Annotated[str, Query(max_length=200)]
    ) -> Response:
        require(visit, NEEDS[verb])
        alert = _standing(visit, episode)
        return lay_out(
            visit,
            "act.html",
            "",
            verb=verb,
            alert=alert,
            asset=visit.present.inventory.assets.get(alert.asset),
            people=near(visit, alert.asset) if verb is EpisodeVerb.DISPATCH else [],
            hours=[hours for hours in (1, 2, 4, 8, 24) if hours <= LONGEST_SHELF_H[visit.user.role]],
        )

    @router.post("/act")
    def act(sent: Annotated[tuple[Visit, Form], Depends(gate.writing)]) -> Response:
        visit, form = sent
        command = _command(visit, form)
        outcome = obey(desk, visit, command, "commanded", f"{command.verb} {command.episode}")
        return say(visit, "", ("verbs", command.verb), outcome, "/")

    return router


PAGE: Final = Page(path="/act", role=UserRole.VIEWER, routes=routes)


def _command(visit: Visit, form: Form) -> EpisodeCommand:
    verb = EpisodeVerb(choose(form.get("verb", ""), list(EpisodeVerb)))
    require(visit, NEEDS[verb])
    alert = _standing(visit, form.get("episode", ""))
    who = signed(visit)
    to, reason = form.get("to", ""), form.get("reason", "").strip()
    if verb is EpisodeVerb.NOTE:
        reason = " ".join(reason.split())  # it is written in lines and kept in one
    choose(to, {"", *(person.id for person in visit.scope.people)})
    looked = " ".join(form.get("looked", "").split())
    if len(looked) > LONGEST_NAME or not looked.isprintable():
        raise DeskRefusal(HTTPStatus.BAD_REQUEST, "long_looked")
    if verb is EpisodeVerb.RESET and "looked" in form and not looked:
        raise DeskRefusal(HTTPStatus.BAD_REQUEST, "no_looked")
    if len(reason) > (LONGEST_REASON if verb is EpisodeVerb.SHELVE else LONGEST_NOTE) or not (reason.isprintable()):
        raise DeskRefusal(HTTPStatus.BAD_REQUEST, "long_reason")
    if verb in _WITH_REASON and not reason:
        raise DeskRefusal(HTTPStatus.BAD_REQUEST, "no_reason")
    return EpisodeCommand(
        verb=verb,
        episode=alert.episode,
        to=to,
        reason=reason,
        looked=looked,
        until_ms=_until_ms(visit, form) if verb is EpisodeVerb.SHELVE else 0,
        **who,
    )


def _until_ms(visit: Visit, form: Form) -> Millis:
    hours = form.get("hours", "")
    if not hours.isdecimal() or not 1 <= int(hours) <= LONGEST_SHELF_H[visit.user.role]:
        raise DeskRefusal(HTTPStatus.BAD_REQUEST, "bad_form")
    return visit.now_ms + int(hours) * HOUR_MS


def _standing(visit: Visit, episode: str) -> Alert:
    """An open episode that the visitor may see; any other is as if it were not there."""
    with visit.present.feed.present() as projection:
        alert = projection.open.get(episode)
    if alert is None or not visit.scope.sees(alert.asset):
        raise DeskRefusal(HTTPStatus.NOT_FOUND, "no_case")
    return alert
