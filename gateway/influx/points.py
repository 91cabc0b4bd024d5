"""From rows of the journal to points: which lines a reading, an event or the inventory gives. Pure; sends nothing.

The contract is docs/series.md, the names are ``telemetry.series``. A row gives the same lines every time (law L8).
"""

from collections.abc import Iterator, Mapping
from operator import itemgetter
from typing import Final, NamedTuple, TypeAlias

import msgspec
from msgspec import defstruct
from msgspec.structs import asdict, astuple

from alerts.model import RUN_CODES, Event
from alerts.notify import texts
from alerts.rollups.rows import Rollup
from alerts.rules.over_two_thirds import POINTS_A_SITE
from gateway.journal.entry import StoredEvent
from telemetry.inventory import Asset, Collection, CountySettings, Device, Inventory
from telemetry.reading import QUANTITIES, Millis, Reading, TimeSource
from telemetry.series import ABOUT_DEVICE, NONE, Measurement, instant_us, line, tags
from telemetry.terms import AssetKind, Level

STATES: Final = frozenset({"raised", "acked", "cleared", "reset", "retired", "reignited"})
"""Events that change what an episode is to people."""

Point: TypeAlias = tuple[bytes, Millis]
"""One line, and the instant that decides whether a bucket still wants it."""

_NAMES: Final = tuple(QUANTITIES)
_ABOUT: Final = tuple(name for name in _NAMES if name not in ABOUT_DEVICE and name != "fill_pct")
_DISTANCE: Final = _NAMES.index("distance_mm")
_FILL: Final = _NAMES.index("fill_pct")
_about = itemgetter(*map(_NAMES.index, _ABOUT))
_own = itemgetter(*map(_NAMES.index, ABOUT_DEVICE))

_Fields: Final = defstruct(
    "_Fields",
    [
        *((name, float | None, None) for name in (*_ABOUT, "fill_pct", "exposure_points")),
        ("_", int | None, None),
        *((name, float | None, None) for name in (*ABOUT_DEVICE, "delay_s", "clock_lag_s")),
    ],
    omit_defaults=True,
    gc=False,
)
"""Both points of a reading in one value, with a mark between them. Written as JSON, which C does in one go, they are
line protocol but for quotes, braces and colons, since every value is a number. What is not known is left out."""

_MARK: Final = b"_=0,"
_SERVER: Final = TimeSource.SERVER  # a global is found ten times sooner than an enum's member
_written = msgspec.json.Encoder().encode
_EQUALS: Final = bytes.maketrans(b":", b"=")
_DROPPED: Final = b'"{}'


class _Place(NamedTuple):
    """What the points of one device on one asset begin with, and the level above which its asset is over the line."""

    about_asset: bytes
    about_device: bytes
    is_bin: bool
    line_pct: float | None


class Points:
    """The points of one inventory; ``lines_pct`` as ``over_two_thirds`` says. Another inventory gets its own."""

    def __init__(self, inventory: Inventory, lines_pct: Mapping[str, float]) -> None:
        self._inventory = inventory
        self._lines_pct = lines_pct
        self._places: dict[tuple[str, str], _Place] = {}

    def of_reading(self, reading: Reading) -> tuple[Point, ...]:
        """One about the device, always, and one about the asset, if it speaks of that."""
        known = self._places.get((reading.asset, reading.device)) or self._learn(reading)
        about_asset, about_device, is_bin, line_pct = known
        values, at_ms, received_ms = astuple(reading.values), reading.observed_ms, reading.received_ms
        judged_pct, device_ms = reading.judged_pct, reading.device_ms
        fill_pct = judged_pct if is_bin and values[_DISTANCE] is not None else values[_FILL]
        exposure = lag_s = None
        if judged_pct is not None and line_pct is not None:
            exposure = POINTS_A_SITE if judged_pct > line_pct else 0.0
        if device_ms is not None and reading.clock is not _SERVER:
            lag_s = (received_ms - device_ms) / 1_000
        delay_s = (received_ms - at_ms) / 1_000
        fields = _Fields(*_about(values), fill_pct, exposure, 0, *_own(values), delay_s, lag_s)
        of_asset, _, of_device = _written(fields).translate(_EQUALS, _DROPPED).partition(_MARK)
        at_us = b" %d" % instant_us(at_ms, reading.seq)
        device_point = about_device + of_device + at_us, at_ms
        if not of_asset:
            return (device_point,)
        return device_point, (about_asset + of_asset[:-1] + at_us, at_ms)

    def of_event(self, happened: StoredEvent) -> tuple[Point, ...]:
        """A change of an episode, an emptying or a plant's new run state; nothing for any other event."""
        event, at_us = happened.event, instant_us(happened.event.at_ms, happened.id)
        detail = event.detail or {}
        match event.event:
            case "emptied" | "partly_emptied":
                levels = {f"emptied_{name}": _number(detail[name]) for name in ("from_pct", "to_pct")}
                made = line(Measurement.BIN, tags(self._inventory, event.asset), at_us, levels)
            case "run_state":
                code = RUN_CODES[str(detail["to"])]
                made = line(Measurement.PLANT, tags(self._inventory, event.asset), at_us, {"run_state": code})
            case state if state in STATES:
                made = self._of_episode(event, at_us, happened.raised_ms)
            case _:
                return ()
        return ((made, event.at_ms),)

    def of_rollup(self, rollup: Rollup) -> tuple[Point, ...]:
        """A window's row; a field that is absent is left out."""
        measurement, subject, start_ms, row = rollup
        floats = {name: value for name, value in asdict(row).items() if value is not None}
        return ((line(measurement, self._of_subject(measurement, subject), instant_us(start_ms, 0), floats), start_ms),)

    def of_inventory(self, at_ms: Millis) -> Iterator[Point]:
        """What every id is called, and where and how much it is: all at the instant of the import."""
        at_us, measurement = instant_us(at_ms, 0), Measurement.ASSET
        inventory = self._inventory
        county = {"name": inventory.county.name, "kind": "county", **_county_slots(inventory.county)}
        yield (line(measurement, tags(inventory), at_us, {}, county), at_ms)
        for area in inventory.areas.values():
            if area.level in (Level.TOWN, Level.VILLAGE):
                named = {"name": area.name, "kind": str(area.level)}
                yield (line(measurement, tags(inventory, area=area.id), at_us, {}, named), at_ms)
        for asset in inventory.assets.values():
            floats, named = self._facts(asset)
            yield (line(measurement, tags(inventory, asset.id), at_us, floats, named), at_ms)
        for device in inventory.devices.values():
            at = tags(inventory, device.asset, device.id)
            yield (line(measurement, at, at_us, {"interval_s": device.interval_s}, _named(device)), at_ms)

    def _learn(self, reading: Reading) -> _Place:
        at = tags(self._inventory, reading.asset, reading.device)
        asset = self._inventory.assets.get(reading.asset)
        is_bin = asset.kind is AssetKind.BIN if asset is not None else reading.values.distance_mm is not None
        place = _Place(
            f"{Measurement.BIN if is_bin else Measurement.PLANT}{at} ".encode(),
            f"{Measurement.DEVICE}{at} ".encode(),
            is_bin,
            self._lines_pct.get(reading.asset),
        )
        self._places[reading.asset, reading.device] = place
        return place

    def _of_subject(self, measurement: Measurement, subject: str) -> str:
        """The tags of a rollup: an asset's, a device's on its asset, or a town's."""
        if measurement in (Measurement.TOWN_HOUR, Measurement.TOWN_DAY):
            return tags(self._inventory, area=subject)
        if measurement in (Measurement.DEVICE_HOUR, Measurement.DEVICE_DAY):
            device = self._inventory.devices.get(subject)
            return tags(self._inventory, NONE if device is None else device.asset, subject)
        return tags(self._inventory, subject)

    def _of_episode(self, event: Event, at_us: int, raised_ms: Millis) -> bytes:
        inventory = self._inventory
        gateway, area = inventory.radio_gateways.get(event.asset), inventory.areas.get(event.asset)
        asset, other = inventory.assets.get(event.asset), gateway or area
        place = texts.place(asset) if asset is not None else event.asset if other is None else other.name
        where = gateway.area if gateway is not None else area.id if area is not None else ""
        said = {"state": event.event, "rule": event.rule, "severity": event.severity, "episode": event.episode}
        at = tags(inventory, event.asset, event.device or NONE, where)
        after_s = max(0, event.at_ms - (raised_ms or event.at_ms)) / 1_000
        return line(Measurement.ALERT, at, at_us, {"after_s": after_s}, {**said, "place": place})

    def _facts(self, asset: Asset) -> tuple[dict[str, float], dict[str, str]]:
        floats: dict[str, float] = {"rounds": len(asset.collection.rounds) if asset.collection is not None else 0}
        if asset.location is not None:
            floats |= {"lat": asset.location.lat, "lon": asset.location.lon}
        if asset.bin is not None:
            floats["counts"] = asset.bin.counts_for_score
        if asset.plant is not None:
            floats["design_m3d"] = asset.plant.design_m3d
        if asset.id in self._lines_pct:
            floats["line_pct"] = self._lines_pct[asset.id]
        called = {"name": f"{asset.short}{texts.container(asset)}", "kind": str(asset.kind)}
        return floats, called | ({"landmark": asset.landmark} if asset.landmark else {}) | _slots(asset.collection)


def _county_slots(county: CountySettings) -> dict[str, str]:
    """When each round begins and ends, in the order of the day: ``am=07:00-11:00,pm=14:30-16:30``."""
    rounds = sorted(county.rounds.items(), key=lambda each: each[1].start)
    slots = ",".join(f"{name}={hours.start:%H:%M}-{hours.end:%H:%M}" for name, hours in rounds)
    return {"slots": slots} if slots else {}


def _slots(collection: Collection | None) -> dict[str, str]:
    """Which rounds empty it, and on which days of the week (Monday is 1); lunar days are not said."""
    if collection is None or not collection.rounds:
        return {}
    slots = {"slots": ",".join(collection.rounds)}
    if collection.lunar_ends is not None:
        return slots
    weekdays = range(7) if collection.weekdays is None else sorted(collection.weekdays)
    return slots | {"days": "".join(str(day + 1) for day in weekdays)}


def _named(device: Device) -> dict[str, str]:
    return {"name": device.id, "kind": "device", "profile": device.profile, "power": str(device.power)}


def _number(value: object) -> float:
    """A number of an event's evidence."""
    assert isinstance(value, int | float)  # noqa: S101 - the engine wrote it
    return float(value)
