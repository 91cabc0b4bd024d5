"""What a visitor of the demo should look at now: one of a few sentences, chosen from what has really happened.

Pure: the demo's time, the newest events and texts, and the county as the desk sees it in; a named value out. It knows
no plan of the demo, and where nothing has happened it says so. The words are in the template.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from alerts.calendars import MINUTE_MS
from alerts.model import Event
from alerts.notify.lists import LIST
from gateway.desk.morning import Exposure
from gateway.desk.rounds import Round, RoundPhase
from gateway.journal.notifications import MessageRow
from telemetry.inventory import Inventory
from telemetry.reading import Millis
from telemetry.terms import Role

EVENTS: Final = (
    "raised",
    "held",
    "round_missed",
    "done",
    "declined",
    "doubted",
    "callback",
    "dispatched",
    "claim_unseen",
    "cleared",
)
"""The kinds of events that it looks at."""
ANSWERS: Final = frozenset({"done", "declined", "doubted", "callback"})
OF_THE_HOUSE: Final = "demo"
"""How a command is marked that no visitor gave."""
TOGETHER: Final = 2
SAME_CUT_MS: Final = 10 * MINUTE_MS
"""So many plants of one line that lose their power within so long are one matter."""


class CaptionKind(StrEnum):
    """The sentences there are; each is a part of the story."""

    CALM = "calm"
    ROUND = "round"
    HELD = "held"
    LIST = "list"
    DARK = "dark"
    DARK_TOLD = "dark_told"
    SILENT = "silent"
    MISSED = "missed"
    ANSWERED = "answered"
    DISPATCHED = "dispatched"
    UNSEEN = "unseen"
    VERIFIED = "verified"


_LASTS: Final = {
    CaptionKind.LIST: 145 * MINUTE_MS,
    CaptionKind.HELD: 60 * MINUTE_MS,
    CaptionKind.DARK: 40 * MINUTE_MS,
    CaptionKind.DARK_TOLD: 40 * MINUTE_MS,
    CaptionKind.SILENT: 45 * MINUTE_MS,
    CaptionKind.UNSEEN: 40 * MINUTE_MS,
    CaptionKind.VERIFIED: 40 * MINUTE_MS,
}
"""How long each is worth saying, in the demo's minutes; what is not named here, for an hour."""
_HELD_IN_ROUND_MS: Final = 15 * MINUTE_MS
"""While the truck is out there is more to see than what waits for it."""
_RANKS: Final = {CaptionKind.HELD: 0, CaptionKind.LIST: 1}
_FOREMOST: Final = 2
"""What else happens is worth more than those; among equals the newest wins."""


@dataclass(frozen=True, slots=True)
class Caption:
    """One sentence with what it speaks of; ``at_ms`` is when that happened."""

    kind: CaptionKind
    at_ms: Millis
    asset: str = ""
    person: str = ""
    answer: str = ""
    line: str = ""
    count: int = 0
    by_itself: bool = False
    """Done by a part of the demo, since no visitor has."""

    @property
    def key(self) -> str:
        """The same for the same sentence."""
        parts = (self.kind, self.at_ms, self.asset, self.person, self.answer, self.count)
        return ".".join(map(str, parts))


@dataclass(frozen=True, slots=True)
class Known:
    """What the desk knows: events and texts newest first, the ids of open episodes, exposure and round."""

    inventory: Inventory
    events: Sequence[Event]
    messages: Sequence[MessageRow]
    open: frozenset[str]
    exposure: Exposure
    round: Round | None


def caption(now_ms: Millis, known: Known) -> Caption:
    """The one to show: what counts most among all that is still worth saying, else that all is calm."""
    worth = [one for one in _all(known) if one.at_ms <= now_ms < one.at_ms + _lasts(one, known)]
    return max(worth, key=lambda one: (_RANKS.get(one.kind, _FOREMOST), one.at_ms), default=_background(known))


def _lasts(one: Caption, known: Known) -> Millis:
    if one.kind is CaptionKind.HELD and _is_out(known.round):
        return _HELD_IN_ROUND_MS
    return _LASTS.get(one.kind, 60 * MINUTE_MS)


def _is_out(round_: Round | None) -> bool:
    return round_ is not None and round_.phase is RoundPhase.RUNNING


def _background(known: Known) -> Caption:
    """What the truck does while nothing else happens."""
    if known.round is not None and _is_out(known.round) and known.round.emptied:
        return Caption(CaptionKind.ROUND, 0, count=known.exposure.over)
    return Caption(CaptionKind.CALM, 0)


def _all(known: Known) -> Iterator[Caption]:
    missed = {event.episode for event in known.events if event.event == "round_missed"}
    for event in known.events:
        found = _of(event, known, missed)
        if found is not None:
            yield found
    yield from _lists(known)
    yield from _lines(known)


def _of(event: Event, known: Known, missed: set[str]) -> Caption | None:
    """What an event is worth by itself."""
    detail = event.detail or {}
    at_ms, asset, by = event.at_ms, event.asset, str(detail.get("by", ""))
    if event.event in ANSWERS:
        return Caption(CaptionKind.ANSWERED, at_ms, asset, by, event.event)
    match event.event:
        case "round_missed" if (told := _told(event.episode, known.messages)) is not None:
            return Caption(CaptionKind.MISSED, at_ms, asset, told.to)
        case "dispatched":
            alone = detail.get("channel") == OF_THE_HOUSE
            return Caption(CaptionKind.DISPATCHED, at_ms, asset, str(detail.get("to", "")), by_itself=alone)
        case "claim_unseen":
            return Caption(CaptionKind.UNSEEN, at_ms, asset, by)
        case "cleared" if event.episode in missed and detail.get("reason") == "emptied":
            return Caption(CaptionKind.VERIFIED, at_ms, asset)
        case "held" if event.episode in known.open and detail.get("reason") == "round_pending":
            return Caption(CaptionKind.HELD, at_ms, asset)
        case "raised" if event.rule == "offline" and _is_bin(asset, known.inventory):
            return Caption(CaptionKind.SILENT, at_ms, asset)
        case _:
            return None


def _is_bin(asset: str, inventory: Inventory) -> bool:
    found = inventory.assets.get(asset)
    return found is not None and found.bin is not None


def _told(episode: str, messages: Iterable[MessageRow]) -> MessageRow | None:
    """The first text about an episode."""
    return next((text for text in reversed(list(messages)) if text.episode == episode), None)


def _lists(known: Known) -> Iterator[Caption]:
    """The list of the morning on the phone of somebody who empties; of several the first that went out."""
    for text in reversed(known.messages):
        person = known.inventory.people.get(text.to)
        if text.rule == LIST and person is not None and any(duty.role is Role.COLLECTOR for duty in person.duties):
            yield Caption(CaptionKind.LIST, text.delivered_ms or text.at_ms, person=text.to, count=known.exposure.over)


def _lines(known: Known) -> Iterator[Caption]:
    """Plants of one power line that lost it together, and the one text about all of them."""
    dark: dict[str, list[Event]] = {}
    for event in known.events:
        asset = known.inventory.assets.get(event.asset)
        if event.event == "raised" and event.rule == "no_power" and asset is not None and asset.plant is not None:
            together = dark.setdefault(asset.plant.feeder or asset.id, [])
            if not together or together[0].at_ms - event.at_ms <= SAME_CUT_MS:
                together.append(event)
    for feeder, events in dark.items():
        if len(events) < TOGETHER:
            continue
        name, count = known.inventory.feeders[feeder].name, len(events)
        episodes = {event.episode for event in events}
        texts = [text for text in known.messages if text.episode in episodes]
        if texts:
            yield Caption(CaptionKind.DARK_TOLD, texts[-1].at_ms, person=texts[-1].to, line=name, count=count)
        elif known.open & episodes:
            yield Caption(CaptionKind.DARK, events[0].at_ms, line=name, count=count)
