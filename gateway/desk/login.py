"""Who may come in: names and passwords, as often as is decent, and the demo's link where there is a demo.

A try is counted before it is verified, and few are verified at once: each costs memory and a processor (law L10). It
counts failures and forgets them with time; which pages somebody may see is not decided here.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from gateway.desk.addresses import neighbourhood
from gateway.desk.bodies import bears
from gateway.desk.users import AuditRecord, User, UserFile, hash_password, password_fits
from telemetry.reading import Millis

TRIES: Final = 5
"""Wrong ones in a row, of one name from one address, or in a browser that is known, before they have to wait."""
TRIES_FROM: Final = 100
"""Wrong ones from one address, whatever the names: behind it may be a whole office."""
CROWD: Final = 50
"""Wrong ones of one name from wherever; beyond it strangers are heard one by one, at a pace that guesses nothing."""
PACE_MS: Final = 2_000
WAIT_MS: Final = 15 * 60_000
REMEMBERED: Final = 10_000
"""Names and addresses whose failures are remembered at once; beyond it the oldest are forgotten (law L10)."""
AT_ONCE: Final = 2
"""Passwords that are verified at the same time."""
WAITING: Final = 8
"""So many more wait for it; whoever comes then is asked to come again."""
RETRY_AFTER_S: Final = "3"
"""When, as the header of an answer has it."""


class LoginOutcome(StrEnum):
    """What came of a try."""

    OPEN = "open"
    WRONG = "wrong"
    BARRED = "barred"
    BUSY = "busy"


class Admission(NamedTuple):
    """What came of a try: if it was right, the id of a session, and the key by which the browser is known."""

    entrance: LoginOutcome
    session: str = ""
    browser: str = ""


class Busy(Exception):  # noqa: N818 a state of the world
    """Too many passwords are being verified."""


@dataclass(slots=True)
class _Failures:
    count: int = 0
    last_ms: Millis = 0
    turned_away: int = 0

    def is_within(self, span_ms: Millis, now_ms: Millis) -> bool:
        """Whether the last was so short a while ago; by a clock that was set back it was not."""
        return 0 <= now_ms - self.last_ms < span_ms


class _Key(NamedTuple):
    """By what tries are counted, and how many wrong ones close the door; 0 where it is never closed for it."""

    what: str
    name: str
    where: str
    most: int


class Authenticator:
    """Guards one desk. ``welcome`` is the demo's key, empty in production: then no link opens anything."""

    def __init__(
        self, users: UserFile, welcome: str = "", fits: Callable[[str, str | None], bool] = password_fits
    ) -> None:
        self._users = users
        self._welcome = welcome
        self._fits = fits
        self._failures: dict[_Key, _Failures] = {}
        self._lock = threading.Lock()
        self._present = threading.BoundedSemaphore(AT_ONCE + WAITING)
        self._verifying = threading.BoundedSemaphore(AT_ONCE)

    def enter(self, name: str, password: str, address: str, now_ms: Millis, browser: str = "") -> Admission:
        """A try to log in. ``browser`` is the key by which a browser says that it is known."""
        name = name[:64]
        keys = self._keys(name, address, now_ms, browser)
        try:
            with self._queue():
                entrance = self._count(keys, now_ms)
                if entrance is LoginOutcome.OPEN:
                    entrance = self._verify(name, password, keys)
        except Busy:
            return Admission(LoginOutcome.BUSY)
        match entrance:
            case LoginOutcome.OPEN:
                key = self._users.remember(browser, name, now_ms)
                return Admission(entrance, self._let_in(name, address, now_ms), key)
            case LoginOutcome.WRONG:
                self._users.note_failure(now_ms, name, address, "refused")
            case LoginOutcome.BARRED:
                self._note_barred(keys[0], name, address, now_ms)
            case LoginOutcome.BUSY:
                pass
        return Admission(entrance)

    def change(self, user: User, session: str, old: str, new: str, address: str, now_ms: Millis) -> LoginOutcome:
        """Another password for who knows the old one; the user's other sessions end.

        ``WeakPassword`` for one that cannot be taken.
        """
        keys = [_Key("changes", user.name, "", TRIES)]
        try:
            with self._queue():
                entrance = self._count(keys, now_ms)
                if entrance is LoginOutcome.OPEN:
                    entrance = self._verify(user.name, old, keys)
                if entrance is not LoginOutcome.OPEN:
                    return entrance
                with self._verifying:
                    kept = hash_password(new)
        except Busy:
            return LoginOutcome.BUSY
        self._users.change_password(user.name, kept, session, now_ms)
        self._users.note(AuditRecord(now_ms, user.name, address, "password_changed"))
        return LoginOutcome.OPEN

    def welcome(self, key: str, address: str, now_ms: Millis) -> str | None:
        """The id of a session of the demo's visitor, for who has the demo's link; there is none without a demo."""
        if not self._welcome or not bears(key, self._welcome):
            return None
        visitor = next((user for user in self._users.users() if user.demo), None)
        return None if visitor is None else self._let_in(visitor.name, address, now_ms)

    def leave(self, key: str, user: User, address: str, now_ms: Millis) -> None:
        """Somebody logs out."""
        self._users.dismiss(key)
        self._users.note(AuditRecord(now_ms, user.name, address, "logged_out"))

    def _let_in(self, name: str, address: str, now_ms: Millis) -> str:
        self._users.note(AuditRecord(now_ms, name, address, "logged_in"))
        return self._users.admit(name, now_ms)

    def _keys(self, name: str, address: str, now_ms: Millis, browser: str) -> list[_Key]:
        """By what a try is counted: a browser in which this user has logged in before is counted for itself alone."""
        called = name.casefold()
        if browser and self._users.knows(browser, name, now_ms):
            own = _Key("browser", called, browser, TRIES)
            with self._lock:
                if not self._is_barred(own, now_ms):
                    return [own]
        home = neighbourhood(address)
        return [_Key("pair", called, home, TRIES), _Key("from", "", home, TRIES_FROM), _Key("name", called, "", 0)]

    @contextmanager
    def _queue(self) -> Iterator[None]:
        if not self._present.acquire(blocking=False):
            raise Busy
        try:
            yield
        finally:
            self._present.release()

    def _count(self, keys: list[_Key], now_ms: Millis) -> LoginOutcome:
        """Whether a try may be verified; it counts as a wrong one until it turns out to be right."""
        with self._lock:
            if any(self._is_barred(key, now_ms) for key in keys):
                return LoginOutcome.BARRED
            if any(self._is_crowded(key, now_ms) for key in keys):
                return LoginOutcome.BUSY
            for key in keys:
                before = self._failures.pop(key, _Failures())
                count = before.count if before.is_within(WAIT_MS, now_ms) else 0
                self._failures[key] = _Failures(count + 1, now_ms)
            while len(self._failures) > REMEMBERED:
                del self._failures[next(iter(self._failures))]
            return LoginOutcome.OPEN

    def _verify(self, name: str, password: str, keys: list[_Key]) -> LoginOutcome:
        found = self._users.find(name)
        with self._verifying:
            is_right = self._fits(password, None if found is None else found[1])
        if not is_right:
            return LoginOutcome.WRONG
        with self._lock:
            # Its own count is forgiven whole; of those that others share, only this try.
            self._failures.pop(keys[0], None)
            for key in keys[1:]:
                if key in self._failures:
                    self._failures[key].count -= 1
        return LoginOutcome.OPEN

    def _is_barred(self, key: _Key, now_ms: Millis) -> bool:
        known = self._failures.get(key)
        return known is not None and 0 < key.most <= known.count and known.is_within(WAIT_MS, now_ms)

    def _is_crowded(self, key: _Key, now_ms: Millis) -> bool:
        known = self._failures.get(key)
        return key.most == 0 and known is not None and known.count >= CROWD and known.is_within(PACE_MS, now_ms)

    def _note_barred(self, key: _Key, name: str, address: str, now_ms: Millis) -> None:
        """One row a doubling: whoever goes on knocking at a closed door must not keep the disk busy."""
        with self._lock:
            known = self._failures.setdefault(key, _Failures(0, now_ms))
            known.turned_away += 1
            doubled = known.turned_away & (known.turned_away - 1) == 0
            tries = known.turned_away - known.turned_away // 2
        if doubled:
            self._users.note_failure(now_ms, name, address, "barred", tries)
