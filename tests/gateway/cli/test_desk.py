"""``cunjing desk`` and ``cunjing why``: the first user of a desk, and the reasons behind a text in a terminal."""

import json
import shutil
from pathlib import Path

import pytest

from gateway.desk.users import UserFile
from tests.desk_gateway import COUNTY, at, desk_gateway
from tests.gateway.cli.installation import Cunjing, Installation


@pytest.fixture
def installed(installation: Installation) -> Installation:
    """With a folder for the journal, the desk's county, and a password in a file."""
    installation.journal_path.parent.mkdir()
    shutil.copyfile(COUNTY, installation.folder / "inventory.yaml")
    (installation.folder / "word").write_text("a long enough word\n", "utf-8")
    return installation


def test_the_first_admin_is_made_and_listed_without_a_secret(cunjing: Cunjing, installed: Installation) -> None:
    more = "--role admin --person lin --area shiqiao --password-file word --config gateway.toml"
    made = cunjing(f"desk adduser wu {more}")
    assert made.exit_code == 0, made.stderr
    assert "wu may log in as admin now" in made.stderr
    again = cunjing("desk adduser wu --role dispatcher --password-file word --config gateway.toml")
    assert "wu has a new password and is dispatcher now" in again.stderr
    assert "they can look, but not act" in again.stderr
    listed = cunjing("desk users --config gateway.toml").stdout
    assert json.loads(listed) == {"user": "wu", "role": "dispatcher", "area": "", "person": ""}
    assert [deed.what for deed in UserFile.beside(installed.journal_path).deeds(9)] == ["user_kept"] * 2
    assert cunjing("desk removeuser wu --config gateway.toml").exit_code == 0
    gone = cunjing("desk removeuser wu --config gateway.toml")
    assert (gone.exit_code, "there is no user wu" in gone.stderr) == (1, True)


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("wu --role boss", 2, "it is one of viewer, crew, dispatcher, admin"),
        ("wu --role admin --person nobody", 1, "--person nobody: the inventory has no such person"),
        ("wu --role admin --area nowhere", 1, "--area nowhere: the inventory has no such area"),
        ("wu --role admin --password-file short", 1, "a password has 10 to 128 characters"),
    ],
)
def test_what_cannot_be_is_told_in_a_sentence(
    cunjing: Cunjing, tmp_path: Path, words: str, code: int, said: str
) -> None:
    (tmp_path / "short").write_text("short\n", "utf-8")
    told = cunjing(f"desk adduser {words} --config gateway.toml")
    assert (told.exit_code, said in told.stderr) == (code, True), told.stderr


def test_a_password_is_asked_for_twice_when_no_file_is_named(cunjing: Cunjing, installed: Installation) -> None:
    answers = b"a long enough word\na long enough word\n"
    assert cunjing("desk adduser wu --role viewer --config gateway.toml", answers).exit_code == 0
    assert UserFile.beside(installed.journal_path).find("wu") is not None


def test_why_tells_the_samples_what_held_the_text_and_who_got_it(cunjing: Cunjing, installed: Installation) -> None:
    with desk_gateway(installed.journal_path.parent, at(24, 8)) as gateway:
        gateway.filled("bin-0101", 72)
        gateway.at(at(24, 11, 31))
    told = cunjing("why meiling-01 --at 2026-11-24T11:31:00+08:00 --config gateway.toml")
    assert told.exit_code == 0, told.stderr
    lines = [line.strip() for line in told.stdout.splitlines()]
    assert lines[0] == "梅岭村1号垃圾池 · 2026-11-24 11:31"
    assert "11:20 装满 72 %，距离 530 毫米，温度 20 度，电量 90 %" in lines
    assert "08:40 先不发 过三分之二：等这班来清，先不发，到 11:30" in lines
    assert "11:30 这班漏清 过三分之二" in lines
    assert any(line.startswith("11:30 短信 → 梅大姐（已交给通道）：【禾湾环卫】梅岭1号池") for line in lines)
    before = cunjing("why meiling-01 --at 2026-11-24T08:30:00+08:00 --config gateway.toml").stdout
    assert "先不发" not in before
    assert "短信" not in before


@pytest.mark.usefixtures("installed")
def test_why_of_nothing_is_told_in_a_sentence(cunjing: Cunjing) -> None:
    assert "the inventory has no asset nowhere" in cunjing("why nowhere --config gateway.toml").stderr
    assert cunjing("why meiling-01 --config gateway.toml").exit_code == 1
