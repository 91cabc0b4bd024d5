"""Texts that a provider approved beforehand: its code, its words, and what stands for each of its variables.

Pure, and the only place that knows what a provider forbids in a template. Whether a text leaves by it is the channel's.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from types import MappingProxyType
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from alerts.notify.texts import FACTS, PLACE, SHORTENED, shortened
from telemetry.segments import units

_VARIABLE: Final = re.compile(r"\$\{([^}]*)\}")
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,19}")
_FACT: Final = re.compile(r"\{([^}]*)\}")
_LINK: Final = re.compile(r"https?:|www\.|[a-z0-9-]+\.(?:com|cn|net|org)\b", re.IGNORECASE)
_SPECIAL: Final = re.compile(
    r"[\u2100-\u214f\u2460-\u24ff\u2190-\u21ff\u25a0-\u27bf\u3300-\u33ff\U0001f000-\U0001faff]"
)
"""Letter-like signs (℃), circled figures (①), arrows, shapes, squared units (㎡), pictures."""


_LONGEST: Final[Mapping[str, int]] = MappingProxyType(
    {
        **dict.fromkeys(FACTS, 6),
        "signs": 18,
        "office_phone": 13,
        "deadline": 8,
        "deadline_time": 8,
        **SHORTENED,
    }
)
"""Units that a fact cannot do without, however much it is cut; six where nothing is longer."""


class Approved(BaseModel):
    """``[channels.NAME.templates.TEXT]``: one approved template for a text of the catalogue."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str = Field(min_length=1)
    text: str = Field(min_length=1)
    """As approved, with ${variables}; the linter reads it, the provider has its own copy."""
    variables: dict[str, str] = Field(default_factory=dict)
    """What each variable stands for: words and {facts} of the catalogue."""

    def filled(self, facts: Mapping[str, str], most: int) -> dict[str, str]:
        """The values to send, each cut to ``most`` units if its facts can give way; an unknown fact leaves nothing."""
        known = dict.fromkeys(FACTS, "") | dict(facts)
        return {name: _cut(words, known, most) for name, words in self.variables.items()}


def faults(where: str, approved: Approved, most: int) -> Iterator[str]:
    """A sentence for each thing in a template that the provider would refuse."""
    yield from _word_faults(where, approved)
    yield from _variable_faults(where, approved, _VARIABLE.split(approved.text))
    for name, words in approved.variables.items():
        longest = units(_FACT.sub("", words)) + sum(_LONGEST.get(fact, 0) for fact in _FACT.findall(words))
        if longest > most:
            remedy = "let it speak of fewer facts, or put fixed words into the text"
            yield f"{where}: variable {name} can get {longest} signs long, {most} are allowed; {remedy}"


def _word_faults(where: str, approved: Approved) -> Iterator[str]:
    text = approved.text
    if "【" in text or "】" in text:
        yield f"{where}: 【】 stands in the text; remove it, the provider puts the signature there"
    if found := _SPECIAL.search(text + "".join(approved.variables.values())):
        yield f"{where}: the sign {found[0]!r} is refused; write it as a word (度, 平方米, 1)"
    if found := _LINK.search(text + "".join(approved.variables.values())):
        yield f"{where}: the link {found[0]!r} is refused; remove it"


def _variable_faults(where: str, approved: Approved, parts: list[str]) -> Iterator[str]:
    names = parts[1::2]
    for (name, between), (other, _) in pairwise(zip(names, parts[2::2], strict=True)):
        if not between:
            yield f"{where}: variables {name} and {other} touch; put a word between them, or make them one"
    for name in names:
        if not _NAME.fullmatch(name):
            yield f"{where}: {name!r} is no name for a variable; use letters, figures and _"
        elif name not in approved.variables:
            yield f"{where}: nothing is said for variable {name}; add it under variables"
    for name in approved.variables.keys() - set(names):
        yield f"{where}: variable {name} is not in the text; remove it, or mend its spelling"
    for name, words in approved.variables.items():
        for fact in _FACT.findall(words):
            if fact not in FACTS:
                yield f"{where}: variable {name} speaks of {{{fact}}}, which no case has; see the catalogue"


def too_long(values: Mapping[str, str], most: int) -> str:
    """The first variable whose value the provider would refuse for its length; empty if there is none."""
    return next((name for name, value in values.items() if units(value) > most), "")


def _cut(words: str, facts: Mapping[str, str], most: int) -> str:
    """The words with their facts; lists give way first, then long names; where it is is never cut here."""
    value = words.format_map(facts)
    for fact, least in SHORTENED.items():
        over, said = units(value) - most, words.count(f"{{{fact}}}")
        if over > 0 and said and fact != PLACE:
            room = max(least, units(facts[fact]) - -(-over // said))
            facts = {**facts, fact: shortened(facts[fact], room, fact)}
            value = words.format_map(facts)
    return value
