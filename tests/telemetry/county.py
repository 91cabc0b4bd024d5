"""A county of a few devices, for tests of the wire: two native ones, two LoRaWAN ones, one of each kind misplaced."""

from datetime import UTC, datetime

from telemetry.inventory import CountySettings, Device, Inventory
from telemetry.inventory.directory import Directory
from telemetry.terms import Power

INSTALLED = datetime(2026, 11, 1, tzinfo=UTC)


def device(name: str, profile: str = "native", dev_eui: str | None = None) -> Device:
    return Device(name, f"asset-of-{name}", profile, Power.BATTERY, 1_200, INSTALLED, dev_eui)


def inventory(*devices: Device) -> Inventory:
    county = CountySettings("xiang", "湘阳县", "Asia/Shanghai", "湘阳环卫")
    return Inventory(county, {}, {}, {}, {}, {}, {}, {one.id: one for one in devices})


COUNTY = inventory(
    device("bin-0003"),
    device("plant-0001"),
    device("bin-0004", "milesight-em400", "24e124713b000004"),
    device("bin-0005", "native", "24e124713b000005"),
    device("bin-0006", "acme-1", "24e124713b000006"),
)

DIRECTORY = Directory(COUNTY)

NATIVE_TOPIC = "cunjing/v1/xiang/bin-0003/telemetry"
STATUS_TOPIC = "cunjing/v1/xiang/bin-0003/status"
CHIRPSTACK_TOPIC = "application/1/device/24e124713b000004/event/up"
