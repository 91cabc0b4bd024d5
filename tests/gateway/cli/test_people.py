"""``cunjing sms welcome``, ``cunjing sms people`` and ``cunjing card``: against a running gateway, and without one."""

import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from gateway.client import token_file
from tests.desk_gateway import COUNTY, DeskGateway, at, desk_gateway
from tests.gateway.cli.installation import CONFIG, Cunjing, Installation


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("card cleaner-li", 0, "李大姐"),
        ("card --all", 0, "<article"),
        ("card nobody", 1, "no person 'nobody'"),
        ("card", 2, "say --all"),
        ("card cleaner-li --all", 2, "say --all"),
    ],
)
def test_the_command_prints_a_file(
    line: str, code: int, said: str, cunjing: Cunjing, installation: Installation
) -> None:
    assert installation.folder.is_dir()
    shown = cunjing(f"{line} --config gateway.toml")
    assert shown.exit_code == code, shown.output
    assert said in shown.output


def configured(gateway: DeskGateway, folder: Path) -> None:
    """The configuration that a command would find beside this gateway."""
    config = CONFIG.format(
        broker="mqtt://127.0.0.1:1",
        username="gateway",
        password_file="mqtt.password",  # noqa: S106 the name of a file
        port=urlsplit(gateway.url).port,
    )
    config = config.replace("data/journal.db", str(gateway.journal)).replace("inventory.yaml", str(COUNTY))
    (folder / "gateway.toml").write_text(config, "utf-8")
    token_file(gateway.journal).write_text("hush", "ascii")


def test_all_who_are_new_are_welcomed_once(cunjing: Cunjing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with desk_gateway(tmp_path, at(22, 8)) as gateway:
        configured(gateway, tmp_path)
        said = cunjing("sms welcome --all-new --config gateway.toml")
        assert said.exit_code == 0, said.output
        assert said.stdout.splitlines() == [
            "mei gets it at 2026-11-22T00:00:00Z",
            "zhu gets it at 2026-11-22T00:00:00Z",
        ]
        gateway.settle()
        rows = [json.loads(row) for row in cunjing("sms people --config gateway.toml").stdout.splitlines()]
        assert {row["person"]: row["first_contact"] for row in rows if row["first_contact"] != "never"} == {
            "mei": "sent",
            "zhu": "sent",
        }
        again = cunjing("sms welcome --all-new --config gateway.toml")
        assert (again.exit_code, again.stdout) == (0, "")
        assert "nobody is new" in again.output
        again = cunjing("sms welcome mei --config gateway.toml")
        assert (again.exit_code, again.stdout) == (1, "")
        assert "mei: was welcomed within a day" in again.output


def test_without_a_gateway_nobody_is_welcomed(cunjing: Cunjing, installation: Installation) -> None:
    with installation.journal():
        pass
    token_file(installation.journal_path).write_text("hush", "ascii")
    said = cunjing("sms welcome cleaner-li --config gateway.toml")
    assert said.exit_code == 1
    assert "no gateway answers" in said.output


def test_people_and_all_new_are_either_or(cunjing: Cunjing, installation: Installation) -> None:
    assert installation.folder.is_dir()
    assert cunjing("sms welcome --config gateway.toml").exit_code == 2
    assert cunjing("sms welcome mei --all-new --config gateway.toml").exit_code == 2
