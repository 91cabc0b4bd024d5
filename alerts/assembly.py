"""Builds a county and its ledger from inventory, rules, policies and texts; turns their states into bytes and back.

Wiring and encoding only: what a state means is elsewhere, and where the bytes are kept is the journal's.
"""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from alerts import escalation, holds, policy, ruleset, texts
from alerts.absences import Absences
from alerts.alert import Alert
from alerts.annunciator import Annunciator
from alerts.bins import BinMemory
from alerts.calendars import Calendar
from alerts.county import County
from alerts.devices import DeviceMemory
from alerts.digest import Digest
from alerts.exposure import drawn_pct, lines_pct
from alerts.extras import ExtraRounds
from alerts.facts import Witness
from alerts.flapping import Flapping
from alerts.ledger.book import Ledger
from alerts.ledger.case import Case
from alerts.lifecycle import IDLE, Machine
from alerts.lists import Lists
from alerts.mailbox import Mailbox, Post
from alerts.office import Office
from alerts.outages import Outages
from alerts.plan import AssetState, Plan, Slot
from alerts.plants import PlantMemory
from alerts.replies import HOUSE_TEXTS
from alerts.responses import Responses
from alerts.roster import Roster
from alerts.rules.gateway_offline import GatewayOffline
from alerts.schedule import Schedule
from alerts.scribe import Scribe
from alerts.trials import Trials
from alerts.tuning import Tuned, Tuning
from alerts.undo import UndoDict, UndoLog
from alerts.windows import Window
from telemetry.inventory import Inventory
from telemetry.reading import Millis


class Figures(Struct, frozen=True):
    """The three configuration files as text, each with the name that an error shall show."""

    rules: str
    escalation: str
    texts: str
    rules_name: str = "rules.yaml"
    escalation_name: str = "escalation.yaml"
    texts_name: str = "texts.zh-CN.yaml"


class _Kept(Struct, frozen=True, array_like=True):
    """An asset's state with names instead of places, so that another rule set can read it."""

    memory: msgspec.Raw
    devices: dict[str, DeviceMemory]
    machines: dict[str, Machine]
    run: str = ""
    windows: tuple[Window, ...] = ()


_ENCODE: Final = msgspec.msgpack.Encoder().encode
_KEPT: Final = msgspec.msgpack.Decoder(_Kept)
_BIN: Final = msgspec.msgpack.Decoder(BinMemory)
_PLANT: Final = msgspec.msgpack.Decoder(PlantMemory)
_ALERT: Final = msgspec.msgpack.Decoder(Alert)
_BOX: Final = msgspec.msgpack.Decoder(Mailbox)
_CASE: Final = msgspec.msgpack.Decoder(Case)


class Assembled(NamedTuple):
    """A county without memory, its ledger without cases, and the rules that count."""

    county: County
    ledger: Ledger
    lists: Lists
    tuning: Tuning
    trials: Trials
    absences: Absences
    extras: ExtraRounds
    undo: UndoLog
    """What takes back all that one input has changed in these."""


def assemble(inventory: Inventory, figures: Figures) -> tuple[County, str]:
    """The county alone, and the version of its rules. Raises ``PolicyFault`` for a file that cannot be used."""
    made = assemble_whole(inventory, figures)
    return made.county, made.tuning.rules.version


def assemble_whole(inventory: Inventory, figures: Figures, tuned: Iterable[Tuned] = ()) -> Assembled:
    """The county under what was ``tuned``, and the ledger. Raises ``PolicyFault`` for a file that cannot be used."""
    rules = ruleset.load(figures.rules, figures.rules_name, inventory)
    policies = policy.load(figures.escalation, figures.escalation_name)
    catalogue = texts.load(figures.texts, figures.texts_name, inventory.county.signature)
    _check_words(policies, catalogue, figures)
    undo = UndoLog()
    extras = ExtraRounds(inventory, undo)
    calendar = Calendar.of(inventory.county, extras.slots)
    tuning = Tuning(rules, inventory, calendar, undo)
    tuning.restore(tuned)
    plans: dict[str, Plan] = UndoDict(undo, {asset.id: tuning.plan(asset) for asset in inventory.assets.values()})
    on_trial = Trials(inventory, policies.trial, undo)
    waiting = holds.Holds(inventory, policies, calendar, on_trial)
    scribe = Scribe(inventory, Witness(inventory, calendar, drawn_pct(plans), policies.telling.storm_window), catalogue)
    absences = Absences(inventory, undo)
    roster = Roster(inventory, calendar, absences)
    telling = escalation.Escalation(inventory, waiting, Schedule(inventory, waiting), scribe, roster)
    gateway_rule = rules.common["gateway_offline"]
    if not isinstance(gateway_rule, GatewayOffline):
        raise TypeError("the rule gateway_offline is not what it says")
    annunciator = Annunciator(
        inventory,
        Post(policies, calendar),
        Digest(inventory, calendar, Schedule(inventory, waiting), catalogue, drawn_pct(plans)),
        absences,
    )
    outages = Outages(inventory, policies.telling)
    office = Office(inventory, telling, Responses(inventory, telling), Flapping(telling), gateway_rule, outages)
    county = County(inventory, plans, office, annunciator, undo)
    ledger = Ledger(inventory, policies, calendar, catalogue, county.hears, undo)
    lists = Lists(inventory, waiting, catalogue, lines_pct(county.plans))
    return Assembled(county, ledger, lists, tuning, on_trial, absences, extras, undo)


def pack(plan: Plan, state: AssetState) -> bytes:
    """An asset's state as bytes; machines at rest are left out."""
    devices = {device.id: memory for device, memory in zip(plan.devices, state.devices, strict=True)}
    machines = {
        _name(plan, slot): machine
        for slot, machine in zip(plan.slots, state.machines, strict=True)
        if machine is not IDLE and machine != IDLE
    }
    return _ENCODE(_Kept(msgspec.Raw(_ENCODE(state.memory)), devices, machines, state.run, state.windows))


def unpack(plan: Plan, kept: bytes | None, known_ms: Mapping[str, Millis]) -> AssetState:
    """A state from bytes under the present plan; what the bytes do not name starts anew."""
    born = plan.born(known_ms)
    if kept is None:
        return born
    found = _KEPT.decode(kept)
    memory = _BIN.decode(found.memory) if isinstance(born.memory, BinMemory) else _PLANT.decode(found.memory)
    devices = tuple(
        found.devices.get(device.id, fresh) for device, fresh in zip(plan.devices, born.devices, strict=True)
    )
    last = len(devices) - 1
    machines = tuple(_seated(found.machines.get(_name(plan, slot), IDLE), last) for slot in plan.slots)
    return AssetState(memory, devices, machines, found.run, found.windows)


def _seated(machine: Machine, last: int) -> Machine:
    """A machine under a plan with so many devices; without any, nothing can move it and it rests."""
    if last < 0:
        return IDLE
    return machine if machine.feeder <= last else replace(machine, feeder=last)


def pack_alert(alert: Alert) -> bytes:
    """An episode as bytes."""
    return _ENCODE(alert)


def pack_box(box: Mailbox) -> bytes:
    """A number's mailbox as bytes."""
    return _ENCODE(box)


def unpack_box(kept: bytes) -> Mailbox:
    """A number's mailbox from bytes."""
    return _BOX.decode(kept)


def unpack_alert(kept: bytes) -> Alert:
    """An episode from bytes."""
    return _ALERT.decode(kept)


def pack_case(case: Case) -> bytes:
    """A case as bytes."""
    return _ENCODE(case)


def unpack_case(kept: bytes) -> Case:
    """A case from bytes."""
    return _CASE.decode(kept)


def _name(plan: Plan, slot: Slot) -> str:
    return slot.rule.kind if slot.device < 0 else f"{slot.rule.kind}@{plan.devices[slot.device].id}"


def _check_words(policies: policy.Policies, catalogue: texts.Texts, figures: Figures) -> None:
    """Every text that a policy or the house itself names is in the catalogue."""
    for name in HOUSE_TEXTS:
        if name not in catalogue:
            remedy = "copy it from the texts.zh-CN.yaml that comes with the program"
            raise policy.PolicyFault(f"{figures.texts_name}: {name} is missing, which answers by SMS need; {remedy}")
    for rule, said in policies.rules.items():
        names = [step.text for step in (*said.steps, *said.rounds)]
        names += [said.cleared_text, said.receded_text, said.below_text] if said.cleared_text else []
        for name in names:
            if name not in catalogue:
                where, missing = f"{figures.escalation_name}: rules.{rule}", f"{name!r} is not in {figures.texts_name}"
                raise policy.PolicyFault(f"{where}: text {missing}; add it there")
