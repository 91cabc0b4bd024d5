"""The smallest county there can be: one bin, one plant and who answers for them, in hours after a midnight."""

from datetime import UTC, datetime
from functools import cache

from telemetry.inventory import Inventory
from telemetry.inventory.file import parse
from telemetry.reading import Millis

BEGINS_MS = 1_795_363_200_000
"""2026-11-22T16:00:00Z, midnight in Shanghai."""
HOUR_MS = 3_600_000


def at(hours: float) -> Millis:
    """The instant so many hours after the beginning."""
    return BEGINS_MS + round(hours * HOUR_MS)


def iso(hours: float) -> str:
    return datetime.fromtimestamp(at(hours) / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


COUNTY = """
county: {id: xiang, name: 湘阳县, timezone: Asia/Shanghai, signature: 湘阳环卫, office_phone: "55661234"}
areas:
  - {id: town, name: 石桥镇, level: town}
  - {id: village, name: 下坡村, level: village, parent: town}
people:
  - {id: cleaner, name: 李大姐, phone: "13900000001", duties: [{role: cleaner, area: village}]}
  - {id: crew, name: 陈工, phone: "13900000002", duties: [{role: crew, area: town}]}
  - {id: dispatcher, name: 吴调度, phone: "13900000003", duties: [{role: dispatcher, area: town}]}
radio_gateways: [{id: g01, name: 村部网关, area: village}]
assets:
  - {id: a, kind: bin, name: 一号桶, short: 一号, area: village, landmark: 桥头,
     bin: {empty_mm: 1000, full_mm: 150, blind_mm: 250}}
  - {id: p, kind: plant, name: 污水站, short: 一站, area: village,
     plant: {design_m3d: 50, duty: intermittent, start_level_mm: 900, alarm_level_mm: 1400}}
devices:
  - {id: bin-1, asset: a, profile: native, power: battery, interval_s: 1200, installed_at: 2026-10-01T00:00:00Z,
     radio_gateway: g01}
  - {id: plant-1, asset: p, profile: native, power: mains, interval_s: 600, installed_at: 2026-10-01T00:00:00Z}
"""


@cache
def county() -> Inventory:
    found = parse(COUNTY, "county.yaml", frozenset({"native"}))
    assert found.inventory is not None, found.faults
    return found.inventory
