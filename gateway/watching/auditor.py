"""What should have happened long ago and has not: timers in memory and rows of the journal, counted by kind.

It reads and counts; whatever it finds is a fault of ours, or a courier that stands still. It mends nothing.
"""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from alerts.conditions import engine
from alerts.episodes.county import County
from alerts.ledger.book import Ledger
from telemetry.reading import Millis

OVERDUE_MS: Final[Millis] = 600_000
"""What is due is done within a second; a courier in a storm may be busy for minutes."""


class Rows(NamedTuple):
    """Rows of the journal that wait beyond their time: not taken, in a try that never ended, without a decision."""

    owed: int = 0
    sending: int = 0
    receipts: int = 0


class Timers(NamedTuple):
    """Instants that passed without anything coming of them."""

    alerts: int = 0
    mailboxes: int = 0
    assets: int = 0
    cases: int = 0


def overdue(county: County, ledger: Ledger, before_ms: Millis, *, listening: bool) -> Timers:
    """What memory says was due before then. What fell due while we could not hear waits for the grace, and may."""
    if county.hearing_since_ms >= before_ms:
        return Timers(cases=_passed((case.wake_ms for case in ledger.cases.values()), before_ms))
    plans = county.plans
    deadlines = (engine.deadline_ms(plans[asset], state) for asset, state in county.states.items())
    return Timers(
        alerts=_passed((alert.wake_ms for alert in county.alerts.values()), before_ms),
        mailboxes=_passed((box.due_ms or 0 for box in county.boxes.values()), before_ms),
        assets=_passed(deadlines, before_ms) if listening else 0,
        cases=_passed((case.wake_ms for case in ledger.cases.values()), before_ms),
    )


def kinds(rows: Rows, timers: Timers) -> Mapping[str, int]:
    """Every kind with its count, for the metrics."""
    return {**rows._asdict(), **timers._asdict()}


def spoken(found: Rows | Timers) -> str:
    """What is overdue, in a sentence; empty when nothing is."""
    return ", ".join(f"{count} {kind}" for kind, count in found._asdict().items() if count)


def _passed(instants: Iterator[Millis], before_ms: Millis) -> int:
    return sum(0 < due_ms < before_ms for due_ms in instants)
