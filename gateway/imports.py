"""Brings the inventory file in: read, checked, compared with what the journal knew, differences logged.

What makes an inventory right is ``telemetry.inventory_file``; this only reads the file and says what became of it.
"""

from hashlib import sha256
from pathlib import Path

from gateway.journal.entry import InventoryBody
from gateway.logs import logger
from gateway.settings_faults import SettingsFault
from telemetry.codecs import codecs
from telemetry.envelopes import NATIVE_PROFILE
from telemetry.inventory import Inventory
from telemetry.inventory_diff import differences
from telemetry.inventory_fault import Severity
from telemetry.inventory_file import Parsed, parse
from telemetry.reading import Millis

_log = logger(__name__)


def profiles() -> frozenset[str]:
    """Every profile that a device may have."""
    return frozenset({NATIVE_PROFILE, *codecs()})


def read(path: Path) -> tuple[str, Parsed]:
    """The text of an inventory file and what it says; ``SettingsFault`` when it cannot be read."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        remedy = "copy config/inventory.example.yaml there, or name another file as [inventory] path"
        raise SettingsFault([f"{path} cannot be read: {why.lower()}; {remedy}"]) from None
    return text, parse(text, str(path), profiles())


def checked(path: Path) -> Inventory:
    """The inventory of a file; ``SettingsFault`` with every error in it. Warnings are logged."""
    return _inventory(read(path)[1])


def imported(path: Path, known: InventoryBody | None, now_ms: Millis) -> tuple[Inventory, InventoryBody | None]:
    """The inventory of a file, and its body if it is new to the journal; ``SettingsFault`` with every error in it."""
    text, parsed = read(path)
    inventory = _inventory(parsed)
    digest = sha256(text.encode()).hexdigest()
    if known is not None and known.sha256 == digest:
        return inventory, None
    before = None if known is None else parse(known.body, "the journal's inventory", profiles()).inventory
    for difference in () if before is None else differences(before, inventory):
        _log.info("inventory_changed", difference=difference)
    return inventory, InventoryBody(now_ms, digest, text)


def _inventory(parsed: Parsed) -> Inventory:
    for fault in parsed.faults:
        if fault.severity is Severity.WARNING:
            _log.warning("inventory", fault=str(fault))
    if parsed.inventory is None:
        raise SettingsFault(str(fault) for fault in parsed.faults if fault.severity is Severity.ERROR)
    return parsed.inventory
