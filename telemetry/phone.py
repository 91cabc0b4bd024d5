"""Telephone numbers: one form by which all spellings of one are compared, and one in which it is dialled and shown.

Only the spelling is judged here. Whether somebody has the number and can read texts on it is for whoever asks.
"""

import re
import unicodedata
from typing import Final

MOBILE: Final = re.compile(r"1[3-9][0-9]{9}")
"""A mainland mobile number as it is dialled at home."""
_CHINA: Final = "+86"
_LONGEST: Final = 64
"""Signs of a spelling that are looked at."""
_MOST_DIGITS: Final = 20
"""As many as the address of a text message carries."""
_ABROAD: Final = range(7, 16)
"""Digits of a number with its country's code (E.164)."""
_SCHEME: Final = re.compile(r"\s*(?:tel|sms|smsto):", re.IGNORECASE)
_BEHIND: Final = re.compile(r"(?<=[0-9])\s*(?:[;,?#]|转|ext|x)", re.IGNORECASE)
"""What comes after the number itself: parameters of a tel: address, an extension."""
_AREA: Final = re.compile(r"(?:10|2[0-9])[2-9][0-9]{7}|[3-9][0-9]{2}[2-9][0-9]{6,7}")
"""A landline with its area code, without the zero before it."""
_EVERYWHERE: Final = re.compile(r"[48]00[0-9]{7}")
"""A number that is the same everywhere and has no zero before it."""
_BULK: Final = re.compile(r"\A86(?=106[0-9]{8,})")
"""The country's code before the code of who sends in bulk, longer than any landline of the capital."""
_CHEAPER: Final = re.compile(rf"(?:0|179[0-9]{{2}}|12593)(?={MOBILE.pattern}$)")
"""What some telephones put before a mobile number: a zero, or a long-distance service's number."""


def number_key(written: str) -> str:
    """The form in which numbers are compared: E.164 where it has one, else the digits alone; empty if there are none.

    Short codes (10086, 106…, 955xx) and landlines without their area code have no E.164 form.
    """
    text = unicodedata.normalize("NFKC", _SCHEME.sub("", written[:_LONGEST]))
    said = _BEHIND.split(text, maxsplit=1)[0]
    digits = "".join(sign for sign in said if sign.isascii() and sign.isdigit())[:_MOST_DIGITS]
    return _abroad(digits) if re.match(r"[^0-9]*\+", said) else _here(digits)


def dialled(written: str) -> str:
    """Digits alone as they are dialled in the county: a mobile's eleven, a landline's area code after a zero."""
    key = number_key(written)
    national = key.removeprefix(_CHINA)
    if national != key:
        return national if MOBILE.fullmatch(national) or _EVERYWHERE.fullmatch(national) else f"0{national}"
    return f"00{key[1:]}" if key.startswith("+") else key


def is_same(one: str, other: str) -> bool:
    """Whether two spellings mean one number; what has no digits is nobody's."""
    key = number_key(one)
    return bool(key) and key == number_key(other)


def is_mobile(written: str) -> bool:
    """Whether it is a mainland mobile number, the only kind whose owner we answer."""
    key = number_key(written)
    return key.startswith(_CHINA) and MOBILE.fullmatch(key.removeprefix(_CHINA)) is not None


def _here(digits: str) -> str:
    """The key of digits as they are dialled in China; the country's code may stand before them without a sign."""
    if digits.startswith("00"):
        return _abroad(digits[2:])
    if found := _full(digits, "0"):
        return found
    if digits.startswith("86") and (found := _full(digits[2:], "0?")):
        return found
    return _BULK.sub("", digits)


def _abroad(digits: str) -> str:
    """The key of digits after a + or 00. A short code of ours that a network wrote so is the code alone."""
    if digits.startswith("86"):
        return _full(digits[2:], "0?") or _here(digits[2:])
    return f"+{digits}" if len(digits) in _ABROAD and not digits.startswith("0") else _here(digits)


def _full(digits: str, zero: str) -> str:
    """The E.164 form of a number of ours; empty where it has none. ``zero`` is what stands before an area code."""
    bare = _CHEAPER.sub("", digits)
    if MOBILE.fullmatch(bare) or _EVERYWHERE.fullmatch(bare):
        return _CHINA + bare
    found = re.fullmatch(f"{zero}({_AREA.pattern})", digits)
    return _CHINA + found[1] if found else ""
