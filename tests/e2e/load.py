"""What a county sends while its gateway is killed, and what must have come of it in the end.

Every device has a fate: levels that it goes through, each for a few samples at least, and the one episode of each rule
that they must raise. Nothing here knows the gateway.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from threading import Event
from typing import Any, Final, TypeAlias

import yaml

from firmware_sim.radio import TimedUplink
from telemetry.reading import Millis

Mark: TypeAlias = tuple[str, int, int]
"""Device, boot and seq."""

BURST: Final = 20
AT_EACH_LEVEL: Final = 4
REPEATED: Final = 0.03
"""The share of frames that a device sends twice."""


class Fate(StrEnum):
    """What becomes of a device's asset."""

    QUIET = "quiet"
    FILLS = "fills"
    RUNS_OVER = "runs_over"
    EMPTIED = "emptied"
    BURNS = "burns"
    BURNS_OUT = "burns_out"
    FLAT = "flat"
    FLOODS = "floods"


Readings: TypeAlias = dict[str, float]


def _bin(distance_mm: float, **others: float) -> Readings:
    return {"distance_mm": distance_mm, "temperature_c": 20.5, "battery_pct": 90} | others


def _plant(float_high: float) -> Readings:
    return {"level_mm": 500, "float_high": float_high, "mains_on": 1}


LOW, OVER, FULL, EMPTY = 900, 450, 245, 1_190
"""Distances in a pool 1,000 mm high: 30 %, 75 %, 95.5 %, 1 %."""

LEVELS: Final[dict[Fate, tuple[Readings, ...]]] = {
    Fate.QUIET: (_bin(LOW), _bin(LOW - 100), _bin(LOW - 50)),
    Fate.FILLS: (_bin(LOW), _bin(OVER)),
    Fate.RUNS_OVER: (_bin(LOW), _bin(OVER), _bin(FULL)),
    Fate.EMPTIED: (_bin(LOW), _bin(OVER), _bin(EMPTY)),
    Fate.BURNS: (_bin(LOW), _bin(LOW, fire_flag=1)),
    Fate.BURNS_OUT: (_bin(LOW), _bin(LOW, fire_flag=1), _bin(LOW, fire_flag=0)),
    Fate.FLAT: (_bin(LOW), _bin(LOW, battery_pct=15)),
    Fate.FLOODS: (_plant(0), _plant(1)),
}

RAISED: Final[dict[Fate, tuple[str, ...]]] = {
    Fate.QUIET: (),
    Fate.FILLS: ("over_two_thirds",),
    Fate.RUNS_OVER: ("over_two_thirds", "overflow"),
    Fate.EMPTIED: ("over_two_thirds",),
    Fate.BURNS: ("fire",),
    Fate.BURNS_OUT: ("fire",),
    Fate.FLAT: ("battery_low",),
    Fate.FLOODS: ("level_high",),
}

CLEARED: Final = {Fate.EMPTIED: "over_two_thirds"}

TOLD: Final = {
    "over_two_thirds": ("cleaner-{village}",),
    "overflow": ("cleaner-{village}",),
    "fire": ("cleaner-{village}", "head-{village}", "office"),
    "level_high": ("crew",),
    "battery_low": (),
}

SHARES: Final = {
    Fate.QUIET: 30,
    Fate.FILLS: 25,
    Fate.RUNS_OVER: 12,
    Fate.EMPTIED: 12,
    Fate.BURNS: 5,
    Fate.BURNS_OUT: 3,
    Fate.FLAT: 5,
    Fate.FLOODS: 8,
}
VILLAGES: Final = 10


@dataclass
class Sender:
    """One device: its fate, and how far it has come."""

    name: str
    fate: Fate
    village: int
    turns: list[int]
    """At which phase of the test it goes to its next level."""
    level: int = 0
    at_level: int = 0
    boot: int = 7
    seq: int = 0

    @property
    def is_done(self) -> bool:
        """Whether it has said everything that it had to say."""
        return not self.turns and self.at_level >= AT_EACH_LEVEL

    def next(self, phase: int) -> Readings:
        """Its next sample; a device that reaches a new level restarts now and then."""
        if self.turns and phase >= self.turns[0] and self.at_level >= AT_EACH_LEVEL:
            del self.turns[0]
            self.level, self.at_level = self.level + 1, 0
            if self.village % 2:
                self.boot, self.seq = self.boot + 1, 0
        self.at_level += 1
        self.seq += 1
        return LEVELS[self.fate][self.level]


@dataclass
class Load:
    """A county of so many senders that goes through so many phases."""

    senders: list[Sender]
    now_ms: Callable[[], Millis]
    interval_s: int = 1_200
    phase: int = 0
    published: set[Mark] = field(default_factory=set)

    @classmethod
    def of(cls, rng: Random, devices: int, phases: int, now_ms: Callable[[], Millis]) -> "Load":
        """Senders whose crossings are spread over all phases."""
        fates = [fate for fate, share in SHARES.items() for _ in range(share)]
        senders = []
        for number in range(devices):
            fate = fates[number % len(fates)]
            turns = sorted(rng.randrange(phases) for _ in LEVELS[fate][1:])
            senders.append(Sender(f"s-{number:04}", fate, number % VILLAGES, turns))
        return cls(senders, now_ms)

    def uplinks(self, rng: Random, rate: float, over: Callable[[], bool]) -> Iterator[TimedUplink]:
        """About ``rate`` uplinks a second until ``over`` and everything is said."""
        pace = Event()
        while True:
            done = over()
            for number, sender in enumerate(self.senders):
                readings = sender.next(self.phase)
                self.published.add((sender.name, sender.boot, sender.seq))
                uplink = TimedUplink(0, f"cunjing/v1/xiang/{sender.name}/telemetry", self._payload(sender, readings))
                yield uplink
                if rng.random() < REPEATED:
                    yield uplink
                if number % BURST == 0:
                    pace.wait(BURST / rate)
            if done and all(sender.is_done for sender in self.senders):
                return

    def raised(self) -> Counter[tuple[str, str]]:
        """How many episodes each rule must have raised on each asset."""
        return Counter((rule, _asset(sender)) for sender in self.senders for rule in RAISED[sender.fate])

    def cleared(self) -> Counter[tuple[str, str]]:
        """And how many of them must be over."""
        return Counter((CLEARED[sender.fate], _asset(sender)) for sender in self.senders if sender.fate in CLEARED)

    def first_texts(self) -> Counter[tuple[str, str, str]]:
        """Who must have been told first of what."""
        return Counter(
            (rule, _asset(sender), person.format(village=sender.village))
            for sender in self.senders
            for rule in RAISED[sender.fate]
            for person in TOLD[rule]
        )

    def inventory(self) -> str:
        """The county as the gateway reads it."""
        area, people = "qingshi", [_person("crew", "crew", "qingshi", 1), _person("office", "dispatcher", "qingshi", 2)]
        for village in range(VILLAGES):
            people += [
                _person(f"cleaner-{village}", "cleaner", f"v-{village}", 100 + village),
                _person(f"head-{village}", "village_head", f"v-{village}", 200 + village),
            ]
        people.append(_person("leader", "town_leader", "qingshi", 3))
        county = {
            "county": {"id": "xiang", "name": "湘阳县", "timezone": "Asia/Shanghai", "signature": "湘阳环卫"},
            "areas": [
                {"id": area, "name": "青石镇", "level": "town"},
                *({"id": f"v-{i}", "name": f"柳{i}村", "level": "village", "parent": area} for i in range(VILLAGES)),
            ],
            "people": people,
            "assets": [_asset_row(sender) for sender in self.senders],
            "devices": [_device_row(sender, self.interval_s) for sender in self.senders],
        }
        return yaml.safe_dump(county, allow_unicode=True, sort_keys=False)

    def _payload(self, sender: Sender, readings: Readings) -> bytes:
        sample = {"v": 1, "boot": sender.boot, "seq": sender.seq, "ts": self.now_ms(), "readings": readings}
        return json.dumps(sample, separators=(",", ":")).encode()


def mark_of(topic: str, payload: bytes) -> Mark:
    """Which sample an uplink of this load carries."""
    sample = json.loads(payload)
    return topic.split("/")[3], sample["boot"], sample["seq"]


def _asset(sender: Sender) -> str:
    return f"a-{sender.name}"


def _person(name: str, role: str, area: str, number: int) -> dict[str, Any]:
    duty = {"role": role, "area": area}
    return {"id": name, "name": "李师傅", "phone": f"1390000{number:04}", "duties": [duty]}


def _asset_row(sender: Sender) -> dict[str, Any]:
    number = sender.name[-4:]
    row = {"id": _asset(sender), "name": f"柳{sender.village}村{number}号", "short": f"柳{number}"}
    row |= {"area": f"v-{sender.village}"}
    if sender.fate is Fate.FLOODS:
        return row | {"kind": "plant", "plant": {"design_m3d": 50, "start_level_mm": 900}}
    return row | {"kind": "bin", "bin": {"empty_mm": 1_200, "full_mm": 200, "blind_mm": 230}}


def _device_row(sender: Sender, interval_s: int) -> dict[str, Any]:
    row = {"id": sender.name, "asset": _asset(sender), "profile": "native", "interval_s": interval_s}
    return row | {"power": "battery", "installed_at": "2024-01-01T00:00:00Z"}
