"""The users' file: for its owner alone, hashes only, sessions that end; and the doorkeeper's patience."""

import sqlite3
import stat
import threading
from contextlib import closing
from pathlib import Path

import pytest

from gateway.desk.login import (
    AT_ONCE,
    CROWD,
    PACE_MS,
    TRIES,
    TRIES_FROM,
    WAIT_MS,
    WAITING,
    Authenticator,
    LoginOutcome,
)
from gateway.desk.users import (
    BROWSERS_EACH,
    DEEDS_EACH,
    FAILURES,
    NAMES_EACH,
    SESSION_MS,
    SESSIONS_EACH,
    AuditRecord,
    User,
    UserFile,
    UserRole,
    UsersUnavailable,
    WeakPassword,
    hash_password,
    password_fits,
)
from gateway.production import refuse_a_demos
from gateway.settings import Settings, SettingsFault
from tests.desk_gateway import PASSWORD, until

LIN = User("lin", UserRole.DISPATCHER, "shiqiao", "office-lin")
HASH = hash_password(PASSWORD)


def quick(password: str, kept: str | None) -> bool:
    """As the real one, in no time."""
    return kept is not None and password == PASSWORD


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


def test_patience_ends_for_who_guesses_and_comes_back(users: UserFile) -> None:
    door = Authenticator(users, fits=quick)
    for _ in range(TRIES):
        assert door.enter("lin", "guess", "10.0.0.66", 0).entrance is LoginOutcome.WRONG
    assert door.enter("lin", PASSWORD, "10.0.0.66", 1).entrance is LoginOutcome.BARRED
    assert door.enter("LIN", PASSWORD, "10.0.0.66", 1).entrance is LoginOutcome.BARRED, (
        "another spelling is the same name"
    )
    came = door.enter("lin", PASSWORD, "10.0.0.66", WAIT_MS)
    assert came.entrance is LoginOutcome.OPEN
    assert users.session(came.session, WAIT_MS) is not None


def test_a_strangers_tries_close_the_door_to_nobody_else(users: UserFile) -> None:
    """Neither to another name from where they tried, which may be a whole office's, nor to that name from elsewhere."""
    users.keep(User("wu", UserRole.ADMIN), HASH, 0)
    door = Authenticator(users, fits=quick)
    for name in ("lin", "wu", "nobody"):
        for _ in range(TRIES + 2):
            door.enter(name, "guess", "10.0.0.66", 0)
    assert door.enter("lin", PASSWORD, "10.0.0.9", 1).entrance is LoginOutcome.OPEN
    users.keep(User("shi", UserRole.VIEWER), HASH, 0)
    assert door.enter("shi", PASSWORD, "10.0.0.66", 1).entrance is LoginOutcome.OPEN


def test_a_browser_in_which_somebody_has_logged_in_is_counted_for_itself(users: UserFile) -> None:
    door = Authenticator(users, fits=quick)
    known = door.enter("lin", PASSWORD, "10.0.0.9", 0).browser
    assert known
    for number in range(TRIES_FROM + 20):
        door.enter(f"guess-{number}", "guess", "10.0.0.9", 1)
    for number in range(CROWD * TRIES):
        door.enter("lin", "guess", f"10.0.{number}.1", 1)
    assert door.enter("lin", PASSWORD, "10.0.0.9", 1).entrance is not LoginOutcome.OPEN, "by itself it would wait"
    came = door.enter("lin", PASSWORD, "10.0.0.9", 1, known)
    assert (came.entrance, came.browser) == (LoginOutcome.OPEN, known)
    assert door.enter("lin", PASSWORD, "10.0.0.9", 1, "made up").entrance is not LoginOutcome.OPEN
    assert not users.knows(known, "wu", 1), "for another name it is a stranger's"
    for _ in range(TRIES):
        assert door.enter("lin", "guess", "10.0.0.77", 2, known).entrance is LoginOutcome.WRONG
    for _ in range(TRIES):
        door.enter("lin", "guess", "10.0.0.77", 2, known)
    assert door.enter("lin", PASSWORD, "10.0.0.77", 2, known).entrance is not LoginOutcome.OPEN, "its own guesses count"


def test_a_crowd_that_guesses_one_name_is_slowed_and_never_bars_it(users: UserFile) -> None:
    verified: list[str] = []

    def fits(password: str, kept: str | None) -> bool:
        verified.append(password)
        return kept is not None and password == PASSWORD

    door = Authenticator(users, fits=fits)
    for number in range(10 * CROWD):
        door.enter("lin", "guess", f"10.{number // 200}.{number % 200}.1", 0)
    assert len(verified) == CROWD
    now_ms = 0
    for number in range(100):
        now_ms += PACE_MS
        assert door.enter("lin", "guess", f"10.99.{number}.1", now_ms).entrance is LoginOutcome.WRONG
        assert door.enter("lin", "guess", f"10.98.{number}.1", now_ms).entrance is LoginOutcome.BUSY
    assert door.enter("lin", PASSWORD, "10.0.0.9", now_ms + PACE_MS).entrance is LoginOutcome.OPEN


def test_a_clock_that_is_set_back_bars_nobody(users: UserFile) -> None:
    door = Authenticator(users, fits=quick)
    for _ in range(TRIES):
        door.enter("lin", "guess", "10.0.0.9", 10 * WAIT_MS)
    assert door.enter("lin", PASSWORD, "10.0.0.9", 0).entrance is LoginOutcome.OPEN


def test_a_try_is_counted_before_it_is_verified_and_few_are_at_once(users: UserFile) -> None:
    """Sixty at the same moment: as many as the bar has are verified, two at a time, and the others know at once."""
    begun, go = threading.Semaphore(0), threading.Event()
    at_once, most, verified = [0], [0], [0]
    lock = threading.Lock()

    def fits(_password: str, _kept: str | None) -> bool:
        with lock:
            verified[0] += 1
            at_once[0] += 1
            most[0] = max(most[0], at_once[0])
        begun.release()
        go.wait(240)
        with lock:
            at_once[0] -= 1
        return False

    door, said = Authenticator(users, fits=fits), []
    threads = [
        threading.Thread(
            target=lambda number=number: said.append(door.enter("lin", "guess", "10.0.0.9", number).entrance)
        )
        for number in range(60)
    ]
    for thread in threads:
        thread.start()
    for _ in range(AT_ONCE):
        assert begun.acquire(timeout=240)
    until(lambda: len(said) >= 60 - AT_ONCE - WAITING)
    assert set(said) <= {LoginOutcome.BARRED, LoginOutcome.BUSY}
    go.set()
    for thread in threads:
        thread.join()
    assert (verified[0], most[0]) == (TRIES, AT_ONCE)
    assert said.count(LoginOutcome.WRONG) == TRIES
    assert door.enter("lin", PASSWORD, "10.0.0.9", 60).entrance is LoginOutcome.BARRED


def test_a_password_is_changed_by_who_knows_the_old_one_and_ends_the_other_sessions(users: UserFile) -> None:
    door, other = Authenticator(users), "quite another word"
    mine, stolen = users.admit("lin", 0), users.admit("lin", 0)
    assert door.change(LIN, mine, "guess", other, "", 0) is LoginOutcome.WRONG
    assert door.change(LIN, mine, PASSWORD, other, "", 0) is LoginOutcome.OPEN
    assert users.session(mine, 0) is not None
    assert users.session(stolen, 0) is None
    assert door.enter("lin", PASSWORD, "", 0).entrance is LoginOutcome.WRONG
    assert door.enter("lin", other, "", 0).entrance is LoginOutcome.OPEN
    for _ in range(TRIES):
        assert door.change(LIN, mine, "guess", "yet another word", "", 0) is LoginOutcome.WRONG
    assert door.change(LIN, mine, other, "yet another word", "", 0) is LoginOutcome.BARRED
    assert [deed.what for deed in users.deeds(9)] == ["logged_in", "password_changed"]


def test_failures_are_counted_in_rows_of_their_own_and_wash_out_nothing(users: UserFile) -> None:
    users.note(AuditRecord(0, "lin", "10.0.0.9", "logged_in"))
    for number in range(3 * NAMES_EACH):
        users.note_failure(number, f"guess-{number}", "10.0.0.66", "refused")
    for at_ms in range(100, 150):
        users.note_failure(at_ms, "lin\n\x1b", "10.0.0.77", "refused")
    found = users.failures(FAILURES)
    assert [(one.user, one.address, one.tries) for one in found[:2]] == [
        ("lin??", "10.0.0.77", 50),
        ("…", "10.0.0.66", 2 * NAMES_EACH),
    ]
    assert (found[0].first_ms, found[0].last_ms) == (100, 149)
    assert len(found) == NAMES_EACH + 2
    assert [deed.what for deed in users.deeds(9)] == ["logged_in"]


def test_one_user_washes_out_nothing_that_another_did(users: UserFile, tmp_path: Path) -> None:
    users.note(AuditRecord(0, "wu", "", "logged_in"))
    with closing(sqlite3.connect(tmp_path / "desk.db")) as file, file:
        rows = ((at_ms, "lin", "", "logged_in", "") for at_ms in range(DEEDS_EACH + 5))
        file.executemany("INSERT INTO deed (at_ms, user, address, what, detail) VALUES (?, ?, ?, ?, ?)", rows)
    users.note(AuditRecord(DEEDS_EACH + 5, "lin", "", "logged_out"))
    kept = users.deeds(2 * DEEDS_EACH)
    assert len(kept) == DEEDS_EACH + 1
    assert kept[-1].user == "wu"


def test_whoever_goes_on_knocking_at_a_closed_door_fills_no_disk(users: UserFile) -> None:
    door = Authenticator(users, fits=lambda _password, _kept: False)
    for at_ms in range(1_000):
        door.enter("lin", "guess", "10.0.0.66", at_ms)
    assert {one.what: one.tries for one in users.failures(9)} == {"refused": TRIES, "barred": 512}


def test_sessions_and_known_browsers_of_one_user_are_bounded(users: UserFile) -> None:
    first = users.admit("lin", 0)
    browser = users.remember("", "lin", 0)
    for at_ms in range(1, max(SESSIONS_EACH, BROWSERS_EACH) + 1):
        users.admit("lin", at_ms)
        users.remember("", "lin", at_ms)
    assert users.session(first, 0) is None
    assert not users.knows(browser, "lin", 0)


def test_the_demos_link_opens_for_its_key_and_only_where_there_is_a_demo(users: UserFile) -> None:
    assert Authenticator(users).welcome("", "", 0) is None
    assert Authenticator(users, "key").welcome("key", "", 0) is None, "no visitor, nobody to come in as"
    users.keep(User("demo", UserRole.DISPATCHER, demo=True), HASH, 0)
    assert Authenticator(users, "key").welcome("other", "", 0) is None
    assert Authenticator(users, "key").welcome("key", "", 0) is not None


def test_production_refuses_a_demos_visitor(users: UserFile, tmp_path: Path) -> None:
    settings = Settings.model_validate(
        {
            "mqtt": {"url": "mqtt://127.0.0.1:1", "topics": ["cunjing/v1/+/+/+"]},
            "journal": {"path": tmp_path / "journal.db"},
            "inventory": {"path": tmp_path / "inventory.yaml"},
        }
    )
    refuse_a_demos(settings)
    users.keep(User("demo", UserRole.DISPATCHER, demo=True), HASH, 0)
    with pytest.raises(SettingsFault, match="has the user 'demo' that a demo made; remove it: cunjing desk removeuser"):
        refuse_a_demos(settings)


@pytest.mark.parametrize("password", ["short", "x" * 129])
def test_a_password_that_is_too_short_or_endless_is_not_taken(password: str) -> None:
    with pytest.raises(WeakPassword, match="10 to 128 characters"):
        hash_password(password)
    assert not password_fits(password, HASH)


def test_the_schema_is_strict_about_whose_a_session_is(users: UserFile, tmp_path: Path) -> None:
    assert users.users() == [LIN]
    with closing(sqlite3.connect(tmp_path / "desk.db")) as file:
        file.execute("PRAGMA foreign_keys = ON")
        with pytest.raises(sqlite3.IntegrityError):
            file.execute("INSERT INTO session VALUES ('m', 'nobody', 'c', 1)")
