"""What a text message carries: UCS-2 units, one segment or several, and how a text is cut to what fits.

The one place where the length of a text is counted, for the inventory, the catalogue and every channel. No words here.
"""

from typing import Final

SEGMENT: Final = 70
"""Units of a text that goes alone."""
PART: Final = 67
"""Units of each segment where a text takes more than one: the rest says how they belong together."""
_MORE: Final = "…"


def units(text: str) -> int:
    """UCS-2 units; a sign beyond the first plane is two. Counted, since a codec may have to be loaded."""
    return len(text) + sum(sign > "\uffff" for sign in text)


def parts(text: str) -> list[str]:
    """The text as telephones carry it: whole, or in parts; a sign of two units is never torn apart."""
    if units(text) <= SEGMENT:
        return [text]
    found, part, room = list[str](), list[str](), PART
    for sign in text:
        size = units(sign)
        if size > room:
            found.append("".join(part))
            part, room = [], PART
        part.append(sign)
        room -= size
    return [*found, "".join(part)]


def fits(text: str, segments: int = 1) -> bool:
    """Whether a text takes no more than so many segments."""
    return units(text) <= SEGMENT or len(parts(text)) <= segments


def clipped(text: str, most: int) -> str:
    """As much of a text as fits into so many units, ended by … where there is more."""
    if units(text) <= most:
        return text
    while text and units(text) > most - 1:
        text = text[:-1]
    return text + _MORE if most > 0 else ""
