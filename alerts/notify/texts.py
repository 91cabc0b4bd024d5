"""From the facts of a case to the words of one SMS. The catalogue is data; nothing here decides who gets it.

A text fits into one segment: 70 UCS-2 units with the signature (texts.md).
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property, partial
from string import Formatter
from types import MappingProxyType
from typing import Annotated, Final, NamedTuple, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from alerts.calendars import MINUTE_MS, Calendar, RoundSlot
from alerts.policy import PolicyFault, document, fault
from alerts.rules import rules
from telemetry.inventory import Asset
from telemetry.reading import Millis
from telemetry.segments import PART, SEGMENT, clipped, fits, units
from telemetry.terms import Container

MOST_NAMED: Final = 8
MOST_PLACED: Final = 3
"""So many are named with their landmarks; more by their short names alone."""
FACTS: Final = frozenset(
    {
        "place",
        "short",
        "container",
        "level",
        "line",
        "crossed",
        "heat",
        "cooled",
        "temperature",
        "day",
        "time",
        "since_day",
        "since_time",
        "hours",
        "minutes",
        "deadline",
        "deadline_time",
        "deadline_part",
        "told",
        "signs",
        "symptom",
        "gateway",
        "area",
        "devices",
        "matter",
        "owner",
        "excuse",
        "until",
        "office_phone",
        "count",
        "names",
        "items",
        "feeder",
        "round",
        "over",
        "full",
        "stopped",
        "troubled",
        "troubles",
        "silent",
        "points",
        "due",
        "done",
        "left",
        "person",
        "stand_in",
        "villages",
        "rank",
        "jump",
        "doubt",
        "village",
        "sound",
        "scored",
        "blind",
        "amps",
        "rated",
        "share",
        "works",
        "missed",
        "window",
        "sent",
        "office",
        "nobody",
    }
)
"""What a template may speak of."""

Facts: TypeAlias = Mapping[str, str]
CODE: Final = "code"
"""The fact by which a text prints its two-digit code; no template names it."""
EMPTIERS: Final = "list_emptier"
"""The text of the list for who empties; its message covers the episodes in the order of its places."""
_OFFICE_HOURS: Final = ("morning", "noon", "afternoon", "evening")
FOLLOWED_AT: Final[Mapping[str, tuple[str, ...]]] = {
    EMPTIERS: ("emptier",),
    **dict.fromkeys(("list_morning", "list_noon", "list_noon_done", "list_afternoon", "list_evening"), _OFFICE_HOURS),
}
"""The lists that the next one makes useless, and the hours of the policy at which a next one comes."""
ANSWERED_OVER: Final = "answered_over"
"""That something is over, whoever ended it and however (text C21)."""
DOUBT: Final = "doubt"
"""What somebody answered who says otherwise: it ends whatever text is given it, as long as that fits."""
_DIGIT: Final = re.compile("(?<=回)[0-3](?![0-9])")
PLACE: Final = "place"
SHORTENED: Final[Mapping[str, int]] = MappingProxyType(
    {
        **dict.fromkeys(("names", "items", "troubles"), 12),
        "told": 9,
        **dict.fromkeys(("feeder", "gateway", "area", "matter", "excuse"), 6),
        PLACE: 15,
        "short": 6,
    }
)
"""Facts that give way where a text is too long, in this order, and the units that each keeps.

Names of assets and people are never longer than that; those of areas, lines and radio gateways may be.
"""
_COUNTED: Final[Mapping[str, str]] = MappingProxyType(
    {"names": "处", "items": "件", "troubles": "项", "told": "人", "area": "处"}
)
"""Facts that are lists, and what counts them."""
_KINDS: Final = "项"
"""What counts a list of kinds with their numbers: 停机2，过线12."""
_FEW: Final = 24
"""Units of a list that stay as long as something optional could go instead."""
_LISTED: Final = re.compile(r"(?s)^(.*?)(等[0-9]*[处件项人座]?)?\Z")
_COUNTED_TWICE: Final = re.compile(r"(等([0-9]+)处)，共\2处")
_TWO: Final = 2
_TENTHS: Final = "零一二三四五六七八九十"
_NOON: Final = 12
_TWO_THIRDS_PCT: Final = 67
LINE: Final = "线"
"""The line, wherever it is drawn."""
_SPANS: Final = ((86_400, "天"), (3_600, "小时"), (60, "分钟"))


class Template(BaseModel):
    """One text with named facts; ``optional`` parts stand where they are known and fit, else ``or``."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    text: str
    optional: dict[str, str] = Field(default_factory=dict)
    otherwise: Annotated[dict[str, str], Field(alias="or", default_factory=dict)]
    when: dict[str, str] = Field(default_factory=dict)
    """The fact that must be known for an optional part to be true, where its words do not name it."""

    @cached_property
    def names(self) -> frozenset[str]:
        """Every fact that it speaks of; it is asked for each text, and a template does not change."""
        return _named(self.text, *self.optional.values(), *self.otherwise.values()).union(self.when.values())

    @cached_property
    def needed(self) -> frozenset[str]:
        """The facts without which it cannot be written, since they stand in no part that may be left out."""
        return _named(self.text, *self.otherwise.values()) - self.optional.keys()

    def holds(self, part: str, facts: "Facts") -> bool:
        """Whether what an optional part says is known to be so."""
        return _known(self.optional[part], facts) and (part not in self.when or bool(facts.get(self.when[part])))


class Wording(NamedTuple):
    """A text, and the template and facts that it was made of."""

    text: str
    template: str
    variables: dict[str, str]


class Texts:
    """The catalogue of one county, signed."""

    def __init__(self, templates: Mapping[str, Template], signature: str, words: Mapping[str, str]) -> None:
        self._templates = templates
        self._words = words
        self._signature = f"【{signature}】"

    def __contains__(self, name: str) -> bool:
        return name in self._templates

    def speaks(self, name: str, facts: Facts) -> bool:
        """Whether that can be written of these facts: what an older catalogue worded may lack one, or be gone."""
        return name in self._templates and self._templates[name].needed <= facts.keys()

    def compose(self, name: str, facts: Facts, addressee: str = "", *, segments: int = 1) -> str:
        """The text ``name`` about these facts, cut until it fits so many segments.

        On a telephone that several people use it opens with whom it is for.
        """
        return self._written(name, facts, addressee, segments)[0]

    def word(self, name: str, facts: Facts, *, segments: int = 1) -> "Wording":
        """The same, with what a provider needs that sends only texts it approved before."""
        text, shown = self._written(name, facts, "", segments)
        doubted = {DOUBT} if facts.get(DOUBT) else set()
        spoken = (self._templates[name].names & facts.keys()) | doubted
        variables = {fact: shown[fact] for fact in sorted(spoken)}
        if PLACE in variables:  # of an area or a case; that of an asset is never longer
            variables[PLACE] = clipped(variables[PLACE], SHORTENED[PLACE])
        return Wording(text, name, variables)

    def _written(self, name: str, facts: Facts, addressee: str, segments: int) -> tuple[str, Facts]:
        """The text, and the facts as they stand in it.

        Lists go down to a few names first, then optional parts go, first to last; then lists and long names give way.
        """
        template = self._templates[name]
        opening = f"{self._signature}{addressee}：" if addressee else self._signature
        endings = [f"{facts[DOUBT]}。", ""] if facts.get(DOUBT) and DOUBT not in template.names else [""]
        known = [part for part in template.optional if template.holds(part, facts)]
        spoken = [fact for fact in SHORTENED if fact in template.names and facts.get(fact)]

        def fill(kept: Iterable[str], ending: str, shown: Facts) -> str:
            return _coded(opening + self._fill(template, kept, shown), shown.get(CODE, "")) + ending

        for ending in endings:
            shown = facts
            for fact in filter(_COUNTED.__contains__, spoken):
                shown = _shorten(partial(fill, known, ending), shown, fact, _FEW, segments)
            for dropped in range(len(known) + 1):
                text = fill(known[dropped:], ending, shown)
                if fits(text, segments):
                    return text, shown
        for fact in spoken:
            shown = _shorten(partial(fill, (), ""), shown, fact, SHORTENED[fact], segments)
        return fill((), "", shown), shown

    def hurries(self, name: str) -> bool:
        """Whether a text begins with 急, so that it names no far day."""
        return name in self._templates and self._templates[name].text.startswith("急")

    def asks(self, name: str) -> bool:
        """Whether a text of that name asks for a digit."""
        template = self._templates.get(name)
        parts = () if template is None else (template.text, *template.optional.values(), *template.otherwise.values())
        return any(_DIGIT.search(part) for part in parts)

    def knows_end(self, rule: str, template: str) -> bool:
        """Whether it has a word for the end of such an alert, or for what its closing text says."""
        return not self._words.keys().isdisjoint({f"over_{template}", f"over_{rule}"})

    def term(self, name: str, otherwise: str = "") -> str:
        """A word of the catalogue, for use in a text; where it has none ``otherwise``, or the name itself."""
        return self._words.get(name, otherwise or name)

    def round(self, calendar: Calendar, slot: RoundSlot) -> str:
        """早班 or 下午班: a round by when it begins; 加收 where it was ordered beside them."""
        if slot.extra:
            return self.term("ordered_round")
        return self.term("morning_round" if calendar.local(slot.start_ms).hour < _NOON else "later_round")

    @staticmethod
    def _fill(template: Template, kept: Iterable[str], facts: Facts) -> str:
        parts = {
            part: (words if part in kept else template.otherwise.get(part, "")).format_map(facts)
            for part, words in template.optional.items()
        }
        return _COUNTED_TWICE.sub(r"\1", template.text.format_map({**facts, **parts}))


def _shorten(fill: Callable[[Facts], str], shown: Facts, fact: str, least: int, segments: int) -> Facts:
    """The facts with one of them cut until the text fits, or no more of it can go."""
    while not fits(text := fill(shown), segments):
        over = max(1, units(text) - (SEGMENT if segments == 1 else segments * PART))
        cut = shortened(shown[fact], max(least, units(shown[fact]) - over), fact)
        if cut == shown[fact]:
            break
        shown = {**shown, fact: cut}
    return shown


def _coded(text: str, code: str) -> str:
    """去回107，去不了回207: every digit that may be answered with the code of the question behind it."""
    return _DIGIT.sub(rf"\g<0>{code}", text) if code else text


def load(text: str, name: str, signature: str) -> Texts:
    """Reads a catalogue; raises ``PolicyFault`` naming the text and what is wrong with it."""
    raw = document(text, name)
    try:
        spoken = {kind: rule.called for kind, rule in rules().items()}
        words = spoken | TypeAdapter(dict[str, str]).validate_python(raw.pop("words", {}))
        templates = TypeAdapter(dict[str, Template]).validate_python(raw)
        for key, template in templates.items():
            nowhere = sorted(template.when.keys() - template.optional.keys())
            if nowhere:
                raise PolicyFault(f"{name}: {key}: when: there is no optional part {nowhere[0]}; name one of them")
            unknown = sorted(template.names - FACTS - template.optional.keys())
            if unknown:
                known = ", ".join(sorted(FACTS))
                raise PolicyFault(f"{name}: {key}: speaks of {{{unknown[0]}}}, which no case has; known are {known}")
    except ValidationError as error:
        raise fault(name, error) from error
    return Texts(templates, signature, words)


def span(ms: Millis) -> str:
    """3小时: how long, in the largest unit of which there are two or more, or which it just fills."""
    seconds = max(1, round(abs(ms) / 1_000))
    whole = (
        f"{round(seconds / unit_s)}{name}" for unit_s, name in _SPANS if seconds == unit_s or seconds > 1.5 * unit_s
    )
    return next(whole, f"{seconds}秒")


def listed(items: Sequence[str], unit: str = "处") -> str:
    """柳潭3号、小学门口等9处: as many as a reader can keep in mind, and how many they are in all."""
    return "、".join(items[:MOST_NAMED]) + (f"等{len(items)}{unit}" if len(items) > MOST_NAMED else "")


def shortened(text: str, most: int, fact: str) -> str:
    """A fact that is a list cut to what fits, with how many it has in all; of any other as much as fits."""
    if units(text) <= most:
        return text
    if fact not in _COUNTED:
        return clipped(text, most)
    named, total = _LISTED.findall(text)[0]
    mark = "、" if "、" in named else "，"
    items = named.split(mark)
    rest = total or f"等{len(items)}{_COUNTED[fact] if mark == '、' else _KINDS}"
    for count in range(len(items) - 1, 0, -1):
        cut = mark.join(items[:count]) + rest
        if units(cut) <= most:
            return cut
    rest = rest if len(items) > 1 or total else ""
    first = items[0] if not rest else items[0].partition("（")[0]  # rather the whole name than half a landmark
    return clipped(first, most - units(rest)) + rest


def named(assets: Sequence[Asset]) -> str:
    """As many assets as a reader can keep in mind; a few with their landmarks, more by their short names alone."""
    few = len(assets) <= MOST_PLACED
    return listed([called(asset) if few else asset.short for asset in assets])


def called(asset: Asset) -> str:
    """柳潭3号池（村部东侧）, or the short name alone of one without a landmark."""
    return place(asset) if asset.landmark else asset.short


def place(asset: Asset) -> str:
    """柳潭3号池（村部东侧）: the short name, what it is, and the landmark by which people find it."""
    landmark = f"（{asset.landmark}）" if asset.landmark else ""
    return f"{asset.short}{container(asset)}{landmark}"


def names(asset: Asset) -> dict[str, str]:
    """The facts by which a text calls an asset."""
    return {"place": place(asset), "short": asset.short, "container": container(asset)}


def container(asset: Asset) -> str:
    """池 or 桶; a plant's short name says what it is."""
    if asset.bin is None:
        return ""
    return "池" if asset.bin.container is Container.POOL else "桶"


def counted(number: int) -> str:
    """两, 三: how many rounds; a number beyond ten."""
    return "两" if number == 2 else _TENTHS[number] if number < len(_TENTHS) else str(number)  # noqa: PLR2004 - 二 is 两


def line(line_pct: float) -> str:
    """三分之二 where a bin's line is drawn there, else 线."""
    return "三分之二" if round(line_pct) == _TWO_THIRDS_PCT else LINE


def tenths(fill_pct: float) -> str:
    """七成: the nearest tenth, half up."""
    return f"{_TENTHS[int(fill_pct / 10 + 0.5)]}成"


def share(of_usual: float) -> str:
    """两成: so much of what is usual, in tenths; 不到一成 where it is less."""
    tenth = int(of_usual * 10 + 0.5)
    return "不到一成" if not tenth else f"{'两' if tenth == _TWO else _TENTHS[tenth]}成"


def day(calendar: Calendar, at_ms: Millis) -> str:
    """22日."""
    return f"{calendar.local(at_ms).day}日"


def clock(calendar: Calendar, at_ms: Millis) -> str:
    """14:20."""
    return calendar.local(at_ms).strftime("%-H:%M")


def half_hour(at_ms: Millis) -> Millis:
    """Rounded down to the half hour, which every zone in use shares with UTC."""
    return at_ms - at_ms % (30 * MINUTE_MS)


def deadline(calendar: Calendar, at_ms: Millis) -> str:
    """22日12点半."""
    local = calendar.local(half_hour(at_ms))
    return f"{local.day}日{local.hour}点{'半' if local.minute else ''}"


def deadline_time(calendar: Calendar, at_ms: Millis, said_ms: Millis) -> str:
    """18:20 on the day of which the text speaks, 23日0:30 on another."""
    due = half_hour(at_ms)
    other = "" if day(calendar, due) == day(calendar, said_ms) else day(calendar, due)
    return other + clock(calendar, due)


def deadline_part(calendar: Calendar, at_ms: Millis) -> str:
    """23日上午."""
    local = calendar.local(at_ms)
    return f"{local.day}日{'上午' if local.hour < _NOON else '下午'}"


def _known(words: str, facts: Facts) -> bool:
    return all(map(facts.get, _named(words)))


def _named(*parts: str) -> frozenset[str]:
    """The facts and parts for which these words leave a place."""
    return frozenset(name for part in parts for _, name, _, _ in Formatter().parse(part) if name)
