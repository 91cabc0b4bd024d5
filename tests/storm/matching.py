"""Which of our texts a reply of one digit is about, as alerting.md §4 says it: written a second time, by hand.

Plain lists of what each number got and when a provider had taken it. Nothing here asks the house.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from alerts.model import MessageKind, Owed
from telemetry.reading import Millis
from tests.storm.county import DAY, MINUTE

MEANT: Final = {"1": "1", "１。": "1", "清了": "1", "2": "2", "去不了": "2", "3": "3", "没满": "3"}
"""What people write for a bare digit, of what the storm draws."""
_ASKS_NOTHING: Final = frozenset({"not_understood", "sms_test", "heartbeat"})
"""What prints digits, or asks, and is about no case."""
_NO_NEED: Final = "不用回"


class Got(NamedTuple):
    """A text that a provider had taken for a number, by our clock."""

    at_ms: Millis
    owed: Owed

    @property
    def about(self) -> set[str]:
        """The episodes that it speaks of."""
        return {self.owed.episode, *self.owed.covers}

    def prints(self, digit: str) -> bool:
        """Whether it asks for that digit; a closing word asks only about what goes on after it."""
        closes = self.owed.template in _ASKS_NOTHING or (self.owed.kind is MessageKind.CLEARED and not self.owed.covers)
        return not closes and f"回{digit}" in self.owed.text


class Matched(NamedTuple):
    """What an answer may be about, and whether it must be about something."""

    about: set[str]
    certain: bool


@dataclass
class Matching:
    """What each number got."""

    taken: dict[str, str] = field(default_factory=dict)
    """The number of each key that was taken."""
    told_ms: dict[str, Millis] = field(default_factory=dict)
    """When a text about each episode was taken first."""
    _got: defaultdict[str, list[Got]] = field(default_factory=lambda: defaultdict(list))

    def take(self, owed: Owed, phone: str, at_ms: Millis) -> None:
        """A provider has taken a text; what is taken again was there from the first time on."""
        if owed.key not in self.taken:
            self.taken[owed.key] = phone
            got = Got(at_ms, owed)
            self._got[phone].append(got)
            for episode in got.about:
                self.told_ms.setdefault(episode, at_ms)

    def match(self, phone: str, digit: str, written_ms: Millis) -> Matched:
        """The newest text of a day that prints the digit; for a 1 that none prints, one that asks anything."""
        recent = [each for each in self._got[phone] if written_ms - DAY < each.at_ms <= written_ms + MINUTE]
        printing = [each for each in recent if each.prints(digit)]
        if printing:
            newest_ms = max(each.at_ms for each in printing)
            return Matched(set().union(*(each.about for each in printing if each.at_ms == newest_ms)), certain=True)
        if digit != "1":
            return Matched(set(), certain=False)
        asking = [each for each in recent if _NO_NEED not in each.owed.text and any(map(each.prints, "0123"))]
        return Matched(set().union(*(each.about for each in asking)), certain=False)
