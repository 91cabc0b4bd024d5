"""A day of the telling county on its real line: what is measured, who answers, what was said, and what a provider took.

A test says what comes and when; nothing is judged here.
"""

import json
from pathlib import Path

from alerts.ledger.case import Case, Deed, unpack_case
from alerts.model import Event, Owed
from gateway.journal.entry import Entry
from telemetry.inventory import Inventory
from telemetry.reading import Millis
from telemetry.wire import Uplink
from tests.telling_county import COUNTY, MINUTE, POLICY_FILES, START_MS
from tests.telling_line import Hand, TellingLine

MORNING = START_MS  # 07:30, a Monday


class Day:
    """A line with all that it said and all that a provider took."""

    def __init__(self, path: Path) -> None:
        self.said: list[Event | Owed] = []
        self.cases = dict[str, Case]()
        self.deeds = list[Deed]()
        self.hand = Hand(MORNING)
        self.line = TellingLine(path, COUNTY, POLICY_FILES, self.hand, self._hear, lambda _message: None)
        self._seq = 0
        self._full: dict[str, None] = {}
        self.mood("promises nothing")

    def mood(self, mood: str) -> None:
        for provider in self.line.providers.values():
            provider.mood = mood

    def _hear(self, entry: Entry) -> None:
        self.said += [*entry.events, *entry.owed]
        self.cases |= {name: unpack_case(row.blob) for name, row in entry.cases.items()}
        self.deeds += entry.deeds

    def sample(self, device: str, **values: float) -> None:
        self._seq += 1
        body = {"v": 1, "boot": 1, "seq": self._seq, "ts": self.hand.at_ms, "readings": values}
        topic = f"cunjing/v1/xia/{device}/telemetry"
        self.line.bring([Uplink(self.hand.at_ms, topic, json.dumps(body).encode())])

    def overflow(self, device: str = "s-pool") -> None:
        """Two full samples, and a text to its cleaner."""
        self._full[device] = None
        for _ in range(2):
            self.line.live(self.hand.at_ms + 2 * MINUTE)
            self.sample(device, distance_mm=230.0)

    def pass_until(self, at_ms: Millis) -> None:
        """Time passes, with the same samples all the while."""
        while self.hand.at_ms < at_ms:
            self.line.live(min(at_ms, self.hand.at_ms + 20 * MINUTE))
            for device in self._full:
                self.sample(device, distance_mm=230.0)

    def taken(self, phone: str) -> list[str]:
        """The kinds of what a number got, by the provider's account."""
        return [
            each.key.split("|")[1] if "|" in each.key else each.key
            for provider in self.line.providers.values()
            for each in provider.taken
            if each.phone == phone
        ]

    def texts(self, person: str, rule: str = "overflow") -> list[str]:
        """The kinds of what a person was owed about a rule."""
        return [
            str(each.kind) for each in self.said if isinstance(each, Owed) and (each.to, each.rule) == (person, rule)
        ]

    def rows(self, event: str) -> list[Event]:
        return [each for each in self.said if isinstance(each, Event) and each.event == event]

    def restart(self, inventory: Inventory = COUNTY, away_ms: Millis = MINUTE) -> None:
        self.line.install(inventory)
        self.line.end(away_ms)
