"""The county of the storm: two towns, four villages, twelve bins, four plants, thirteen people, and what may change.

Data only. A change is what somebody does to the inventory file before a restart: it is applied to rows, not to objects.
"""

from dataclasses import replace
from functools import cache
from typing import Final

from alerts.build import PolicyFiles
from telemetry.inventory import Inventory
from telemetry.inventory.file import parse
from tests.scenario_run import policy_files

BEGIN_MS: Final = 1_795_190_400_000
"""2026-11-21 00:00 in the county, a Saturday."""
SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
TICK: Final = 20 * MINUTE
"""So often each device speaks."""

_BIN = "bin: {empty_mm: 1200, full_mm: 200, blind_mm: 200}"
_DEVICE = "profile: native, interval_s: 1200, installed_at: 2026-11-01T00:00:00Z"

AREAS: Final = (
    "{id: qingshi, name: 青石镇, level: town}",
    "{id: baihe, name: 白河镇, level: town}",
    "{id: liutan, name: 柳潭村, level: village, parent: qingshi}",
    "{id: hetian, name: 禾田村, level: village, parent: qingshi}",
    "{id: shangwan, name: 上湾村, level: village, parent: baihe}",
    "{id: xiawan, name: 下湾村, level: village, parent: baihe}",
)
_PEOPLE: Final[tuple[tuple[str, str, str, str, str], ...]] = (
    ("li", "李大姐", "13900000001", "zhou", "{role: cleaner, area: liutan}"),
    ("zhou", "周大哥", "13900000002", "", "{role: cleaner, area: hetian}"),
    ("sun", "孙大姐", "13900000003", "qian", "{role: cleaner, area: shangwan}, {role: cleaner, area: xiawan}"),
    ("qian", "钱师傅", "13900000004", "", "{role: collector, route: west}"),
    ("chen", "陈工", "13900000005", "he", "{role: crew, area: qingshi}"),
    ("he", "何工", "13900000006", "", '{role: crew, area: baihe, hours: "08:00-18:00"}'),
    ("wu", "吴调度", "13900000007", "", '{role: dispatcher, area: qingshi, hours: "07:00-21:00"}'),
    ("zheng", "郑调度", "13900000008", "wu", '{role: dispatcher, area: baihe, hours: "07:00-21:00"}'),
    ("liu", "柳书记", "13900000009", "", "{role: village_head, area: liutan}"),
    ("tian", "田主任", "13900000010", "", "{role: village_head, area: hetian}, {role: village_head, area: shangwan}"),
    ("wan", "湾主任", "13900000002", "", "{role: village_head, area: xiawan}"),
    ("yu", "余镇长", "13900000012", "", "{role: town_leader, area: qingshi}"),
    ("bai", "白镇长", "13900000013", "", "{role: town_leader, area: baihe}"),
)
"""One telephone is shared by a cleaner and a village head."""
_ROUNDS = "collection: {rounds: [am, pm], days: daily}, "
_BINS: Final[tuple[tuple[str, str, str, str], ...]] = (
    ("b1", "liutan", "柳潭1号", ""),
    ("b2", "liutan", "柳潭2号", "roadside: true, "),
    ("b3", "liutan", "柳潭3号", _ROUNDS),
    ("b4", "hetian", "禾田1号", ""),
    ("b5", "hetian", "禾田2号", "priority: true, " + _ROUNDS),
    ("b6", "hetian", "禾田3号", ""),
    ("b7", "shangwan", "上湾1号", ""),
    ("b8", "shangwan", "上湾2号", ""),
    ("b9", "shangwan", "上湾3号", _ROUNDS),
    ("b10", "xiawan", "下湾1号", "roadside: true, "),
    ("b11", "xiawan", "下湾2号", ""),
    ("b12", "xiawan", "下湾3号", "trial_until: 2026-11-23T00:00:00Z, "),
)
_PLANTS: Final = (
    ("p1", "liutan", "柳潭站", 50, "f1"),
    ("p2", "hetian", "禾田站", 150, "f1"),
    ("p3", "shangwan", "上湾站", 30, "f2"),
    ("p4", "xiawan", "下湾站", 120, "f2"),
)
_RADIO: Final = {"liutan": "g1", "hetian": "g1", "shangwan": "g2", "xiawan": "g2"}
BINS: Final = tuple(name for name, *_ in _BINS)
PLANTS: Final = tuple(name for name, *_ in _PLANTS)
GATEWAYS: Final = ("g1", "g2")
FEEDERS: Final = {"f1": ("p1", "p2"), "f2": ("p3", "p4")}

CHANGES: Final = ("number", "left", "retired", "moved", "renamed")
"""A corrected number, a cleaner who is there no more, a bin that is, a sensor that hangs on another bin now, and a bin
with another id."""
FOR_EVER: Final = frozenset({"renamed"})
"""What nobody takes back."""


def device(asset: str) -> str:
    """The one sensor of an asset."""
    return f"s-{asset}"


def behind(gateway: str) -> tuple[str, ...]:
    """The assets of which the sensors speak through a radio gateway."""
    bins = [name for name, village, *_ in _BINS if _RADIO[village] == gateway]
    return (*bins, *(name for name, village, *_ in _PLANTS if _RADIO[village] == gateway))


def _person(name: str, called: str, phone: str, stand_in: str, duties: str, changes: frozenset[str]) -> str:
    if name == "chen" and "number" in changes:
        phone = "13900000015"
    if name == "li" and "left" in changes:  # she has his village, too
        stand_in, duties = "sun", f"{duties}, {{role: cleaner, area: hetian}}"
    instead = f"stand_in: {stand_in}, " if stand_in else ""
    return f'{{id: {name}, name: {called}, phone: "{phone}", {instead}duties: [{duties}]}}'


@cache
def county(changes: frozenset[str] = frozenset()) -> Inventory:
    """The county with these changes."""
    people = [_person(*each, changes) for each in _PEOPLE if each[0] != "zhou" or "left" not in changes]
    bins = [each for each in _BINS if each[0] != "b7" or "retired" not in changes]
    called = {name: name for name, *_ in bins}
    if "renamed" in changes:
        called["b4"] = "b44"
        more_of = {"b4": "renamed_from: b4, "}
    else:
        more_of = {}
    assets = [
        f"{{id: {called[name]}, kind: bin, name: {short}垃圾池, short: {short}, area: {village},"
        f" {more_of.get(name, '')}{more}{_BIN}}}"
        for name, village, short, more in bins
    ]
    assets += [
        f"{{id: {name}, kind: plant, name: {short}污水站, short: {short}, area: {village},"
        f" plant: {{design_m3d: {design}, feeder: {feeder}, rated_current_a: 7, start_level_mm: 900,"
        " alarm_level_mm: 1400}}"
        for name, village, short, design, feeder in _PLANTS
    ]
    at = dict(called)
    if "moved" in changes:
        at["b8"] = "b11"
    devices = [
        f"{{id: {device(name)}, asset: {at[name]}, power: battery, radio_gateway: {_RADIO[village]}, {_DEVICE}}}"
        for name, village, *_ in bins
    ]
    devices += [
        f"{{id: {device(name)}, asset: {name}, power: mains, radio_gateway: {_RADIO[village]}, {_DEVICE}}}"
        for name, village, *_ in _PLANTS
    ]
    sections = {
        "areas": AREAS,
        "people": people,
        "routes": ("{id: west, name: 西线车, stops: [b8, b9, b10]}",),
        "radio_gateways": (
            "{id: g1, name: 青石网关, area: qingshi}",
            "{id: g2, name: 白河网关, area: baihe}",
        ),
        "feeders": ("{id: f1, name: 城东线, area: qingshi}", "{id: f2, name: 城西线, area: baihe}"),
        "assets": assets,
        "devices": devices,
    }
    head = (
        "county: {id: xia, name: 湘阳县, timezone: Asia/Shanghai, signature: 湘阳环卫,"
        ' rounds: {am: "07:00-11:00", pm: "14:30-16:30"}}\n'
    )
    text = head + "".join(f"{name}:\n" + "".join(f"  - {row}\n" for row in rows) for name, rows in sections.items())
    parsed = parse(text, "storm.yaml", frozenset({"native"}))
    assert parsed.inventory is not None, parsed.faults
    if not changes & {"retired", "renamed"}:
        return parsed.inventory
    former = {"b7": "retired", "b4": "renamed"}  # as a start remembers what there once was
    known = {name: county().assets[name] for name, change in former.items() if change in changes}
    return replace(parsed.inventory, former=known)


@cache
def shipped() -> PolicyFiles:
    """The policy files of the house, with its lists."""
    return policy_files(lists=True)


PEOPLE: Final = tuple(county().people)
PHONES: Final = (*dict.fromkeys(person.phone for person in county().people.values()), "13955550000", "10086")
