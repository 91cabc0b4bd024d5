"""Who may come in: names and passwords, as often as is decent, and the demo's link where there is a demo.

It counts failures and forgets them with time; which pages somebody may see is not decided here.
"""

import hmac
import threading
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gateway.desk import passwords
from gateway.desk.users import Deed, User, UserFile
from telemetry.reading import Millis

TRIES: Final = 5
"""Wrong ones in a row, of one name or from one address, before it has to wait."""
WAIT_MS: Final = 15 * 60_000
REMEMBERED: Final = 10_000
"""Names and addresses whose failures are remembered at once; beyond it the oldest are forgotten (law L10)."""


class Entrance(StrEnum):
    """What came of a try."""

    OPEN = "open"
    WRONG = "wrong"
    BARRED = "barred"


@dataclass(slots=True)
class _Failures:
    count: int = 0
    last_ms: Millis = 0


class Doorkeeper:
    """Guards one desk. ``welcome`` is the demo's key, empty in production: then no link opens anything."""

    def __init__(self, users: UserFile, welcome: str = "") -> None:
        self._users = users
        self._welcome = welcome
        self._failures: dict[str, _Failures] = {}
        self._lock = threading.Lock()

    def enter(self, name: str, password: str, address: str, now_ms: Millis) -> tuple[Entrance, str]:
        """A try to log in: what came of it, and the id of the session if it was right."""
        tried = (f"name {name.casefold()[:64]}", f"from {address}")
        if self._is_barred(tried, now_ms):
            self._users.note(Deed(now_ms, name[:64], address, "barred"))
            return Entrance.BARRED, ""
        found = self._users.find(name)
        if not passwords.fits(password, None if found is None else found[1]):
            self._fail(tried, now_ms)
            self._users.note(Deed(now_ms, name[:64], address, "refused"))
            return Entrance.WRONG, ""
        self._forgive(tried)
        return Entrance.OPEN, self._let_in(name, address, now_ms)

    def welcome(self, key: str, address: str, now_ms: Millis) -> str | None:
        """The id of a session of the demo's visitor, for who has the demo's link; there is none without a demo."""
        if not self._welcome or not hmac.compare_digest(key.encode(), self._welcome.encode()):
            return None
        visitor = next((user for user in self._users.users() if user.demo), None)
        return None if visitor is None else self._let_in(visitor.name, address, now_ms)

    def leave(self, key: str, user: User, address: str, now_ms: Millis) -> None:
        """Somebody logs out."""
        self._users.dismiss(key)
        self._users.note(Deed(now_ms, user.name, address, "logged_out"))

    def _let_in(self, name: str, address: str, now_ms: Millis) -> str:
        self._users.note(Deed(now_ms, name, address, "logged_in"))
        return self._users.admit(name, now_ms)

    def _is_barred(self, tried: tuple[str, ...], now_ms: Millis) -> bool:
        with self._lock:
            known = (self._failures.get(each) for each in tried)
            return any(each is not None and each.count >= TRIES and now_ms - each.last_ms < WAIT_MS for each in known)

    def _fail(self, tried: tuple[str, ...], now_ms: Millis) -> None:
        with self._lock:
            for each in tried:
                before = self._failures.pop(each, _Failures())
                count = 0 if now_ms - before.last_ms >= WAIT_MS else before.count
                self._failures[each] = _Failures(count + 1, now_ms)
            while len(self._failures) > REMEMBERED:
                del self._failures[next(iter(self._failures))]

    def _forgive(self, tried: tuple[str, ...]) -> None:
        with self._lock:
            for each in tried:
                self._failures.pop(each, None)
