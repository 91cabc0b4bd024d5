"""What waits for one telephone number and what left to it: a frozen value that outlasts inputs, and its questions.

A question to a crew has a two-digit code here for as long as a digit may answer it. When something may leave is
``stages``, what the texts say when they leave together is ``digest``; P1 never comes here.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from alerts.answers import WITHIN_MS
from alerts.model import Owed
from alerts.notify.texts import CODE, Texts
from telemetry.phone import dialled
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
    if not code or not catalogue.speaks(text.template, text.variables):
        return text
    variables = {**text.variables, CODE: f"{code:02d}"}
    segments = 1 if fits(text.text) and not text.covers else 2
    return replace(text, text=catalogue.compose(text.template, variables, segments=segments), variables=variables)


MOST_LEFT: Final = 200
"""So many texts of the last day are remembered."""


class Left(Struct, frozen=True, array_like=True):
    """One text that left: when, about which assets, and whether it counts for the share of the one that it is about."""

    at_ms: Millis
    assets: tuple[str, ...]
    counts: bool = True
    tells: bool = True
    """Whether its assets are told of with it: in a list they only stand, and a closing word speaks of what was."""
    key: str = ""
    """Its own (law L7); empty where an older program sent it."""


class Mailbox(Struct, frozen=True, array_like=True):
    """Everything about one number that outlasts an input. Instants are receive time."""

    phone: str
    """The number as it is dialled (``telemetry.phone``): two spellings have one mailbox and one budget."""
    pending: tuple[Owed, ...] = ()
    due_ms: Millis = 0
    """When what is pending is looked at again; 0 when nothing is."""
    reason: str = ""
    """Why it has to wait until then."""
    left_ms: tuple[Millis, ...] = ()
    """When texts left during the last day, oldest first; P1 is not counted."""
    cried_ms: tuple[Millis, ...] = ()
    """When something was to be told during the last storm window, oldest first."""
    storm_ms: Millis = 0
    """Since when there is a storm; 0 when there is none."""
    listed: dict[str, Millis] = {}
    """When each daily list was last dealt with."""
    outages: tuple[str, ...] = ()
    """The outages of whole areas that were to be told and are not over: as long as there is one, there is a storm."""
    questions: tuple[Question, ...] = ()
    """What a crew's number was asked during the last day, with the code of each."""
    left: tuple[Left, ...] = ()
    """The texts of ``left_ms``, as far as it is known what they were about."""
    over_ms: tuple[Millis, ...] = ()
    """When a P2 left today above what the number may get, oldest first."""

    def over_since(self, midnight_ms: Millis) -> tuple[Millis, ...]:
        """Those of a day."""
        return tuple(at for at in self.over_ms if at >= midnight_ms)


def by_number(boxes: Iterable[Mailbox]) -> list[Mailbox]:
    """The boxes of before, each by its number as it is dialled: of two spellings of one number they become one."""
    found: dict[str, Mailbox] = {}
    for box in boxes:
        key = dialled(box.phone)
        found[key] = _joined(found[key], box) if key in found else replace(box, phone=key)
    return list(found.values())


def _joined(one: Mailbox, other: Mailbox) -> Mailbox:
    """What waits in two boxes and what left by them; what of it may leave first says when it is looked at again."""
    due = min((box for box in (one, other) if box.due_ms), key=lambda box: box.due_ms, default=one)
    left = sorted((*left_of(one), *left_of(other)), key=lambda each: each.at_ms)[-MOST_LEFT:]
    storms = [box.storm_ms for box in (one, other) if box.storm_ms]
    return replace(
        one,
        pending=tuple(sorted((*one.pending, *other.pending), key=lambda each: each.at_ms)),
        due_ms=due.due_ms,
        reason=due.reason,
        left=tuple(left),
        left_ms=tuple(each.at_ms for each in left),
        cried_ms=tuple(sorted((*one.cried_ms, *other.cried_ms))),
        storm_ms=min(storms, default=0),
        listed={**one.listed, **other.listed},
        outages=tuple(dict.fromkeys((*one.outages, *other.outages))),
        questions=one.questions or other.questions,
        over_ms=tuple(sorted((*one.over_ms, *other.over_ms))),
    )


def left_of(box: Mailbox) -> tuple[Left, ...]:
    """Every text of the last day; of what an older program sent it is not known what it was about."""
    unknown = box.left_ms[: len(box.left_ms) - len(box.left)]
    return (*(Left(at, ()) for at in unknown), *box.left)


pack_box: Final[Callable[[Mailbox], bytes]] = msgspec.msgpack.Encoder().encode
"""A number's mailbox as bytes."""
unpack_box: Final[Callable[[bytes], Mailbox]] = msgspec.msgpack.Decoder(Mailbox).decode
"""A number's mailbox from bytes."""
