"""Two people of the demo who do their part if the visitor does not: who was told of a missed site, and the dispatcher.

Pure but for what it was told of the commits: it answers what is to be posted at an instant. It goes through the same
door as a visitor, and what it does is marked as not theirs.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from alerts.model import Event
from alerts.people import holders
from gateway.commands.episodes import EpisodeCommand, EpisodeVerb
from gateway.desk.captions import ANSWERS, OF_THE_HOUSE
from gateway.desk.pages.demo import ACTOR, written
from gateway.journal.entry import Entry
from gateway.requests import ReceiptsAndReplies
from telemetry.inventory import Inventory, Person
from telemetry.reading import Millis
from telemetry.terms import Role

KEEPER_WAITS_MS: Final = 45 * 60_000
"""Nine seconds of a visitor's time at 300×."""
DISPATCHER_WAITS_MS: Final = 45 * 60_000
_IN_HAND: Final = frozenset({"dispatched", "acked", "shelved"})


@dataclass(slots=True)
class _Scene:
    """The one missed site of the story, and how far it has come."""

    episode: str
    asset: str
    told_ms: Millis = 0
    keeper: str = ""
    declined_ms: Millis = 0
    over: bool = False
    """It is in hand, or seen to, or was answered otherwise: nobody has to step in."""


class Cast:
    """The first missed site that somebody was told of. Told of commits by the gateway's thread, asked by the demo's."""

    def __init__(self, inventory: Inventory, dispatcher: str) -> None:
        self._inventory = inventory
        self._dispatcher = dispatcher
        self._scene: _Scene | None = None
        self._played: set[str] = set()

    def commit(self, entry: Entry) -> None:
        """Takes in one transaction of the gateway."""
        for event in entry.events:
            self._hear(event)
        scene = self._scene
        if scene is not None and not scene.told_ms:
            for owed in entry.owed:
                if owed.episode == scene.episode and owed.to in self._inventory.people:
                    scene.told_ms, scene.keeper = owed.at_ms, owed.to

    def due(self, now_ms: Millis) -> Iterator[tuple[str, ReceiptsAndReplies | EpisodeCommand]]:
        """What one of them does now, with a name for it; again until it is ``played``."""
        scene = self._scene
        if scene is None or scene.over or not scene.told_ms:
            return
        if not scene.declined_ms:
            if now_ms >= scene.told_ms + KEEPER_WAITS_MS and "keeper" not in self._played:
                yield "keeper", written(self._inventory.people[scene.keeper].phone, "2", now_ms, ACTOR)
        elif now_ms >= scene.declined_ms + DISPATCHER_WAITS_MS and "dispatcher" not in self._played:
            substitute = self._substitute(scene)
            if substitute is not None:
                yield (
                    "dispatcher",
                    EpisodeCommand(
                        verb=EpisodeVerb.DISPATCH,
                        episode=scene.episode,
                        by=self._dispatcher,
                        channel=OF_THE_HOUSE,
                        to=substitute.id,
                    ),
                )

    def played(self, part: str) -> None:
        """It was posted."""
        self._played.add(part)

    def _hear(self, event: Event) -> None:
        scene = self._scene
        if scene is None:
            if event.event == "round_missed" and event.asset in self._inventory.assets:
                self._scene = _Scene(event.episode, event.asset)
        elif event.episode != scene.episode:
            return
        elif event.event == "declined":
            scene.declined_ms = scene.declined_ms or event.at_ms
        elif event.event in _IN_HAND | ANSWERS or event.event == "cleared":
            scene.over = True

    def _substitute(self, scene: _Scene) -> Person | None:
        """Another driver of the same town, else the village's cleaner."""
        inventory, asset = self._inventory, self._inventory.assets[scene.asset]
        town = inventory.town_of(asset.area)
        drivers = (
            person
            for route in inventory.routes.values()
            if any(inventory.town_of(inventory.assets[stop].area) == town for stop in route.stops)
            for person, _ in inventory.collectors(route.id)
        )
        cleaners = (holder.person for holder in holders(inventory, Role.CLEANER, asset.areas, asset))
        return next((person for person in (*drivers, *cleaners) if person.id != scene.keeper), None)
