"""What a text in one field of the inventory may be, and what it becomes: ids, names, phones, spans, moments.

Each kind of field is one annotated type; its refusal says what is wrong and how to write it. Nothing here
looks at another field.
"""

import re
from datetime import UTC, datetime, time
from typing import Annotated, Final, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, FiniteFloat, with_config

from telemetry.inventory.faults import Vocabulary, refusal, shown
from telemetry.phone import MOBILE, dialled
from telemetry.segments import units
from telemetry.terms import Hours

SIGNATURE_MOST: Final = 6
SHORT_MOST: Final = 6
LANDMARK_MOST: Final = 6
PERSON_MOST: Final = 4
NAME_MOST: Final = 40
BY_SMS: Final = "sms"
BY_VOICE: Final = "voice"
WEEK_S: Final = 7 * 86_400
WIRE_MOST_MM: Final = 65_535

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: Final[tuple[Weekday, ...]] = get_args(Weekday)

_ID: Final = re.compile(r"[a-z0-9-]{1,32}")
_ZONE: Final = re.compile(r"[A-Za-z0-9_+-]{1,32}(/[A-Za-z0-9_+-]{1,32}){0,2}")
_SPAN: Final = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])-([01]?[0-9]|2[0-3]):([0-5][0-9])")
_EUI: Final = re.compile(r"[0-9a-f]{16}")
_OFFICE: Final = re.compile(
    r"1[3-9][0-9]{9}"  # a mobile
    r"|0[1-9][0-9]{1,2}-?[2-9][0-9]{6,7}"  # a landline with its area code
    r"|[2-9][0-9]{6,7}"  # a landline within the county
    r"|[48]00-?[0-9]{3}-?[0-9]{4}"  # a number that is the same everywhere
    r"|1[0-9]{2,4}|9[56][0-9]{3,4}"  # a hotline: 119, 12345, 96123
)
_YEARS: Final = range(2000, 2101)


file_row: Final = with_config(ConfigDict(extra="forbid"))
"""Marks a class as a mapping of the file: keys that it does not know are refused."""


def _id(text: str) -> str:
    if _ID.fullmatch(text):
        return text
    raise refusal(f"{shown(text)} is not an id", "Use 1 to 32 of a-z, 0-9 and '-'.")


def _visible(text: str) -> str:
    if not text.strip():
        raise refusal("is empty", "Write it, or leave the key out if it is optional.")
    if text != text.strip() or not text.isprintable():
        raise refusal(f"{shown(text)} has blanks around it or control characters in it", "Remove them.")
    return text


def _at_most(most: int) -> AfterValidator:
    def check(text: str) -> str:
        counted = units(text)
        if counted > most:
            raise refusal(f"{shown(text)} has {counted} characters, {most} fit", f"Shorten it to {most}.")
        return text

    return AfterValidator(check)


def _signature(text: str) -> str:
    if any(bracket in text for bracket in "【】[]"):
        raise refusal(f"{shown(text)} has brackets", "Leave them out, they are put on by themselves.")
    counted = units(text) + 2
    if counted > SIGNATURE_MOST:
        raise refusal(
            f"{shown(text)} has {counted} characters with its brackets, {SIGNATURE_MOST} fit",
            f"Shorten it to {SIGNATURE_MOST - 2}, as the certified body's signature was approved.",
        )
    return text


def _person_phone(text: str) -> str:
    if MOBILE.fullmatch(text):
        return text
    bare = dialled(text)
    if MOBILE.fullmatch(bare):
        raise refusal(f"{shown(text)} cannot be a phone number as it is written", f'Write "{bare}".')
    if _OFFICE.fullmatch(bare):
        raise refusal(f"{shown(text)} cannot receive texts", "Give a mobile number of 11 digits.")
    raise refusal(f"{shown(text)} cannot be a phone number", "Give a mainland mobile number: 11 digits from 13 to 19.")


def _office_phone(text: str) -> str:
    if _OFFICE.fullmatch(text):
        return text
    bare = dialled(text)
    if _OFFICE.fullmatch(bare):
        raise refusal(f"{shown(text)} cannot be a phone number as it is written", f'Write "{bare}".')
    raise refusal(
        f"{shown(text)} cannot be a phone number",
        "Give a landline with its area code (0731-5566123), a 400 number or a mobile number.",
    )


def _reach(text: str) -> str:
    if text in (BY_SMS, BY_VOICE) or relay_of(text):
        return text
    raise refusal(f"{shown(text)} is no way to reach somebody", "Write sms, voice, or relay: and a person's id.")


def relay_of(reach: str) -> str | None:
    """The id of the person who passes it on, if that is how somebody is reached."""
    head, mark, person = reach.partition(":")
    return person.strip() or None if mark and head.strip() == "relay" else None


def _zone(text: str) -> str:
    if _ZONE.fullmatch(text):
        try:
            ZoneInfo(text)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            pass
        else:
            return text
    hint = Vocabulary(sorted(available_timezones())).hint(text)
    raise refusal(f"no time zone {shown(text)}{hint}", "Use an IANA name: Asia/Shanghai.")


def _eui(text: str) -> str:
    bare = text.lower()
    if _EUI.fullmatch(bare):
        return bare
    joined = re.sub(r"[\s:-]", "", bare)
    if _EUI.fullmatch(joined):
        raise refusal(f"{shown(text)} is not written as a DevEUI", f'Write "{joined}".')
    raise refusal(f"{shown(text)} is not a DevEUI", "Copy the 16 hexadecimal digits from the device's label.")


def _hours(value: object) -> Hours:
    found = _SPAN.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise refusal(f"{shown(value)} is not a span of the day", 'Write "07:00-21:00", from 00:00 to 23:59.')
    from_hour, from_minute, to_hour, to_minute = (int(part) for part in found.groups())
    start, end = time(from_hour, from_minute), time(to_hour, to_minute)
    if start == end:
        raise refusal(f"{shown(value)} ends when it starts", "Leave it out if all day is meant.")
    return Hours(start, end)


def _moment(value: object) -> datetime:
    remedy = "Write it with its time zone: 2026-12-01T00:00:00Z."
    if not isinstance(value, str):
        raise refusal(f"{shown(value)} is not a moment", remedy)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise refusal(f"{shown(value)} is not a moment", remedy) from None
    if moment.tzinfo is None:
        raise refusal(f"{shown(value)} has no time zone", remedy)
    if moment.year not in _YEARS:
        raise refusal(f"{shown(value)} is not of this century", remedy)
    return moment.astimezone(UTC)


def _one_or_more(value: object) -> object:
    return [value] if isinstance(value, str) else value


def day_numbers(days: frozenset[Weekday]) -> frozenset[int]:
    """Days of the week as numbers, Monday 0."""
    return frozenset(WEEKDAYS.index(day) for day in days)


Id = Annotated[str, AfterValidator(_id)]
Reference = str
"""An id or name that another row owns; whether that row is there is for ``checks``."""
Name = Annotated[str, AfterValidator(_visible), _at_most(NAME_MOST)]
ShortName = Annotated[str, AfterValidator(_visible), _at_most(SHORT_MOST)]
Landmark = Annotated[str, AfterValidator(_visible), _at_most(LANDMARK_MOST)]
PersonName = Annotated[str, AfterValidator(_visible), _at_most(PERSON_MOST)]
Signature = Annotated[str, AfterValidator(_visible), AfterValidator(_signature)]
Reach = Annotated[str, AfterValidator(_reach)]
PersonPhone = Annotated[str, AfterValidator(_person_phone)]
OfficePhone = Annotated[str, AfterValidator(_office_phone)]
Zone = Annotated[str, AfterValidator(_zone)]
DevEui = Annotated[str, AfterValidator(_eui)]
Span = Annotated[Hours, BeforeValidator(_hours)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
Areas = Annotated[tuple[str, ...], BeforeValidator(_one_or_more), Field(min_length=1, max_length=2)]

Length = Annotated[FiniteFloat, Field(ge=0, le=WIRE_MOST_MM)]
"""mm, as far as a wire can carry it."""
Amount = Annotated[FiniteFloat, Field(gt=0, le=1_000_000)]
"""A size that cannot be nothing."""
