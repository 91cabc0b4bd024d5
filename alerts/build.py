"""Builds a county and its ledger from inventory, rules, policies and texts; turns their states into bytes and back.

Wiring and encoding only: what a state means is elsewhere, and where the bytes are kept is the journal's.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from msgspec import Struct

from alerts import policy
from alerts.answers import Callers
from alerts.calendars import Calendar
from alerts.conditions import rule_set
from alerts.conditions.thresholds import Thresholds, Tuned
from alerts.episodes.county import County
from alerts.episodes.decide import Decider, Flapping, Outages
from alerts.episodes.responses import Responses
from alerts.ledger.book import Ledger
from alerts.model import Severity
from alerts.notify import escalation, holds, texts
from alerts.notify.digest import Digest
from alerts.notify.holds import Trials
from alerts.notify.lists import Lists
from alerts.notify.message_writer import MessageWriter, Witness
from alerts.notify.pending import MailboxRules, Pending
from alerts.notify.replies import HOUSE_TEXTS
from alerts.notify.schedule import Roster, Schedule
from alerts.operations.absences import Absences
from alerts.operations.extra_rounds import ExtraRounds
from alerts.rules import rules
from alerts.rules.gateway_offline import GatewayOffline
from alerts.rules.over_two_thirds import drawn_pct, lines_pct
from alerts.undo import UndoDict, UndoLog
from telemetry.inventory import Inventory


class PolicyFiles(Struct, frozen=True):
    """The three configuration files as text, each with the name that an error shall show."""

    rules: str
    escalation: str
    texts: str
    rules_name: str = "rules.yaml"
    escalation_name: str = "escalation.yaml"
    texts_name: str = "texts.zh-CN.yaml"


KINDS: Final = rules()
"""Every rule there is: known once the process has begun, so that none is loaded while an alert is decided."""


class Assembled(NamedTuple):
    """A county without memory, its ledger without cases, and the rules that count."""

    county: County
    ledger: Ledger
    lists: Lists
    thresholds: Thresholds
    trials: Trials
    absences: Absences
    extras: ExtraRounds
    callers: Callers
    undo: UndoLog
    """What takes back all that one input has changed in these."""


def assemble(inventory: Inventory, policy_files: PolicyFiles) -> tuple[County, str]:
    """The county alone, and the version of its rules. Raises ``PolicyFault`` for a file that cannot be used."""
    made = assemble_whole(inventory, policy_files)
    return made.county, made.thresholds.rules.version


def assemble_whole(inventory: Inventory, policy_files: PolicyFiles, tuned: Iterable[Tuned] = ()) -> Assembled:
    """The county under what was ``tuned``, and the ledger. Raises ``PolicyFault`` for a file that cannot be used."""
    rules = rule_set.load(policy_files.rules, policy_files.rules_name, inventory, KINDS)
    policies = policy.load(policy_files.escalation, policy_files.escalation_name)
    catalogue = texts.load(policy_files.texts, policy_files.texts_name, inventory.county.signature)
    _check_words(policies, catalogue, policy_files)
    undo = UndoLog()
    extras = ExtraRounds(inventory, undo)
    calendar = Calendar.of(inventory.county, extras.slots)
    thresholds = Thresholds(rules, inventory, calendar, undo)
    thresholds.restore(tuned)
    plans = UndoDict(undo, {asset.id: thresholds.plan(asset) for asset in inventory.assets.values()})
    on_trial = Trials(inventory, policies.trial, undo)
    absences = Absences(inventory, undo)
    waiting = holds.Holds(inventory, policies, calendar, on_trial, absences)
    message_writer = MessageWriter(
        inventory, Witness(inventory, calendar, drawn_pct(plans), policies.telling.storm_window), catalogue
    )
    schedule = Schedule(waiting)
    telling = escalation.Escalation(inventory, waiting, schedule, message_writer, Roster(waiting))
    gateway_rule = rules.common["gateway_offline"]
    if not isinstance(gateway_rule, GatewayOffline):
        raise TypeError("the rule gateway_offline is not what it says")
    pending = Pending(
        inventory,
        MailboxRules(waiting),
        Digest(inventory, calendar, schedule, catalogue, drawn_pct(plans)),
        absences,
    )
    outages = Outages(inventory, policies.telling)
    decider = Decider(inventory, telling, Responses(inventory, telling), Flapping(telling), gateway_rule, outages)
    county = County(inventory, plans, decider, pending, undo)
    ledger = Ledger(inventory, policies, calendar, catalogue, county.hears, undo)
    lists = Lists(inventory, waiting, catalogue, lines_pct(county.plans))
    return Assembled(county, ledger, lists, thresholds, on_trial, absences, extras, Callers(undo), undo)


def _check_words(policies: policy.Policies, catalogue: texts.Texts, policy_files: PolicyFiles) -> None:
    """Every text that a policy or the house itself names is in the catalogue."""
    for name in HOUSE_TEXTS:
        if name not in catalogue:
            remedy = "copy it from the texts.zh-CN.yaml that comes with the program"
            raise policy.PolicyFault(
                f"{policy_files.texts_name}: {name} is missing, which answers by SMS need; {remedy}"
            )
    for rule, said in policies.rules.items():
        names = [step.text for step in (*said.steps, *said.rounds)]
        names += [said.cleared_text, said.receded_text, said.below_text] if said.cleared_text else []
        names += [said.refuted_text] if said.refuted_text else []
        for name in names:
            if name not in catalogue:
                where = f"{policy_files.escalation_name}: rules.{rule}"
                raise policy.PolicyFault(f"{where}: text {name!r} is not in {policy_files.texts_name}; add it there")
        # What wakes people is never one of several.
        alone = rule in KINDS and KINDS[rule].model_fields["severity"].default is Severity.P1
        if said.cleared_text and not alone and not catalogue.knows_end(rule, said.cleared_text):
            raise policy.PolicyFault(
                f"{policy_files.texts_name}: words: over_{rule} is missing, by which a text about several says that"
                f" it is over; add it there, as over_level_high"
            )
