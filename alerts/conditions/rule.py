"""What a rule is: parameters that can be configured, and one judgement of one sample.

The life cycle around the judgement is ``machine``; a rule holds no state and reads no clock.
"""

from collections.abc import Mapping
from datetime import time
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final, NamedTuple, Protocol, TypeAlias

from msgspec import Struct
from pydantic import BaseModel, ConfigDict, Field

from alerts.calendars import Calendar
from alerts.conditions.bins import BinMemory, BinSight
from alerts.conditions.devices import DeviceMemory
from alerts.conditions.machine import CLEAR, RAISE, Machine, Timing, Verdict
from alerts.conditions.plants import PlantMemory, PlantSight
from alerts.conditions.traffic import HourlyTraffic, Share
from alerts.model import Condition, Detail, Severity
from telemetry.inventory import Asset, Device
from telemetry.reading import Millis, Values
from telemetry.terms import AssetKind, Hours

SECOND: Millis = 1_000
MINUTE: Millis = 60 * SECOND
HOUR: Millis = 60 * MINUTE
DAY: Millis = 24 * HOUR
BY_DAY: Final = Hours(time(6), time(21))
"""When people are told of what is no fire."""


Count: TypeAlias = Annotated[int, Field(ge=1)]
"""So many samples."""
Seconds: TypeAlias = Annotated[float, Field(ge=0)]
"""A delay; a rule with a default of its own keeps the bound with the type."""
Celsius: TypeAlias = Annotated[float, Field(ge=-60, le=1000)]
Degrees: TypeAlias = Annotated[float, Field(ge=0, le=180)]


class RuleScope(StrEnum):
    """What a rule's machine belongs to: an asset, each of its devices, or what stage two sees over many."""

    BIN = "bin"
    PLANT = "plant"
    DEVICE = "device"
    RADIO_GATEWAY = "radio_gateway"


class Neighbours(Protocol):
    """The read-only table of the village that a step may look at."""

    def temperatures_c(self, asset: Asset, at_ms: Millis, within_ms: Millis) -> list[float]:
        """Latest temperatures of the village's other bins, measured within so long of ``at_ms`` (event time)."""


class Scene(Struct, frozen=True, gc=False):
    """What a rule may look at besides the sample: the asset, its other machines before this step, the village."""

    asset: Asset
    calendar: Calendar
    machines: tuple[Machine, ...]
    place: Mapping[str, int]
    neighbours: Neighbours

    def machine(self, kind: str) -> Machine:
        """Where another rule of the asset stands."""
        return self.machines[self.place[kind]]

    def stands(self, kind: str) -> bool:
        """Whether another rule of the asset is raised; what is not watched is not."""
        place = self.place.get(kind)
        return place is not None and self.machines[place].condition >= Condition.ACTIVE


class DaytimeBound(NamedTuple):
    """So soon somebody must be told of what comes by day, and of what comes outside of it by a time of the morning."""

    within_ms: Millis
    by_day: Hours
    else_at: time


class Rule(BaseModel):
    """One kind of alert with its parameters. Subclasses add theirs; ``judge`` says what one sample means for it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    called: ClassVar[str]
    """Its word on the desk and the boards; in a text where the catalogue has no other."""
    scope: ClassVar[RuleScope]
    latching: ClassVar[bool] = False
    timer_promotes: ClassVar[bool] = True
    apart: ClassVar[tuple[tuple[str, str], ...]] = ()
    """Pairs of parameters, the first below the second: no value is to raise and to clear at once."""
    explained_by: ClassVar[frozenset[str]] = frozenset()
    """Rules that say why this one is raised: while one of them is told, this one is kept quiet."""
    quiet_at_work: ClassVar[frozenset[AssetKind]] = frozenset()
    """At such assets declared work, or a planned cut, keeps it quiet."""
    of_instrument: ClassVar[bool] = False
    """It says that an instrument is wrong, and nothing of what that looks at."""
    bound: ClassVar[DaytimeBound | None] = None
    """By when somebody must be told of it where it is a P1 or P2; fire and large plants have words of their own."""

    severity: Severity
    on_count: Count = 1
    on_delay_s: Seconds = 0
    off_count: Count = 1
    off_delay_s: Seconds = 0
    flapping_raises: int = Field(default=3, ge=2)
    """So many raises within ``flapping_within_h``, or so many relapses in one episode, and it flaps (T15)."""
    flapping_within_h: float = Field(default=1, gt=0)
    flapping_relapses: int = Field(default=6, ge=2)
    flapping_calm_h: float = Field(default=0.5, gt=0)
    """From here, or from the off-delay, the off-delay is doubled while it flaps, up to ``flapping_calm_most_h``."""
    flapping_calm_most_h: float = Field(default=24, gt=0, le=24)
    flapping_more_raises: int = Field(default=4, ge=2)
    """So many within the longer window are flapping as well, and so many ``slow`` ones within the longest."""
    flapping_more_within_h: float = Field(default=6, gt=0)
    flapping_slow_raises: int = Field(default=6, ge=2)
    flapping_slow_within_h: float = Field(default=48, gt=0)
    flapping_left_h: float = Field(default=6, gt=0)
    """So long nothing moves, and it flaps no more; what flapped slowly must stand still for its longest window."""

    @property
    def timing(self) -> Timing:
        """The delays in the form the life cycle wants."""
        return Timing(
            self.on_count,
            round(self.on_delay_s * SECOND),
            self.off_count,
            round(self.off_delay_s * SECOND),
            self.timer_promotes,
            self.latching,
            self.flapping_raises,
            round(self.flapping_within_h * HOUR),
            self.flapping_relapses,
            round(self.flapping_calm_h * HOUR),
            round(self.flapping_calm_most_h * HOUR),
            self.flapping_more_raises,
            round(self.flapping_more_within_h * HOUR),
            self.flapping_slow_raises,
            round(self.flapping_slow_within_h * HOUR),
            round(self.flapping_left_h * HOUR),
        )

    def __hash__(self) -> int:
        """By the kind alone: few of a kind differ, and a hash of all parameters is a hundred times as dear."""
        return hash(self.kind)

    def applies(self, kind: AssetKind) -> bool:
        """Whether the rule watches assets of this kind at all."""
        return self.scope is RuleScope.DEVICE or self.scope.value == kind.value

    def severity_of(self, asset: Asset, detail: Detail) -> Severity:  # noqa: ARG002 - most rules have one severity
        """How much an episode matters."""
        return self.severity

    def is_gone(self, memory: BinMemory | PlantMemory) -> bool:  # noqa: ARG002 - few rules wait for a person
        """Whether the last that was seen lets a person say that what latched is over (T12)."""
        return True

    def contradiction(self) -> str:
        """Which parameters leave no room between raising and clearing, in words; empty when all do."""
        wrong = ((low, high) for low, high in self.apart if getattr(self, low) >= getattr(self, high))
        return next((f"{low} must be below {high}; change one of them" for low, high in wrong), "")

    def judge(self, sight: Any, scene: Scene) -> Verdict:  # noqa: ANN401 - each scope has a sight of its own
        """What this sample means."""
        raise NotImplementedError


class BinRule(Rule):
    """A rule that judges bin samples."""

    scope = RuleScope.BIN
    quiet_at_work = frozenset({AssetKind.BIN})

    def judge(self, sight: BinSight, scene: Scene) -> Verdict:
        """What this sample means."""
        raise NotImplementedError

    def evidence(self, memory: BinMemory, machine: Machine) -> Detail:
        """The values that people are shown when it is raised."""
        raise NotImplementedError


class PlantRule(Rule):
    """A rule that judges plant samples. Without power or without its radio gateway a plant says nothing of itself."""

    scope = RuleScope.PLANT
    explained_by = frozenset({"gateway_offline", "no_power"})
    quiet_at_work = frozenset({AssetKind.PLANT})
    bound = DaytimeBound(45 * MINUTE, BY_DAY, time(7, 15))
    symptom: ClassVar[str] = ""
    """What is wrong with the plant, as its office reads it in a text; empty where that is ``called``."""
    rank: ClassVar[int] = 50
    """Its place among the troubles of a plant in a list, the worst first."""

    def judge(self, sight: PlantSight, scene: Scene) -> Verdict:
        """What this sample means."""
        raise NotImplementedError

    def evidence(self, memory: PlantMemory, machine: Machine) -> Detail:
        """The values that people are shown when it is raised."""
        raise NotImplementedError


class DeviceRule(Rule):
    """A rule about a device, not about what it measures."""

    scope = RuleScope.DEVICE
    of_instrument = True
    quiet_at_work = frozenset({AssetKind.BIN})

    def judge(self, sight: Values, scene: Scene) -> Verdict:
        """What this sample means."""
        raise NotImplementedError

    def evidence(self, memory: DeviceMemory) -> Detail:
        """The values that people are shown when it is raised."""
        raise NotImplementedError


class SilenceRule(DeviceRule):
    """The rule about a device's silence, of which there is one: its deadline is when what the device fed is stale."""

    def stale_after_ms(self, device: Device) -> Millis:
        """How long the device may be silent."""
        raise NotImplementedError


class TrafficRule(Rule):
    """A rule about how much a device says, whatever it says: raised above its share of the hour, else cleared.

    Its silence is no trouble to it, so its delays never freeze.
    """

    scope = RuleScope.DEVICE
    of_instrument = True
    quiet_at_work = frozenset({AssetKind.BIN})

    def share(self, interval_s: int) -> Share:
        """What a device that is to report so often may say in an hour."""
        raise NotImplementedError

    def weigh(self, traffic: HourlyTraffic, interval_s: int, at_ms: Millis) -> Verdict:
        """What the device's traffic of the hour of then means."""
        return RAISE if traffic.exceeds(self.share(interval_s), at_ms) else CLEAR

    def evidence(self, traffic: HourlyTraffic, interval_s: int) -> Detail:
        """The values that people are shown when it is raised."""
        raise NotImplementedError


AnyRule: TypeAlias = BinRule | PlantRule | DeviceRule | TrafficRule
