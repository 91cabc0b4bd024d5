"""What the pages are made from: the county as it is now, who is asking, and where the journal and the inbox are.

A gateway that is still starting has a desk without a present; its pages say so. No route and no word stands here.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from alerts.policy import LedgerPolicy
from dashboards.outline import outline
from gateway.desk.feed import Feed, OpenEpisodes
from gateway.desk.login import Authenticator
from gateway.desk.masking import digits_of
from gateway.desk.photos import PhotoFolder
from gateway.desk.projection import Arrangements, Projection
from gateway.desk.rounds import Rounds
from gateway.desk.scope import UserScope
from gateway.desk.users import AuditRecord, LoginSession, User, UserFile
from gateway.inbox import Inbox
from gateway.journal.case_reader import CaseReader, First
from gateway.journal.ledger import LedgerReader
from gateway.pipeline import Pipeline
from gateway.settings import Tiles
from telemetry.inventory import Inventory, Person
from telemetry.reading import Millis


class Starting(Exception):  # noqa: N818 a state of the world
    """The gateway does not know its county yet."""


@dataclass(frozen=True)
class Present:
    """A county that is running, as far as it is durable."""

    inventory: Inventory
    arrangements: Arrangements
    feed: Feed
    rounds: Rounds
    cases: LedgerPolicy
    """What each rule asks of a case of the ledger."""
    _scopes: dict[str, UserScope] = field(default_factory=dict)

    def scope(self, area: str) -> UserScope:
        """What somebody with this area sees; what is found in it is found once."""
        return self._scopes.setdefault(area, UserScope(self.inventory, area))

    @cached_property
    def numbers(self) -> frozenset[str]:
        """The digits of every telephone number of the county."""
        people = (person.phone for person in self.inventory.people.values())
        return digits_of([*people, self.inventory.county.office_phone or ""])

    @cached_property
    def shapes(self) -> list[dict[str, Any]]:
        """The county's outline, towns first; worked out once."""
        return list(outline(self.inventory)["features"])

    def draw(self) -> None:
        """Has the outline ready before the first map is asked for: a large county's takes seconds."""
        _ = self.shapes


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of somebody who has logged in. ``now_ms`` is the county's clock, which a demo runs faster."""

    session: LoginSession
    scope: UserScope
    present: Present
    address: str
    now_ms: Millis
    seen: str = ""
    """What had changed before the page was made; its stream goes on from there."""

    @property
    def user(self) -> User:
        """Who it is."""
        return self.session.user


class Desk:
    """Everything that a page may reach. Filled by the composition root, shared by all requests."""

    def __init__(
        self,
        journal: Path,
        users: UserFile,
        inbox: Inbox,
        now_ms: Callable[[], Millis],
        wall_ms: Callable[[], Millis],
        welcome: str = "",
        tiles: Tiles | None = None,
        *,
        behind_tls: bool = False,
    ) -> None:
        self._journal = journal
        self.photos = PhotoFolder.beside(journal)
        self._present: Present | None = None
        self.users = users
        self.authenticator = Authenticator(users, welcome)
        self.inbox = inbox
        self.now_ms = now_ms
        self.wall_ms = wall_ms
        self.is_demo = bool(welcome)
        self.tiles = tiles
        """What lies under the map; ``None``, and no browser asks anywhere else."""
        self.behind_tls = behind_tls
        """Every browser comes over TLS, whether or not a trusted proxy says so."""
        self.cost_s = 0.0
        """What the dearest page cost last, so that nobody is told more often than the machine can bear."""

    def open(self, present: Present) -> None:
        """The gateway knows its county now."""
        self._present = present

    @property
    def present(self) -> Present:
        """The county; ``Starting`` as long as there is none."""
        if self._present is None:
            raise Starting
        return self._present

    def note(self, visit: Visit, what: str, detail: str) -> None:
        """Writes into the audit what a visitor asked for, and what came of it."""
        self.users.note(AuditRecord(self.wall_ms(), visit.user.name, visit.address, what, detail))

    def numbers(self) -> frozenset[str]:
        """Whose numbers must not be read by everybody; none while there is no county yet."""
        return frozenset() if self._present is None else self._present.numbers

    def journal(self) -> closing[CaseReader]:
        """The journal for one page; ``JournalUnavailable`` when it cannot be read."""
        return closing(CaseReader.open(self._journal))

    def contacts(self) -> dict[str, First]:
        """How far the first contact has come with everybody; ``JournalUnavailable`` as above."""
        with self.journal() as reader:
            return reader.contacts()

    def ledger(self) -> closing[LedgerReader]:
        """The ledger for one page; ``JournalUnavailable`` when it cannot be read."""
        return closing(LedgerReader.open(self._journal))


_DUTIES: Final = {"cleaner": 0, "collector": 1, "crew": 2, "village_head": 3, "dispatcher": 4, "town_leader": 5}


def near(visit: Visit, asset: str, areas: tuple[str, ...] = ()) -> list[tuple[Person, str, bool]]:
    """Whom one may send, with their duty and whether it is their time; those nearest to the case first."""
    inventory, calendar = visit.present.inventory, visit.present.arrangements.calendar
    known = inventory.assets.get(asset)
    around = known.areas if known is not None else areas
    close = {node.id for area in around if area in inventory.areas for node in inventory.lineage(area)}
    route = inventory.route_of.get(asset)
    rows = [(person, duty) for person in visit.scope.people for duty in person.duties if duty.role in _DUTIES]
    rows.sort(
        key=lambda row: (
            not (row[1].area in close or (route is not None and row[1].route == route.id)),
            _DUTIES[row[1].role],
        )
    )
    found: dict[str, tuple[Person, str, bool]] = {}
    for person, duty in rows:
        on_duty = duty.hours is None or calendar.is_within(visit.now_ms, duty.hours)
        found.setdefault(person.id, (person, duty.role, on_duty))
    return list(found.values())


@contextmanager
def opened(desk: Desk, pipeline: Pipeline, marks: Mapping[str, str]) -> Iterator[Feed]:
    """Before the loop turns: the county as a start found it, ``marks`` and all; the feed is told every commit."""

    def reload() -> OpenEpisodes:
        with desk.journal() as journal:
            return OpenEpisodes(journal.open_alerts(), journal.marks())

    county = pipeline.county
    inventory, arrangements = county.inventory, Arrangements.of(pipeline, marks)
    standing = [alert for alert in county.alerts.values() if not alert.closed_ms]
    feed = Feed(Projection.of(inventory, county.states, standing, county.forecast), arrangements.take, reload)
    feed.start()
    try:
        present = Present(inventory, arrangements, feed, Rounds(arrangements.calendar), pipeline.ledger.policy)
        desk.open(present)
        threading.Thread(target=present.draw, name="desk-outline", daemon=True).start()
        yield feed
    finally:
        feed.stop()
