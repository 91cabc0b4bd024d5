"""From the facts of a case to the words of one SMS. The catalogue is data; nothing here decides who gets it.

A text fits into one segment: 70 UCS-2 units with the signature (texts.md).
"""

from collections.abc import Mapping
from string import Formatter
from typing import Annotated, Final, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, RootModel, ValidationError

from alerts.calendars import MINUTE_MS, Calendar
from alerts.policy import PolicyFault, document, fault
from telemetry.inventory import Asset
from telemetry.reading import Millis
from telemetry.terms import Container

SEGMENT: Final = 70
FACTS: Final = frozenset(
    {
        "place",
        "short",
        "container",
        "level",
        "heat",
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
        "devices",
        "matter",
        "owner",
        "excuse",
        "until",
        "office_phone",
    }
)
"""What a template may speak of."""

Facts: TypeAlias = Mapping[str, str]
_TENTHS: Final = "零一二三四五六七八九十"
_NOON: Final = 12


class Template(BaseModel):
    """One text with named facts; ``optional`` parts stand where they are known and fit, else ``or``."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    text: str
    optional: dict[str, str] = Field(default_factory=dict)
    otherwise: Annotated[dict[str, str], Field(alias="or", default_factory=dict)]

    def names(self) -> frozenset[str]:
        """Every fact that it speaks of."""
        parts = (self.text, *self.optional.values(), *self.otherwise.values())
        return frozenset(name for part in parts for _, name, _, _ in Formatter().parse(part) if name)


class _Catalogue(RootModel[dict[str, Template]]):
    pass


class Texts:
    """The catalogue of one county, signed."""

    def __init__(self, templates: Mapping[str, Template], signature: str) -> None:
        self._templates = templates
        self._signature = f"【{signature}】"

    def __contains__(self, name: str) -> bool:
        return name in self._templates

    def compose(self, name: str, facts: Facts) -> str:
        """The text ``name`` about these facts: optional parts go, first to last, until it fits one segment."""
        template = self._templates[name]
        kept = {part for part, words in template.optional.items() if _known(words, facts)}
        for part in (None, *template.optional):
            kept.discard(part or "")
            text = self._signature + self._fill(template, kept, facts)
            if units(text) <= SEGMENT:
                break
        return text

    def _fill(self, template: Template, kept: set[str], facts: Facts) -> str:
        parts = {
            part: (words if part in kept else template.otherwise.get(part, "")).format_map(facts)
            for part, words in template.optional.items()
        }
        return template.text.format_map({**facts, **parts})


def load(text: str, name: str, signature: str) -> Texts:
    """Reads a catalogue; raises ``PolicyFault`` naming the text and what is wrong with it."""
    raw = document(text, name)
    try:
        templates = _Catalogue.model_validate(raw).root
        for key, template in templates.items():
            unknown = sorted(template.names() - FACTS - template.optional.keys())
            if unknown:
                known = ", ".join(sorted(FACTS))
                raise PolicyFault(f"{name}: {key}: speaks of {{{unknown[0]}}}, which no case has; known are {known}")
    except ValidationError as error:
        raise fault(name, error) from error
    return Texts(templates, signature)


def units(text: str) -> int:
    """UCS-2 units: what an SMS counts."""
    return len(text.encode("utf-16-be")) // 2


def place(asset: Asset) -> str:
    """柳潭3号池（村部东侧）: the short name, what it is, and the landmark by which people find it."""
    landmark = f"（{asset.landmark}）" if asset.landmark else ""
    return f"{asset.short}{container(asset)}{landmark}"


def container(asset: Asset) -> str:
    """池 or 桶; a plant's short name says what it is."""
    if asset.bin is None:
        return ""
    return "池" if asset.bin.container is Container.POOL else "桶"


def tenths(fill_pct: float) -> str:
    """七成: the nearest tenth, half up."""
    return f"{_TENTHS[int(fill_pct / 10 + 0.5)]}成"


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
    return all(facts.get(name) for _, name, _, _ in Formatter().parse(words) if name)
