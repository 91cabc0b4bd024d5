"""What comes back by telephone: receipts for texts that were taken, and what people wrote in reply.

Values only, cut to a size and freed of what no text has where they enter (law L11). What an answer means is
``answers``; what a receipt, or its absence, leads to is ``delivery``.
"""

from typing import Final

from msgspec import Struct

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
    return said if known is None else min(known, said, key=_rank)


def _rank(said: Receipt) -> tuple[bool, Millis, str]:
    return (not said.delivered, said.at_ms, said.reason)


def clean(text: str, most: int) -> str:
    """The text without control characters and halves of characters, cut to ``most``."""
    whole = text[: most * 2].encode("utf-16", "surrogatepass").decode("utf-16", "ignore")
    return "".join(sign if sign.isprintable() else " " for sign in whole).strip()[:most]
