"""A scenario file as values: which law it shows, in which county, what happens when, and all that must come of it.

Reading only; ``tests.scenario_run`` plays it. ``tests/scenarios/over_two_thirds.yaml`` begins with how one is written.
"""

import json
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeAlias
from zoneinfo import ZoneInfo

import yaml

from telemetry.codecs import codecs
from telemetry.inventory import Inventory
from telemetry.inventory.checks import NATIVE
from telemetry.inventory.file import parse
from telemetry.reading import QUANTITIES, Millis
from telemetry.wire import Uplink

FOLDER: Final = Path(__file__).parent / "scenarios"
ZONE: Final = ZoneInfo("Asia/Shanghai")
KEYS: Final = frozenset(
    {"law", "county", "rules", "start", "timeline", "until", "expect", "because", "silent", "lists"}
)
_MOMENT: Final = re.compile(r"(?:\+(\d+) )?(\d\d):(\d\d)(?::(\d\d))?")
_SPAN: Final = re.compile(r"(-?\d+)(ms|s|min|h|d)")
_UNIT_MS: Final = {"ms": 1, "s": 1_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}


@dataclass(frozen=True)
class Ack:
    """A person acknowledges the open episode of a rule on an asset."""

    rule: str
    asset: str
    by: str


@dataclass(frozen=True)
class Shelve:
    """A person wants quiet about it for so many hours; 0 takes it from the shelf."""

    rule: str
    asset: str
    by: str
    hours: float


@dataclass(frozen=True)
class Dispatch:
    """A person has somebody told now; ``-`` is whoever is told first."""

    rule: str
    asset: str
    by: str
    to: str


@dataclass(frozen=True)
class Work:
    """A person declares work on an asset, area or feeder, from now or so late on, for so long."""

    kind: str
    subject: str
    by: str
    after_ms: Millis
    lasts_ms: Millis


@dataclass(frozen=True)
class NoWork:
    """A person ends the window that was declared for it."""

    subject: str
    by: str


@dataclass(frozen=True)
class TrialEnd:
    """A person ends the trial of something: ``area xinhe leader-he``."""

    kind: str
    name: str
    by: str


@dataclass(frozen=True)
class Absent:
    """The dispatcher writes down that a person is away until then, and who stands in."""

    person: str
    stand_in: str
    until_ms: Millis


@dataclass(frozen=True)
class ExtraRound:
    """The dispatcher orders an extra round for an area or a bin, from now or a moment of the day on, until another."""

    place: str
    from_ms: Millis
    until_ms: Millis


@dataclass(frozen=True)
class NoExtraRound:
    """The dispatcher cancels the extra round of a place that is next."""

    place: str


@dataclass(frozen=True)
class Present:
    """The dispatcher ends the absence of a person."""

    person: str


@dataclass(frozen=True)
class Reset:
    """A person resets the latched episode of a rule on an asset."""

    rule: str
    asset: str
    by: str


@dataclass(frozen=True)
class Restart:
    """The process ends here and is back at once, with the same subscription and no message lost."""


@dataclass(frozen=True)
class Deaf:
    """The subscription is lost; the process lives on."""


@dataclass(frozen=True)
class Listen:
    """The subscription is back."""


@dataclass(frozen=True)
class Down:
    """The process is not there at all until ``up_ms``."""

    up_ms: Millis


Action: TypeAlias = (
    Uplink
    | Ack
    | Reset
    | Shelve
    | Dispatch
    | Absent
    | Present
    | ExtraRound
    | NoExtraRound
    | TrialEnd
    | Work
    | NoWork
    | Restart
    | Deaf
    | Listen
    | Down
)


@dataclass(frozen=True)
class Moment:
    """Something that happens at an instant."""

    at_ms: Millis
    action: Action


@dataclass(frozen=True)
class Line:
    """One expected event: how it is printed, and what its text or detail says."""

    said: str
    fragments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scenario:
    """One file."""

    name: str
    law: str
    inventory: Inventory
    rules: str
    lists: bool
    start_ms: Millis
    until_ms: Millis
    moments: tuple[Moment, ...]
    expected: tuple[Line, ...]
    because: tuple[Line, ...]

    def shown(self, at_ms: Millis) -> str:
        """The instant as scenario files write it: ``08:20``, ``+1 06:30``, finer only where it is."""
        at = datetime.fromtimestamp(at_ms / 1000, tz=ZONE)
        days = (at.date() - datetime.fromtimestamp(self.start_ms / 1000, tz=ZONE).date()).days
        seconds = at.strftime(":%S") if at_ms % 60_000 else ""
        millis = f".{at_ms % 1000:03d}" if at_ms % 1000 else ""
        return f"{f'+{days} ' if days else ''}{at:%H:%M}{seconds}{millis}"


def names() -> list[str]:
    """Every scenario by name."""
    return sorted(file.stem for file in FOLDER.glob("*.yaml"))


@cache
def read(name: str) -> Scenario:
    """The scenario of that name; a file that is no scenario fails with what is wrong with it."""
    raw = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    assert set(raw) <= KEYS, f"{name}: unknown keys {sorted(set(raw) - KEYS)}"
    assert len(raw["law"].split()) > 3, f"{name}: the law is a sentence"
    inventory = _inventory(raw["county"], _heard(raw))
    start = datetime.fromisoformat(raw["start"])
    assert start.tzinfo is not None, f"{name}: start has no time zone"
    timeline = _Timeline(inventory, start)
    for entry in raw["timeline"]:
        timeline.add(dict(entry))
    moments = timeline.moments()
    until = timeline.moment(raw["until"]) if "until" in raw else moments[-1].at_ms
    rules = yaml.safe_dump(raw["rules"]) if "rules" in raw else ""
    expected, because = (tuple(_line(line) for line in raw.get(key, ())) for key in ("expect", "because"))
    return Scenario(
        name,
        raw["law"],
        inventory,
        rules,
        raw.get("lists", False),
        round(start.timestamp() * 1000),
        until,
        moments,
        expected,
        because,
    )


def _heard(raw: dict[str, Any]) -> set[str]:
    """The devices that a scenario speaks of; the others of its county are left out, so that they cannot be missed."""
    words = {word for entry in raw["timeline"] for key in entry for word in key.split()}
    return words | set(raw.get("silent", ()))


def _inventory(name: str, devices: set[str]) -> Inventory:
    county = _county(name)
    return replace(county, devices={name: device for name, device in county.devices.items() if name in devices})


@cache
def _county(name: str) -> Inventory:
    file = FOLDER / "counties" / f"{name}.yaml"
    parsed = parse(file.read_text(encoding="utf-8"), file.name, frozenset(codecs()) | {NATIVE})
    assert parsed.inventory is not None, parsed.faults
    return parsed.inventory


def _line(raw: str | dict[str, str | list[str]]) -> Line:
    if isinstance(raw, str):
        return Line(raw)
    ((said, fragments),) = raw.items()
    return Line(said, (fragments,) if isinstance(fragments, str) else tuple(fragments))


class _Timeline:
    """Entries in any order become moments in order; counters of devices run as a device would count."""

    def __init__(self, inventory: Inventory, start: datetime) -> None:
        self._inventory = inventory
        self._start = start
        self._found: list[tuple[Millis, dict[str, Any]]] = []
        self._seq: dict[tuple[str, int], int] = {}

    def moment(self, text: str) -> Millis:
        """``08:20``, ``08:20:30`` or ``+1 08:20`` (days after the first)."""
        match = _MOMENT.fullmatch(text)
        assert match is not None, f"{text!r} is not a moment like 08:20 or +1 08:20:30"
        days, hour, minute, second = (int(part or 0) for part in match.groups())
        at = self._start.replace(hour=hour, minute=minute, second=second, microsecond=0)
        return round((at + timedelta(days=days)).timestamp() * 1000)

    def add(self, entry: dict[str, Any]) -> None:
        """One entry, once or every so often until a moment (included)."""
        at_ms = self.moment(entry.pop("at"))
        every_ms = _span(entry.pop("every")) if "every" in entry else 0
        last_ms = self.moment(entry.pop("until")) if every_ms else at_ms
        while at_ms <= last_ms:
            self._found.append((at_ms, entry))
            at_ms += every_ms or 1

    def moments(self) -> tuple[Moment, ...]:
        """Everything in the order of its instants, entries of one instant as they stand in the file."""
        ordered = sorted(self._found, key=lambda found: found[0])
        return tuple(Moment(at_ms, action) for at_ms, entry in ordered for action in self._actions(at_ms, entry))

    def _actions(self, at_ms: Millis, entry: dict[str, Any]) -> list[Action]:
        verbs: dict[str, Any] = {"restart": Restart, "deaf": Deaf, "listen": Listen}
        spoken: dict[str, Any] = {"dispatch": Dispatch, "end_trial": TrialEnd, "no_work": NoWork}
        actions: list[Action] = []
        for name, said in entry.items():
            if name in verbs:
                actions.append(verbs[name]())
            elif name == "down_until":
                actions.append(Down(self.moment(said)))
            elif name in {"ack", "reset"}:
                rule, asset, by = said.split()
                actions.append(Ack(rule, asset, by) if name == "ack" else Reset(rule, asset, by))
            elif name == "shelve":
                rule, asset, by, hours = said.split()
                actions.append(Shelve(rule, asset, by, float(hours)))
            elif name in {"maintenance", "planned_cut"}:
                subject, by, after, lasts = said.split()
                actions.append(Work(name, subject, by, _span(after), _span(lasts)))
            elif name in {"absent", "present", "extra", "no_extra"}:
                actions.append(self._ordered(name, said))
            elif name in spoken:
                actions.append(spoken[name](*said.split()))
            elif name == "raw":
                actions.append(Uplink(at_ms, said["topic"], said["payload"].encode()))
            else:
                actions += [self._uplink(at_ms, device, said) for device in name.split()]
        return actions

    def _ordered(self, name: str, said: str) -> Action:
        """What the dispatcher writes down of people and rounds."""
        match name:
            case "absent":
                person, stand_in, until = said.split(maxsplit=2)
                return Absent(person, stand_in, self.moment(until))
            case "present":
                return Present(said)
            case "extra":
                place, begins, ends = said.split()
                return ExtraRound(place, self.moment(begins), self.moment(ends))
            case _:
                return NoExtraRound(said)

    def _uplink(self, at_ms: Millis, device: str, said: dict[str, Any] | list[dict[str, Any]]) -> Uplink:
        samples = [self._sample(at_ms, device, one) for one in (said if isinstance(said, list) else [said])]
        payload = json.dumps(samples if isinstance(said, list) else samples[0])
        county = self._inventory.county.id
        return Uplink(at_ms, f"cunjing/v1/{county}/{device}/telemetry", payload.encode())

    def _sample(self, at_ms: Millis, device: str, said: dict[str, Any]) -> dict[str, Any]:
        """A sample as the device would send it. Without ``ago``, ``clock`` and the like its clock is right."""
        left = dict(said)
        boot = left.pop("boot", 1)
        following = self._seq.get((device, boot), 0)
        seq = left.pop("seq", following)
        self._seq[device, boot] = max(following, seq + 1)
        sample: dict[str, Any] = {"v": 1, "boot": boot, "seq": seq}
        clock = left.pop("clock", "right")
        taken_ms = at_ms - _span(left.pop("ago", "0s"))
        if clock == "right":
            sample["ts"] = taken_ms
        elif clock != "none":
            match = _SPAN.fullmatch(clock)
            absolute = round(datetime.fromisoformat(clock).timestamp() * 1000) if match is None else 0
            sample["ts"] = absolute if match is None else taken_ms + _span(clock)
        if "up" in left:
            sample["up"] = left.pop("up")
        sample["readings"] = self._readings(device, left)
        return sample

    def _readings(self, device: str, left: dict[str, Any]) -> dict[str, float]:
        readings: dict[str, float] = {}
        geometry = self._inventory.assets[self._inventory.devices[device].asset].bin
        for name, value in left.items():
            if name == "fill":
                assert geometry is not None, f"{device} is not on a bin"
                readings["distance_mm"] = round(geometry.empty_mm - value / 100 * geometry.height_mm, 3)
            else:
                assert name in QUANTITIES, f"{device}: {name} is no quantity"
                readings[name] = value
        return readings


def _span(text: str) -> Millis:
    match = _SPAN.fullmatch(text)
    assert match is not None, f"{text!r} is not a span like 20min"
    return int(match[1]) * _UNIT_MS[match[2]]
