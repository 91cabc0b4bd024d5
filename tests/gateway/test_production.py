"""What a demo leaves behind is refused by the production process, each thing in a sentence with its remedy."""

from pathlib import Path

import pytest

from gateway.demo import stage
from gateway.embedded_broker import embedded_broker
from gateway.production import refuse_a_demos, remarks
from gateway.settings import Settings, SettingsFault


def settings(folder: Path, **mqtt: object) -> Settings:
    document = {
        "mqtt": {"url": "mqtt://127.0.0.1:1", "topics": ["cunjing/v1/+/+/+"], **mqtt},
        "journal": {"path": folder / "journal.db"},
        "inventory": {"path": folder / "inventory.yaml"},
    }
    return Settings.model_validate(document)


@pytest.fixture
def demos_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the password that an embedded broker made, put where an operator might."""
    monkeypatch.setenv("CUNJING_MOSQUITTO", "none")
    with embedded_broker(tmp_path / "broker") as broker:
        copied = tmp_path / "mqtt"
        copied.write_bytes(broker.password_file.read_bytes())
    return copied


def test_a_password_that_a_demo_made_is_refused_wherever_it_lies(tmp_path: Path, demos_password: Path) -> None:
    with pytest.raises(SettingsFault, match="holds a password that a demo made; give the gateway a user"):
        refuse_a_demos(settings(tmp_path, username="gateway", password_file=demos_password))


def test_so_is_one_from_the_environment(tmp_path: Path, demos_password: Path) -> None:
    password = demos_password.read_text("ascii").strip()
    with pytest.raises(SettingsFault, match=r"\[mqtt\] password holds a password that a demo made"):
        refuse_a_demos(settings(tmp_path, username="gateway", password=password))


def test_a_journal_in_a_demos_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsFault, match="lies in a demo's folder; name another"):
        refuse_a_demos(settings(stage.cleared(tmp_path / "demo")))


def test_a_password_of_ones_own_passes_and_one_that_cannot_be_read_is_told_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "mqtt").write_text("hush\n", "ascii")
    refuse_a_demos(settings(tmp_path, username="gateway", password_file=tmp_path / "mqtt"))
    refuse_a_demos(settings(tmp_path, username="gateway", password_file=tmp_path / "none"))


def test_a_broker_without_users_is_the_operators_choice_and_is_remarked_on(tmp_path: Path) -> None:
    (remark,) = remarks(settings(tmp_path))
    assert "[mqtt] names no username: whoever reaches mqtt://127.0.0.1:1 can send readings" in remark
    assert list(remarks(settings(tmp_path, username="gateway"))) == []
