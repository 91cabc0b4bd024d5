"""为什么: what stands behind what was or was not sent about an asset at an instant, gathered from the journal (law L9).

The same for the page and for ``cunjing why``. It gathers and orders; the words are ``sentences``'.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from alerts.calendars import Calendar
from alerts.model import Event
from gateway.desk import sentences, words
from gateway.desk.words import clock
from gateway.journal.case_reader import CaseReader
from gateway.journal.entry import Spell
from gateway.journal.notifications import MessageRow
from telemetry.inventory import Asset, Inventory
from telemetry.reading import QUANTITIES, Millis, Reading

BEFORE_MS: Final = 48 * 3_600_000
SAMPLES: Final = 8


@dataclass(frozen=True, slots=True)
class Account:
    """What was known of an asset at an instant: the last samples, what stood, what happened, who was told."""

    asset: Asset
    at_ms: Millis
    readings: tuple[Reading, ...]
    standing: tuple[Spell, ...]
    events: tuple[Event, ...]
    messages: tuple[MessageRow, ...]


def account(journal: CaseReader, inventory: Inventory, asset: Asset, at_ms: Millis) -> Account:
    """The account of an asset at ``at_ms``; what came later is not in it."""
    devices = [device.id for device in inventory.devices_of.get(asset.id, ())]
    from_ms, to_ms = at_ms - BEFORE_MS, at_ms + 1
    spells = journal.spells_on(asset.id, at_ms, to_ms)
    return Account(
        asset,
        at_ms,
        tuple(journal.last_readings(devices, to_ms, SAMPLES)),
        tuple(spell for spell in spells if spell.raised_ms <= at_ms),
        tuple(journal.events_on(asset.id, from_ms, to_ms)),
        tuple(journal.messages_on(asset.id, from_ms, to_ms)),
    )


def sample(reading: Reading) -> str:
    """装满 83.2 %，距离 412 毫米，温度 21.4 度: one sample in words; what the engine judged stands first."""
    judged = [] if reading.judged_pct is None else [words.quantity("fill_pct", reading.judged_pct)]
    given = (
        words.quantity(name, value)
        for name in QUANTITIES
        if name != "fill_pct" and (value := getattr(reading.values, name)) is not None
    )
    flags = [words.word("samples", "late")] if reading.late else []
    return "，".join([*judged, *given, *flags]) or words.word("samples", "nothing")


def told(message: MessageRow, inventory: Inventory) -> str:
    """短信 → 周师傅（已送达）：…: one text in words."""
    state = words.word("states", message.state)
    because = f"，{words.word('reasons', message.reason)}" if message.reason else ""
    to = sentences.person(inventory, message.to)
    return f"{words.word('samples', 'text')} → {to}（{state}{because}）：{message.text}"


def lines(story: Account, inventory: Inventory, calendar: Calendar) -> list[str]:
    """The account as plain text."""
    at, none = clock(calendar, story.at_ms), [f"  {words.word('samples', 'none')}"]
    said = [f"{story.asset.name} · {calendar.local(story.at_ms):%Y-%m-%d %H:%M}", words.word("samples", "samples")]
    said += [f"  {at(reading.received_ms)} {sample(reading)}" for reading in story.readings] or none
    said += [words.word("samples", "standing")]
    said += [f"  {at(spell.raised_ms)} {words.rule(spell.rule)} {spell.episode}" for spell in story.standing] or none
    said += [words.word("samples", "happened")]
    said += [line for _, line in _in_order(story, inventory, at)] or none
    return said


def _in_order(story: Account, inventory: Inventory, at: Callable[[Millis], str]) -> list[tuple[Millis, str]]:
    found = [
        *((event.at_ms, f"  {at(event.at_ms)} {sentences.of_event(event, inventory, at)}") for event in story.events),
        *((each.at_ms, f"  {at(each.at_ms)} {told(each, inventory)}") for each in story.messages),
    ]
    return sorted(found, key=lambda line: line[0])
