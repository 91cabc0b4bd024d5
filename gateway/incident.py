"""An incident out of an installation's journal, as a score's three files: what came, who stands there, what was said.

The journal keeps readings and not the bytes they came in, so they are written down as a native device would say them.
Nobody's name or number goes with them. Nothing is opened here.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

import msgspec
import yaml

from alerts.calendars import iso
from alerts.model import Event
from gateway.journal.view import Row
from gateway.replay import written
from telemetry.envelopes import NATIVE_PROFILE
from telemetry.inventory import Inventory
from telemetry.reading import Millis
from telemetry.terms import AssetKind
from telemetry.wire import MAX_SAMPLES, Uplink

WORDS: Final = frozenset(
    {"raised", "ascertained", "cleared", "reset", "emptied", "partly_emptied", "acked", "doubted", "contradicted"}
)
"""What was said of it, and what people answered; texts and their holds are left out."""
_NOBODY: Final = (("cleaner", "保洁员"), ("crew", "维护员"), ("dispatcher", "调度员"))
FIRST_PHONE: Final = 13_900_000_001
_SIGNALS: Final[Mapping[str, str]] = {
    "flow_m3h": "flow",
    "level_mm": "level",
    "pump_current_a": "current",
    "mains_on": "mains",
    "pump_on": "run bit",
    "float_high": "float",
}


def recall_uplinks(rows: Iterable[Row], asset: str, county: str) -> Iterator[str]:
    """Lines of a recording: the readings of an asset as they came, one uplink for what came at one instant.

    ``boot`` is counted anew from 1, ``ts`` is the time that a reading counted for.
    """
    boots: dict[tuple[str, int], int] = {}
    arrived: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        if row["asset"] != asset:
            continue
        device = str(row["device"])
        boot = boots.setdefault((device, int(row["boot"])), 1 + sum(name == device for name, _ in boots))
        sample = {"v": 1, "boot": boot, "seq": row["seq"], "ts": _millis(row["observed_at"]), "readings": row["values"]}
        arrived[str(row["received_at"]), device].append(sample)
    for (received_at, device), samples in arrived.items():
        for nth in range(0, len(samples), MAX_SAMPLES):
            some = samples[nth : nth + MAX_SAMPLES]
            payload = msgspec.json.encode(some if len(some) > 1 else some[0])
            yield written(Uplink(_millis(received_at), f"cunjing/v1/{county}/{device}/telemetry", payload))


def _millis(at: object) -> Millis:
    return round(datetime.fromisoformat(str(at)).timestamp() * 1000)


def isolate(body: str, inventory: Inventory, asset: str) -> str:
    """The inventory's own text cut down to one asset, where it stands and what hangs on it, with nobody real in it.

    Its devices are native ones there, as ``recall_uplinks`` has them speak. Rows are written as JSON, which YAML is.
    """
    whole: dict[str, Any] = yaml.safe_load(body)
    areas = {area.id for each in inventory.assets[asset].areas for area in inventory.lineage(each)}
    devices = [row for row in whole.get("devices", []) if row["asset"] == asset]
    hangs_on = {row.get("radio_gateway") for row in devices}
    (row,) = (dict(each) for each in whole["assets"] if each["id"] == asset)
    feeder = (row.get("plant") or {}).get("feeder")
    town = next(area.id for area in inventory.lineage(inventory.assets[asset].areas[0]) if area.id in areas)
    people = [
        {"id": role, "name": name, "phone": str(FIRST_PHONE + nth), "duties": [{"role": role, "area": town}]}
        for nth, (role, name) in enumerate(_NOBODY)
    ]
    county = {name: value for name, value in whole["county"].items() if name != "office_phone"}
    kept: dict[str, list[dict[str, Any]]] = {
        "areas": [each for each in whole["areas"] if each["id"] in areas],
        "people": people,
        "radio_gateways": [each for each in whole.get("radio_gateways", []) if each["id"] in hangs_on],
        "feeders": [each for each in whole.get("feeders", []) if each["id"] == feeder],
        "assets": [row],
        "devices": [_as_native(each) for each in devices],
    }
    lines = [f"county: {_json(county)}"]
    for name, rows in kept.items():
        lines += [f"{name}:", *(f"  - {_json(each)}" for each in rows)] if rows else []
    return "\n".join(lines) + "\n"


def _as_native(row: Mapping[str, Any]) -> dict[str, Any]:
    own = {name: value for name, value in row.items() if name not in {"dev_eui", "settings", "sn"}}
    return {**own, "profile": NATIVE_PROFILE}


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def label(
    asset: str, inventory: Inventory, events: Iterable[Event], quantities: Iterable[str], span: tuple[Millis, Millis]
) -> Iterator[str]:
    """Lines of truth to be completed: the run, the site as it is claimed, and every word that was said of it.

    Words are no truth, and a score leaves them unread. Whoever was there writes visits, levels, lies and faults beside.
    """
    known = inventory.assets[asset]
    devices = [each for each in inventory.devices.values() if each.asset == asset]
    interval_s = max((each.interval_s for each in devices), default=1_200)
    run = {"scenario": f"incident of {asset}", "seed": asset, "world": "real"}
    yield _json({"truth": "world", **run, "from": iso(span[0]), "to": iso(span[1])})
    site: dict[str, Any] = {"truth": "site", "asset": asset, "kind": str(known.kind), "interval_s": interval_s}
    if known.kind is AssetKind.BIN and known.bin is not None:
        site["floor_mm"] = known.bin.empty_mm
    elif known.plant is not None:
        reports = set(quantities)
        signals = [name for quantity, name in _SIGNALS.items() if quantity in reports]
        site |= {"signals": "+".join(signals), "design_m3d": known.plant.design_m3d}
    yield _json(site)
    for event in events:
        if event.event in WORDS:
            figures = {name: value for name, value in (event.detail or {}).items() if isinstance(value, int | float)}
            word = {"truth": "word", "asset": asset, "at": iso(event.at_ms), "said": event.event, "rule": event.rule}
            yield _json({**word, "episode": event.episode, "detail": figures})
