"""What a start finds in the journal: values handed to whoever goes on from them. Nothing here knows SQLite."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.journal.entry import AlertRow, CaseRow, InventoryBody
from telemetry.reading import Millis, Reading


class Placed(NamedTuple):
    """A blob and the highest reading id that it includes."""

    position: int
    blob: bytes


@dataclass(frozen=True, slots=True)
class Restored:
    """What a start finds. ``tail`` yields (id, reading) after ``snapshot_position``, in order of arrival.

    A reading of the tail is already in its asset's state if that state's position is not below its id.
    """

    known: dict[str, Millis]
    heartbeat_ms: Millis | None
    ruleset: str
    snapshot_position: int
    last_reading_id: int
    states: dict[str, Placed]
    tracks: dict[str, Placed]
    open_alerts: list[AlertRow]
    meta: dict[str, str]
    inventory: InventoryBody | None
    mailboxes: list[bytes]
    tail: Iterator[tuple[int, Reading]]
    cases: list[CaseRow] = field(default_factory=list)
    """Those that are not settled, oldest first."""
    case_numbers: dict[tuple[str, str], int] = field(default_factory=dict)
    """The highest number of each (day, town)."""
    latest_ms: Millis = 0
    """The highest instant that was told before."""
