"""What may be ordered from the simulated county: the shape of a scenario file, and nothing of what comes of it.

A scenario is data. Everything that is left open in it is decided by its seed, never by a clock or by another scenario.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any, Final, NamedTuple, Self

import yaml
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from telemetry.reading import Millis

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
LOCAL_OFFSET_MS: Final = 8 * HOUR_MS
"""Asia/Shanghai is UTC+8 all year; the simulated county lives nowhere else."""

Share = Annotated[float, Field(ge=0, le=1)]
Days = Annotated[float, Field(ge=0, le=3_650)]
Percent = Annotated[float, Field(ge=0, le=100)]
Minutes = Annotated[int, Field(ge=0)]
Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,32}$")]
Moment = float | Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
"""Hours after the start, or the first time a local clock shows ``HH:MM`` from the start on."""


class ScenarioError(ValueError):
    """A scenario file that cannot be played; its text names each fault and where it stands."""


class Happening(StrEnum):
    """What can happen to a bin, a plant, a radio gateway or a device, by order or by itself."""

    EMPTIED = "emptied"
    PARTLY_EMPTIED = "partly_emptied"
    MISSED_ROUND = "missed_round"
    FAST_FILL = "fast_fill"
    HOT_ASH = "hot_ash"
    FIRE = "fire"
    TILTED = "tilted"
    PLANT_STOP = "plant_stop"
    POWER_CUT = "power_cut"
    GATEWAY_OUTAGE = "gateway_outage"
    DEAD_SENSOR = "dead_sensor"
    NEVER_INSTALLED = "never_installed"
    REBOOT = "reboot"
    CLOCK_WRONG = "clock_wrong"
    BATTERY_LOW = "battery_low"
    STUCK = "stuck"
    NOT_RESTARTED = "not_restarted"
    DRY_RUN = "dry_run"
    JAM = "jam"
    PIPE_CUT = "pipe_cut"
    SLOW_BLOCKAGE = "slow_blockage"
    SHORT_CYCLING = "short_cycling"
    METER_DEAD = "meter_dead"
    METER_FROZEN = "meter_frozen"
    WRONG_UNIT = "wrong_unit"
    SLOW_CLOCK = "slow_clock"
    RAIN_INFLOW = "rain_inflow"
    REST_DAY = "rest_day"
    TOTALISER_RESET = "totaliser_reset"


PLANT_FAULTS: Final = (
    Happening.PLANT_STOP,
    Happening.POWER_CUT,
    Happening.NOT_RESTARTED,
    Happening.DRY_RUN,
    Happening.JAM,
    Happening.PIPE_CUT,
    Happening.SLOW_BLOCKAGE,
    Happening.SHORT_CYCLING,
    Happening.METER_DEAD,
    Happening.METER_FROZEN,
    Happening.WRONG_UNIT,
    Happening.SLOW_CLOCK,
    Happening.RAIN_INFLOW,
    Happening.REST_DAY,
    Happening.TOTALISER_RESET,
)
"""The fifteen that happen to plants alone (simulator.md); a rest day and rain are no faults, and look it."""


class SignalSet(StrEnum):
    """What a plant's logger is wired to, by the fourteen names of simulator.md; a flow meter has a totaliser."""

    FLOW = "flow"
    FLOW_CURRENT = "flow+current"
    FLOW_LEVEL = "flow+level"
    FLOW_LEVEL_CURRENT = "flow+level+current"
    FLOW_LEVEL_CURRENT_MAINS = "flow+level+current+mains"
    LEVEL_CURRENT = "level+current"
    LEVEL_RUN_BIT = "level+run bit"
    CURRENT = "current"
    RUN_BIT = "run bit"
    MAINS = "mains"
    FLOW_MAINS = "flow+mains"
    FLOAT_CURRENT = "float+current"
    ALL = "all"
    TOTALISER_ONLY = "totaliser only"


class WorldKind(StrEnum):
    """How the county is: as makers describe it, or as it is in the field."""

    PLAIN = "plain"
    REAL = "real"


class Manner(NamedTuple):
    """How an event runs where its order leaves it open: its hours, ``None`` to the end of the run, and its size."""

    hours: float | None
    size: float = 0.0


MANNERS: Final[Mapping[Happening, Manner]] = MappingProxyType(
    {
        Happening.EMPTIED: Manner(0.0),
        Happening.PARTLY_EMPTIED: Manner(0.0, size=50.0),  # % of the content that goes
        Happening.MISSED_ROUND: Manner(0.0),  # the slot that runs at that moment, or else the next
        Happening.FAST_FILL: Manner(1.0, size=72.0),  # % that it has reached at the end
        Happening.HOT_ASH: Manner(4.0, size=67.0),  # °C at its hottest
        Happening.FIRE: Manner(1.0, size=160.0),  # °C at its hottest
        Happening.TILTED: Manner(None, size=70.0),  # degrees
        Happening.PLANT_STOP: Manner(None),
        Happening.POWER_CUT: Manner(3.0),
        Happening.GATEWAY_OUTAGE: Manner(3.0),
        Happening.DEAD_SENSOR: Manner(None),
        Happening.NEVER_INSTALLED: Manner(None),
        Happening.REBOOT: Manner(0.0),
        Happening.CLOCK_WRONG: Manner(None, size=-3.0),  # hours off
        Happening.BATTERY_LOW: Manner(None, size=15.0),  # % left
        Happening.STUCK: Manner(None),
        Happening.NOT_RESTARTED: Manner(24.0, size=1.0),  # hours of the power cut that it begins with
        Happening.DRY_RUN: Manner(6.0, size=0.25),  # times the rated current
        Happening.JAM: Manner(4.0, size=1.5),  # times the rated current
        Happening.PIPE_CUT: Manner(96.0, size=10.0),  # % of the inflow that still arrives
        Happening.SLOW_BLOCKAGE: Manner(21 * 24.0, size=35.0),  # % of its flow that the pump has left at the end
        Happening.SHORT_CYCLING: Manner(24.0, size=8.0),  # % of its stroke between start and stop
        Happening.METER_DEAD: Manner(48.0),
        Happening.METER_FROZEN: Manner(48.0),
        Happening.WRONG_UNIT: Manner(None, size=3.6),  # times too small a rate
        Happening.SLOW_CLOCK: Manner(None, size=20.0),  # minutes lost a day
        Happening.RAIN_INFLOW: Manner(24.0, size=2.0),  # times the mean inflow, on top
        Happening.REST_DAY: Manner(30.0, size=1.0),  # % of the inflow that still arrives
        Happening.TOTALISER_RESET: Manner(0.0, size=0.0),  # m³ at which it begins anew
    }
)
"""Every kind that can be ordered; the unit of ``size`` stands beside each."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FleetSize(_Strict):
    """How many of what there is, and what share of it is how.

    ``no_rounds`` of the pools are emptied on demand, ``afternoon`` of the other sites have a second round.
    ``plant_villages`` says in which village each plant stands, counted on from 0; else they are spread evenly. A
    town's plants hang on its ``feeders`` in turn. The plants have ``signal_sets`` in turn; without any the share
    ``meter_only`` has a flow meter alone and the others nearly everything, and in a real world all fourteen occur.
    """

    towns: Annotated[int, Field(ge=1, le=40)] = 1
    villages: Annotated[int, Field(ge=1, le=60)] = 8
    bins: Annotated[int, Field(ge=0, le=60_000)] = 60
    plants: Annotated[int, Field(ge=0, le=4_000)] = 4
    feeders: Annotated[int, Field(ge=1, le=9)] = 1
    pools: Share = 0.42
    chirpstack: Share = 0.5
    meter_only: Share = 0.3
    no_rounds: Share = 0.06
    afternoon: Share = 0.5
    roadside: Share = 0.08
    priority: Share = 0.04
    bin_interval_s: Annotated[int, Field(ge=60, le=86_400)] = 1_200
    plant_interval_s: Annotated[int, Field(ge=10, le=86_400)] = 600
    plant_villages: tuple[Annotated[int, Field(ge=0)], ...] = ()
    signal_sets: tuple[SignalSet, ...] = ()
    installed_days_ago: Days = 30
    fill_pct: tuple[Percent, Percent] = (5, 60)


class PlaceNames(_Strict):
    """What the county and its towns are called, the towns as they write themselves (石桥镇); else the seed invents."""

    county: Annotated[str, StringConstraints(pattern="^[\u3400-\u9fff]{2,8}$")] = "湘阳县"
    towns: tuple[Annotated[str, StringConstraints(pattern="^[\u3400-\u9fff]{2,8}$")], ...] = ()


class ScriptedSite(_Strict):
    """What is said of one bin on purpose instead of being left to the seed; ``device`` names it (``bin-0007``)."""

    device: Id
    native: bool | None = None
    roadside: bool | None = None
    rounds: tuple[Annotated[str, Field(pattern="^(am|pm)$")], ...] | None = None
    fill_pct: Percent | None = None
    per_day_pct: Annotated[float, Field(gt=0, le=300)] | None = None


class Weather(_Strict):
    """Mean air temperature of the coldest and the hottest time of the year and half the swing of a day, in °C."""

    winter_c: Annotated[float, Field(ge=-40, le=40)] = 6
    summer_c: Annotated[float, Field(ge=-40, le=40)] = 29
    swing_c: Annotated[float, Field(ge=0, le=20)] = 4


class RoundReliability(_Strict):
    """How reliably the truck comes: the share of its visits that is left out, and that empties only half."""

    skipped: Share = 0.07
    partial: Share = 0.05


class Crowd(_Strict):
    """How many people there are, against an ordinary week: what they throw away and what runs into the plants.

    On a market day there is ``market`` times as much; ``market_days`` are the last digits of its day of the month.
    """

    waste: Annotated[float, Field(gt=0, le=10)] = 1
    inflow: Annotated[float, Field(gt=0, le=10)] = 1
    market: Annotated[float, Field(ge=1, le=10)] = 1.5
    market_days: tuple[Annotated[int, Field(ge=0, le=9)], ...] = ()

    def waste_on(self, local_ms: Millis) -> float:
        """How many times an ordinary day's waste comes on the day of that local instant."""
        day = datetime.fromtimestamp(local_ms / 1000, UTC).day
        return self.waste * (self.market if day % 10 in self.market_days else 1)


class Radio(_Strict):
    """What becomes of frames on their way (shares), and how often a device starts again (per device and 30 days).

    What a native device loses goes with its next frame; what a LoRaWAN device loses is gone.
    """

    loss: Share = 0.05
    closed_pool_loss: Share = 0.15
    native_loss: Share = 0.01
    late: Share = 0.01
    duplicates: Share = 0.005
    reboots_per_month: Annotated[float, Field(ge=0, le=100)] = 0.2


class Reality(_Strict):
    """How much of the field there is in a real world; in a plain one nothing of this is.

    ``lying`` of the bins' sensors get stuck, covered, moved or fouled within the run, and ``wrong_figures`` of the
    sites stand in the inventory with figures that are not so. ``mishaps`` multiplies how often everything else goes
    wrong, at plants as well.
    """

    lying: Share = 0.1
    wrong_figures: Share = 0.25
    mishaps: Annotated[float, Field(ge=0, le=100)] = 1
    fires_per_month: Annotated[float, Field(ge=0, le=100)] = 0.02
    embers_per_month: Annotated[float, Field(ge=0, le=100)] = 0.3


class ScriptedEvent(_Strict):
    """Something that happens by order. ``target`` is a device, a radio gateway (``g01``) or a feeder (``f01``)."""

    at: Moment = 0.0
    kind: Happening
    target: Id
    hours: Annotated[float, Field(ge=0)] | None = None
    size: float | None = None


class Scenario(_Strict):
    """A county and a stretch of its life: the same scenario gives the same bytes."""

    seed: int | str
    start: AwareDatetime
    hours: Annotated[float, Field(gt=0, le=24 * 366)]
    world: WorldKind = WorldKind.PLAIN
    reality: Reality = Reality()
    county: Id = "xiang"
    names: PlaceNames = PlaceNames()
    fleet: FleetSize = FleetSize()
    weather: Weather = Weather()
    rounds: RoundReliability = RoundReliability()
    crowd: Crowd = Crowd()
    radio: Radio = Radio()
    sites: tuple[ScriptedSite, ...] = ()
    events: tuple[ScriptedEvent, ...] = ()

    @model_validator(mode="after")
    def _one_word_per_site(self) -> Self:
        named = [site.device for site in self.sites]
        twice = sorted({device for device in named if named.count(device) > 1})
        if twice:
            raise ValueError(f"sites: {', '.join(twice)} is described more than once")
        return self

    @model_validator(mode="after")
    def _a_name_per_town(self) -> Self:
        towns = self.names.towns
        if towns and (len(towns) != self.fleet.towns or len(set(towns)) != len(towns)):
            raise ValueError(f"names.towns: {self.fleet.towns} different names are wanted, one for each town")
        return self

    @property
    def is_real(self) -> bool:
        """Whether the county is as it is in the field."""
        return self.world is WorldKind.REAL

    @property
    def start_ms(self) -> Millis:
        """The first instant."""
        return round(self.start.timestamp() * 1000)

    @property
    def end_ms(self) -> Millis:
        """The instant after the last."""
        return self.start_ms + round(self.hours * HOUR_MS)

    def instant(self, at: Moment) -> Millis:
        """When an event's ``at`` is, in this scenario."""
        if not isinstance(at, str):
            return self.start_ms + round(at * HOUR_MS)
        hour, minute = at.split(":")
        since_midnight = (self.start_ms + LOCAL_OFFSET_MS) % DAY_MS
        ahead = (int(hour) * HOUR_MS + int(minute) * 60_000 - since_midnight) % DAY_MS
        return self.start_ms + ahead


def load(text: str) -> Scenario:
    """A scenario from its YAML.

    Raises ``ScenarioError`` with a line for each fault: its place in the file, what is wrong and what stands there.
    """
    try:
        raw: Any = yaml.safe_load(text)
    except yaml.YAMLError as fault:
        raise ScenarioError(f"not YAML: {fault}") from fault
    if not isinstance(raw, dict):
        raise ScenarioError("a scenario is a mapping with at least seed, start and hours")
    try:
        return Scenario.model_validate(raw)
    except ValidationError as fault:
        lines = (f"{'.'.join(map(str, row['loc'])) or 'scenario'}: {row['msg']}" for row in fault.errors())
        raise ScenarioError("\n".join(lines)) from fault


def at_start(scenario: Scenario, start_ms: Millis) -> Scenario:
    """The same story from another instant on. A clock time in an event stays a clock time, hours stay hours."""
    start = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=start_ms)
    return scenario.model_copy(update={"start": start})
