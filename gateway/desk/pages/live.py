"""What has changed, as server-sent events: names of topics and nothing else; a page then asks for itself again.

A stream holds no queue: it looks at counters, so a browser that never reads costs nothing (law L10). There are so many
of one person and so many in all; a newcomer costs the person with the most, themselves first, their oldest.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import StreamingResponse

from gateway.clock import monotonic_s
from gateway.desk.auth import Gate
from gateway.desk.feed import Feed
from gateway.desk.pages import Page
from gateway.desk.present import Desk, Visit
from gateway.desk.projection import Topic
from gateway.desk.users import UserRole

MOST: Final = 64
MOST_EACH: Final = 5
"""A browser has six connections to one address: the sixth is left for its pages."""
LASTS_S: Final = 600.0
"""Then the browser asks again, and whoever has logged out since does not get in."""
LOOKS_EVERY_S: Final = 0.25
QUIET_S: Final = 15.0
"""So long at most nothing is said: a page that hears nothing for much longer says so (``desk.js``)."""
AGAIN_MS: Final = 30_000
"""When a page that found no room, or had to make some, asks again; until then it renews itself."""
_STILL: Final = "event: still\ndata: 1\n\n"
_FULL: Final = f"retry: {AGAIN_MS}\nevent: full\ndata: 1\n\n"
_HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
"""The second tells nginx, and what is built like it, not to collect what is said."""
LEAST_S: Final = {Topic.CASES: 1.0, Topic.TEXTS: 1.0, Topic.LEVELS: 5.0, Topic.QUARANTINE: 5.0}
SHARE: Final = 0.05
"""Pages that are asked for again cost at most this share of the time, for each browser."""


class Seat:
    """One stream; it looks now and then whether it has to go."""

    def __init__(self, person: str) -> None:
        self.person = person
        self.is_taken_away = False


class Streams:
    """Every stream that is open, the oldest first. Used by one thread."""

    def __init__(self, most: int = MOST, most_each: int = MOST_EACH) -> None:
        self._most = most
        self._most_each = most_each
        self._open: list[Seat] = []

    def __len__(self) -> int:
        return len(self._open)

    def join(self, person: str) -> Seat | None:
        """Room for one more of a person; ``None`` where everybody else has fewer than they would."""
        counts = Counter(seat.person for seat in self._open)
        if counts[person] >= self._most_each:
            self._take_from(person)
        elif len(self._open) >= self._most:
            richest, most = counts.most_common(1)[0]
            if most <= counts[person] + 1:
                return None
            self._take_from(richest)
        seat = Seat(person)
        self._open.append(seat)
        return seat

    def leave(self, seat: Seat) -> None:
        """It is over."""
        if seat in self._open:
            self._open.remove(seat)

    def _take_from(self, person: str) -> None:
        oldest = next(seat for seat in self._open if seat.person == person)
        oldest.is_taken_away = True
        self._open.remove(oldest)


def routes(desk: Desk, gate: Gate) -> APIRouter:
    """The stream."""
    router = APIRouter()
    streams = Streams()

    @router.get("/live")
    async def live(
        visit: Annotated[Visit, Depends(gate.visit)], seen: Annotated[str, Query(max_length=200)] = ""
    ) -> Response:
        seat = streams.join(visit.user.name)
        said = _full() if seat is None else _stream(visit.present.feed, _versions(seen), desk, seat, streams)
        return StreamingResponse(said, media_type="text/event-stream", headers=_HEADERS)

    return router


PAGE: Final = Page(path="/live", role=UserRole.VIEWER, routes=routes)


def _versions(seen: str) -> dict[str, int]:
    """What a page said it was made from; a word that makes no sense has seen nothing."""
    pairs = (part.partition(".") for part in seen.split("-"))
    return {topic: int(version) for topic, _, version in pairs if version.isdecimal()}


async def _full() -> AsyncIterator[str]:
    """No room: the browser comes again by itself, later."""
    yield _FULL


async def _stream(feed: Feed, known: dict[str, int], desk: Desk, seat: Seat, streams: Streams) -> AsyncIterator[str]:
    """Topics that have changed, each as an event of its own, until it has lasted long enough or the desk ends."""
    try:
        begun_s = quiet_s = monotonic_s()
        told_s = dict.fromkeys(Topic, 0.0)
        yield f"retry: 2000\n{_STILL}"
        while not feed.ended and monotonic_s() - begun_s < LASTS_S:
            await asyncio.sleep(LOOKS_EVERY_S)
            if seat.is_taken_away:
                yield _FULL
                return
            now_s, versions = monotonic_s(), feed.versions()
            for topic, least_s in LEAST_S.items():
                rest_s = max(least_s, desk.cost_s / SHARE)
                if versions.get(topic, 0) != known.get(topic, 0) and now_s - told_s[topic] >= rest_s:
                    known[topic] = versions.get(topic, 0)
                    told_s[topic] = quiet_s = now_s
                    yield f"event: {topic}\ndata: {known[topic]}\n\n"
            if now_s - quiet_s >= QUIET_S:
                quiet_s = now_s
                yield _STILL
    finally:
        streams.leave(seat)
