"""What only a demo's desk has: the texts of one person on a screen like their own, and the caption under the menu.

Never in production. What is answered on the telephone goes where a provider's replies go, and nothing here knows what
it will lead to; every page asks for the caption, and gets it when it has changed.
"""

import secrets
from collections import Counter
from collections.abc import Iterable
from http import HTTPStatus
from typing import Annotated, Final, NamedTuple
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import RedirectResponse

from alerts.answers import reply
from gateway.commands.command import NotDurable
from gateway.desk import users
from gateway.desk.answers import await_answer
from gateway.desk.auth import DeskRefusal, Form, Gate, require
from gateway.desk.captions import EVENTS, CaptionKind, Known, caption
from gateway.desk.morning import exposure
from gateway.desk.pages import MenuPlace, Page
from gateway.desk.present import Desk, Visit
from gateway.desk.view import lay_out
from gateway.inbox import Unanswered
from gateway.journal.case_reader import CaseReader
from gateway.journal.notifications import MessageRow
from gateway.journal.telephone import Said
from gateway.requests import ReceiptsAndReplies
from telemetry.inventory import Person
from telemetry.reading import Millis
from telemetry.terms import Role

SHOWN: Final = 30
VISITOR: Final = "telephone"
ACTOR: Final = "actor"
"""Through which door a reply came: a visitor's finger, or a part of the demo that nobody took over."""
POCKET: Final = "pocket"
IN_POCKET: Final = 2
"""So many bubbles have room in the small one."""
IN_POCKET_AMONG: Final = 60
_WORKERS: Final = frozenset({Role.CLEANER, Role.COLLECTOR, Role.CREW})
_ARRIVED: Final = ("accepted", "delivered")
_LAST: Final = 2**62
_AMONG: Final = 300
_EVENTS: Final = 200
_WITHIN: Final = 3_000
_TEXTS: Final = 100
_LONGEST: Final = 70


class Bubble(NamedTuple):
    """One bubble of a thread: a text that came in, or what was answered."""

    at_ms: Millis
    text: str
    is_reply: bool = False
    by_itself: bool = False
    """Answered by a part of the demo and by no visitor."""


def written(phone: str, text: str, at_ms: Millis, door: str) -> ReceiptsAndReplies:
    """A text that the owner of a phone sends to the office, as a provider would bring it."""
    return ReceiptsAndReplies((), (reply(door, f"{at_ms}-{secrets.token_hex(6)}", phone, text, at_ms),))


def routes(desk: Desk, gate: Gate) -> APIRouter:
    """The telephone, large and small, and the caption."""
    router = APIRouter()

    @router.get("/telephone")
    def telephone(
        visit: Annotated[Visit, Depends(gate.visit)], of: Annotated[str, Query(max_length=64)] = ""
    ) -> Response:
        return _screen(desk, visit, of)

    @router.post("/telephone")
    def answer(sent: Annotated[tuple[Visit, Form], Depends(gate.writing)]) -> Response:
        visit, form = sent
        require(visit, users.UserRole.CREW)
        person = visit.present.inventory.people.get(form.get("of", ""))
        text = form.get("text", "").strip()
        if person is None or not 0 < len(text) <= _LONGEST:
            raise DeskRefusal(HTTPStatus.BAD_REQUEST, "bad_form")
        outcome = await_answer(desk.inbox, written(person.phone, text, visit.now_ms, VISITOR))
        nothing_came = outcome is Unanswered.FULL or isinstance(outcome, NotDurable)
        trouble = "busy" if nothing_came else "pending" if outcome is Unanswered.PENDING else ""
        if form.get("at") == POCKET:
            return _pocket(desk, visit, person, trouble=trouble)
        if trouble:
            return _screen(desk, visit, person.id, trouble)
        return RedirectResponse(f"/telephone?of={quote(person.id)}", HTTPStatus.SEE_OTHER)

    @router.get("/pocket")
    def pocket(
        visit: Annotated[Visit, Depends(gate.visit)], shown: Annotated[str, Query(max_length=200)] = ""
    ) -> Response:
        return _pocket(desk, visit, None, shown)

    @router.get("/caption")
    def now(
        visit: Annotated[Visit, Depends(gate.visit)], shown: Annotated[str, Query(max_length=200)] = ""
    ) -> Response:
        present = visit.present
        with desk.journal() as journal:
            events = journal.newest_events(EVENTS, _EVENTS, _WITHIN)
            messages = journal.messages(_TEXTS, _LAST, _ARRIVED)
            with present.feed.present() as projection:
                seen = exposure(visit.scope, projection, present.arrangements.lines_pct)
                running = present.rounds.of(visit.scope.assets, projection, visit.now_ms)
                known = Known(present.inventory, events, messages, frozenset(projection.open), seen, running)
            said = caption(visit.now_ms, known)
            alone = said.by_itself
            if said.kind is CaptionKind.ANSWERED and said.person in present.inventory.people:
                last = journal.said_from(present.inventory.people[said.person].phone, 1)
                alone = bool(last) and last[0].channel == ACTOR
        if said.key == shown:
            return Response(status_code=HTTPStatus.NO_CONTENT)
        return lay_out(visit, "caption.html", "", said=said, seen=seen, running=running, alone=alone)

    return router


PAGE: Final = Page(path="/telephone", role=users.UserRole.VIEWER, menu=MenuPlace("手机", 110), demo=True, routes=routes)


def _pocket(desk: Desk, visit: Visit, of: Person | None, shown: str | None = None, trouble: str = "") -> Response:
    """The phone that rang last, small, beside every page; nothing when it is ``shown`` already."""
    with desk.journal() as journal:
        person = of or _rang(journal, visit)
        thread = [] if person is None else _thread(journal, person)[-IN_POCKET:]
    key = "nobody" if person is None else f"{person.id}.{'.'.join(str(line.at_ms) for line in thread)}"
    if key == shown:
        return Response(status_code=HTTPStatus.NO_CONTENT)
    return lay_out(visit, "pocket.html", "", chosen=person, thread=thread, duty=_duty, key=key, trouble=trouble)


def _rang(journal: CaseReader, visit: Visit) -> Person | None:
    """Whose phone rang last, of those who do the work; of several at once the first."""
    people = visit.present.inventory.people
    texts = journal.messages(IN_POCKET_AMONG, _LAST, _ARRIVED)
    workers = [text for text in texts if text.to in people and _works(people[text.to])]
    found = max(reversed(workers), key=lambda text: text.at_ms, default=None)
    return None if found is None else people[found.to]


def _screen(desk: Desk, visit: Visit, of: str, trouble: str = "") -> Response:
    with desk.journal() as journal:
        people = visit.present.inventory.people
        counts = Counter(each.to for each in journal.messages(_AMONG, _LAST, _ARRIVED) if each.to in people)
        chosen = people.get(of) or _rang(journal, visit)
        thread = [] if chosen is None else _thread(journal, chosen)
    others = [person for person in people.values() if person.id not in counts]
    return lay_out(
        visit,
        "telephone.html",
        "/telephone",
        thread=thread,
        chosen=chosen,
        rang=[(people[name], counts[name]) for name in sorted(counts, key=lambda name: not _works(people[name]))],
        others=others,
        duty=_duty,
        trouble=trouble,
        longest=_LONGEST,
    )


def _thread(journal: CaseReader, person: Person) -> list[Bubble]:
    """What came in and what was answered, in the order in which it did."""
    texts = journal.messages(SHOWN, _LAST, _ARRIVED, person.id)
    said = journal.said_from(person.phone, SHOWN)
    return sorted([*_came(texts), *_went(said)], key=lambda line: (line.at_ms, not line.is_reply))[-SHOWN:]


def _came(texts: Iterable[MessageRow]) -> Iterable[Bubble]:
    return (Bubble(text.delivered_ms or text.accepted_ms or text.at_ms, text.text) for text in texts)


def _went(said: Iterable[Said]) -> Iterable[Bubble]:
    return (Bubble(one.at_ms, one.text, is_reply=True, by_itself=one.channel == ACTOR) for one in said)


def _works(person: Person) -> bool:
    return _duty(person) in _WORKERS


def _duty(person: Person) -> str:
    """The first of somebody's duties, which says what they are called for."""
    return next((duty.role for duty in person.duties), "")
