"""Two-digit codes on texts to crews: `107` says which of several open questions a digit answers (alerting.md §4).

Pure. A code is given to a question once and stays its own for as long as a digit may answer it; it is printed only
where more than one question is open. How a reply is understood is ``answers``.
"""

from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from alerts.answers import WITHIN_MS
from alerts.model import Owed
from alerts.notify.texts import CODE, Texts
from telemetry.reading import Millis
from telemetry.segments import fits

_MOST: Final = 99


class Question(Struct, frozen=True, array_like=True):
    """What a number was asked: its code, when it was asked last, and the episodes that it is about."""

    code: int
    at_ms: Millis
    episodes: tuple[str, ...]


def coded(
    leaving: Sequence[Owed],
    questions: tuple[Question, ...],
    is_open: Callable[[str], bool],
    catalogue: Texts,
    at_ms: Millis,
) -> tuple[list[Owed], tuple[Question, ...]]:
    """The texts as they leave, and the questions of the number after them, the one asked last at the end."""
    kept = [each for each in questions if each.at_ms > at_ms - WITHIN_MS]
    given: dict[str, int] = {}
    for text in leaving:
        if catalogue.asks(text.template):
            episodes = text.covers or (text.episode,)
            given[text.key] = code = _code(episodes, kept)
            kept = [*(each for each in kept if each.code != code), Question(code, at_ms, episodes)]
    several = sum(any(map(is_open, each.episodes)) for each in kept) > 1
    return [_printed(text, given.get(text.key, 0) if several else 0, catalogue) for text in leaving], tuple(kept)


def _code(episodes: tuple[str, ...], kept: Sequence[Question]) -> int:
    """The one that it has; else the next in the ring that no other has; else that of who was asked longest ago."""
    own = next((each.code for each in kept if each.episodes == episodes), 0)
    if own or not kept:
        return own or 1
    taken = {each.code for each in kept}
    ring = ((kept[-1].code + step) % _MOST + 1 for step in range(_MOST))
    return next((code for code in ring if code not in taken), kept[0].code)


def _printed(text: Owed, code: int, catalogue: Texts) -> Owed:
    if not code:
        return text
    variables = {**text.variables, CODE: f"{code:02d}"}
    segments = 1 if fits(text.text) and not text.covers else 2
    return replace(text, text=catalogue.compose(text.template, variables, segments=segments), variables=variables)
