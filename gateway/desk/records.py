"""审计 and 隔离: who did what, when and from where; and what was refused on its way in, by reason."""

from typing import Annotated, Final, NamedTuple

from fastapi import APIRouter, Depends, Query, Response

from alerts.model import Event
from gateway.desk import sentences, words
from gateway.desk.leaf import leaf
from gateway.desk.present import Desk, Visit
from gateway.desk.users import Deed, Role
from gateway.desk.visiting import Gate, require, require_whole
from telemetry.reading import Millis

SHOWN: Final = 200
AMONG: Final = 200_000
"""Commands are looked for among so many of the newest events."""
ORDERS: Final = ("absence_added", "absence_ended", "extra_ordered", "extra_cancelled")
COMMANDS: Final = ("acked", "reset", "shelved", "unshelved", "dispatched", *ORDERS)


class Line(NamedTuple):
    """One line of the audit: from the journal what was done to a case, from the door what was done at the desk."""

    at_ms: Millis
    who: str
    where: str
    what: str
    about: str
    event: Event | None = None


def routes(desk: Desk, gate: Gate) -> APIRouter:
    """The records."""
    router = APIRouter()

    @router.get("/audit")
    def audit(visit: Annotated[Visit, Depends(gate.visit)]) -> Response:
        require(visit, Role.DISPATCHER)
        require_whole(visit)
        with desk.journal() as journal:
            events = journal.newest_events(COMMANDS, SHOWN, AMONG)
        done = [
            Line(
                event.at_ms,
                _text(event, "by"),
                _where(event),
                words.word("events", event.event),
                _order(visit, event),
                event,
            )
            for event in events
        ]
        door = [
            Line(deed.at_ms, deed.user, deed.address, words.word("deeds", deed.what), _about(visit, deed))
            for deed in desk.users.deeds(SHOWN)
        ]
        return leaf(visit, "audit.html", "audit", done=done, door=door, wall_ms=desk.wall_ms())

    @router.get("/quarantine")
    def quarantine(
        visit: Annotated[Visit, Depends(gate.visit)], reason: Annotated[str, Query(max_length=64)] = ""
    ) -> Response:
        require(visit, Role.CREW)
        require_whole(visit)
        with desk.journal() as journal:
            reasons = journal.quarantine_by_reason()
            newest = journal.newest_quarantine(reason, SHOWN)
        return leaf(visit, "quarantine.html", "quarantine", reasons=reasons, newest=newest, reason=reason, shown=_shown)

    return router


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


def _about(visit: Visit, deed: Deed) -> str:
    """What a command asked of which case and what came of it; anything else as it was noted."""
    verb, _, rest = deed.detail.partition(" ")
    episode, _, outcome = rest.partition(" ")
    if deed.what != "commanded" or not outcome:
        return deed.detail
    case = sentences.episode(visit.present.inventory, episode)
    return f"{words.word('verbs', verb)} {case}：{words.word('outcomes', outcome)}"


def _shown(payload: bytes) -> str:
    """The beginning of a payload as far as it is text, else its bytes."""
    text = payload.decode("utf-8", "replace")
    return text if text.isprintable() else payload.hex(" ")
