"""``cunjing gateway`` before it starts: what it refuses as a whole. How it runs is proven in tests/e2e."""

from gateway.demo import stage
from gateway.embedded_broker import EMBEDDED_MARK
from tests.gateway.cli.installation import Cunjing, Installation


def test_what_a_demo_left_ends_with_one_and_every_sentence(cunjing: Cunjing, installation: Installation) -> None:
    (installation.folder / "mqtt.password").write_text(f"{EMBEDDED_MARK}guessed\n", "ascii")
    (installation.folder / "data").mkdir()
    stage.cleared(installation.folder / "data")
    said = cunjing("gateway --config gateway.toml")
    assert (said.exit_code, said.stdout) == (1, "")
    assert [line.split()[0] for line in said.stderr.splitlines()] == ["[mqtt]", "[journal]"]
    assert not installation.journal_path.exists()
