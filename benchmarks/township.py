"""``python -m benchmarks.township [--days N]``: how much people are told in ordinary life and in storms, virtual clock.

Everything here is counted and nothing is timed, so the same code gives the same table on any machine.
"""

import argparse
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from alerts import model
from alerts.calendars import DAY_MS, MINUTE_MS, Calendar
from alerts.model import URGENT, MessageKind, Owed, Severity
from benchmarks.telling import Lived, TellingCounts, count, inventory_of, live
from firmware_sim import county
from firmware_sim.scenario import Crowd, FleetSize, Happening, Scenario, ScriptedEvent, load
from telemetry.reading import Millis
from telemetry.wire import Uplink

SCENARIOS: Final = Path(county.__file__).parent / "scenarios"
RESULT: Final = Path(__file__).parent / "results" / "township.json"
HOUR_MS: Final = 60 * MINUTE_MS
DARK_TOWN: Final = """
seed: dark-town
start: 2026-11-23T02:00:00Z
hours: 9
fleet: {towns: 1, villages: 60, bins: 1960, plants: 40, chirpstack: 0}
"""
"""10:00 in Shanghai; 2,000 devices, 15 radio gateways."""
BIN_SAYS: Final = {"distance_mm": 900.0, "temperature_c": 9.0}
PLANT_SAYS: Final = {"flow_m3h": 1.5, "mains_on": 1.0}
DARK_AFTER_MS: Final = 2 * HOUR_MS
"""How long after its last word a bin's sensor is missed."""
FIRE_AFTER_MS: Final = DARK_AFTER_MS + 30_000


RESTLESS: Final = "plant-0001"
"""The device of the plant of the county week whose power comes and goes."""
RARELY: Final = 0.1
"""The share of texts that somebody answers there."""
BUDGETS: Final = frozenset({"budget", "daily_cap"})


@dataclass(frozen=True)
class Pressed:
    """What became of the P1 and P2 of a county in which one asset makes itself heard again and again."""

    per_day: tuple[int, ...]
    urgent: int
    """Messages of P1 and P2 that begin something or escalate it, whoever they are about."""
    of_restless: int
    """Texts about the restless asset alone."""
    budgeted: int
    """Messages of P2 about other assets that had to wait for a budget."""
    longest_wait_ms: Millis
    """The longest of these waits; by night none counts."""
    dropped: tuple[str, ...]
    """Steps of a standing P1 or P2 that were dropped: rule, asset and reason of each."""


@dataclass(frozen=True)
class Storm:
    """What a storm came to."""

    raised: int
    texts: int
    most_in_2_min: int
    """To one person, P1 apart, from when it broke out."""
    most_in_30_min: int
    fire_after_ms: Millis
    """How long after its sample the last of those to be told of a fire was; -1 where nothing burned."""
    unaccounted: int
    """Messages that had to wait and then stood in no text, and of which no row says why."""
    by_role: dict[str, int]


def story(name: str, hours: float = 0) -> Scenario:
    """A scenario of the house, or its first hours."""
    whole = load((SCENARIOS / f"{name}.yaml").read_text("utf-8"))
    return whole.model_copy(update={"hours": hours}) if hours else whole


def dark_town() -> Storm:
    """2,000 devices fall silent within a minute, and a bin burns meanwhile."""
    scenario = load(DARK_TOWN)
    lived = live(scenario, _dark(scenario))
    return stormed(lived, scenario.start_ms + DARK_AFTER_MS, scenario.start_ms + FIRE_AFTER_MS)


def dark_lines() -> Storm:
    """Forty plants on three feeders lose power within a minute."""
    scenario = story("power_cut_three_lines")
    return stormed(live(scenario), scenario.start_ms + 3 * HOUR_MS + 28 * MINUTE_MS, 0)


def county_week(days: int = 7) -> Scenario:
    """Two towns: a plant whose power comes and goes, one sensor in twenty dead, a radio gateway away for five hours."""
    hours = days * 24
    restless = [
        ScriptedEvent(at=7 + 1.5 * n, kind=Happening.POWER_CUT, target=RESTLESS, hours=0.7)
        for n in range(hours * 2 // 3)
    ]
    dead = [ScriptedEvent(at=12 + 5 * n, kind=Happening.DEAD_SENSOR, target=f"bin-{1 + 20 * n:04}") for n in range(3)]
    cuts = [
        ScriptedEvent(at=9 + 11 * n, kind=Happening.POWER_CUT, target=f"plant-{2 + n:04}", hours=4) for n in range(3)
    ]
    stops = [
        ScriptedEvent(at=13 + 17 * n, kind=Happening.PLANT_STOP, target=f"plant-{5 + n:04}", hours=20) for n in range(4)
    ]
    others = [
        ScriptedEvent(at=11, kind=Happening.FAST_FILL, target="bin-0044"),
        ScriptedEvent(at=30, kind=Happening.GATEWAY_OUTAGE, target="g01", hours=5),
        ScriptedEvent(at=38, kind=Happening.FIRE, target="bin-0033", hours=2),
    ]
    events = [*restless, *dead, *cuts, *stops, *others]
    return Scenario(
        seed="two-towns",
        start=datetime(2026, 11, 22, 16, tzinfo=UTC),
        hours=hours,
        fleet=FleetSize(towns=2, villages=6, bins=60, plants=8, feeders=4, chirpstack=0.2, no_rounds=0.5),
        crowd=Crowd(waste=2.5),
        events=tuple(event for event in events if isinstance(event.at, float | int) and event.at < hours),
    )


def pressed(lived: Lived) -> Pressed:
    """The counts of such a week."""
    urgent = [owed for owed in lived.texts if owed.severity in URGENT and owed.kind is not MessageKind.CLEARED]
    waits = list(_waits(lived))
    over = {event.episode: event.at_ms for event in lived.events if event.event == "cleared"}
    restless = lived.inventory.devices[RESTLESS].asset
    days = Counter((owed.at_ms - lived.begins_ms) // DAY_MS for owed in lived.texts)
    dropped = [
        event
        for event in lived.events
        if event.event == "dropped"
        and event.severity in URGENT
        and over.get(event.episode, event.at_ms + 1) > event.at_ms
    ]
    return Pressed(
        per_day=tuple(days[day] for day in range(round(lived.days))),
        urgent=len(urgent),
        of_restless=sum(owed.asset == restless and not owed.covers for owed in lived.texts),
        budgeted=len(waits),
        longest_wait_ms=max(waits, default=0),
        dropped=tuple(f"{event.rule} {event.asset} {(event.detail or {}).get('reason')}" for event in dropped),
    )


def _waits(lived: Lived) -> Iterator[Millis]:
    """How long each P2 about another asset waited for a budget, from the first row that says so until it left.

    What is told again of an asset that was told of that day waits for its own share, not for what others used up.
    """
    calendar, restless = Calendar.of(lived.inventory.county), lived.inventory.devices[RESTLESS].asset
    left: dict[tuple[str, str], list[Millis]] = defaultdict(list)
    told: dict[tuple[str, str], list[Millis]] = defaultdict(list)
    for owed in lived.texts:
        for episode in owed.covers or (owed.episode,):
            left[episode, owed.to].append(owed.at_ms)
            told[episode.split("/")[1], owed.to].append(owed.at_ms)
    for event in lived.events:
        detail = event.detail or {}
        person = str(detail.get("person", ""))
        if event.event != "held" or event.severity != Severity.P2 or detail.get("reason") not in BUDGETS:
            continue
        midnight = calendar.midnight(event.at_ms)
        if event.asset == restless or any(midnight <= at < event.at_ms for at in told[event.asset, person]):
            continue
        ends = [said.at_ms for said in lived.events if _ends(said, event.episode, person)]
        later = [at_ms for at_ms in (*left[event.episode, person], *ends) if at_ms >= event.at_ms]
        yield min(later, default=lived.begins_ms + round(lived.days * DAY_MS)) - event.at_ms


def _ends(said: model.Event, episode: str, person: str) -> bool:
    """Whether nobody has to tell this person of it any more."""
    named = (said.detail or {}).get("person") in {person, None}
    return said.episode == episode and named and said.event in {"superseded", "dropped", "cleared", "inhibited"}


def stormed(lived: Lived, breaks_ms: Millis, fire_ms: Millis) -> Storm:
    """The counts of a storm that broke out then."""
    roles = {person.id: str(person.duties[0].role) for person in lived.inventory.people.values() if person.duties}
    texts = [owed for owed in lived.texts if owed.at_ms >= breaks_ms]
    ordinary = [owed for owed in texts if owed.severity != Severity.P1]
    fires = [owed.at_ms - fire_ms for owed in texts if owed.rule == "fire" and owed.kind == "first"]
    return Storm(
        raised=sum(event.at_ms >= breaks_ms for event in lived.raised()),
        texts=len(texts),
        most_in_2_min=_most(ordinary, breaks_ms + 2 * MINUTE_MS),
        most_in_30_min=_most(ordinary, breaks_ms + 30 * MINUTE_MS),
        fire_after_ms=max(fires, default=-1) if fire_ms else -1,
        unaccounted=len(waiting(lived)),
        by_role=dict(Counter(roles.get(owed.to, "?") for owed in texts).most_common()),
    )


def waiting(lived: Lived) -> set[tuple[str, str]]:
    """Episode and person of all that was to be told later and is in no text, while no row says why (law L9)."""
    found: set[tuple[str, str]] = set()
    for event in lived.events:
        whom = (event.episode, str((event.detail or {}).get("person", "")))
        if event.event == "held" and whom[1]:
            found.add(whom)
        elif event.event in {"folded", "dropped", "superseded"}:
            found.discard(whom)
    return found - {(episode, owed.to) for owed in lived.texts for episode in (owed.episode, *owed.covers)}


def _most(texts: list[Owed], until_ms: Millis) -> int:
    return max(Counter(owed.to for owed in texts if owed.at_ms < until_ms).values(), default=0)


def _dark(scenario: Scenario) -> Iterator[Uplink]:
    """The last word of every device within a minute, and a fire when they are missed."""
    devices = sorted(inventory_of(scenario).devices.values(), key=lambda device: device.id)
    for number, device in enumerate(devices):
        at_ms = scenario.start_ms + number * MINUTE_MS // len(devices)
        is_bin = device.id.startswith("bin-")
        said: dict[str, float] = (
            {"distance_mm": 900, "temperature_c": 9} if is_bin else {"flow_m3h": 1.5, "mains_on": 1}
        )
        yield _uplink(scenario, device.id, 1, at_ms, said)
    yield _uplink(scenario, "bin-0001", 2, scenario.start_ms + FIRE_AFTER_MS, {"temperature_c": 95})


def _uplink(scenario: Scenario, device: str, seq: int, at_ms: Millis, said: dict[str, float]) -> Uplink:
    sample = {"v": 1, "boot": 1, "seq": seq, "ts": at_ms, "readings": said}
    return Uplink(at_ms, f"cunjing/v1/{scenario.county}/{device}/telemetry", json.dumps(sample).encode())


WEEKS: Final = ("ordinary_week", "spring_festival", "festival_with_markets")


def main() -> int:
    """Lives through all of it, prints the table, writes the file."""
    asked = argparse.ArgumentParser(prog="python -m benchmarks.township", description=__doc__)
    asked.add_argument("--days", type=int, default=7, help="how many days of each week")
    days = asked.parse_args().days
    weeks: dict[str, TellingCounts] = {}
    for name in WEEKS:
        scenario = story(name, days * 24)
        for answered in (False, True):
            title = f"{name}, {'answered' if answered else 'nobody answers'}"
            print(f"{title} …", file=sys.stderr, flush=True)
            weeks[title] = count(scenario, live(scenario, answered=float(answered)))
    print("storms …", file=sys.stderr, flush=True)
    storms = {"2,000 devices dark and a fire": dark_town(), "40 plants on 3 lines": dark_lines()}
    print("a county week …", file=sys.stderr, flush=True)
    county_counts = pressed(live(county_week(days), answered=RARELY))
    show(weeks, storms, county_counts)
    found: dict[str, object] = {"weeks": {name: asdict(week) for name, week in weeks.items()}}
    found["storms"] = {name: asdict(storm) for name, storm in storms.items()}
    found["county week"] = asdict(county_counts)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", "utf-8")
    return 0


def show(weeks: dict[str, TellingCounts], storms: dict[str, Storm], county_counts: Pressed) -> None:
    """The tables, for people."""
    lives = Table("", "texts a day", "of them lists", "by role", "most for one emptier", "useless", "which")
    for name, week in weeks.items():
        days = len(week.per_day)
        roles = ", ".join(f"{role} {sum(each) / days:.1f}" for role, each in week.by_role.items())
        share = f"{week.useless} of {week.about_bins} ({week.useless_share:.0%})"
        which = ", ".join(f"{what} {count}" for what, count in list(week.useless_by.items())[:3])
        mean, lists = sum(week.per_day) / days, sum(week.lists_per_day) / days
        lives.add_row(
            name,
            f"{mean:.1f} (most {max(week.per_day)})",
            f"{lists:.1f}",
            roles,
            str(week.most_cleaner_day),
            share,
            which,
        )
    dark = Table("", "raised", "texts", "most in 2 min", "most in 30 min", "fire after", "unaccounted", "by role")
    for name, storm in storms.items():
        fire = "" if storm.fire_after_ms < 0 else f"{storm.fire_after_ms} ms"
        counts = (storm.raised, storm.texts, storm.most_in_2_min, storm.most_in_30_min)
        dark.add_row(name, *map(str, counts), fire, str(storm.unaccounted), str(storm.by_role))
    console = Console(width=190)
    console.print(lives)
    console.print(dark)
    two = Table(
        "county week", "texts a day", "P1 and P2", "of the restless", "waited for a budget", "longest", "dropped"
    )
    mean = sum(county_counts.per_day) / len(county_counts.per_day)
    two.add_row(
        "two towns",
        f"{mean:.1f} (most {max(county_counts.per_day)})",
        str(county_counts.urgent),
        str(county_counts.of_restless),
        str(county_counts.budgeted),
        f"{county_counts.longest_wait_ms / MINUTE_MS:.0f} min",
        str(len(county_counts.dropped)),
    )
    console.print(two)


if __name__ == "__main__":
    sys.exit(main())
