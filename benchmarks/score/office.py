"""The office of a score: people who hear what is said and act on it, so that a month is not played to nobody.

A fire is looked at and reset after two hours. Half of the texts are answered, truly, by whoever had them. A row of
``_HEARS`` is what is done about one kind of event; the truth is asked only for what a person sees who is there.
"""

from collections.abc import Callable, Mapping
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Final, TypeAlias

from benchmarks.score.faults import Excuses
from benchmarks.score.join import FALSE_BELOW, LINES, is_hot
from benchmarks.score.said import BEGUN_KINDS, Said, SaidEpisode
from benchmarks.score.truth import NEVER, Curve, Truth
from gateway.commands.episodes import EpisodeCommand, EpisodeVerb
from gateway.replay import NOBODY_ASKS, TimedWish
from telemetry.inventory import Inventory
from telemetry.reading import Millis
from telemetry.terms import Role

RESET_AFTER_MS: Final = 2 * 3_600_000
RESET_AGAIN_MS: Final = 3_600_000
RESETS_MOST: Final = 24
ANSWERED_AFTER_MS: Final = 25 * 60_000
ANSWERED: Final = 0.5


class Office:
    """See ``gateway.replay.Asking``. It is told every line as soon as it is said."""

    def __init__(self, truth: Truth, inventory: Inventory) -> None:
        self._truth = truth
        self._excuses = Excuses(truth, inventory)
        self._dispatcher = next(
            person.id
            for person in inventory.people.values()
            if any(duty.role is Role.DISPATCHER for duty in person.duties)
        )
        self._hot = [fault for fault in truth.faults if fault.name in {"fire", "hot_ash"}]
        self._waiting: list[tuple[Millis, int, TimedWish]] = []
        self._order = count()
        self._raised: dict[str, SaidEpisode] = {}
        self._resets: dict[str, int] = {}
        self.asked = 0

    @property
    def next_ms(self) -> Millis:
        """See ``Asking``."""
        return self._waiting[0][0] if self._waiting else NOBODY_ASKS

    def ask(self) -> TimedWish:
        """See ``Asking``."""
        self.asked += 1
        return heappop(self._waiting)[2]

    def hear(self, wish: TimedWish, refusal: str) -> None:
        """A fire that is still hot is looked at again an hour later; other refusals are taken as they are."""
        command = wish.command
        if not refusal or not isinstance(command, EpisodeCommand) or command.verb is not EpisodeVerb.RESET:
            return
        tries = self._resets[command.episode] = self._resets.get(command.episode, 0) + 1
        if tries < RESETS_MOST:
            self._plan(wish.at_ms + RESET_AGAIN_MS, command)

    def listen(self, said: Said) -> None:
        """One line, as soon as it is said."""
        hears = _HEARS.get(said.event)
        if hears is not None:
            hears(self, said)

    def note_raised(self, said: Said) -> None:
        """An episode begins; somebody goes to a fire."""
        self._raised[said.episode] = SaidEpisode(
            said.rule, said.asset, said.device, said.episode, said.at_ms, said.at_ms, NEVER
        )
        if said.rule == "fire":
            looked = EpisodeCommand(
                verb=EpisodeVerb.RESET, episode=said.episode, by=self._dispatcher, reason="看过了", looked="值班员"
            )
            self._plan(said.at_ms + RESET_AFTER_MS, looked)

    def answer_text(self, said: Said) -> None:
        """Whoever has a text answers it or not; what they say is so."""
        draw = Random(f"{self._truth.world.seed}/{said.episode}/{said.to}/{said.at_ms}")
        if said.kind not in BEGUN_KINDS or draw.random() >= ANSWERED:
            return
        at_ms = said.at_ms + ANSWERED_AFTER_MS
        for name in said.covers or (said.episode,):
            episode = self._raised.get(name)
            if episode is None:
                continue
            is_so = self.is_so(episode, at_ms)
            verb, reason = (EpisodeVerb.ACK, "") if is_so else (EpisodeVerb.DOUBT, "没这回事")
            self._plan(at_ms, EpisodeCommand(verb=verb, episode=name, by=said.to, channel="sms", reason=reason))

    def is_so(self, episode: SaidEpisode, at_ms: Millis) -> bool:
        """What somebody finds who goes there."""
        if episode.rule in LINES:
            curve = self._truth.levels.get(episode.asset, Curve(()))
            return max(curve.within(episode.raised_ms - 3_600_000, at_ms)) >= LINES[episode.rule] - FALSE_BELOW
        if episode.rule in {"fire", "hot_ash"}:
            return is_hot(episode, self._hot)
        return self._excuses.allow(episode)

    def _plan(self, at_ms: Millis, command: EpisodeCommand) -> None:
        heappush(self._waiting, (at_ms, next(self._order), TimedWish(at_ms, "office", command)))


_Hears: TypeAlias = Callable[[Office, Said], None]
_HEARS: Final[Mapping[str, _Hears]] = {"raised": Office.note_raised, "owed": Office.answer_text}
