"""The simple model that the storm is held against: what was acknowledged, what is durable, which texts may exist.

Own code in plain sets and dictionaries, a law a method. It hears entries, providers and the broker; it asks nobody.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeAlias

from alerts.channels import Accepted
from alerts.ledger.case import Case, State
from alerts.model import Event, MessageKind, Owed
from gateway.journal.entry import Answered, AttemptEnded, Entry
from telemetry.inventory import Inventory
from telemetry.reading import Millis
from telemetry.terms import Role
from telemetry.wire import Uplink
from tests.bounds import local
from tests.storm.county import DAY, HOUR, MINUTE, TICK
from tests.storm.matching import MEANT, Matching
from tests.telling_line import Taken
from tests.telling_model import REASONED, URGENT, Model

Key: TypeAlias = tuple[str, int, int]
"""Device, boot and seq of a sample."""
Said: TypeAlias = tuple[str, bytes]
"""Topic and bytes: two plants may say the same."""

BUDGET: Final = ((15 * MINUTE, 5), (HOUR, 11), (DAY, 30))
CAP: Final = 4
OVER_A_DAY: Final = 3
CHAIN: Final = frozenset({MessageKind.FIRST, MessageKind.REPEAT, MessageKind.ESCALATION, MessageKind.FRESH})
SILENT_MS: Final = 2 * HOUR
"""What was not heard for so long is stale, and clears nothing."""
OF_SENSORS: Final = frozenset(
    {"overflow", "over_two_thirds", "hot_ash", "fire", "stopped", "level_high", "no_power", "not_restarted", "dry_run"}
) | {"meter_fault", "low_flow"}
FINISHED: Final = frozenset({"late", "cleared", "weekly_list"})
"""Reasons of what is dropped although it was urgent: it was news of the past, or is over."""


class Listed(NamedTuple):
    """A list that has to be made at a time of day: its hour and minute, who gets it, and on which days."""

    hour: int
    minute: int
    role: Role
    is_weekly: bool = False


LISTS: Final = (
    Listed(7, 0, Role.DISPATCHER),
    Listed(17, 30, Role.DISPATCHER),
    Listed(8, 0, Role.VILLAGE_HEAD, is_weekly=True),
)
LISTS_AT_ONCE: Final = 3
LIST_MS: Final = 40 * MINUTE
"""So soon after its time a list is made, or will not be."""


class Ended(NamedTuple):
    """An episode of what nothing watches any more."""

    at_ms: Millis
    told: frozenset[str]
    """Who had been told of it."""
    lately: frozenset[str]
    """Who of them within a day."""


@dataclass
class Storming(Model):
    """What one county went through."""

    inventory: Inventory = field(kw_only=True)
    sent: dict[Said, tuple[Key, ...]] = field(default_factory=dict)
    """What devices sent, by its bytes; what is no measurement has no samples."""
    stored: set[Key] = field(default_factory=set)
    refused: set[Said] = field(default_factory=set)
    junk: set[str] = field(default_factory=set)
    """Topics under which something was refused."""
    heard_ms: dict[str, Millis] = field(default_factory=dict)
    """When each asset was last measured."""
    deaf_ms: Millis = 0
    """When a deafness, a downtime or a crash was last over."""
    lost_ms: Millis = 0
    """How long nobody listened, in all."""
    listed: dict[tuple[str, str], Millis] = field(default_factory=dict)
    """When a row last spoke of a list of somebody's, by person and day."""
    left: dict[str, list[Millis]] = field(default_factory=lambda: defaultdict(list))
    """When texts left for each number, but for P1 and answers."""
    over: Counter[tuple[str, str]] = field(default_factory=Counter)
    told: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """How often so, by number, day and asset."""
    untaken: set[str] = field(default_factory=set)
    """The keys of what no provider took."""
    refused_ms: dict[str, Millis] = field(default_factory=dict)
    """When a text about each episode was refused last by all."""
    emptied_ms: dict[str, Millis] = field(default_factory=dict)
    at_once: Counter[str] = field(default_factory=Counter)
    matching: Matching = field(default_factory=Matching)
    taken: Callable[[str], Taken] = field(kw_only=True)
    """What a provider took, by its reference."""
    called: dict[str, str] = field(default_factory=dict)
    """What is called otherwise now, by the name that it had."""
    ending: set[str] = field(default_factory=set)
    """Episodes of what is watched no more: they are to end with the next start."""
    ended: dict[str, Ended] = field(default_factory=dict)
    """Those that have."""
    texts: int = 0
    _looked_ms: Millis = 0

    # --- L1, L2: what is acknowledged is somewhere, and once

    def send(self, uplink: Uplink, keys: Iterable[Key]) -> None:
        """A device sends something."""
        self.sent[uplink.topic, uplink.payload] = tuple(keys)

    def acknowledge(self, uplinks: Sequence[Uplink]) -> None:
        """The broker brings them no more: all of it is durable."""
        for uplink in uplinks:
            said = (uplink.topic, uplink.payload)
            if said in self.refused:
                continue
            keys = self.sent.get(said)
            if keys == () and uplink.topic in self.junk:  # what is above the share of the hour is only counted
                continue
            missing = [key for key in keys or () if key not in self.stored]
            self.hold(keys and not missing, f"L1: acknowledged and nowhere: {missing or uplink.payload[:80]!r}")

    def hear(self, entry: Entry) -> None:
        """See ``Model.hear``."""
        for reading in entry.readings:
            key = (reading.device, reading.boot, reading.seq)
            self.hold(key not in self.stored, f"L2: {key} is stored twice")
            self.stored.add(key)
            self.heard_ms[reading.asset] = max(self.heard_ms.get(reading.asset, 0), reading.received_ms)
        for aside in entry.quarantined:
            self.hold(aside.reason != "bug", f"L2: our own mistake: {aside.detail}")
            self.refused.add((aside.topic, aside.payload))
            self.junk.add(aside.topic)
        for owed in entry.owed:
            if owed.key not in self.owed:
                self._hold_budget(owed)
                self._see_list(owed.rule, owed.to, owed.at_ms)
                self._hold_ended(owed)
        for event in entry.events:
            if event.rule == "list":
                self._hold_seen_days(event)
                self._see_list("list", str((event.detail or {}).get("person", "")), event.at_ms)
        self.texts += len(entry.owed)
        super().hear(entry)
        for owed in entry.owed:
            self._hold_words(owed)
        self._hear_of_texts(entry)

    def _hear_of_texts(self, entry: Entry) -> None:
        """What providers took, and what was answered to it."""
        for ended in entry.attempts:
            if isinstance(ended, AttemptEnded) and isinstance(ended.outcome, Accepted):
                taken = self.taken(ended.outcome.reference)
                self.matching.take(self.owed[taken.key], taken.phone, ended.at_ms)
        for answer in entry.answers:
            self._hold_answer(answer)

    def _hear(self, event: Event) -> None:
        if event.event == "dropped":
            self._hold_kept(event)
        elif event.event == "cleared":
            self._hold_clearing(event)
        elif event.event == "emptied":
            self.emptied_ms[event.asset] = event.at_ms
        elif event.event == "retired":
            self._end(event)
        elif event.event == "undelivered":
            self._forget(event)
        super()._hear(event)

    # --- L5: silence clears nothing

    def _hold_clearing(self, event: Event) -> None:
        if event.rule not in OF_SENSORS or (event.detail or {}).get("reason") == "reset":
            return
        silent_ms = event.at_ms - self.heard_ms.get(event.asset, 0) - self.lost_ms
        self.hold(silent_ms <= SILENT_MS, f"L5: {event.episode} cleared after {silent_ms // MINUTE} min of silence")

    # --- L9: of what is urgent and stands, nothing is dropped

    def _hold_kept(self, event: Event) -> None:
        urgent = event.severity in URGENT and event.episode in self.raised and event.episode not in self.over_ms
        reason = (event.detail or {}).get("reason")
        self.hold(
            not urgent or reason in FINISHED, f"L9: {event.episode} stands, and a word of it is dropped: {reason}"
        )

    # --- T2: a digit is matched to the text that asked

    def _hold_answer(self, answer: Answered) -> None:
        said = answer.reply
        digit = MEANT.get(said.text)
        if digit is None:
            return
        matched = self.matching.match(said.phone, digit, said.at_ms)
        right = answer.episode in matched.about if answer.episode or matched.certain else True
        self.hold(right, f"T2: {said.text} of {said.phone} is taken for {answer.episode or 'nothing'}: {matched}")

    # --- T4: what nothing watches any more ends, and who was told of it hears so

    def install(self, inventory: Inventory) -> None:
        """The next process begins with this inventory."""
        before, self.inventory = self.inventory, inventory
        for asset in inventory.assets.values():
            former = asset.renamed_from
            if former is not None and former in before.assets:
                self.called[former] = asset.id
                for known in (self.heard_ms, self.emptied_ms):
                    known[asset.id] = known.get(former, 0)
        watched = {self.name_now(device.asset) for device in before.devices.values()}
        gone = watched - {device.asset for device in inventory.devices.values()}
        standing = (event for episode, event in self.raised.items() if episode not in self.over_ms)
        self.ending |= {event.episode for event in standing if self.name_now(event.asset) in gone}

    def name_now(self, asset: str) -> str:
        """What it is called by the newest inventory."""
        return self.called.get(asset, asset)

    def _end(self, event: Event) -> None:
        spoken = self.spoken[event.episode]
        words = (owed for owed in spoken if owed.kind in CHAIN and owed.key not in self.untaken)
        lately = {owed.to for owed in words if owed.at_ms > event.at_ms - DAY}
        self.ended[event.episode] = Ended(event.at_ms, frozenset(owed.to for owed in spoken), frozenset(lately))

    def _hold_ended(self, owed: Owed) -> None:
        """Nobody new is told of it, and of the others nobody as if it stood."""
        for episode in {owed.episode, *owed.covers} & self.ended.keys():
            self.hold(owed.kind not in CHAIN, f"T4: {owed.key} tells of {episode}, which is watched no more")
            told = self.ended[episode].told
            instead = {self.inventory.people[each].stand_in for each in told if each in self.inventory.people}
            self.hold(owed.to in told | instead, f"T4: {owed.key} tells somebody new of {episode}")

    def expect_ends(self, cases: Iterable[Case]) -> None:
        """With the start all of them are over, and what the ledger has of them is closed."""
        standing = self.ending - self.over_ms.keys()
        self.hold(not standing, f"T4: nothing watches it any more, and it stands: {sorted(standing)[:3]}")
        self.ending.clear()
        of_them = [case.id for case in cases if case.episode in self.ended and case.state is not State.CLOSED]
        self.hold(not of_them, f"T4: it is watched no more, and its case stands: {of_them[:3]}")

    def expect_words(self) -> None:
        """Whoever was told of it within a day has one line that it is over for them, or a row says why not."""
        for episode, ended in self.ended.items():
            for person in ended.lately & self.inventory.people.keys():
                words = [owed for owed in self.spoken[episode] if owed.at_ms >= ended.at_ms and owed.to == person]
                rows = [row for row in self.rows[episode] if row.at_ms >= ended.at_ms]
                whys = (row for row in rows if row.event in REASONED | {"absent"})  # who stands in hears of it instead
                why = [row for row in whys if (row.detail or {}).get("person") == person]
                self.hold(words or why, f"T4: {person} is not told that {episode} is over: {ended}")

    # --- L10: budgets

    def _hold_budget(self, owed: Owed) -> None:
        """Before each text fewer than so many had left, but for the first word on a day of any P2 of an asset."""
        if owed.severity == "P1" or owed.kind is MessageKind.NOTICE:
            return
        at_ms, left, day = owed.at_ms, self.left[owed.phone], day_of(owed.at_ms)
        # to stand in a list, or to be over, is not to be told of yet
        about = _assets_of(owed) if owed.kind in CHAIN else set()
        fresh = owed.severity == "P2" and any(not self.told[owed.phone, day, asset] for asset in about)
        for span, most in BUDGET:
            lately = sum(at_ms - span < at < at_ms for at in left)
            self.hold(lately < most or fresh, f"L10: {owed.key} is one more than {most} in {span // MINUTE} min")
        if owed.phone in self._capped:
            today = sum(day_of(at) == day for at in left if at < at_ms)
            self.hold(today < CAP or fresh, f"L10: {owed.key} is one more than {CAP} on one day")
        left.append(at_ms)
        if owed.severity == "P2":  # two thirds told at noon are no word of what runs over at six (L9, the bounds of §4)
            self.told.update((owed.phone, day, asset) for asset in about)

    def _forget(self, refused: Event) -> None:
        """What no provider took fills nobody's budget, and told nobody anything."""
        owed = self.owed[str((refused.detail or {})["key"])]
        self.untaken.add(owed.key)
        self.refused_ms.update(dict.fromkeys((owed.episode, *owed.covers), refused.at_ms))
        if owed.at_ms in self.left[owed.phone] and not owed.call:
            self.left[owed.phone].remove(owed.at_ms)
        if owed.severity == "P2" and owed.kind in CHAIN:
            self.told.subtract((owed.phone, day_of(owed.at_ms), asset) for asset in _assets_of(owed))

    @property
    def _capped(self) -> set[str]:
        carries = {Role.CLEANER, Role.COLLECTOR}
        return {
            phone
            for phone, people in self.inventory.people_at.items()
            if all(duty.role in carries for person in people for duty in person.duties)
        }

    # --- what a text says is so

    def _hold_words(self, owed: Owed) -> None:
        """That somebody emptied it is said only after an emptying that was seen."""
        if "已有人清了" in owed.text and owed.episode in self.raised:
            raised = self.raised[owed.episode]
            seen = self.emptied_ms.get(owed.asset, 0) >= raised.at_ms
            self.hold(seen, f"T6: {owed.key} says that somebody emptied it, which nobody saw")

    # --- L13: lists, each once, and none of a day that nobody saw

    def _hold_seen_days(self, event: Event) -> None:
        """At one instant nobody is told more lists than are due within an hour."""
        detail = event.detail or {}
        whom = f"{detail.get('to') or detail.get('person')} {event.event} {event.at_ms}"
        self.at_once[whom] += 1
        self.hold(self.at_once[whom] <= LISTS_AT_ONCE, f"L13: lists of days that nobody saw: {whom}")

    def _see_list(self, rule: str, person: str, at_ms: Millis) -> None:
        if rule == "list":
            self.listed[person, day_of(at_ms)] = at_ms

    def deafen(self, now_ms: Millis, lost_ms: Millis) -> None:
        """Nobody listened until now, for so long."""
        self.deaf_ms = now_ms
        self.lost_ms += lost_ms

    def expect_lists(self, now_ms: Millis) -> None:
        """Each list that was to be made has been, where somebody listened all the time around it."""
        since_ms, self._looked_ms = self._looked_ms, now_ms - LIST_MS
        for listed in LISTS:
            midnight = now_ms - (now_ms + 8 * HOUR) % DAY
            due_ms = midnight + listed.hour * HOUR + listed.minute * MINUTE
            is_due = since_ms < due_ms <= self._looked_ms and self.deaf_ms < due_ms - LIST_MS
            if not is_due or (listed.is_weekly and local(due_ms).weekday() != 0):
                continue
            for person in self.inventory.people.values():
                duties = [duty for duty in person.duties if duty.role is listed.role]
                if duties and (not listed.is_weekly or any(self._had_crossing(duty.area, midnight) for duty in duties)):
                    made_ms = self.listed.get((person.id, day_of(due_ms)), 0)
                    self.hold(made_ms >= due_ms, f"lists: {person.id} was not told at {listed.hour}:{listed.minute:02}")

    def _had_crossing(self, area: str | None, midnight: Millis) -> bool:
        """Whether a bin of a village was over two thirds for a while in the week before."""
        for episode, event in self.raised.items():
            asset = self.inventory.assets.get(event.asset)
            if event.rule != "over_two_thirds" or asset is None or asset.area != area:
                continue
            over_ms = self.over_ms.get(episode, midnight)
            if event.at_ms < midnight - TICK and over_ms - max(event.at_ms, midnight - 7 * DAY) > TICK:
                return True
        return False


def _assets_of(owed: Owed) -> set[str]:
    """What a text speaks of."""
    return {each.split("/")[1] for each in owed.covers or (owed.episode,) if "/" in each}


def day_of(at_ms: Millis) -> str:
    """The local day."""
    return local(at_ms).date().isoformat()
