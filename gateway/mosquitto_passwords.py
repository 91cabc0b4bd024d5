"""How mosquitto keeps a password: ``$7$rounds$salt$hash``, PBKDF2 with SHA-512, the same in 2.0 and 2.1.

Nothing here reads or writes a file, and no password is made here.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from typing import Final

_KIND: Final = "7"
_ROUNDS: Final = 101
_SALT_BYTES: Final = 12


def hashed(password: str) -> str:
    """The password as a line of the password file has it behind the user's name."""
    salt = secrets.token_bytes(_SALT_BYTES)
    fields = (base64.b64encode(each).decode() for each in (salt, _digest(password, salt, _ROUNDS)))
    return "$".join(("", _KIND, str(_ROUNDS), *fields))


def fits(kept: str, password: str) -> bool:
    """Whether this is the password that was hashed; what is no hash of this kind fits none."""
    match kept.strip().split("$"):
        case ["", kind, rounds, salt, digest] if kind == _KIND and rounds.isdecimal() and int(rounds) > 0:
            try:
                made = _digest(password, base64.b64decode(salt, validate=True), int(rounds))
                return hmac.compare_digest(made, base64.b64decode(digest, validate=True))
            except binascii.Error:
                return False
        case _:
            return False


def _digest(password: str, salt: bytes, rounds: int) -> bytes:
    return hashlib.pbkdf2_hmac("sha512", password.encode(), salt, rounds)
