"""The desk's own small SQLite file beside the journal, mode 600: users, sessions, and what was done at the door.

The journal keeps its one writer because nothing of this is in it. Passwords and session ids are kept as hashes only;
this is the only home of argon2.
"""

import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from alerts.calendars import DAY_MS
from telemetry.reading import Millis

NAME: Final = "desk.db"
SESSION_MS: Final = 12 * 3_600_000
"""A working day: who comes in the morning logs in once."""
DEEDS_EACH: Final = 20_000
"""So many rows of each user the audit keeps: nobody washes out another's. What was done to cases the journal keeps."""
SESSIONS_EACH: Final = 200
BROWSERS_EACH: Final = 50
BROWSER_MS: Final = 180 * 24 * 3_600_000
"""So long a browser is known in which somebody has logged in."""
FAILURES: Final = 5_000
"""Rows of those who did not get in, one an address, name and day."""
NAMES_EACH: Final = 20
"""So many names that one address tried in a day have rows of their own."""
OTHER_NAMES: Final = "…"
_BUSY_S: Final = 5.0


class UsersUnavailable(Exception):  # noqa: N818 a state of the world, said in a sentence
    """The file cannot be opened, read or written; the text says what to do."""


class UserRole(StrEnum):
    """What a user of the desk may do; each may all that those before it may."""

    VIEWER = "viewer"
    CREW = "crew"
    DISPATCHER = "dispatcher"
    ADMIN = "admin"

    def reaches(self, other: "UserRole") -> bool:
        """Whether it may all that the other may."""
        order = list(UserRole)
        return order.index(self) >= order.index(other)


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may log in. ``person`` is who they act as in the inventory, ``area`` what they see (empty: all)."""

    name: str
    role: UserRole
    area: str = ""
    person: str = ""
    demo: bool = False


@dataclass(frozen=True, slots=True)
class LoginSession:
    """A user who has logged in; ``csrf`` must come with everything they send."""

    user: User
    csrf: str


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """Something that was done at the desk: by whom, from where, and what came of it."""

    at_ms: Millis
    user: str
    address: str
    what: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """Somebody who did not get in: with which name, from where, how often on a day, and when first and last."""

    first_ms: Millis
    last_ms: Millis
    user: str
    address: str
    what: str
    tries: int


class UserFile:
    """The file, made when it is not there. Each call opens it anew: any thread may call, and nothing stays open."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            if not path.exists():
                os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
        except OSError as error:
            raise _unavailable(path, error.strerror or str(error)) from None
        with self._open() as file:
            file.executescript(_SCHEMA)

    @classmethod
    def beside(cls, journal: Path) -> "UserFile":
        """The file of a journal's desk."""
        return cls(journal.parent / NAME)

    def keep(self, user: User, password_hash: str, now_ms: Millis) -> bool:
        """Adds a user, or gives one that is there this role, area, person and password; true if it was new."""
        row = (user.name, password_hash, user.role, user.area, user.person, user.demo, now_ms)
        with self._open() as file:
            known = file.execute("SELECT 1 FROM user WHERE name = ?", (user.name,)).fetchone()
            file.execute(_KEEP, row)
            file.execute("DELETE FROM session WHERE user = ?", (user.name,))
        return known is None

    def remove(self, name: str) -> bool:
        """A user may no longer log in, and is logged out; false if there was none."""
        with self._open() as file:
            return file.execute("DELETE FROM user WHERE name = ?", (name,)).rowcount > 0

    def users(self) -> list[User]:
        """Everybody, by name."""
        with self._open() as file:
            return [_user(row) for row in file.execute(f"SELECT {_USER} FROM user ORDER BY name")]  # noqa: S608 -- names of our own

    def find(self, name: str) -> tuple[User, str] | None:
        """A user and what is kept of the password."""
        with self._open() as file:
            row = file.execute(f"SELECT {_USER}, hash FROM user WHERE name = ?", (name,)).fetchone()  # noqa: S608 -- names of our own
        return None if row is None else (_user(row[:-1]), row[-1])

    def admit(self, name: str, now_ms: Millis) -> str:
        """A new session of a user; its id, which is kept nowhere."""
        key = secrets.token_urlsafe(32)
        with self._open() as file:
            file.execute("DELETE FROM session WHERE expires_ms <= ?", (now_ms,))
            row = (_mark(key), name, secrets.token_urlsafe(24), now_ms + SESSION_MS)
            file.execute("INSERT INTO session (mark, user, csrf, expires_ms) VALUES (?, ?, ?, ?)", row)
            file.execute(_ENDED_SESSIONS, (name, name, SESSIONS_EACH))
        return key

    def change_password(self, name: str, password_hash: str, kept_session: str, now_ms: Millis) -> None:
        """Another password; every session of the user ends but the one in which it was chosen."""
        with self._open() as file:
            file.execute("UPDATE user SET hash = ?, kept_ms = ? WHERE name = ?", (password_hash, now_ms, name))
            file.execute("DELETE FROM session WHERE user = ? AND mark <> ?", (name, _mark(kept_session)))

    def knows(self, browser: str, name: str, now_ms: Millis) -> bool:
        """Whether somebody has logged in as this user in this browser, not too long ago."""
        with self._open() as file:
            row = file.execute(_BROWSER, (_mark(browser), name, now_ms - BROWSER_MS)).fetchone()
        return row is not None

    def remember(self, browser: str, name: str, now_ms: Millis) -> str:
        """The browser is known from now on, by what it was known by before if that was ever true; its key."""
        with self._open() as file:
            known = browser and file.execute("SELECT 1 FROM browser WHERE mark = ?", (_mark(browser),)).fetchone()
            key = browser if known else secrets.token_urlsafe(32)
            file.execute(
                "INSERT OR REPLACE INTO browser (mark, user, seen_ms) VALUES (?, ?, ?)", (_mark(key), name, now_ms)
            )
            file.execute(_FORGOTTEN_BROWSERS, (name, name, BROWSERS_EACH))
        return key

    def session(self, key: str, now_ms: Millis) -> LoginSession | None:
        """Who holds a session id, while it lasts."""
        with self._open() as file:
            row = file.execute(_SESSION, (_mark(key), now_ms)).fetchone()
        return None if row is None else LoginSession(_user(row[:-1]), row[-1])

    def dismiss(self, key: str) -> None:
        """The session is over."""
        with self._open() as file:
            file.execute("DELETE FROM session WHERE mark = ?", (_mark(key),))

    def note(self, deed: AuditRecord) -> None:
        """One more row of the audit."""
        with self._open() as file:
            row = (deed.at_ms, deed.user, deed.address, deed.what, deed.detail)
            file.execute("INSERT INTO deed (at_ms, user, address, what, detail) VALUES (?, ?, ?, ?, ?)", row)
            file.execute(_OLD_DEEDS, (deed.user, deed.user, DEEDS_EACH))

    def note_failure(self, at_ms: Millis, user: str, address: str, what: str, tries: int = 1) -> None:
        """Somebody did not get in, so many times. It never costs a row of what was done."""
        user = "".join(sign if sign.isprintable() else "?" for sign in user[:64])
        day = at_ms // DAY_MS
        with self._open() as file:
            names = file.execute(_NAMES_OF_A_DAY, (day, address, user)).fetchone()[0]
            row = (day, user if names < NAMES_EACH else OTHER_NAMES, address, what, at_ms, at_ms, tries)
            file.execute(_FAILED, row)
            file.execute("DELETE FROM failure WHERE id <= (SELECT max(id) FROM failure) - ?", (FAILURES,))

    def failures(self, most: int) -> list[Failure]:
        """Who did not get in, the newest first."""
        with self._open() as file:
            return [Failure(*row) for row in file.execute(_FAILURES, (most,))]

    def deeds(self, most: int) -> list[AuditRecord]:
        """The newest rows of the audit, the newest first."""
        with self._open() as file:
            rows = file.execute("SELECT at_ms, user, address, what, detail FROM deed ORDER BY id DESC LIMIT ?", (most,))
            return [AuditRecord(*row) for row in rows]

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """One transaction."""
        try:
            with closing(sqlite3.connect(self._path, timeout=_BUSY_S)) as connection:
                connection.execute("PRAGMA foreign_keys = ON")
                with connection:
                    yield connection
        except sqlite3.Error as error:
            raise _unavailable(self._path, str(error)) from None


def _unavailable(path: Path, why: str) -> UsersUnavailable:
    remedy = "it must be on a disk with room and belong to the gateway's user; without it nobody can log in"
    return UsersUnavailable(f"the desk's users {path}: {why.lower()}; {remedy}")


def _mark(key: str) -> str:
    return sha256(key.encode()).hexdigest()


def _user(row: tuple[str, str, str, str, int]) -> User:
    name, role, area, person, demo = row
    return User(name, UserRole(role), area, person, bool(demo))


_USER: Final = "user.name, user.role, user.area, user.person, user.demo"
_KEEP: Final = """
    INSERT INTO user (name, hash, role, area, person, demo, kept_ms) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (name) DO UPDATE SET hash = excluded.hash, role = excluded.role, area = excluded.area,
        person = excluded.person, demo = excluded.demo, kept_ms = excluded.kept_ms
"""
_SESSION: Final = f"""
    SELECT {_USER}, session.csrf FROM session JOIN user ON user.name = session.user
    WHERE session.mark = ? AND session.expires_ms > ?
"""  # noqa: S608 -- names of our own
_ENDED_SESSIONS: Final = """
    DELETE FROM session WHERE user = ? AND mark NOT IN (
        SELECT mark FROM session WHERE user = ? ORDER BY expires_ms DESC LIMIT ?)
"""
_BROWSER: Final = "SELECT 1 FROM browser WHERE mark = ? AND user = ? AND seen_ms > ?"
_FORGOTTEN_BROWSERS: Final = """
    DELETE FROM browser WHERE user = ? AND mark NOT IN (
        SELECT mark FROM browser WHERE user = ? ORDER BY seen_ms DESC LIMIT ?)
"""
_OLD_DEEDS: Final = """
    DELETE FROM deed WHERE user = ? AND id <= (SELECT id FROM deed WHERE user = ? ORDER BY id DESC LIMIT 1 OFFSET ?)
"""
_NAMES_OF_A_DAY: Final = "SELECT count(DISTINCT user) FROM failure WHERE day = ? AND address = ? AND user <> ?"
_FAILED: Final = """
    INSERT INTO failure (day, user, address, what, first_ms, last_ms, tries) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (day, user, address, what) DO UPDATE SET tries = tries + excluded.tries,
        last_ms = max(last_ms, excluded.last_ms)
"""
_FAILURES: Final = """
    SELECT first_ms, last_ms, user, address, what, tries FROM failure ORDER BY last_ms DESC, id DESC LIMIT ?
"""
_SCHEMA: Final = """
    CREATE TABLE IF NOT EXISTS user (
        name    TEXT PRIMARY KEY,
        hash    TEXT NOT NULL,
        role    TEXT NOT NULL,
        area    TEXT NOT NULL,
        person  TEXT NOT NULL,
        demo    INTEGER NOT NULL,
        kept_ms INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS session (
        mark       TEXT PRIMARY KEY,
        user       TEXT NOT NULL REFERENCES user (name) ON DELETE CASCADE,
        csrf       TEXT NOT NULL,
        expires_ms INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS deed (
        id      INTEGER PRIMARY KEY AUTOINCREMENT,
        at_ms   INTEGER NOT NULL,
        user    TEXT NOT NULL,
        address TEXT NOT NULL,
        what    TEXT NOT NULL,
        detail  TEXT NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS deeds_of ON deed (user, id);
    CREATE TABLE IF NOT EXISTS browser (
        mark    TEXT NOT NULL,
        user    TEXT NOT NULL REFERENCES user (name) ON DELETE CASCADE,
        seen_ms INTEGER NOT NULL,
        PRIMARY KEY (mark, user)
    ) STRICT;
    CREATE TABLE IF NOT EXISTS failure (
        id       INTEGER PRIMARY KEY AUTOINCREMENT,
        day      INTEGER NOT NULL,
        user     TEXT NOT NULL,
        address  TEXT NOT NULL,
        what     TEXT NOT NULL,
        first_ms INTEGER NOT NULL,
        last_ms  INTEGER NOT NULL,
        tries    INTEGER NOT NULL,
        UNIQUE (day, user, address, what)
    ) STRICT;
    CREATE INDEX IF NOT EXISTS failures_of ON failure (day, address);
"""


SHORTEST: Final = 10
LONGEST: Final = 128
"""Characters of a password."""
_HASHER: Final = PasswordHasher()


class WeakPassword(ValueError):  # noqa: N818 a fault in what was chosen, said in a sentence
    """The password cannot be taken; the text says why."""


def hash_password(password: str) -> str:
    """What is kept of it; ``WeakPassword`` for one that is too short or too long."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise WeakPassword(f"a password has {SHORTEST} to {LONGEST} characters")
    return _HASHER.hash(password)


def password_fits(password: str, kept: str | None) -> bool:
    """Whether it is the one; without anything kept as slow as with, so that nobody learns which names there are."""
    try:
        return _HASHER.verify(kept or _nobodys(), password[: LONGEST + 1]) and kept is not None
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobodys() -> str:
    return _HASHER.hash("nobody has this one")
