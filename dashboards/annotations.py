"""Episodes of P1 and P2 as annotations: what Grafana has to be told so that it shows what the journal says. Pure.

An annotation of ours is known by its tags; whatever else people have noted is nobody's business here.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from telemetry.reading import Millis

TAG: Final = "cunjing"
"""On every board, and on every annotation of ours."""
SHOWN: Final = ("P1", "P2")
"""Of lower severities there are hundreds a day."""
DAYS: Final = 90


class Episode(NamedTuple):
    """An episode as the journal has it; ``text`` is what people read."""

    episode: str
    severity: str
    raised_ms: Millis
    cleared_ms: Millis | None
    text: str


class Opened(NamedTuple):
    """An annotation that has to be made: a region if the episode is over, else a mark where it began."""

    body: dict[str, Any]


class Closed(NamedTuple):
    """One that is there and gets its end."""

    id: int
    body: dict[str, Any]


def owed(wanted: Iterable[Episode], there: Iterable[Mapping[str, Any]]) -> Iterator[Opened | Closed]:
    """What is missing, and what has to end; nothing for what stands as it should."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for note in there:
        tags = note.get("tags") or []
        if TAG in tags:
            for tag in tags:
                found.setdefault(tag, []).append(note)
    for each in wanted:
        notes = found.get(each.episode, [])
        if not notes:
            yield Opened(_body(each))
        elif each.cleared_ms is not None:
            yield from (
                Closed(int(note["id"]), {"timeEnd": each.cleared_ms})
                for note in notes
                if each.cleared_ms > int(note.get("timeEnd") or note["time"])
            )


def oldest_ms(wanted: Iterable[Episode], now_ms: Millis) -> Millis:
    """From when on Grafana has to be asked, so that none of these is overlooked."""
    return min((each.raised_ms for each in wanted), default=now_ms)


def _body(episode: Episode) -> dict[str, Any]:
    body: dict[str, Any] = {
        "time": episode.raised_ms,
        "tags": [TAG, episode.severity, episode.episode],
        "text": episode.text,
    }
    return body if episode.cleared_ms is None else body | {"timeEnd": episode.cleared_ms}
