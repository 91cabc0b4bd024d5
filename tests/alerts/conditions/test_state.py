"""What watches an asset, and its state as bytes: each device has machines of its own, and names outlive places."""

from collections.abc import Mapping
from dataclasses import replace as changed
from typing import Final

import msgspec
import pytest
from msgspec.structs import replace

from alerts.calendars import HOUR_MS, Calendar
from alerts.conditions import state
from alerts.conditions.bins import BinMemory
from alerts.conditions.devices import DeviceMemory
from alerts.conditions.machine import IDLE, Machine
from alerts.conditions.plants import PlantMemory
from alerts.conditions.rule import Rule
from alerts.conditions.state import Asked, AssetState, Plan
from alerts.conditions.traffic import Share
from alerts.model import Condition
from alerts.rules.battery_low import BatteryLow
from alerts.rules.flooded_device import FloodedDevice
from alerts.rules.gateway_offline import GatewayOffline
from alerts.rules.no_power import NoPower
from alerts.rules.offline import Offline
from alerts.rules.over_two_thirds import OverTwoThirds
from alerts.rules.overflow import Overflow
from alerts.windows import Window
from telemetry.inventory import Device
from tests.telling_county import COUNTY

RULES: Final[Mapping[str, Rule]] = {
    each.kind: each
    for each in (OverTwoThirds(), NoPower(), Overflow(), GatewayOffline(), Offline(), BatteryLow(), FloodedDevice())
}
CALENDAR: Final = Calendar.of(COUNTY.county)
BATTERY: Final = changed(COUNTY.devices["s-pool"], id="battery")
"""It reports every twenty minutes."""
MAINS: Final = changed(COUNTY.devices["m-plant"], id="mains")
"""It reports every ten."""
KNOWN_MS: Final = {"mains": 3, "battery": 4}


def plan(*devices: Device, asset: str = "pool", rules: Mapping[str, Rule] = RULES) -> Plan:
    return Plan.of(COUNTY.assets[asset], devices, rules, CALENDAR)


BOTH: Final = plan(MAINS, BATTERY)
ACTIVE: Final = Machine(Condition.ACTIVE, since_ms=7, episode="over_two_thirds/pool/1")


def told(asked: tuple[Asked, ...]) -> list[tuple[int, bool]]:
    return [(place, is_own) for place, _, _, is_own in asked]


def machines(of: Plan, **standing: Machine) -> tuple[Machine, ...]:
    """These by kind, of the asset or of its last device; all others at rest."""
    last = {slot.rule.kind: place for place, slot in enumerate(of.slots)}
    by_place = {last[kind]: machine for kind, machine in standing.items()}
    return tuple(by_place.get(place, IDLE) for place in range(len(of.slots)))


def test_the_assets_rules_stand_first_and_each_rule_about_devices_once_for_each() -> None:
    assert [(slot.rule.kind, slot.device) for slot in BOTH.slots] == [
        ("over_two_thirds", -1),
        ("overflow", -1),
        ("offline", 0),
        ("offline", 1),
        ("battery_low", 0),
        ("battery_low", 1),
        ("flooded_device", 0),
        ("flooded_device", 1),
    ]
    assert [slot.timing for slot in BOTH.slots] == [slot.rule.timing for slot in BOTH.slots]
    assert [slot.rule.kind for slot in plan(MAINS, asset="plant").slots if slot.device < 0] == ["no_power"]
    assert [slot.rule.kind for slot in plan().slots] == ["over_two_thirds", "overflow"]


def test_a_device_speaks_to_the_assets_rules_and_to_its_own_and_not_to_those_that_count_messages() -> None:
    layout = BOTH.layout
    assert BOTH.index == {"mains": 0, "battery": 1}
    assert (BOTH.place, BOTH.silence) == ({"over_two_thirds": 0, "overflow": 1}, (2, 3))
    assert [told(asked) for asked in layout.heard] == [
        [(0, True), (1, True), (2, False), (4, False)],
        [(0, True), (1, True), (3, False), (5, False)],
    ]
    assert [told(asked) for asked in layout.sign_of_life] == [[(2, False)], [(3, False)]]
    assert [[place for place, _ in slots] for slots in layout.traffic] == [[6], [7]]
    for place, slot, judge, _ in (each for asked in (*layout.heard, *layout.sign_of_life) for each in asked):
        assert (slot, judge) == (BOTH.slots[place], slot.rule.judge)


def test_a_signal_is_fresh_as_long_as_the_device_that_may_be_silent_longest() -> None:
    assert BOTH.stale_after_ms == (25 * 60_000, 2 * HOUR_MS)
    assert [each.fresh_ms for each in (BOTH, plan(MAINS), plan())] == [2 * HOUR_MS, 25 * 60_000, 0]


def test_a_device_may_say_what_no_rule_thinks_too_much() -> None:
    assert BOTH.shares == (Share(60, 1_048_576), Share(30, 1_048_576))
    strict = {**RULES, "fewer": FloodedDevice(times=2), "smaller": FloodedDevice(times=5, most_bytes=65_536)}
    assert plan(MAINS, BATTERY, rules=strict).shares == (Share(12, 65_536), Share(6, 65_536))


def test_an_episode_is_named_after_the_asset_or_the_device_it_is_about() -> None:
    assert [BOTH.subject(slot) for slot in BOTH.slots] == ["pool", "pool", *3 * ("mains", "battery")]
    asked = [("overflow", "pool"), ("offline", "battery"), ("offline", "pool"), ("no_power", "pool")]
    assert [BOTH.watches(*each) for each in asked] == [True, True, False, False]
    assert not plan().watches("overflow", "pool"), "nothing feeds it"


def test_of_an_asset_that_was_never_heard_is_known_since_when_its_devices_are() -> None:
    devices = (DeviceMemory(3), DeviceMemory(4))
    assert BOTH.born(KNOWN_MS) == AssetState(BinMemory(), devices, (IDLE,) * 8)
    assert plan(BATTERY, asset="plant").born(KNOWN_MS).memory == PlantMemory()


@pytest.mark.parametrize("asset", ["pool", "plant"])
def test_what_is_read_back_is_what_was_kept(asset: str) -> None:
    of = plan(MAINS, BATTERY, asset=asset)
    memory = BinMemory(fill_pct=60.0, temperature_c=12.5) if asset == "pool" else PlantMemory(level_mm=90.0)
    own = {"over_two_thirds": ACTIVE} if asset == "pool" else {"no_power": replace(ACTIVE, feeder=1)}
    window = Window("maintenance/plant/1", 5, 6, "清洗", "office")
    before = AssetState(
        memory,
        (DeviceMemory(3, 10, 9, battery_pct=80.0), DeviceMemory(4, 12, 11)),
        machines(of, **own, offline=Machine(Condition.RECOVERING, feeder=1), flooded_device=Machine(count=2)),
        "running",
        (window,),
    )
    assert state.unpack(of, state.pack(of, before), {"mains": 100, "battery": 100}) == before
    assert state.unpack(of, None, KNOWN_MS) == of.born(KNOWN_MS)


def test_machines_are_kept_by_name_and_those_at_rest_not_at_all() -> None:
    asleep = (Machine(), *machines(BOTH, offline=ACTIVE, overflow=ACTIVE)[1:])
    kept = msgspec.msgpack.decode(state.pack(BOTH, replace(BOTH.born(KNOWN_MS), machines=asleep)))
    assert list(kept[1]) == ["mains", "battery"]
    assert list(kept[2]) == ["overflow", "offline@battery"]


def test_a_state_of_another_plan_is_our_own_mistake_and_never_cut_short() -> None:
    born = BOTH.born(KNOWN_MS)
    for wrong in (replace(born, devices=born.devices[:1]), replace(born, machines=born.machines[:-1])):
        with pytest.raises(ValueError, match="shorter"):
            state.pack(BOTH, wrong)


def test_under_another_plan_what_has_a_name_goes_on_and_the_rest_begins_anew() -> None:
    before = replace(
        BOTH.born(KNOWN_MS),
        devices=(DeviceMemory(3, 10), DeviceMemory(4, 12)),
        machines=machines(BOTH, overflow=ACTIVE, offline=replace(ACTIVE, feeder=1)),
    )
    turned = plan(BATTERY, MAINS, rules=dict(reversed(list(RULES.items()))))
    after = state.unpack(turned, state.pack(BOTH, before), KNOWN_MS)
    assert after.devices == (DeviceMemory(4, 12), DeviceMemory(3, 10))
    standing = [
        (slot.rule.kind, turned.subject(slot))
        for slot, machine in zip(turned.slots, after.machines, strict=True)
        if machine != IDLE
    ]
    assert standing == [("overflow", "pool"), ("offline", "battery")]
    new = changed(MAINS, id="new")
    after = state.unpack(plan(new), state.pack(BOTH, before), {"new": 50})
    assert (after.devices, after.machines) == ((DeviceMemory(50),), machines(plan(new), overflow=ACTIVE))


def test_what_a_device_fed_that_is_gone_is_the_last_ones_now_and_rests_where_there_is_none() -> None:
    for feeder, last in ((0, 0), (1, 1), (2, 1)):
        fed = replace(ACTIVE, feeder=feeder)
        kept = state.pack(BOTH, replace(BOTH.born(KNOWN_MS), machines=machines(BOTH, overflow=fed)))
        assert state.unpack(BOTH, kept, KNOWN_MS).machines[1] == replace(ACTIVE, feeder=last)
        assert state.unpack(plan(MAINS), kept, KNOWN_MS).machines[1] == ACTIVE
        assert state.unpack(plan(), kept, KNOWN_MS).machines == (IDLE, IDLE)
