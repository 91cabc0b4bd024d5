"""What is kept of a password, and how one is found right or wrong. The only home of argon2; nothing is stored here."""

from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST: Final = 10
LONGEST: Final = 128
_HASHER: Final = PasswordHasher()


class WeakPassword(ValueError):  # noqa: N818 a fault in what was chosen, said in a sentence
    """The password cannot be taken; the text says why."""


def hashed(password: str) -> str:
    """What is kept of it; ``WeakPassword`` for one that is too short or too long."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise WeakPassword(f"a password has {SHORTEST} to {LONGEST} characters")
    return _HASHER.hash(password)


def fits(password: str, kept: str | None) -> bool:
    """Whether it is the one; without anything kept as slow as with, so that nobody learns which names there are."""
    try:
        return _HASHER.verify(kept or _nobodys(), password[: LONGEST + 1]) and kept is not None
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobodys() -> str:
    return _HASHER.hash("nobody has this one")
