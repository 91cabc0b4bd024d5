"""Why a wish cannot be: a name and a sentence. A value; whether something can be is decided where the wish is known."""

from msgspec import Struct


class Refused(Struct, frozen=True):
    """It cannot be, and nothing changed: ``why`` for whoever says it in other words, ``sentence`` with the remedy."""

    why: str
    sentence: str
