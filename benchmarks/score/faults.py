"""Which rule has to name which fault (WANT), which it excuses (MAY), and by when: one table for devices and plants.

A fault is due where a set of signals can see it; its limit is the rule's own time and two intervals. The times are
those of alerting.md §3, written down here once more and not read from the rules, which are what is judged.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple, TypeAlias

from benchmarks.score.heard import Ear
from benchmarks.score.join import DAY_MS, HOUR_MS, LASTING, bin_hours
from benchmarks.score.said import SaidEpisode, Story
from benchmarks.score.tally import Tally, name_case
from benchmarks.score.truth import NEVER, Runs, SiteLine, Span, Truth
from telemetry.inventory import Inventory
from telemetry.reading import Millis
from telemetry.terms import Power

MINUTE_MS: Final = 60_000
LOCAL_MS: Final = 8 * HOUR_MS
LEARNS_MS: Final = 28 * DAY_MS
SOON_MS: Final = 2 * HOUR_MS
"""An alert that comes so soon after a fault is over still speaks of it."""

NAMING: Final = frozenset({"stuck", "blocked", "moved", "fouled"})
"""Rules that name a lying sensor."""
NAMED_WITHIN_MS: Final = 7 * DAY_MS
PLANT_RULES: Final = (
    *("stopped", "no_power", "not_restarted", "low_flow", "meter_fault", "dry_run", "level_high"),
    *("weak_pump", "short_cycling", "unit_error"),
)
DEVICE_RULES: Final = ("tilted", "battery_low", "clock_drift", "offline", "gateway_offline", "flooded_device")
LATE: Final[Mapping[str, Millis]] = {
    "low_flow": 3 * DAY_MS,
    "weak_pump": 4 * DAY_MS,
    "unit_error": 2 * DAY_MS,
    "short_cycling": 4 * HOUR_MS,
    "stopped": 12 * HOUR_MS,
    "not_restarted": 12 * HOUR_MS,
}
"""Rules that judge a stretch of time may still speak so long after a fault is over; the others ``SOON_MS``."""

EVERYTHING: Final = frozenset({"flow", "totaliser", "level", "current", "mains", "run", "float"})
_CALLED: Final[Mapping[str, frozenset[str]]] = {
    "flow": frozenset({"flow", "totaliser"}),
    "run bit": frozenset({"run"}),
    "run_bit": frozenset({"run"}),
    "totaliser only": frozenset({"totaliser"}),
    "all": EVERYTHING,
}


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a fault happened: what the site has, what the office claims of it, and what really ran."""

    fault: Span
    site: SiteLine | None
    interval_ms: Millis
    is_mains: bool = False
    design_m3d: float = 0
    start_level_mm: float | None = None
    runs: Runs = field(default_factory=Runs)
    signals: frozenset[str] = frozenset()
    heard_ms: Millis = 0
    """When the last sample came while the fault stood: one that was late keeps a dead device alive a little longer."""


Due: TypeAlias = Callable[[Setting], Millis | None]
"""When a rule's own time is over; nothing where it never begins."""


class Sight(NamedTuple):
    """One way to see a fault: what signals it needs, which rules count, and the rule's time."""

    needs: frozenset[str]
    rules: frozenset[str]
    due: Due
    learns_ms: Millis = 0


class Answer(NamedTuple):
    """What a fault asks for, and what else may be said of it."""

    want: tuple[Sight, ...] = ()
    may: frozenset[str] = frozenset()

    @property
    def rules(self) -> frozenset[str]:
        """Every rule that may be right about it."""
        return self.may.union(*(sight.rules for sight in self.want))


def name_signals(named: str) -> frozenset[str]:
    """The signals of a set by its name: ``flow+level+current``; a flow meter has a totaliser besides."""
    found: frozenset[str] = frozenset()
    for part in named.lower().split("+"):
        found |= _CALLED.get(part.strip(), frozenset({part.strip()}))
    return found


# --- the rules' own times --------------------------------------------------------------------------------------------


def after(ms: Millis) -> Due:
    """So long after the fault begins."""
    return lambda setting: setting.fault.from_ms + ms


def after_end(ms: Millis) -> Due:
    """So long after it ends."""
    return lambda setting: None if setting.fault.to_ms == NEVER else setting.fault.to_ms + ms


def silent(setting: Setting) -> Millis:
    """The offline deadline of its device."""
    mains_ms, battery_ms = max(2.5 * setting.interval_ms, 5 * MINUTE_MS), max(3 * setting.interval_ms, SOON_MS)
    return max(setting.fault.from_ms, setting.heard_ms) + round(mains_ms if setting.is_mains else battery_ms)


def demanded(setting: Setting) -> Millis | None:
    """When the well first stands at its start level while the fault lasts."""
    if setting.start_level_mm is None:
        return None
    ends_ms = min(setting.fault.to_ms, setting.fault.from_ms + 14 * DAY_MS)
    return setting.runs.level_mm.first_at_least(setting.start_level_mm, setting.fault.from_ms, ends_ms)


def stopped_on_demand(setting: Setting) -> Millis | None:
    """Rule (a): no flow for 2 h judged by day, 6 h by night, and a demand sign."""
    demand_ms = demanded(setting)
    if demand_ms is None:
        return None
    begins_ms = setting.fault.from_ms
    at_ms = max(begins_ms + 2 * HOUR_MS, demand_ms)
    if at_ms >= begins_ms + 6 * HOUR_MS or is_day(at_ms):
        return at_ms
    morning_ms = (at_ms + LOCAL_MS + 2 * HOUR_MS) // DAY_MS * DAY_MS + 6 * HOUR_MS - LOCAL_MS
    morning_ms = morning_ms if morning_ms >= at_ms else morning_ms + DAY_MS
    return min(max(begins_ms + 6 * HOUR_MS, demand_ms), morning_ms)


def is_day(at_ms: Millis) -> bool:
    """06–22 in Shanghai."""
    return 6 * HOUR_MS <= (at_ms + LOCAL_MS) % DAY_MS < 22 * HOUR_MS


def still_on_demand(setting: Setting) -> Millis | None:
    """Rule (b): at its start level without current or run bit for 1 h."""
    demand_ms = demanded(setting)
    return None if demand_ms is None else demand_ms + HOUR_MS


def without_flow(setting: Setting) -> Millis:
    """Rule (c): so long without flow, by what it was built for."""
    hours = 24 if setting.design_m3d < 20 else 12 if setting.design_m3d < 100 else 4
    return setting.fault.from_ms + hours * HOUR_MS


def ran(for_ms: Millis) -> Due:
    """When it has run for so long since the fault began."""
    return lambda setting: setting.runs.running_since(setting.fault.from_ms, for_ms)


def _sight(needs: str, rules: str, due: Due, learns_ms: Millis = 0) -> Sight:
    return Sight(frozenset(needs.split()), frozenset(rules.split()), due, learns_ms)


# --- the table -------------------------------------------------------------------------------------------------------

_OFFLINE: Final = _sight("", "offline gateway_offline", silent)
_STANDS_STILL: Final = (
    _sight("flow", "stopped", without_flow),
    _sight("totaliser", "stopped", without_flow),
    _sight("flow level", "stopped", stopped_on_demand),
    _sight("totaliser level", "stopped", stopped_on_demand),
    _sight("level current", "stopped", still_on_demand),
    _sight("level run", "stopped", still_on_demand),
)
"""Also what a larger set may call by another name: a sign more never means an alarm less."""
_FLOW_STOPS: Final = _STANDS_STILL[:4]
_LEVEL: Final = frozenset({"level_high"})

ANSWERS: Final[Mapping[str, Answer]] = {
    # devices and bins
    "dead_sensor": Answer((_OFFLINE,)),
    "never_installed": Answer((_OFFLINE,)),
    "gateway_outage": Answer((_sight("", "gateway_offline", silent),), frozenset({"offline"})),
    "tilted": Answer(
        (_sight("", "tilted", after(10 * MINUTE_MS)),),
        frozenset({"stuck", "blocked", "moved", "fouled", "over_two_thirds", "overflow"}),
    ),
    "battery_low": Answer((_sight("", "battery_low", after(0)),), frozenset({"offline"})),
    "clock_wrong": Answer((_sight("", "clock_drift", lambda each: each.fault.from_ms + 3 * each.interval_ms),)),
    "slow_clock": Answer((_sight("", "clock_drift", after(DAY_MS)),)),
    "reboot": Answer(),
    "fire": Answer((), frozenset({"fire", "hot_ash", "offline"})),
    "hot_ash": Answer((), frozenset({"fire", "hot_ash"})),
    # plants
    "trip": Answer(_STANDS_STILL, _LEVEL | {"low_flow", "weak_pump", "not_restarted"}),
    "power_cut": Answer(
        (_sight("mains", "no_power", after(2 * MINUTE_MS)), _OFFLINE),
        _LEVEL | {"stopped", "not_restarted", "low_flow", "weak_pump"},
    ),
    "not_restarted": Answer(
        (
            _sight("mains level", "not_restarted stopped", lambda each: _later(after(30 * MINUTE_MS), demanded, each)),
            *(sight._replace(rules=sight.rules | {"not_restarted"}) for sight in _STANDS_STILL),
        ),
        _LEVEL | {"low_flow", "no_power", "weak_pump"},
    ),
    "dry_run": Answer(
        (
            _sight("flow current", "dry_run", lambda each: ran(10 * MINUTE_MS)(each) or after(HOUR_MS)(each)),
            *(sight._replace(rules=sight.rules | {"dry_run", "meter_fault"}) for sight in _FLOW_STOPS),
        ),
        _LEVEL | {"low_flow", "weak_pump"},
    ),
    "jam": Answer(
        (
            _sight("flow current", "dry_run", lambda each: ran(10 * MINUTE_MS)(each) or after(HOUR_MS)(each)),
            *(sight._replace(rules=sight.rules | {"dry_run", "meter_fault"}) for sight in _FLOW_STOPS),
        ),
        _LEVEL | {"low_flow", "weak_pump"},
    ),
    "pipe_cut": Answer(
        (
            _sight("flow", "low_flow", after(3 * DAY_MS), LEARNS_MS),
            _sight("totaliser", "low_flow", after(3 * DAY_MS), LEARNS_MS),
        ),
        frozenset({"stopped", "weak_pump"}),
    ),
    "slow_blockage": Answer(
        (_sight("flow", "weak_pump low_flow", after(7 * DAY_MS), LEARNS_MS),), _LEVEL | {"stopped", "short_cycling"}
    ),
    "short_cycling": Answer(
        (
            _sight("current", "short_cycling", after(2 * HOUR_MS), LEARNS_MS),
            _sight("run", "short_cycling", after(2 * HOUR_MS), LEARNS_MS),
        ),
        frozenset({"weak_pump"}),
    ),
    "meter_dead": Answer(
        (
            _sight("flow current", "meter_fault", ran(30 * MINUTE_MS)),
            _sight("flow run", "meter_fault", ran(30 * MINUTE_MS)),
        ),
        frozenset({"low_flow", "unit_error"}),
    ),
    "meter_frozen": Answer(
        (_sight("flow totaliser", "meter_fault", ran(30 * MINUTE_MS)),), frozenset({"unit_error", "low_flow"})
    ),
    "wrong_unit": Answer(
        (_sight("flow totaliser", "unit_error", after(DAY_MS)),), frozenset({"low_flow", "weak_pump"})
    ),
    "rain_inflow": Answer((), _LEVEL | {"short_cycling"}),
    "rest_day": Answer(),
    "totaliser_reset": Answer(),
}
"""A dead meter looks like a standstill to a set that has nothing else; see ``_excuses``."""


def _later(one: Due, other: Due, setting: Setting) -> Millis | None:
    times = (one(setting), other(setting))
    return None if None in times else max(at_ms for at_ms in times if at_ms is not None)


def limit_ms(answer: Answer, setting: Setting, begins_ms: Millis) -> Millis | None:
    """By when some rule has to have said it: the earliest that this set of signals allows, and two intervals."""
    limits = [
        due_ms
        for sight in answer.want
        if sight.needs <= setting.signals and setting.fault.from_ms - begins_ms >= sight.learns_ms
        if (due_ms := sight.due(setting)) is not None
    ]
    return min(limits) + 2 * setting.interval_ms if limits else None


# --- joined ----------------------------------------------------------------------------------------------------------


def judge_faults(truth: Truth, story: Story, ears: Mapping[str, Ear], inventory: Inventory, tally: Tally) -> None:
    """Each fault that can be seen is named in time; and of what was said, what speaks of none."""
    for fault in truth.faults:
        answer = ANSWERS.get(fault.name)
        if answer is None or not answer.want:
            continue
        heard_ms = ears[fault.asset].last_heard(fault.from_ms, fault.to_ms) if fault.asset in ears else fault.from_ms
        setting = replace(settle_where(fault, truth, inventory), heard_ms=heard_ms)
        by_ms = limit_ms(answer, setting, truth.begins_ms)
        if by_ms is None or by_ms > min(fault.to_ms, truth.ends_ms) or _is_unheard(fault, by_ms, truth, inventory):
            continue  # it cannot be seen, or was over before anybody had to say it
        rules = frozenset().union(*(sight.rules for sight in answer.want if sight.needs <= setting.signals))
        found = [
            each
            for each in story.of_rule(*rules)
            if each.asset == fault.asset and each.stands_in(fault.from_ms - 2 * setting.interval_ms, by_ms)
        ]
        signals = setting.site.signals if setting.site is not None and setting.site.kind == "plant" else ""
        case = "" if found else name_case(fault.asset, fault.from_ms, f"{fault.name} {signals}")
        delay_ms = max(0, found[0].raised_ms - fault.from_ms) if found else None
        tally.of(f"fault {fault.name}.recall").add(hit=bool(found), delay_ms=delay_ms, case=case)
        if signals:
            tally.of("plants.recall").add(hit=bool(found), delay_ms=delay_ms, case=case)
            tally.of(f"cell {signals} × {fault.name}.recall").add(hit=bool(found), delay_ms=delay_ms)


SILENCE: Final = frozenset({"dead_sensor", "never_installed", "gateway_outage", "gap", "power_cut"})


def _is_unheard(fault: Span, by_ms: Millis, truth: Truth, inventory: Inventory) -> bool:
    """Whether its device is silent for another reason before it has to be named; a silence is never excused by one."""
    if fault.name in SILENCE:
        return False
    gateways = {each.radio_gateway for each in inventory.devices.values() if each.asset == fault.asset}
    return any(
        span.name in SILENCE
        and span.asset in {fault.asset, *gateways}
        and span.from_ms <= by_ms
        and span.to_ms >= fault.from_ms
        for span in (*truth.faults, *truth.lies)
    )


def settle_where(fault: Span, truth: Truth, inventory: Inventory) -> Setting:
    """What its site has, and what the office claims of it."""
    site, asset = truth.sites.get(fault.asset), inventory.assets.get(fault.asset)
    devices = [each for each in inventory.devices.values() if fault.asset in {each.asset, each.radio_gateway or ""}]
    interval_ms = round(max((each.interval_s for each in devices), default=1_200) * 1000)
    plant = None if asset is None else asset.plant
    return Setting(
        fault,
        site,
        interval_ms,
        is_mains=any(each.power is Power.MAINS for each in devices),
        design_m3d=0 if plant is None else plant.design_m3d,
        start_level_mm=None if plant is None else plant.start_level_mm,
        runs=truth.runs[fault.asset] if site is not None and site.kind == "plant" else Runs(),
        signals=name_signals(site.signals) if site is not None and site.kind == "plant" else frozenset(),
    )


def judge_false(truth: Truth, story: Story, inventory: Inventory, tally: Tally) -> None:
    """What was said of devices and plants: how much of it spoke of nothing."""
    plants = {site.asset for site in truth.of_kind("plant")}
    plant_hours = len(plants) * (truth.ends_ms - truth.begins_ms) / HOUR_MS
    excused = Excuses(truth, inventory)
    wrong: dict[str, list[SaidEpisode]] = {}
    for episode in story.of_rule(*PLANT_RULES, *DEVICE_RULES, *NAMING):
        is_plant = episode.asset in plants
        right = excused.allow(episode)
        kind = f"{episode.rule} of plants" if is_plant and episode.rule == "offline" else episode.rule
        case = "" if right else name_case(episode.asset, episode.raised_ms, episode.rule)
        tally.of(f"{kind}.precision").add(hit=right, case=case)
        if episode.rule in PLANT_RULES:
            tally.of("plants.false_share").add(hit=not right, case=case)
        if not right:
            wrong.setdefault(kind, []).append(episode)
    told = {name: episode for episodes in wrong.values() for name, episode in ((each.name, each) for each in episodes)}
    for kind in sorted({*wrong, *PLANT_RULES, *DEVICE_RULES, "offline of plants"}):
        hours = plant_hours if kind in {*PLANT_RULES, "offline of plants"} else bin_hours(truth)
        episodes = wrong.get(kind, [])
        tally.rate(f"{kind}.false", [name_case(each.asset, each.raised_ms, kind) for each in episodes], hours)
        names = {each.name for each in episodes}
        texts = [
            text for text in story.texts if text.episodes[0] in names and all(one in told for one in text.episodes)
        ]
        tally.rate(f"{kind}.false_texts", [name_case(each.asset, each.at_ms, f"to {each.to}") for each in texts], hours)
    honest = [each for rule in sorted(NAMING) for each in wrong.get(rule, [])]
    tally.rate(
        "honest_named.false", [name_case(each.asset, each.raised_ms, each.rule) for each in honest], bin_hours(truth)
    )


class Excuses:
    """Whether something said of a device or a plant speaks of something that is so."""

    def __init__(self, truth: Truth, inventory: Inventory) -> None:
        self._truth = truth
        self._inventory = inventory
        self._spans: dict[str, list[Span]] = {}
        for span in (*truth.faults, *truth.lies):
            self._spans.setdefault(span.asset, []).append(span)

    def allow(self, episode: SaidEpisode) -> bool:
        """A fault with that rule, a lie that it names, a silence that is one, or a well that does stand so high."""
        devices = [each for each in self._inventory.devices.values() if each.asset == episode.asset]
        interval_ms = round(max((each.interval_s for each in devices), default=1_200) * 1000)
        places = {episode.asset, *(each.radio_gateway for each in devices if each.radio_gateway)}
        late_ms = max(LATE.get(episode.rule, SOON_MS), 2 * interval_ms)
        near = [
            span
            for place in places
            for span in self._spans.get(place, ())
            if span.from_ms - 2 * interval_ms <= episode.raised_ms and episode.about_ms <= span.to_ms + late_ms
        ]
        return any(self._excuses(span, episode) for span in near) or self._is_high(episode, interval_ms)

    def _excuses(self, span: Span, episode: SaidEpisode) -> bool:
        rule, name = episode.rule, span.name
        if name in ANSWERS:
            return rule in ANSWERS[name].rules or self._is_blind_to(name, episode)
        if rule in {"offline", "gateway_offline"}:
            return name in {"gap", "lost"}
        return rule in NAMING and name in LASTING | {"box", "bag", "plateau", "floor", "facets"}

    def _is_blind_to(self, name: str, episode: SaidEpisode) -> bool:
        """A dead meter is a standstill to whoever has nothing else to tell them apart."""
        site = self._truth.sites.get(episode.asset)
        signals = frozenset[str]() if site is None else name_signals(site.signals)
        return name in {"meter_dead", "meter_frozen"} and episode.rule == "stopped" and not signals & {"current", "run"}

    def _is_high(self, episode: SaidEpisode, interval_ms: Millis) -> bool:
        asset = self._inventory.assets.get(episode.asset)
        alarm = None if asset is None or asset.plant is None else asset.plant.alarm_level_mm
        if episode.rule != "level_high" or alarm is None:
            return False
        around = (episode.raised_ms - 2 * interval_ms, episode.raised_ms + 2 * interval_ms)
        return max(self._truth.runs[episode.asset].level_mm.within(*around)) >= alarm - 20


def judge_lies(truth: Truth, story: Story, tally: Tally) -> None:
    """Sensors that lie for good are named within seven days of being more than 8 points wrong."""
    for lie in truth.lies:
        if lie.name not in LASTING or lie.wrong_ms is None:
            continue
        by_ms = lie.wrong_ms + NAMED_WITHIN_MS
        named = [each for each in story.on(lie.asset, *sorted(NAMING)) if lie.from_ms <= each.raised_ms <= by_ms]
        if not named and by_ms > min(lie.to_ms, truth.ends_ms):
            continue  # mended, or the run over, before it had to be named
        delay_ms = max(0, named[0].raised_ms - lie.wrong_ms) if named else None
        case = "" if named else name_case(lie.asset, lie.wrong_ms, lie.name)
        tally.of("lies.named").add(hit=bool(named), delay_ms=delay_ms, case=case)
        tally.of(f"lie {lie.name}.recall").add(hit=bool(named), delay_ms=delay_ms)


NOT_COLLECTED_PCT: Final = 30.0
SLOT_MS: Final = 5 * HOUR_MS


def judge_missed(truth: Truth, story: Story, tally: Tally) -> None:
    """A missed round of a bin that is well over 25 % is ``not_collected`` once its slot and half an hour are over."""
    for asset, missed in truth.missed.items():
        curve = truth.levels.get(asset)
        for at_ms in missed:
            if (
                curve is None
                or at_ms + SLOT_MS > truth.ends_ms
                or min(curve.within(at_ms, at_ms + SLOT_MS)) < NOT_COLLECTED_PCT
            ):
                continue
            hit = any(each.stands_in(at_ms, at_ms + SLOT_MS) for each in story.on(asset, "not_collected"))
            tally.of("not_collected.recall").add(hit=hit, case="" if hit else name_case(asset, at_ms, "missed"))


def judge_all(truth: Truth, story: Story, ears: Mapping[str, Ear], inventory: Inventory, tally: Tally) -> None:
    """Everything of this file."""
    judge_faults(truth, story, ears, inventory, tally)
    judge_false(truth, story, inventory, tally)
    judge_lies(truth, story, tally)
    judge_missed(truth, story, tally)


def join_blind(truth: Truth, passing: Iterable[str] = ("bag", "lid", "box", "plateau")) -> list[Span]:
    """Lies that pass, in which a sensor looks at something else than its content."""
    names = frozenset(passing)
    return [lie for lie in truth.lies if lie.name in names]
