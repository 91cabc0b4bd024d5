"""What a person means by a text of one digit: one grammar for everybody, and which of our texts it answers.

Pure, and nothing is done here: what an answer leads to is ``replies``. Whatever cannot be told for certain is not
understood; nobody is taken at a word that they did not say.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from alerts.model import Kind
from telemetry.reading import Millis


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

_DIGITS: Final = {"1": Meaning.DONE, "2": Meaning.DECLINED, "3": Meaning.DOUBTED, "0": Meaning.CALLBACK}
_WORDS: Final = {"清了": Meaning.DONE, "已清": Meaning.DONE}
_SAID: Final = re.compile(r"(?P<digit>[0-3])(?P<code>[0-9]{2})?|(?P<word>清了|已清)了?")
_NOT_SAID: Final = re.compile(r"[\s。.,，!！、;；:：~～]+")
_LONGEST: Final = 12
"""Signs, blanks not counted: whoever writes more has more to say than a digit."""


def understand(text: str) -> Understood:
    """What a reply says, full-width digits and blanks understood."""
    said = _NOT_SAID.sub("", unicodedata.normalize("NFKC", text))
    match = _SAID.fullmatch(said) if len(said) <= _LONGEST else None
    if match is None:
        return UNCLEAR
    meaning = _WORDS[match["word"]] if match["word"] else _DIGITS[match["digit"]]
    return Understood(meaning, match["code"] or "")


@dataclass(frozen=True, slots=True)
class Asked:
    """A text that a number got and that somebody may be answering."""

    episode: str
    person: str
    template: str
    kind: str
    at_ms: Millis
    code: str = ""
    covers: tuple[str, ...] = ()
    """The episodes that it speaks of, where it speaks of several."""
    variables: Mapping[str, str] = field(default_factory=dict)


_CLOSES: Final = frozenset(
    {"not_understood", "declined_thanks", "declined_dispatcher", "sms_test", "stand_in_refused", "heartbeat"}
)
"""Texts that ask nothing: a digit after them means the text before."""


def asks(asked: Asked) -> bool:
    """Whether a digit can be an answer to it."""
    return asked.kind != Kind.CLEARED and asked.template not in _CLOSES


def answered(understood: Understood, texts: Iterable[Asked], at_ms: Millis) -> Asked | None:
    """The text that a reply of ``at_ms`` is about, of those the number got, newest first; ``None`` if there is none.

    A code means the newest text that carried it; a bare digit the newest that asked anything.
    """
    recent = [asked for asked in texts if asks(asked) and asked.at_ms > at_ms - WITHIN_MS]
    if understood.code:
        recent = [asked for asked in recent if asked.code == understood.code]
    return next(iter(recent), None)
