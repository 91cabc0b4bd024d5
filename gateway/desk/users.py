"""The desk's own small SQLite file beside the journal, mode 600: users, sessions, and what was done at the door.

The journal keeps its one writer because nothing of this is in it. Passwords and session ids are kept as hashes only.
"""

import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Final

from telemetry.reading import Millis

NAME: Final = "desk.db"
SESSION_MS: Final = 12 * 3_600_000
"""A working day: who comes in the morning logs in once."""
DEEDS: Final = 200_000
"""So many rows of the door's audit are kept; the journal keeps what was done to cases, for years."""
_BUSY_S: Final = 5.0


class UsersUnavailable(Exception):  # noqa: N818 a state of the world, said in a sentence
    """The file cannot be opened, read or written; the text says what to do."""


class Role(StrEnum):
    """What a user of the desk may do; each may all that those before it may."""

    VIEWER = "viewer"
    CREW = "crew"
    DISPATCHER = "dispatcher"
    ADMIN = "admin"

    def reaches(self, other: "Role") -> bool:
        """Whether it may all that the other may."""
        order = list(Role)
        return order.index(self) >= order.index(other)


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may log in. ``person`` is who they act as in the inventory, ``area`` what they see (empty: all)."""

    name: str
    role: Role
    area: str = ""
    person: str = ""
    demo: bool = False


@dataclass(frozen=True, slots=True)
class Session:
    """A user who has logged in; ``csrf`` must come with everything they send."""

    user: User
    csrf: str


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that was done at the desk: by whom, from where, and what came of it."""

    at_ms: Millis
    user: str
    address: str
    what: str
    detail: str = ""


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
        return key

    def session(self, key: str, now_ms: Millis) -> Session | None:
        """Who holds a session id, while it lasts."""
        with self._open() as file:
            row = file.execute(_SESSION, (_mark(key), now_ms)).fetchone()
        return None if row is None else Session(_user(row[:-1]), row[-1])

    def dismiss(self, key: str) -> None:
        """The session is over."""
        with self._open() as file:
            file.execute("DELETE FROM session WHERE mark = ?", (_mark(key),))

    def note(self, deed: Deed) -> None:
        """One more row of the audit."""
        with self._open() as file:
            row = (deed.at_ms, deed.user, deed.address, deed.what, deed.detail)
            number = file.execute(
                "INSERT INTO deed (at_ms, user, address, what, detail) VALUES (?, ?, ?, ?, ?)", row
            ).lastrowid
            file.execute("DELETE FROM deed WHERE id <= ?", ((number or 0) - DEEDS,))

    def deeds(self, most: int) -> list[Deed]:
        """The newest rows of the audit, the newest first."""
        with self._open() as file:
            rows = file.execute("SELECT at_ms, user, address, what, detail FROM deed ORDER BY id DESC LIMIT ?", (most,))
            return [Deed(*row) for row in rows]

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
    return User(name, Role(role), area, person, bool(demo))


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
"""
