"""The users' file: for its owner alone, hashes only, sessions that end; and the doorkeeper's patience."""

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from gateway.desk import passwords
from gateway.desk.doorkeeper import TRIES, WAIT_MS, Doorkeeper, Entrance
from gateway.desk.users import SESSION_MS, Role, User, UserFile, UsersUnavailable
from gateway.production import refuse_a_demos
from gateway.settings import Settings
from gateway.settings_faults import SettingsFault
from tests.desk_gateway import PASSWORD

LIN = User("lin", Role.DISPATCHER, "shiqiao", "office-lin")
HASH = passwords.hashed(PASSWORD)


@pytest.fixture
def users(tmp_path: Path) -> UserFile:
    made = UserFile.beside(tmp_path / "journal.db")
    made.keep(LIN, HASH, 0)
    return made


def test_it_is_for_its_owner_alone_and_keeps_no_secret_as_it_is(users: UserFile, tmp_path: Path) -> None:
    key = users.admit("lin", 0)
    assert stat.S_IMODE((tmp_path / "desk.db").stat().st_mode) == 0o600
    content = (tmp_path / "desk.db").read_bytes()
    assert PASSWORD.encode() not in content
    assert key.encode() not in content
    assert b"$argon2id$" in content


def test_a_session_lasts_a_working_day_and_ends_with_a_new_password_or_the_user(users: UserFile) -> None:
    key = users.admit("lin", 0)
    session = users.session(key, SESSION_MS - 1)
    assert session is not None
    assert session.user == LIN
    assert users.session(key, SESSION_MS) is None
    assert users.session("guessed", 0) is None
    assert not users.keep(LIN, HASH, 1)
    assert users.session(key, 1) is None
    other = users.admit("lin", 1)
    assert users.remove("lin")
    assert not users.remove("lin")
    assert users.session(other, 1) is None


def test_a_file_that_is_none_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "desk.db").write_bytes(b"this is no database, whatever its name says" * 40)
    with pytest.raises(UsersUnavailable, match=r"desk\.db: file is not a database; it must be on a disk with room"):
        UserFile.beside(tmp_path / "journal.db")
    with pytest.raises(UsersUnavailable, match="no such file"):
        UserFile(tmp_path / "nowhere" / "desk.db")


def test_patience_ends_by_name_and_by_address_and_comes_back(users: UserFile) -> None:
    door = Doorkeeper(users)
    for number in range(TRIES):
        assert door.enter("lin", "guess", f"10.0.0.{number}", 0)[0] is Entrance.WRONG
    assert door.enter("lin", PASSWORD, "10.0.0.9", 1)[0] is Entrance.BARRED
    assert door.enter("LIN", PASSWORD, "10.0.0.9", 1)[0] is Entrance.BARRED, "another spelling is the same name"
    entrance, key = door.enter("lin", PASSWORD, "10.0.0.9", WAIT_MS)
    assert entrance is Entrance.OPEN
    assert users.session(key, WAIT_MS) is not None
    for number in range(TRIES):
        door.enter(f"guess-{number}", "guess", "10.0.0.66", WAIT_MS)
    assert door.enter("lin", PASSWORD, "10.0.0.66", WAIT_MS)[0] is Entrance.BARRED


def test_the_demos_link_opens_for_its_key_and_only_where_there_is_a_demo(users: UserFile) -> None:
    assert Doorkeeper(users).welcome("", "", 0) is None
    assert Doorkeeper(users, "key").welcome("key", "", 0) is None, "no visitor, nobody to come in as"
    users.keep(User("demo", Role.DISPATCHER, demo=True), HASH, 0)
    assert Doorkeeper(users, "key").welcome("other", "", 0) is None
    assert Doorkeeper(users, "key").welcome("key", "", 0) is not None


def test_production_refuses_a_demos_visitor(users: UserFile, tmp_path: Path) -> None:
    settings = Settings.model_validate(
        {
            "mqtt": {"url": "mqtt://127.0.0.1:1", "topics": ["cunjing/v1/+/+/+"]},
            "journal": {"path": tmp_path / "journal.db"},
            "inventory": {"path": tmp_path / "inventory.yaml"},
        }
    )
    refuse_a_demos(settings)
    users.keep(User("demo", Role.DISPATCHER, demo=True), HASH, 0)
    with pytest.raises(SettingsFault, match="has the user 'demo' that a demo made; remove it: cunjing desk removeuser"):
        refuse_a_demos(settings)


@pytest.mark.parametrize("password", ["short", "x" * 129])
def test_a_password_that_is_too_short_or_endless_is_not_taken(password: str) -> None:
    with pytest.raises(passwords.WeakPassword, match="10 to 128 characters"):
        passwords.hashed(password)
    assert not passwords.fits(password, HASH)


def test_the_schema_is_strict_about_whose_a_session_is(users: UserFile, tmp_path: Path) -> None:
    assert users.users() == [LIN]
    with closing(sqlite3.connect(tmp_path / "desk.db")) as file:
        file.execute("PRAGMA foreign_keys = ON")
        with pytest.raises(sqlite3.IntegrityError):
            file.execute("INSERT INTO session VALUES ('m', 'nobody', 'c', 1)")
