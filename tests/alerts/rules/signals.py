"""A plant of a test's own design, told one sample after the other: which alerts are raised and cleared, and when.

The sets of signals that plants in the field have stand here by name.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import combinations
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

from alerts.calendars import MINUTE_MS, Calendar
from alerts.conditions import engine
from alerts.conditions.finding import EngineStep, Finding, Found
from alerts.conditions.plants import PlantMemory
from alerts.conditions.rule import Rule
from alerts.conditions.state import AssetState, Plan
from alerts.rules import rules
from telemetry.inventory import Asset, Device, PlantDesign
from telemetry.reading import Millis, Reading, TimeSource, Values
from telemetry.terms import AssetKind, Power

CALENDAR: Final = Calendar(ZoneInfo("Asia/Shanghai"), {})
MIDNIGHT: Final[Millis] = 1_795_276_800_000  # 2026-11-21T16:00:00Z, a Saturday's end there
LONG_AGO: Final = datetime(2026, 1, 1, tzinfo=UTC)
EVERY: Final = 10 * MINUTE_MS

_FLOW: Final = frozenset({"flow_m3h", "volume_m3"})
_LEVEL, _FLOAT, _CURRENT, _BIT, _MAINS = (
    frozenset({each}) for each in ("level_mm", "float_high", "pump_current_a", "pump_on", "mains_on")
)
SETS: Final[Mapping[str, frozenset[str]]] = {
    "flow": _FLOW,
    "flow+current": _FLOW | _CURRENT,
    "flow+level": _FLOW | _LEVEL,
    "flow+level+current": _FLOW | _LEVEL | _CURRENT,
    "flow+level+current+mains": _FLOW | _LEVEL | _CURRENT | _MAINS,
    "level+current": _LEVEL | _CURRENT,
    "level+run bit": _LEVEL | _BIT,
    "current": _CURRENT,
    "run bit": _BIT,
    "mains": _MAINS,
    "flow+mains": _FLOW | _MAINS,
    "float+current": _FLOAT | _CURRENT,
    "all": _FLOW | _LEVEL | _FLOAT | _CURRENT | _BIT | _MAINS,
    "totaliser only": frozenset({"volume_m3"}),
}
LARGER: Final = [(small, large) for small, large in combinations(SETS, 2) if SETS[small] < SETS[large]] + [
    (small, large) for large, small in combinations(SETS, 2) if SETS[small] < SETS[large]
]
"""Every set with every one that has all of its signals and more."""

Told: TypeAlias = Mapping[str, float]
"""What a sample would say if the plant had every signal."""


class _Nobody:
    def temperatures_c(self, asset: Asset, at_ms: Millis, within_ms: Millis) -> list[float]:
        _ = asset, at_ms, within_ms
        return []


def plan_of(design: PlantDesign, every_ms: Millis = EVERY, **changed: Rule) -> Plan:
    """What watches such a plant, by the rules' own figures but for those that are ``changed``."""
    asset = Asset(id="p", kind=AssetKind.PLANT, name="禾田污水站", short="禾田站", areas=("a",), plant=design)
    device = Device(
        id="d", asset="p", profile="native", power=Power.MAINS, interval_s=every_ms // 1000, installed_at=LONG_AGO
    )
    built = {kind: rule.model_validate({}) for kind, rule in rules().items()} | changed
    return Plan.of(asset, (device,), built, CALENDAR)


class Watched:
    """A plant's life, and what was found in it."""

    def __init__(self, plan: Plan, begins_ms: Millis = MIDNIGHT) -> None:
        self.plan = plan
        self.state: AssetState = plan.born({"d": begins_ms})
        self.found: list[Finding] = []

    def hear(self, at_ms: Millis, values: Values, *, received_ms: Millis = 0) -> None:
        """One sample, after whatever falls due before it; its seq is that of its instant."""
        received_ms = received_ms or at_ms
        self.live(received_ms)
        late = received_ms - at_ms > 2 * 3_600_000
        reading = Reading("d", "p", 1, at_ms // 1000 % 2**31, at_ms, received_ms, TimeSource.OK, late, values)
        self._take(engine.observe(self.plan, self.state, reading, _Nobody()))

    def live(self, until_ms: Millis) -> None:
        """Whatever is due by then."""
        while (due_ms := engine.deadline_ms(self.plan, self.state)) <= until_ms:
            self._take(engine.expire(self.plan, self.state, due_ms))

    @property
    def memory(self) -> PlantMemory:
        """What it remembers of the plant."""
        assert isinstance(self.state.memory, PlantMemory)
        return self.state.memory

    def at(self, rule: str, kind: Found = Found.RAISED) -> list[Millis]:
        """When it was raised, or whatever else befell it."""
        return [each.at_ms for each in self.found if each.rule == rule and each.kind is kind]

    def _take(self, step: EngineStep) -> None:
        self.state = step.state
        self.found += step.findings


def seen_by(told: Iterable[tuple[Millis, Told]], signals: frozenset[str]) -> Iterator[tuple[Millis, Values]]:
    """The same life as a plant with these signals tells it."""
    for at_ms, said in told:
        yield at_ms, Values(**{name: value for name, value in said.items() if name in signals})


def watch(plan: Plan, told: Iterable[tuple[Millis, Told]], signals: frozenset[str]) -> Watched:
    """That life under a plan."""
    watched = Watched(plan)
    for at_ms, values in seen_by(told, signals):
        watched.hear(at_ms, values)
    return watched
