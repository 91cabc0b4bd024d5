"""What is written of an episode: messages owed in the catalogue's words, and rows that say why somebody was not told.

Whether and when anything is written is ``escalation``'s.
"""

from dataclasses import dataclass
from typing import Final, TypeAlias

from alerts.alert import Alert
from alerts.answers import Asked
from alerts.conditions.state import Memory
from alerts.model import URGENT, Detail, Event, Kind, Owed
from alerts.notify.facts import Witness
from alerts.notify.schedule import soon
from alerts.notify.texts import CODE, DOUBT, Texts, Wording
from alerts.policy import StepPolicy
from alerts.rules.stopped import BY_FLOW_ALONE
from telemetry.inventory import Inventory
from telemetry.reading import Millis

Log: TypeAlias = list[Event | Owed]
"""What happened, in order; whoever is given one appends to it."""

RESTART: Final = 100
"""A chain that begins anew (T14, a fire that flares up again) numbers its messages from the next hundred."""


def next_chain(alert: Alert) -> int:
    """The first number of a chain that begins anew."""
    return (alert.repeat // RESTART + 1) * RESTART


@dataclass(frozen=True, slots=True)
class Scribe:
    """The writer of one county."""

    inventory: Inventory
    witness: Witness
    texts: Texts

    def step_text(
        self, alert: Alert, step: StepPolicy, memory: Memory | None, at_ms: Millis, deadline_ms: Millis, to: str
    ) -> Wording:
        """What a step says to somebody: of what flared up again that it did, and what others answered to it."""
        name = step.text
        if alert.detail.get("by") == BY_FLOW_ALONE and name == "stopped":
            name = "stopped_flow_alone"
        if alert.again_ms and f"{name}_again" in self.texts:
            name = f"{name}_again"
        if self.texts.hurries(name):
            deadline_ms = soon(self.witness.calendar, at_ms, deadline_ms)
        facts = self.witness.facts(alert, memory, at_ms, deadline_ms)
        return self.texts.word(name, facts | {DOUBT: contradiction(alert, to, self.inventory)})

    def text(self, alert: Alert, name: str, memory: Memory | None, at_ms: Millis, deadline_ms: Millis) -> Wording:
        """A text of the catalogue about an episode."""
        return self.texts.word(name, self.witness.facts(alert, memory, at_ms, deadline_ms))

    def repeated(
        self, asked: Asked, alert: Alert, memory: Memory | None, at_ms: Millis, deadline_ms: Millis, to: str
    ) -> Wording:
        """The words that somebody else got, for who goes instead: as it is now, with what others answered to it."""
        if self.texts.hurries(asked.template):
            deadline_ms = soon(self.witness.calendar, at_ms, deadline_ms)
        said = {name: fact for name, fact in asked.variables.items() if name not in (CODE, DOUBT)}
        now = {name: fact for name, fact in self.witness.facts(alert, memory, at_ms, deadline_ms).items() if fact}
        doubt = {DOUBT: contradiction(alert, to, self.inventory)}
        return self.texts.word(asked.template, {name: now.get(name, said[name]) for name in said} | doubt)

    def owed(self, alert: Alert, step: int, person: str, kind: Kind, said: Wording, at_ms: Millis) -> Owed:
        """One message to one person."""
        return Owed(
            at_ms=at_ms,
            rule=alert.rule,
            asset=alert.asset,
            episode=alert.episode,
            severity=alert.severity,
            kind=kind,
            step=step,
            repeat=_number(alert, kind),
            to=person,
            phone=self.inventory.phone_of[person],
            channel="sms",
            text=said.text,
            template=said.template,
            variables=said.variables,
        )


def contradiction(alert: Alert, to: str, inventory: Inventory) -> str:
    """李大姐说没满: what somebody else answered to it last; empty if nobody says otherwise."""
    others = (each for each in reversed(alert.doubts) if each.person != to and each.person in inventory.people)
    return next((f"{inventory.people[each.person].name}说{each.said}" for each in others), "")


def why(event: str, alert: Alert, at_ms: Millis, reason: str, *, until_ms: Millis = 0, person: str = "") -> Event:
    """A row that says why somebody was not told, or not yet (law L9)."""
    detail: Detail = {"reason": reason, "step": alert.step}
    if until_ms:
        detail["until_ms"] = until_ms
    if person:
        detail["person"] = person
    return record(event, alert, at_ms, detail)


def unsaid(alert: Alert, at_ms: Millis, reason: str, *, person: str = "") -> Event:
    """A row that says why a message will never be: of what is urgent and stands, something else has taken its place."""
    stands = alert.severity in URGENT and not alert.closed_ms
    return why("superseded" if stands else "dropped", alert, at_ms, reason, person=person)


def record(event: str, alert: Alert, at_ms: Millis, detail: Detail) -> Event:
    """A row about an episode."""
    return Event(
        at_ms=at_ms,
        event=event,
        rule=alert.rule,
        asset=alert.asset,
        device=alert.device,
        episode=alert.episode,
        severity=alert.severity,
        detail=detail,
    )


def _number(alert: Alert, kind: Kind) -> int:
    """What tells a message from its like of the same step: repeats count, chains count in hundreds, the end is once."""
    if kind is Kind.CLEARED:
        return 0
    return alert.repeat if kind is Kind.REPEAT else alert.repeat - alert.repeat % RESTART
