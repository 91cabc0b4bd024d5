"""Restarts of gateway and broker under 10,000 devices, by the virtual clock: nobody is told anything new.

The line is the gateway's own over a real journal file; a broker's queue is a list that is delivered in one burst.
"""

from enum import Enum
from itertools import groupby
from pathlib import Path
from typing import NamedTuple, TypeAlias

import pytest

from alerts.model import Event, Owed
from firmware_sim import county
from firmware_sim.scenario import Scenario, load
from firmware_sim.traces import trace
from gateway import shipped
from gateway.imports import profiles
from telemetry.inventory import Inventory
from telemetry.inventory.file import parse
from telemetry.reading import Millis
from telemetry.wire import Uplink
from tests.virtual_line import VirtualLine

SCENARIOS = Path(county.__file__).parent / "scenarios"
SECOND: Millis = 1_000
MINUTE: Millis = 60 * SECOND
HOUR: Millis = 60 * MINUTE

Told: TypeAlias = tuple[str, str, str, str, int]


class Gone(Enum):
    """Who is away: the whole process, or only what it hears."""

    GATEWAY = "gateway"
    BROKER = "broker"


def scenario(name: str, **changed: object) -> Scenario:
    return load((SCENARIOS / f"{name}.yaml").read_text("utf-8")).model_copy(update=changed)


def inventory(played: Scenario) -> Inventory:
    parsed = parse(county.inventory_yaml(played), "county.yaml", profiles())
    assert parsed.inventory is not None
    return parsed.inventory


class Played(NamedTuple):
    """A county and its uplinks, minute by minute, each with the instant at which it arrives."""

    start_ms: Millis
    inventory: Inventory
    minutes: list[tuple[Millis, list[Uplink]]]


def play(name: str, **changed: object) -> Played:
    scene = scenario(name, **changed)
    sent = {minute: list(uplinks) for minute, uplinks in groupby(trace(scene), key=lambda one: one.at_ms // MINUTE)}
    minutes = [
        ((minute + 1) * MINUTE, [Uplink(one.at_ms, one.topic, one.payload) for one in sent.get(minute, ())])
        for minute in range(scene.start_ms // MINUTE, scene.end_ms // MINUTE)
    ]
    return Played(scene.start_ms, inventory(scene), minutes)


class Run:
    """One county lived through, with or without an outage."""

    def __init__(self, path: Path, played: Played) -> None:
        self.line = VirtualLine(path, played.inventory, shipped.policy_files(), played.start_ms)
        self._minutes = played.minutes

    def live(self, gone: Gone | None = None, from_ms: Millis = 0, until_ms: Millis = 0) -> list[Event | Owed]:
        """Everything said by the end. What is published in the outage arrives in one burst when it is over."""
        queued: list[Uplink] = []
        away = False
        for end_ms, uplinks in self._minutes:
            if gone is not None and from_ms < end_ms <= until_ms:
                if not away:
                    self._leave(gone)
                away = True
                queued += uplinks
                if gone is Gone.BROKER:
                    self.line.pipeline.advance(end_ms)
                    self.line.commit()
                continue
            if gone is not None and away:
                self._return(gone, from_ms, until_ms)
                self._hear([Uplink(until_ms, one.topic, one.payload) for one in queued], until_ms)
                away = False
            self._hear(uplinks, end_ms)
        self.line.close()
        return self.line.said

    def _hear(self, uplinks: list[Uplink], now_ms: Millis) -> None:
        self.line.take(uplinks)
        self.line.pipeline.advance(now_ms)
        self.line.commit()

    def _leave(self, gone: Gone) -> None:
        if gone is Gone.BROKER:
            self.line.pipeline.county.deafen()

    def _return(self, gone: Gone, from_ms: Millis, until_ms: Millis) -> None:
        if gone is Gone.GATEWAY:
            self.line.restart(until_ms, from_ms)
        else:
            self.line.listen(until_ms, from_ms, started=False)


def told(said: list[Event | Owed]) -> set[Told]:
    return {(owed.rule, owed.asset, owed.to, owed.kind, owed.step) for owed in said if isinstance(owed, Owed)}


def raised(said: list[Event | Owed]) -> set[tuple[str, str]]:
    return {(event.rule, event.device) for event in said if isinstance(event, Event) and event.event == "raised"}


@pytest.fixture(scope="module")
def ten_thousand() -> Played:
    return play("ten_thousand", hours=3.75)


@pytest.fixture(scope="module")
def calm(ten_thousand: Played, tmp_path_factory: pytest.TempPathFactory) -> list[Event | Owed]:
    return Run(tmp_path_factory.mktemp("calm") / "journal.db", ten_thousand).live()


@pytest.mark.parametrize("gone", Gone)
@pytest.mark.parametrize("outage", [MINUTE, 3 * HOUR], ids=["a_minute", "three_hours"])
def test_an_outage_tells_nobody_what_would_not_have_been_told(
    ten_thousand: Played, calm: list[Event | Owed], tmp_path: Path, gone: Gone, outage: Millis
) -> None:
    from_ms = ten_thousand.start_ms + HOUR // 4
    said = Run(tmp_path / "journal.db", ten_thousand).live(gone, from_ms, from_ms + outage)
    assert told(said) - told(calm) == set()
    offline = {(rule, device) for rule, device in raised(said) if rule in ("offline", "gateway_offline")}
    assert offline - raised(calm) == set()


def never_seen(said: list[Event | Owed]) -> dict[str, Millis]:
    return {
        event.device: event.at_ms
        for event in said
        if isinstance(event, Event) and event.event == "raised" and (event.detail or {}).get("reason") == "never_seen"
    }


@pytest.mark.parametrize("outage", [0, MINUTE, 3 * HOUR], ids=["calm", "a_minute", "three_hours"])
def test_who_never_spoke_is_reported_within_a_second_of_its_time(tmp_path: Path, outage: Millis) -> None:
    played = play("never_installed")
    run = Run(tmp_path / "journal.db", played)
    plans = run.line.pipeline.county.plans
    due = {
        device.id: max(round(device.installed_at.timestamp() * 1000), played.start_ms) + plan.stale_after_ms[place]
        for plan in plans.values()
        for place, device in enumerate(plan.devices)
    }
    from_ms = played.start_ms + HOUR
    said = run.live(Gone.GATEWAY if outage else None, from_ms, from_ms + outage)
    found = never_seen(said)
    assert found
    for device, at_ms in found.items():
        on_time_ms = due[device] + (outage if due[device] > from_ms else 0)
        assert 0 <= at_ms - on_time_ms <= SECOND, device
