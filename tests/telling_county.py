"""A small county in which everything can happen: rounds and none, a road, a trial, a shared telephone, two plants.

Data only; who lives in it are the laws of telling and of refusals.
"""

from typing import Final

from telemetry.inventory.file import parse
from tests.scenario_run import policy_files

START_MS = 1_795_390_200_000
"""2026-11-23 07:30 in the county, a Monday."""

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000

WRITTEN: Final = """
    county: {id: xia, name: 湘阳县, timezone: Asia/Shanghai, signature: 湘阳环卫, rounds: {am: "07:00-11:00", pm: "14:30-16:30"}}
    areas:
      - {id: qingshi, name: 青石镇, level: town}
      - {id: liutan, name: 柳潭村, level: village, parent: qingshi}
      - {id: hetian, name: 禾田村, level: village, parent: qingshi}
    people:
      - {id: cleaner, name: 李大姐, phone: "13900000001", stand_in: shared, duties: [{role: cleaner, area: liutan}]}
      - {id: shared, name: 周大哥, phone: "13900000001", duties: [{role: cleaner, area: hetian}]}
      - {id: crew, name: 陈工, phone: "13900000003", duties: [{role: crew, area: qingshi}]}
      - {id: office, name: 吴调度, phone: "13900000004", duties: [{role: dispatcher, area: qingshi, hours: "07:00-21:00"}]}
      - {id: head, name: 柳书记, phone: "13900000005", duties: [{role: village_head, area: liutan}]}
      - {id: leader, name: 何镇长, phone: "13900000006", duties: [{role: town_leader, area: qingshi}]}
    radio_gateways: [{id: g1, name: 柳潭村部网关, area: liutan}]
    feeders: [{id: f1, name: 城东线, area: qingshi}]
    assets:
      - {id: pool, kind: bin, name: 柳潭村1号垃圾池, short: 柳潭1号, area: liutan, bin: {empty_mm: 1200, full_mm: 200, blind_mm: 200}}
      - {id: road, kind: bin, name: 柳潭村2号垃圾池, short: 柳潭2号, area: liutan, roadside: true, bin: {empty_mm: 1200, full_mm: 200, blind_mm: 200}}
      - {id: round, kind: bin, name: 柳潭村3号垃圾桶, short: 柳潭3号, area: liutan, collection: {rounds: [am, pm], days: daily}, bin: {empty_mm: 1200, full_mm: 200, blind_mm: 200}}
      - {id: far, kind: bin, name: 禾田村1号垃圾池, short: 禾田1号, area: hetian, bin: {empty_mm: 1200, full_mm: 200, blind_mm: 200}}
      - {id: new, kind: bin, name: 禾田村2号垃圾池, short: 禾田2号, area: hetian, trial_until: 2026-11-24T00:00:00Z, bin: {empty_mm: 1200, full_mm: 200, blind_mm: 200}}
      - {id: plant, kind: plant, name: 禾田污水站, short: 禾田站, area: hetian, plant: {design_m3d: 50, feeder: f1, rated_current_a: 7, start_level_mm: 900, alarm_level_mm: 1400}}
      - {id: works, kind: plant, name: 柳潭污水站, short: 柳潭站, area: liutan, plant: {design_m3d: 150, feeder: f1, rated_current_a: 7, start_level_mm: 900, alarm_level_mm: 1400}}
    devices:
      - {id: s-pool, asset: pool, profile: native, power: battery, interval_s: 1200, radio_gateway: g1, installed_at: 2026-11-01T00:00:00Z}
      - {id: s-road, asset: road, profile: native, power: battery, interval_s: 1200, radio_gateway: g1, installed_at: 2026-11-01T00:00:00Z}
      - {id: s-round, asset: round, profile: native, power: battery, interval_s: 1200, radio_gateway: g1, installed_at: 2026-11-01T00:00:00Z}
      - {id: s-far, asset: far, profile: native, power: battery, interval_s: 1200, installed_at: 2026-11-01T00:00:00Z}
      - {id: s-new, asset: new, profile: native, power: battery, interval_s: 1200, installed_at: 2026-11-20T00:00:00Z}
      - {id: m-plant, asset: plant, profile: native, power: mains, interval_s: 600, installed_at: 2026-11-01T00:00:00Z}
      - {id: m-works, asset: works, profile: native, power: mains, interval_s: 600, installed_at: 2026-11-01T00:00:00Z}
    """  # noqa: E501 -- a row is a row
PARSED = parse(WRITTEN, "telling.yaml", frozenset({"native"}))
assert PARSED.inventory is not None, PARSED.faults
COUNTY = PARSED.inventory
POLICY_FILES = policy_files(lists=True)
PEOPLE = tuple(COUNTY.people)
PHONES = (*dict.fromkeys(person.phone for person in COUNTY.people.values()), "13955550000", "10086")
