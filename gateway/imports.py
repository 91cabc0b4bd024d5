"""Brings the inventory file in: read, checked, compared with what the journal knew, differences logged.

What makes an inventory right is ``telemetry.inventory_file``; this only reads the file and says what became of it. The
journal has the inventory that the gateway works by; a file that was edited since counts from the next start on.
"""

from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from alerts.calendars import iso
from gateway.journal.entry import InventoryBody
from gateway.journal.reader import JournalReader
from gateway.journal.trouble import JournalUnavailable, Problem
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


class InForce(NamedTuple):
    """The inventory that the gateway works by; ``note`` says in a sentence that the file says something else by now."""

    inventory: Inventory
    note: str = ""


def in_force(path: Path, journal: Path) -> InForce:
    """What the journal has; the file itself where no gateway has ever read one.

    ``SettingsFault`` as ``checked``, ``JournalUnavailable`` when there is a journal that cannot be read.
    """
    known = _known(journal)
    before = None if known is None else parse(known.body, "the journal's inventory", profiles()).inventory
    if known is None or before is None:
        return InForce(checked(path))
    try:
        text = read(path)[0]
    except SettingsFault as fault:
        return InForce(before, str(fault))
    if sha256(text.encode()).hexdigest() == known.sha256:
        return InForce(before)
    return InForce(
        before, f"{path} was edited since {iso(known.imported_ms)}, when the gateway read it; it counts after a restart"
    )


def _known(journal: Path) -> InventoryBody | None:
    try:
        with closing(JournalReader.open(journal)) as reader:
            return reader.inventory()
    except JournalUnavailable as trouble:
        if trouble.problem is Problem.MISSING:
            return None
        raise


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
