"""What the gateway writes names people and their numbers, and only its owner reads it (case H14)."""

import stat
from pathlib import Path

import pytest

from alerts.channels import Message
from alerts.channels.outbox import Outbox
from gateway.files import tighten, write_secret
from gateway.watching import remote_watch
from tests.gateway.journal.test_place import umask

TEXT = Message("key", "e", "cleaner-li", "13900000001", "【湘阳环卫】柳潭3号池满了。", "2026-11-22T10:00:00+08:00")


def open_to_others(folder: Path) -> list[str]:
    """Files and folders below it that somebody else may read, write or enter."""
    return [str(found) for found in folder.rglob("*") if stat.S_IMODE(found.lstat().st_mode) & 0o077]


@pytest.mark.parametrize("bits", [0o000, 0o022, 0o077])
def test_texts_and_what_remembers_them_are_their_owners_alone_whatever_the_umask(bits: int, tmp_path: Path) -> None:
    with umask(bits):
        Outbox(tmp_path / "outbox").send(TEXT)
        remote_watch.write_notebook(tmp_path / "watch" / "notebook", remote_watch.StandingOutage())
        remote_watch.write_notebook(tmp_path / "watch" / "notebook", remote_watch.StandingOutage(said=1))
        write_secret(tmp_path / "secrets" / "one", "hush")
    assert len(list(tmp_path.rglob("*"))) == 7
    assert open_to_others(tmp_path) == []


def test_what_stands_from_before_is_tightened_with_a_line(tmp_path: Path) -> None:
    """The line is the start's; see ``app``."""
    outbox, journal = tmp_path / "outbox", tmp_path / "journal.db"
    with umask(0o022):
        outbox.mkdir()
        (outbox / "text.json").write_text("{}", "ascii")
        journal.touch()
        (tmp_path / "elsewhere").touch()
        (outbox / "link").symlink_to(tmp_path / "elsewhere")
    assert sorted(tighten(outbox, journal, tmp_path / "not-there")) == [journal, outbox, outbox / "text.json"]
    assert tighten(outbox, journal) == []
    assert (stat.S_IMODE(outbox.stat().st_mode), stat.S_IMODE(journal.stat().st_mode)) == (0o700, 0o600)
    assert stat.S_IMODE((tmp_path / "elsewhere").stat().st_mode) == 0o644, "a link's end is not ours to change"


def test_a_folder_for_everybody_stays_so(tmp_path: Path) -> None:
    everybodys = tmp_path / "tmp"
    everybodys.mkdir()
    everybodys.chmod(0o1777)
    (everybodys / "somebodys").touch()
    assert tighten(everybodys) == []
    assert stat.S_IMODE(everybodys.stat().st_mode) == 0o1777
