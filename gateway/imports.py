"""Brings the inventory file in: read, checked, compared with what the journal knew, differences logged.

What makes an inventory right is ``telemetry.inventory.file``; this only reads the file and says what became of it. The
journal has the inventory that the gateway works by; a file that was edited since counts from the next start on.
"""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from alerts.calendars import iso
from gateway.health import Part
from gateway.journal.database import JournalUnavailable, Problem
from gateway.journal.entry import InventoryBody
from gateway.journal.reader import JournalReader
from gateway.logs import logger
from gateway.settings import SettingsFault
from telemetry.codecs import codecs
from telemetry.envelopes import NATIVE_PROFILE
from telemetry.inventory import Asset, Inventory
from telemetry.inventory.diff import differences, unexplained
from telemetry.inventory.faults import FaultSeverity
from telemetry.inventory.file import Parsed, parse
from telemetry.reading import Millis

FORMER: Final = "former_assets"
"""The small mark that keeps retired assets over a restart: what they were called and where they stood."""

_log = logger(__name__)


def profiles() -> frozenset[str]:
    """Every profile that a device may have."""
    return frozenset({NATIVE_PROFILE, *codecs()})


def _parse(text: str, name: str) -> Parsed:
    """An inventory read with every profile there is, and what each may have set in its devices."""
    return parse(text, name, profiles(), {profile: tuple(codec.settings) for profile, codec in codecs().items()})


def read(path: Path) -> tuple[str, Parsed]:
    """The text of an inventory file and what it says; ``SettingsFault`` when it cannot be read."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        remedy = "copy config/inventory.example.yaml there, or name another file as [inventory] path"
        raise SettingsFault([f"{path} cannot be read: {why.lower()}; {remedy}"]) from None
    return text, _parse(text, str(path))


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
    known, former = _known(journal)
    before = None if known is None else _before(known)
    before = None if before is None else _with_former(before, {}, former)
    if known is None or before is None:
        return InForce(checked(path))
    try:
        text, parsed = read(path)
    except SettingsFault as fault:
        return InForce(before, str(fault))
    refused = () if parsed.inventory is None else unexplained(before, parsed.inventory)
    if refused:
        return InForce(before, f"{path} is not taken: {'; '.join(refused)}")
    if sha256(text.encode()).hexdigest() == known.sha256:
        return InForce(before)
    return InForce(
        before, f"{path} was edited since {iso(known.imported_ms)}, when the gateway read it; it counts after a restart"
    )


def _known(journal: Path) -> tuple[InventoryBody | None, str | None]:
    """What the gateway works by, and the mark of what is retired."""
    try:
        with closing(JournalReader.open(journal)) as reader:
            return reader.inventory(), reader.mark(FORMER)
    except JournalUnavailable as trouble:
        if trouble.problem is Problem.MISSING:
            return None, None
        raise


class Imported(NamedTuple):
    """The inventory to work by; its body if it is new to the journal. ``refused`` says why it is not the file's."""

    inventory: Inventory
    body: InventoryBody | None
    refused: tuple[str, ...] = ()


def imported(path: Path, known: InventoryBody | None, former: str | None, now_ms: Millis) -> Imported:
    """The inventory of a file, or the one before where the file leaves open whether an asset is gone (T16).

    ``former`` is the mark with which retired assets are remembered. ``SettingsFault`` with every error in the file.
    """
    text, parsed = read(path)
    inventory = _inventory(parsed)
    digest = sha256(text.encode()).hexdigest()
    if known is not None and known.sha256 == digest:
        return Imported(_with_former(inventory, {}, former), None)
    before = None if known is None else _before(known)
    if before is None:
        return Imported(_with_former(inventory, {}, former), InventoryBody(now_ms, digest, text))
    refused = unexplained(before, inventory)
    if refused:
        for sentence in refused:
            _log.error("inventory_refused", path=str(path), problem=sentence)
        return Imported(_with_former(before, {}, former), None, refused)
    for difference in differences(before, inventory):
        _log.info("inventory_changed", difference=difference)
    return Imported(_with_former(inventory, before.assets, former), InventoryBody(now_ms, digest, text))


def report(done: Imported, path: Path) -> Part:
    """How the inventory is, for ``/readyz``: whether the gateway works by the file that is there."""
    if not done.refused:
        return Part(ready=True, state=f"works by {path}")
    return Part(
        ready=False,
        state=f"{path} is not taken, the version before is in force: {'; '.join(done.refused)}",
        remedy="write what became of it into the file, and start the gateway again",
    )


def former_of(mark: str | None) -> dict[str, Asset]:
    """The retired assets that a mark remembers; none where there is no mark."""
    return msgspec.json.decode(mark or "{}", type=dict[str, Asset])


def _with_former(inventory: Inventory, before: Mapping[str, Asset], former: str | None) -> Inventory:
    """With everything that there once was: what was remembered, what has just gone, what the file says is retired."""
    once = {**former_of(former), **before, **inventory.former}
    return replace(inventory, former={name: asset for name, asset in once.items() if name not in inventory.assets})


def _before(known: InventoryBody) -> Inventory | None:
    return _parse(known.body, "the journal's inventory").inventory


def _inventory(parsed: Parsed) -> Inventory:
    for fault in parsed.faults:
        if fault.severity is FaultSeverity.WARNING:
            _log.warning("inventory", fault=str(fault))
    if parsed.inventory is None:
        raise SettingsFault(str(fault) for fault in parsed.faults if fault.severity is FaultSeverity.ERROR)
    return parsed.inventory
