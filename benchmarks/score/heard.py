"""What reached the platform of each asset: its samples as they were received, for whoever has to wait for readings.

Bytes are read by ``telemetry``'s own codecs; nothing of what ``alerts`` makes of a sample is known here.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from telemetry.inventory import Inventory
from telemetry.inventory.directory import Directory
from telemetry.reading import Millis, Sample, Values
from telemetry.wire import Samples, Uplink, decode

NO_ECHO_MM: Final = frozenset({0.0, 8190.0, 65535.0})
"""What sensors say where nothing answers (alerting.md §1)."""
FAR: Final = 1.15
"""A distance beyond so many times the floor is an echo of something else."""
TILTED_DEG: Final = 30.0
SKEW_MS: Final = 10_000
"""So far a device's clock may be off when its sample is placed by it."""
OLDEST_LAG_MS: Final = 24 * 3_600_000


class HeardSample(NamedTuple):
    """One sample: when we had it, when it was taken, and its values."""

    received_ms: Millis
    taken_ms: Millis
    values: Values


@dataclass(slots=True)
class Ear:
    """One asset's samples in the order in which they came, and which of them tell its level."""

    samples: list[HeardSample] = field(default_factory=list)
    usable_taken_ms: list[Millis] = field(default_factory=list)
    usable_received_ms: list[Millis] = field(default_factory=list)
    _newest_ms: Millis = 0

    def hear(self, sample: HeardSample, *, usable: bool) -> None:
        """The next sample. One that is older than one before it comes too late to be judged."""
        self.samples.append(sample)
        if sample.taken_ms < self._newest_ms:
            return
        self._newest_ms = sample.taken_ms
        if usable:
            self.usable_taken_ms.append(sample.taken_ms)
            self.usable_received_ms.append(sample.received_ms)

    def nth_usable(self, number: int, since_ms: Millis) -> Millis | None:
        """When the so-manieth usable sample taken from then on was received, or nothing."""
        place = bisect_left(self.usable_taken_ms, since_ms - SKEW_MS) + number - 1
        return self.usable_received_ms[place] if place < len(self.usable_received_ms) else None

    def reaches_back(self, received_ms: Millis) -> Millis:
        """When the oldest of the samples was taken that came at that instant; the instant itself where none did."""
        place = bisect_left(self.samples, received_ms, key=lambda sample: sample.received_ms)
        back_ms = received_ms
        while place < len(self.samples) and self.samples[place].received_ms == received_ms:
            back_ms = min(back_ms, self.samples[place].taken_ms)
            place += 1
        return back_ms

    def last_heard(self, from_ms: Millis, to_ms: Millis) -> Millis:
        """When the last sample came in [from, to]; ``from`` where none did."""
        place = bisect_right(self.samples, to_ms, key=lambda sample: sample.received_ms) - 1
        return max(from_ms, self.samples[place].received_ms) if place >= 0 else from_ms

    def count_usable(self, since_ms: Millis, until_ms: Millis) -> int:
        """How many usable samples were taken in [since, until)."""
        return bisect_left(self.usable_taken_ms, until_ms) - bisect_left(self.usable_taken_ms, since_ms)


class Blind(NamedTuple):
    """A stretch in which an asset's sensor looked at something else than its content (a bag, an open lid)."""

    asset: str
    from_ms: Millis
    to_ms: Millis


def listen(
    uplinks: Iterable[Uplink], inventory: Inventory, floors_mm: dict[str, float], blind: Iterable[Blind] = ()
) -> dict[str, Ear]:
    """Each asset's samples, repeats left out. ``floors_mm`` are true ones."""
    directory = Directory(inventory)
    ears: dict[str, Ear] = defaultdict(Ear)
    known: set[tuple[str, int, int]] = set()
    covered: dict[str, list[Blind]] = defaultdict(list)
    for stretch in blind:
        covered[stretch.asset].append(stretch)
    for uplink in uplinks:
        said = decode(uplink, directory)
        if not isinstance(said, Samples):
            continue
        asset = inventory.devices[said.device].asset
        for sample in said.samples:
            name = (said.device, sample.boot, sample.seq)
            if name in known and not sample.fingerprint:
                continue
            known.add(name)
            taken_ms = _taken_ms(sample, uplink.received_ms)
            usable = is_usable(sample.values, floors_mm.get(asset, 0))
            usable = usable and not any(each.from_ms <= taken_ms < each.to_ms for each in covered[asset])
            ears[asset].hear(HeardSample(uplink.received_ms, taken_ms, sample.values), usable=usable)
    return ears


def is_usable(values: Values, floor_mm: float) -> bool:
    """Whether a sample tells a level; of a plant any does."""
    if not floor_mm:
        return True
    distance = values.distance_mm
    if distance is None:
        return values.fill_pct is not None
    tilted = bool(values.tilt_flag) or (values.tilt_deg or 0) >= TILTED_DEG
    return distance not in NO_ECHO_MM and distance <= FAR * floor_mm and not tilted


def _taken_ms(sample: Sample, received_ms: Millis) -> Millis:
    """Its own time where that can be, else when we had it."""
    own_ms = sample.ts_ms
    if own_ms is None or not -SKEW_MS <= received_ms - own_ms <= OLDEST_LAG_MS:
        return received_ms
    return own_ms
