"""What a county was told, in plain dictionaries: a model that hears what became durable, and names what is wrong in it.

The model asks the house nothing; only ``account`` looks at how an episode stands there.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from alerts.model import Event, MessageKind, Owed
from gateway.journal.entry import Entry
from telemetry.reading import Millis
from tests.telling_county import DAY, HOUR, MINUTE
from tests.telling_line import TellingLine

ACK_MS: Final = {"P1": 30 * MINUTE, "P2": 4 * HOUR, "P3": 24 * HOUR, "P4": 24 * HOUR}
URGENT: Final = frozenset({"P1", "P2"})
OF_THE_HOUSE: Final = frozenset({"clock_stepped", "number_dead", "house_deaf", "house_stuck"})
"""What the house says of itself asks nobody anything; what an answer to it leads to is not judged here."""
_WHO_AND_WHERE: Final = ("person", "stand_in", "short", "container", "names", "count")
REASONED: Final = frozenset(
    {"held", "dropped", "superseded", "kept", "folded", "inhibited", "notice", "undelivered", "data_ticket"}
)
"""Rows that say why somebody was not told."""


@dataclass
class Model:
    """What the journal has said and what was asked of providers, in plain dictionaries."""

    large: frozenset[str]
    """Plants so large that high water in them is told by night as well."""
    raised: dict[str, Event] = field(default_factory=dict)
    over_ms: dict[str, Millis] = field(default_factory=dict)
    rows: dict[str, list[Event]] = field(default_factory=lambda: defaultdict(list))
    owed: dict[str, Owed] = field(default_factory=dict)
    spoken: dict[str, list[Owed]] = field(default_factory=lambda: defaultdict(list))
    """Every message that speaks of an episode."""
    quiet_until: dict[str, Millis] = field(default_factory=dict)
    wrongs: list[str] = field(default_factory=list)
    """What became durable, or was asked of a provider, and should not have been: each begins with its law."""
    excused: Counter[str] = field(default_factory=Counter)
    """How often a key may be taken beyond once: each time it went another way, because no receipt came."""
    gaveup: set[str] = field(default_factory=set)
    sent_for: set[str] = field(default_factory=set)
    """What somebody had told by hand, at whatever hour."""
    waiting: dict[tuple[str, str], Millis] = field(default_factory=dict)
    """What was said to wait for a person, and until when."""

    def hear(self, entry: Entry) -> None:
        """One transaction that became durable."""
        for event in entry.events:
            self._hear(event)
        for owed in entry.owed:
            known = self.owed.get(owed.key)
            same = known is None or known.text == owed.text or _is_answered_twice(known, owed)
            same = same or owed.rule in OF_THE_HOUSE
            self.hold(same, f"L7: {owed.key} is owed twice: {owed.text} -- {known and known.text}")
            if known is None:
                self.owed[owed.key] = owed
                for episode in {owed.episode, *owed.covers}:
                    self.spoken[episode].append(owed)
                    self.waiting.pop((episode, owed.to), None)
                self._hold_list(owed)
                self._hold_quiet(owed)
        for event in entry.events:
            if event.event == "folded":
                into = self.owed.get(str((event.detail or {})["reason"]))
                named = into is not None and event.episode in into.covers
                self.hold(named, f"L9: {event.episode} is not in the text it was folded into")

    def hold(self, holds: object, law: str) -> bool:
        """Whether it holds; what does not is a wrong, for nothing may be raised in the middle of a commit."""
        if not holds:
            self.wrongs.append(law)
        return bool(holds)

    def _hear(self, event: Event) -> None:
        episode, detail = event.episode, event.detail or {}
        self.rows[episode].append(event)
        whom = (episode, str(detail.get("person", "")))
        if event.event == "held" and "person" in detail:
            until_ms = detail["until_ms"]
            assert isinstance(until_ms, int)
            self.waiting[whom] = until_ms
        elif event.event in {"folded", "dropped", "superseded", "absent"}:  # who stands in hears of it instead
            self.waiting.pop(whom, None)
        match event.event:
            case "raised":
                self.raised[episode] = event
            case "cleared" | "retired":
                self.over_ms[episode] = event.at_ms
            case "acked":
                self.quiet_until[episode] = event.at_ms + ACK_MS[event.severity]
            case "ack_expired":
                until_ms = self.quiet_until.pop(episode, None)
                left = (event.detail or {}).get("reason") == "person_left"  # nobody who is there has seen to it
                kept = until_ms is not None and (left or event.at_ms >= until_ms)
                self.hold(kept, f"T10: the acknowledgement of {episode} held shorter than it may")
            case "dispatched" | "reignited":
                self.quiet_until.pop(episode, None)
                self.sent_for.add(episode)
            case "unreceipted" if detail.get("onward"):
                self.excused[str(detail["key"])] += 1
            case "undelivered" | "data_ticket":
                self.gaveup.add(str(detail["key"]))

    def _hold_list(self, owed: Owed) -> None:
        """A list tells of something: to who empties of what stands, in the afternoon to nobody if nothing is over."""
        if owed.template == "list_emptier" and owed.kind is MessageKind.DIGEST:  # a stand-in is told its words as well
            self.hold(owed.covers, f"{owed.key} tells of nothing")
            gone = [episode for episode in owed.covers if self.over_ms.get(episode, owed.at_ms) < owed.at_ms]
            self.hold(not gone, f"{owed.key} sends somebody to what is over: {gone}")
        elif owed.template == "list_afternoon":
            self.hold(int(owed.variables["over"]) > 0, f"{owed.key} tells that nothing is over")

    def _hold_quiet(self, owed: Owed) -> None:
        """At night nobody is woken but for a P1, high water in the large plant, by hand, or to be answered."""
        about = {owed.episode, *owed.covers}
        spared = owed.severity == "P1" or owed.kind is MessageKind.NOTICE or not self.sent_for.isdisjoint(about)
        spared = spared or any(_is_about(episode, "level_high", self.large) for episode in about)
        in_day = (max(owed.at_ms, owed.not_before_ms) + 8 * HOUR) % DAY
        self.hold(spared or 6 * HOUR <= in_day < 21 * HOUR, f"quiet: {owed.key} at night")

    def reasons(self, episode: str) -> set[str]:
        """Why somebody was not told of it, or not yet, by the rows."""
        rows = [row for row in self.rows[episode] if row.event in REASONED]
        return {str((row.detail or {}).get("reason", row.event)) for row in rows}


def _is_answered_twice(one: Owed, other: Owed) -> bool:
    """Whether both follow from one person's answers about the same: who answers it twice has told others once (L7).

    Between the two a deadline or a level may have moved; whose answer it is, and about what, has not.
    """
    alike = (
        one.kind is other.kind is MessageKind.NOTICE and one.template == other.template and one.covers == other.covers
    )
    return alike and all(one.variables.get(name) == other.variables.get(name) for name in _WHO_AND_WHERE)


def _is_about(episode: str, rule: str, assets: frozenset[str]) -> bool:
    parts = episode.split("/")
    return parts[0] == rule and len(parts) > 1 and parts[1] in assets


def account(model: Model, line: TellingLine, episode: str) -> str:
    """How an episode stands by what providers took and rows say; nothing if nothing accounts for it."""
    about = model.spoken.get(episode, [])
    taken = {each.key for provider in line.providers.values() for each in provider.taken}
    if any(owed.key in taken for owed in about):
        return "told"
    if _states(line, about) & {"owed", "sending"}:
        return "on its way"
    boxes = line.pipeline.county.boxes.values()
    if any(each.episode == episode for box in boxes for each in box.pending if box.due_ms):
        return "mailbox" if model.reasons(episode) else ""
    if any(owed.key in model.gaveup for owed in about):
        return "given up"
    return _standing(model, line, episode)


def _standing(model: Model, line: TellingLine, episode: str) -> str:
    """Why nothing is under way: it is over, or somebody's wish, or something that the rows name."""
    alert = line.pipeline.county.alerts.get(episode)
    reasons = model.reasons(episode)
    if episode in model.over_ms:
        return "over"
    assert alert is not None, f"{episode} is gone without a row"
    seen = {row.event for row in model.rows[episode]}
    accounts = (
        ("acknowledged", alert.acked_ms and "acked" in seen and (alert.ack_until_ms or alert.latched)),
        ("shelved", alert.shelved_until_ms and "shelved" in seen),
        ("explained", alert.parent and "inhibited" in seen and alert.parent not in model.over_ms),
        ("late", not alert.owes and "late" in reasons),
        ("latched", alert.latched and "latched" in seen),
        ("recovering", alert.recovering and reasons & {"recovering"}),
        ("nobody", reasons & {"off_duty", "nobody_holds_role"} and not alert.tell_ms),
        ("due", alert.tell_ms),
    )
    return next((name for name, holds in accounts if holds), "")


def _states(line: TellingLine, about: Iterable[Owed]) -> set[str]:
    query = "SELECT state FROM notification WHERE key = ?"
    found = (line._journal._connection.execute(query, (owed.key,)).fetchone() for owed in about)
    return {row[0] for row in found if row is not None}
