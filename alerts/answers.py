"""What comes back by telephone: receipts, replies, and what a person means by one digit and of which of our texts.

Receipts and replies are values, cut to a size and freed of what no text has where they enter (law L11). Nothing is done
here: what an answer leads to is ``notify.replies``, what a receipt or its absence leads to ``delivery``. Whatever
cannot be told for certain is not understood; nobody is taken at a word that they did not say. Who answered 0 waits here
to be called back, and that somebody has called them is for whoever knows to say.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from alerts.model import MessageKind
from alerts.undo import Undoable, UndoDict, UndoLog
from telemetry.phone import dialled
from telemetry.reading import Millis

LONGEST: Final = 1_000
"""Characters of a reply that are kept; a feature phone sends fewer."""
_LONGEST_NAME: Final = 128


class Receipt(Struct, frozen=True):
    """What became of a text that ``channel`` had taken under ``reference``. A call that was answered is delivered."""

    channel: str
    reference: str
    delivered: bool
    at_ms: Millis
    reason: str = ""
    """Why it did not arrive, in the provider's own word."""


class Reply(Struct, frozen=True):
    """A text that somebody sent to us; ``number`` is the provider's own for it, so that it counts once.

    ``phone`` is the sender's, as it is dialled in the county; empty where a word stood in its place.
    """

    channel: str
    number: str
    phone: str
    text: str
    at_ms: Millis


def receipt(channel: str, reference: str, *, delivered: bool, at_ms: Millis, reason: str = "") -> Receipt:
    """A receipt as it may be kept, whatever the provider sent."""
    why = "" if delivered else clean(reason, _LONGEST_NAME) or "not_delivered"
    return Receipt(channel, clean(reference, _LONGEST_NAME), delivered, at_ms, why)


def reply(channel: str, number: str, phone: str, text: str, at_ms: Millis) -> Reply:
    """A reply as it may be kept, whatever the sender wrote."""
    return Reply(channel, clean(number, _LONGEST_NAME), dialled(phone), clean(text, LONGEST), at_ms)


def settled(known: Receipt | None, said: Receipt) -> Receipt:
    """What two receipts for one text come to, in any order and however often: arrived beats not, the earlier wins."""
    both = (said,) if known is None else (known, said)
    return min(both, key=lambda each: (not each.delivered, each.at_ms, each.reason))


def clean(text: str, most: int) -> str:
    """The text without control characters and halves of characters, cut to ``most``."""
    whole = text[: most * 2].encode("utf-16", "surrogatepass").decode("utf-16", "ignore")
    return "".join(sign if sign.isprintable() else " " for sign in whole).strip()[:most]


class Meaning(StrEnum):
    """What somebody says to a text."""

    DONE = "done"
    """1 去了/办了: they take care of it, or have."""
    DECLINED = "declined"
    """2 不行: somebody else must."""
    DOUBTED = "doubted"
    """3 没这回事: the sensor is wrong."""
    CALLBACK = "callback"
    """0 请回电."""
    UNCLEAR = "not_understood"


@dataclass(frozen=True, slots=True)
class Understood:
    """A meaning, and the two-digit code of the case that was named, if one was."""

    meaning: Meaning
    code: str = ""


UNCLEAR: Final = Understood(Meaning.UNCLEAR)
WITHIN_MS: Final[Millis] = 86_400_000
"""How long a bare digit may still mean the last text."""
UNCLEAR_EVERY_MS: Final[Millis] = 3_600_000
"""How often at most a number is told that it was not understood."""

REPLY_AHEAD_MS: Final[Millis] = 60_000
"""A network's clock may be behind ours: a text taken so long after a reply may still be what it answers."""
_EARLY_MOST_MS: Final[Millis] = 86_400_000
_LATE_MOST_MS: Final[Millis] = 300_000

DIGITS: Final = {"1": Meaning.DONE, "2": Meaning.DECLINED, "3": Meaning.DOUBTED, "0": Meaning.CALLBACK}
_PHRASES: Final = {
    **dict.fromkeys(("去", "我去", "马上去", "去过", "看过", "清", "已清", "清完", "都清", "办", "办好"), Meaning.DONE),
    **dict.fromkeys(("安排", "安排好", "修好", "行", "好", "可以", "收到"), Meaning.DONE),
    **dict.fromkeys(("去不", "不去", "去不成", "不行", "不能去", "没空", "坏"), Meaning.DECLINED),
    **dict.fromkeys(("没满", "没有满", "没火", "没有火", "没着火", "没事", "没有事", "没倒", "没坏"), Meaning.DOUBTED),
    **dict.fromkeys(("没这回事", "没有这回事", "确实清", "误报"), Meaning.DOUBTED),
    **dict.fromkeys(("打给我", "请打给我", "打给您", "要我们打给您", "回电", "请回电"), Meaning.CALLBACK),
}
"""What people write for a digit, and what our texts print before it, without what may follow it."""
_AFTER: Final = "了的啦哦啊"
_SAID: Final = re.compile(rf"回?(?P<digit>[0-3])?(?P<code>(?<=[0-3])[0-9]{{2}})?(?P<words>[^0-9]*?)[{_AFTER}]*")
_NOT_SAID: Final = re.compile(r"[\s。.,，!！、;；:：~～]+")
_LONGEST: Final = 12
"""Signs, blanks not counted: whoever writes more has more to say than a digit."""
_PRINTED: Final = re.compile("(?P<words>[^，。：；、！]*?)请?回(?P<digit>[0-3])(?P<code>[0-9]{2})?(?![0-9])")
_NO_NEED: Final = "不用回"


def understand(text: str) -> Understood:
    """What a reply says: a digit, what people write for it, or both; full-width digits and blanks understood."""
    said = _NOT_SAID.sub("", unicodedata.normalize("NFKC", text))
    match = _SAID.fullmatch(said) if len(said) <= _LONGEST else None
    if match is None or not (match["digit"] or match["words"]):
        return UNCLEAR
    of_digit, of_words = DIGITS.get(match["digit"] or ""), _PHRASES.get(match["words"])
    if (match["words"] and of_words is None) or (of_digit and of_words and of_digit is not of_words):
        return UNCLEAR  # what contradicts itself says nothing
    meaning = of_digit or of_words
    return UNCLEAR if meaning is None else Understood(meaning, match["code"] or "")


def printed(text: str) -> dict[str, str]:
    """The digits that a text of ours asks for, each with the words before it: 去不了 stands for 2."""
    return {match["digit"]: match["words"] for match in _PRINTED.finditer(text)}


def phrase(text: str) -> str:
    """What a 3 to a text of ours says in words: 没满; of a text that asks for none, 没这回事."""
    return printed(text).get("3", "没这回事").removeprefix("确实")


def network_ms(said_ms: Millis, heard_ms: Millis) -> Millis:
    """When a reply was written by the network's clock; by our own where that is not given, or cannot be."""
    return said_ms if heard_ms - _EARLY_MOST_MS <= said_ms <= heard_ms + _LATE_MOST_MS else heard_ms


@dataclass(frozen=True, slots=True)
class Asked:
    """A text that a number got and that somebody may be answering."""

    episode: str
    person: str
    template: str
    kind: str
    at_ms: Millis
    """When a provider had taken it first; as long as none has, when it was owed."""
    code: str = ""
    covers: tuple[str, ...] = ()
    """The episodes that it speaks of, where it speaks of several."""
    variables: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    """What it says; of one that is not known it is taken that it asks for every digit."""
    accepted: bool = True

    @property
    def prints(self) -> Iterable[str]:
        """The digits that it asks for."""
        return printed(self.text) if self.text else DIGITS

    @property
    def episodes(self) -> tuple[str, ...]:
        """What it is about."""
        return self.covers or (self.episode,)


_CLOSES: Final = frozenset(
    {"not_understood", "declined_thanks", "declined_dispatcher", "sms_test", "stand_in_refused", "heartbeat"}
)
"""Texts that ask nothing: a digit after them means the text before."""


def asks(asked: Asked) -> bool:
    """Whether a digit can be an answer to it. A closing word can only ask about what goes on after it."""
    closes = asked.template in _CLOSES or (asked.kind == MessageKind.CLEARED and not asked.covers)
    return not closes and bool(asked.prints)


def find_asked(
    understood: Understood, texts: Iterable[Asked], at_ms: Millis, stands: Callable[[Asked], bool] = lambda _: True
) -> Asked | None:
    """The text that a reply of ``at_ms`` is about, of those the number got, newest first; ``None`` if there is none.

    It is the newest that asks for the digit, or that carried the code; for a 1 that none asks for the newest about
    something that ``stands``, unless it says that no answer is needed. A 0 is always about the newest that stands.
    """
    recent = [asked for asked in texts if asked.accepted and at_ms - WITHIN_MS < asked.at_ms <= at_ms + REPLY_AHEAD_MS]
    if understood.code:
        recent = [asked for asked in recent if asked.code == understood.code]
    if understood.meaning is Meaning.CALLBACK:
        return next((asked for asked in recent if asked.template not in _CLOSES and stands(asked)), None)
    asking = [asked for asked in recent if asks(asked)]
    digit = next((digit for digit, meaning in DIGITS.items() if meaning is understood.meaning), "")
    found = next((asked for asked in asking if digit in asked.prints), None)
    if found is not None or understood.meaning is not Meaning.DONE:
        return found
    return next((asked for asked in asking if _NO_NEED not in asked.text and stands(asked)), None)


CALL_WITHIN_MS: Final[Millis] = 30 * 60_000
"""By when somebody who asks for a call expects it."""
MOST_STRANGERS: Final = 100
"""So many numbers that are in no inventory wait at once (law L10); people of the inventory always do."""


class Caller(Struct, frozen=True, kw_only=True):
    """Somebody who asked to be called, since the first time that they did. ``id`` names the answer that asked.

    ``person`` is empty for a number that is in no inventory, ``episode`` where they answered nothing that stands.
    """

    id: str
    phone: str
    since_ms: Millis
    person: str = ""
    episode: str = ""
    times: int = 1

    @property
    def due_ms(self) -> Millis:
        """By when they expect the call."""
        return self.since_ms + CALL_WITHIN_MS


class Callers(Undoable):
    """Those of one county, one a number: whoever asks again waits since the first time."""

    def __init__(self, undo: UndoLog | None = None) -> None:
        super().__init__(undo)
        self._waiting: dict[str, Caller] = UndoDict(self._undo)

    def restore(self, kept: Iterable[Caller]) -> None:
        """Takes over those who were kept."""
        self._waiting = UndoDict(self._undo, {caller.phone: caller for caller in kept})

    def list_waiting(self) -> tuple[Caller, ...]:
        """All who wait."""
        return tuple(sorted(self._waiting.values(), key=lambda caller: (caller.since_ms, caller.id)))

    def ask(self, caller: Caller) -> bool:
        """Somebody asks to be called; false when too many strangers wait already."""
        known = self._waiting.get(caller.phone)
        if known is not None:
            about = caller.episode or known.episode
            self._waiting[caller.phone] = replace(known, episode=about, times=known.times + 1)
            return True
        strangers = sum(not each.person for each in self._waiting.values())
        if not caller.person and strangers >= MOST_STRANGERS:
            return False
        self._waiting[caller.phone] = caller
        return True

    def call(self, name: str) -> Caller | None:
        """Somebody has called them; ``None`` when nobody of that id waits (any more)."""
        found = next((caller for caller in self._waiting.values() if caller.id == name), None)
        if found is not None:
            del self._waiting[found.phone]
        return found
