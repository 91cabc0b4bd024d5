"""``cunjing replay --commands``: people during a replay, at the terminal."""

from pathlib import Path

from typer.testing import CliRunner, Result

from gateway.cli import app
from gateway.replay import written
from tests.gateway.test_wishes import BURNS, FIRE, wish
from tests.small_county import COUNTY


def replayed(folder: Path, *wishes: bytes) -> Result:
    for name, text in (("uplinks", "\n".join(map(written, BURNS))), ("county", COUNTY)):
        (folder / name).write_text(text, "utf-8")
    (folder / "wishes").write_bytes(b"\n".join(wishes))
    asked = ["replay", str(folder / "uplinks"), "--inventory", str(folder / "county")]
    return CliRunner().invoke(app, [*asked, "--commands", str(folder / "wishes")])


def test_what_people_ask_is_done_and_what_cannot_be_is_said_beside(tmp_path: Path) -> None:
    found = replayed(tmp_path, wish(0.5, "ack", FIRE), wish(1, "ack", "fire/a/never"))
    assert found.exit_code == 0
    assert '"event": "acked"' in found.stdout
    assert found.stderr == (
        f"{tmp_path}/wishes:2: there is no such episode then; replay without wishes and look at its name\n"
    )


def test_a_bad_line_ends_it_with_its_number_before_anything_is_replayed(tmp_path: Path) -> None:
    found = replayed(tmp_path, wish(0.5, "ack", FIRE), b'{"at": 1}')
    assert (found.exit_code, found.stdout) == (1, "")
    assert "wishes:2: not a wish" in found.stderr
