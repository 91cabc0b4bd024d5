"""What somebody said about a run: the lines that ``cunjing replay`` prints, and the episodes that they tell of.

A baseline speaks in the same lines. Nothing here has heard the truth.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Struct

from benchmarks.score.truth import NEVER, millis
from telemetry.reading import Millis

BEGUN_KINDS: Final = frozenset({"first", "fresh", "repeat", "escalation"})
"""Kinds of texts that ask somebody to act on an episode; a closing, a list and a notice do not."""
OVER: Final = frozenset({"cleared", "reset"})


class SayingFault(Exception):  # noqa: N818 -- a fault of the file, said in a sentence
    """A line that cannot be read; its text names the file, the line and the remedy."""


class Said(Struct, frozen=True, kw_only=True):
    """One line: an event, or a text that is owed. Keys beyond these are left unread."""

    at: datetime
    event: str
    rule: str = ""
    asset: str = ""
    device: str = ""
    episode: str = ""
    severity: str = ""
    detail: dict[str, Any] | None = None
    kind: str = ""
    to: str = ""
    text: str = ""
    covers: tuple[str, ...] = ()

    @property
    def at_ms(self) -> Millis:
        """The instant."""
        return millis(self.at)


_SAID: Final = msgspec.json.Decoder(Said)


@dataclass(slots=True)
class SaidEpisode:
    """An episode from raised to over, and the texts that asked somebody to act on it."""

    rule: str
    asset: str
    device: str
    name: str
    raised_ms: Millis
    sure_ms: Millis
    """When it became sure; ``NEVER`` while it is not. One that does not speak of it is sure when raised."""
    over_ms: Millis = NEVER
    over_by: str = ""
    texts: int = 0
    since_ms: Millis = NEVER
    """When the oldest sample was taken that came with what raised it; a backlog raises for what was hours ago."""

    @property
    def about_ms(self) -> Millis:
        """The first instant that it may speak of."""
        return min(self.since_ms, self.raised_ms)

    def stands_in(self, from_ms: Millis, to_ms: Millis) -> bool:
        """Whether it stood at some time of [from, to]."""
        return self.raised_ms <= to_ms and self.over_ms >= from_ms


@dataclass(slots=True)
class Text:
    """A text to one person, and the episodes it speaks of."""

    at_ms: Millis
    to: str
    rule: str
    asset: str
    episodes: tuple[str, ...]


@dataclass(slots=True)
class Story:
    """All that was said, sorted out: events by name and asset, episodes by rule, and texts that ask for something."""

    events: dict[str, dict[str, list[Said]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))
    episodes: dict[str, SaidEpisode] = field(default_factory=dict)
    texts: list[Text] = field(default_factory=list)

    def of_rule(self, *rules: str) -> list[SaidEpisode]:
        """Their episodes, in the order in which they were raised."""
        return [episode for episode in self.episodes.values() if episode.rule in rules]

    def on(self, asset: str, *rules: str) -> list[SaidEpisode]:
        """The same about one asset."""
        return [episode for episode in self.of_rule(*rules) if episode.asset == asset]


def parse(line: bytes | str, place: str = "said") -> Said:
    """One line. Raises ``SayingFault``."""
    try:
        return _SAID.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SayingFault(f"{place}: not a line of `cunjing replay` ({error}); give its output as it is") from error


def sort_out(lines: Iterable[Said]) -> Story:
    """Events, episodes and texts of all lines; they are in time order."""
    story = Story()
    for said in lines:
        if said.event == "owed":
            _add_text(story, said)
            continue
        story.events[said.event][said.asset].append(said)
        episode = story.episodes.get(said.episode)
        if said.event == "raised":
            sure = (said.detail or {}).get("sure", True)
            story.episodes[said.episode] = SaidEpisode(
                said.rule, said.asset, said.device, said.episode, said.at_ms, said.at_ms if sure else NEVER
            )
        elif episode is not None and said.event == "ascertained":
            episode.sure_ms = min(episode.sure_ms, said.at_ms)
        elif episode is not None and said.event in OVER:
            episode.over_ms = min(episode.over_ms, said.at_ms)
            episode.over_by = str((said.detail or {}).get("reason", said.event))
    return story


def _add_text(story: Story, said: Said) -> None:
    if said.kind not in BEGUN_KINDS:
        return
    spoken = said.covers or (said.episode,)
    for name in spoken:
        if name in story.episodes:
            story.episodes[name].texts += 1
    story.texts.append(Text(said.at_ms, said.to, said.rule, said.asset, spoken))
