"""Sets the demo up in one folder: a county, a broker, secrets, an outbox; and clears what an earlier demo left there.

A folder that holds anything else is left alone. What a visitor may call the county and its towns goes onto the desk,
into texts and onto boards: it is checked here, where it enters (law L11). Nothing here runs the demo.
"""

import secrets
import shutil
from collections.abc import Iterator
from datetime import time
from pathlib import Path
from typing import Final

from alerts.calendars import Calendar
from firmware_sim import county
from firmware_sim.scenario import PlaceNames, Scenario, at_start, load
from gateway.clock import WallClock
from gateway.desk import users
from gateway.desk.users import hash_password
from gateway.embedded_broker import Embedded
from gateway.journal.place import FOLDER_MODE
from gateway.production import DEMO_MARK
from gateway.settings import Settings, SettingsFault, tell_why
from telemetry.inventory import CountySettings, Inventory
from telemetry.reading import Millis
from telemetry.terms import Role

BEGINS: Final = time(8)
EARLIER_MS: Final = 14 * 3_600_000
"""How long before that the county's life begins: the morning has had an evening and a night."""
SCENARIOS: Final = Path(county.__file__).parent / "scenarios"


def cleared(folder: Path) -> Path:
    """The folder, empty but for the mark; ``SettingsFault`` when it holds what no demo put there."""
    if folder.exists() and any(folder.iterdir()):
        if not (folder / DEMO_MARK).is_file():
            raise SettingsFault([f"{folder} is not empty and not a demo's folder; name another one with --data"])
        shutil.rmtree(folder)
    try:
        folder.mkdir(FOLDER_MODE, parents=True, exist_ok=True)
        folder.chmod(FOLDER_MODE)
        (folder / DEMO_MARK).touch()
    except OSError as error:
        why = tell_why(error)
        raise SettingsFault([f"{folder} cannot be written: {why}; name another folder with --data"]) from None
    return folder


def begins_ms(calendar: Calendar) -> Millis:
    """08:00 local time of the present day, whatever the wall clock says."""
    return calendar.instant(calendar.local(WallClock().now_ms()).date(), BEGINS)


def scenario(begins_ms: Millis, names: PlaceNames) -> Scenario:
    """The demo's county from the evening before it begins on, with as many towns as are named."""
    scene = load((SCENARIOS / "demo.yaml").read_text("utf-8"))
    fleet = scene.fleet.model_copy(update={"towns": len(names.towns) or scene.fleet.towns})
    return at_start(scene.model_copy(update={"names": names, "fleet": fleet}), begins_ms - EARLIER_MS)


def settings(folder: Path, scene: Scenario, broker: Embedded, port: int) -> Settings:
    """The gateway's configuration for the demo, with its inventory written."""
    inventory = folder / "inventory.yaml"
    inventory.write_text(county.inventory_yaml(scene), "utf-8")
    return Settings.model_validate(
        {
            "mqtt": {
                "url": broker.url,
                "username": broker.username,
                "password_file": broker.password_file,
                "protocol": broker.protocol,
                "topics": ["cunjing/v1/+/+/+", "application/+/device/+/event/up"],
            },
            "journal": {"path": folder / "journal.db"},
            "inventory": {"path": inventory},
            "sms": {"channel": "outbox", "outbox_folder": folder / "outbox"},
            "desk": {"listen": f"127.0.0.1:{port}"},
        }
    )


def dispatcher(inventory: Inventory) -> str:
    """The person whose desk the visitor takes: the first dispatcher of all."""
    return next(
        person.id for person in inventory.people.values() for duty in person.duties if duty.role is Role.DISPATCHER
    )


def welcome(folder: Path, dispatcher: str) -> str:
    """The key of the link by which a visitor comes in as the dispatcher; nobody knows the password beside it."""
    visitor = users.User("demo", users.UserRole.DISPATCHER, person=dispatcher, demo=True)
    users.UserFile.beside(folder / "journal.db").keep(
        visitor, hash_password(secrets.token_urlsafe(32)), WallClock().now_ms()
    )
    return secrets.token_urlsafe(16)


def shanghai() -> Calendar:
    """Local time where the demo plays."""
    return Calendar.of(CountySettings("demo", "", "Asia/Shanghai", ""))


MOST_TOWNS: Final = 4
"""Each brings five villages, and sixty bins are spread over them."""
LONGEST_COUNTY: Final = 8
LONGEST_TOWN: Final = 6
SHORTEST: Final = 2
_HAN: Final = (0x3400, 0x9FFF)
_COMMAS: Final = str.maketrans("，、", ",,")


class NamesFault(ValueError):  # noqa: N818 the visitor's, not ours
    """Names that cannot be the county's; its text has a sentence for each fault."""


def names(county: str | None, towns: str | None) -> PlaceNames:
    """What was given on the command line, checked; what was left open stays invented. Raises ``NamesFault``."""
    listed = () if towns is None else tuple(towns.translate(_COMMAS).split(","))
    said = [] if county is None else list(_faults("--county", county.strip(), LONGEST_COUNTY))
    for town in listed:
        said += _faults("--towns", town.strip(), LONGEST_TOWN)
    if len(listed) > MOST_TOWNS:
        said.append(f"--towns names {len(listed)} towns; the demo has room for {MOST_TOWNS}")
    stripped = tuple(_whole(town.strip()) for town in listed)
    for town in sorted({town for town in stripped if stripped.count(town) > 1}):
        said.append(f"--towns names {town} more than once; each town needs a name of its own")
    if said:
        raise NamesFault("\n".join(said))
    return PlaceNames(towns=stripped) if county is None else PlaceNames(county=county.strip(), towns=stripped)


def _faults(option: str, name: str, longest: int) -> Iterator[str]:
    if not SHORTEST <= len(name) <= longest:
        yield f"{option}: {name[:20]!r} has {len(name)} characters; a name has {SHORTEST} to {longest}"
    elif not all(_HAN[0] <= ord(sign) <= _HAN[1] for sign in name):
        yield f"{option}: {name!r} is not written in Chinese characters alone; write it like 湘阳县 or 石桥镇,竹园乡"


def _whole(town: str) -> str:
    """石桥 is a 镇 as long as nobody says otherwise."""
    return town if town.endswith(("镇", "乡", "街道")) else f"{town}镇"
