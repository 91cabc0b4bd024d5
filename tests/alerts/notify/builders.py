"""What the tests of telling are made of: the golden county under its rules, and an hour, an alert and a message of it.

Plain values only; what a test is about it says itself.
"""

import dataclasses
from datetime import date, time
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from alerts.alert import Alert
from alerts.build import assemble_whole
from alerts.model import Detail, Event, Log, MessageKind, Owed, Severity
from alerts.notify.escalation import Escalation
from gateway import imports, shipped
from telemetry.inventory import Inventory
from telemetry.reading import Millis

COUNTY: Final = imports.checked(Path(__file__).parents[2] / "golden" / "inventory" / "county.yaml")
ROAD, CAN, PLANT = COUNTY.assets
"""A bin beside a road, without rounds; one that two rounds a day empty; a plant of little water."""
MADE: Final = assemble_whole(COUNTY, shipped.policy_files())
ESCALATION: Final[Escalation] = MADE.county.decider.escalation
CALENDAR: Final = ESCALATION.holds.calendar
CATALOGUE: Final = ESCALATION.message_writer.texts


def clock(hour: int, minute: int = 0, day: int = 9) -> Millis:
    """An instant of December, when nothing is on trial any more; the 7th is a Monday, the 9th a Wednesday."""
    return CALENDAR.instant(date(2026, 12, day), time(hour, minute))


NOON: Final[Millis] = clock(12)


def alert(
    rule: str = "overflow",
    asset: str = ROAD,
    severity: Severity = Severity.P2,
    *,
    number: int = 1,
    at_ms: Millis = NOON,
) -> Alert:
    """It stands since then, by no sensor in particular, and nothing was done about it yet."""
    return Alert(
        episode=f"{rule}/{asset}/{number}",
        rule=rule,
        asset=asset,
        device="",
        severity=severity,
        raised_ms=at_ms,
        since_ms=at_ms,
        detail={},
    )


def alert_of(message: Owed, at_ms: Millis = NOON) -> Alert:
    """The alert that a message is about."""
    return replace(alert(message.rule, message.asset, Severity(message.severity), at_ms=at_ms), episode=message.episode)


def owed(
    rule: str = "overflow",
    asset: str = ROAD,
    kind: MessageKind = MessageKind.FIRST,
    to: str = "cleaner-li",
    number: int = 1,
) -> Owed:
    """So many milliseconds after noon as its number says, about the episode of that number."""
    return Owed(
        at_ms=NOON + number,
        rule=rule,
        asset=asset,
        episode=f"{rule}/{asset}/{number}",
        severity="P3" if rule == "over_two_thirds" else "P2",
        kind=kind,
        step=0,
        repeat=0,
        to=to,
        phone=COUNTY.people[to].phone,
        channel="sms",
        text="一条短信",
    )


def with_person(person: str, **changes: object) -> Inventory:
    """The county with one of its people so."""
    other = dataclasses.replace(COUNTY.people[person], **changes)  # type: ignore[arg-type] # named by each test
    return dataclasses.replace(COUNTY, people={**COUNTY.people, person: other})


def rows(log: Log) -> list[tuple[str, Detail]]:
    """The events of a log by their name, each with what it says."""
    return [(each.event, each.detail or {}) for each in log if isinstance(each, Event)]
