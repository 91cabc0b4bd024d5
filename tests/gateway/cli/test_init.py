"""``cunjing init``: what it makes, that it keeps what is there, and what it says when it must not go on."""

import os
import stat
from pathlib import Path

import pytest
import yaml

from alerts.channels import channels
from gateway.imports import checked
from gateway.installation import DEVICES, NO_ACCOUNT, PASSWORDS, StepOutcome, installed
from gateway.mosquitto_passwords import fits
from gateway.settings import SettingsFault, load
from tests.gateway.cli.installation import Cunjing

IS_ROOT = os.geteuid() == 0
ME = f"CUNJING_UID={os.geteuid()}\nCUNJING_GID={os.getegid()}\n"
needs_root = pytest.mark.skipif(not IS_ROOT, reason="only root can give files away")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_it_works_here_and_says_what_it_made_one_line_each(cunjing: Cunjing, folder: Path) -> None:
    said = cunjing("init")
    assert said.exit_code == 0
    lines = said.stdout.splitlines()
    assert {line.split()[0] for line in lines} == {"made"}
    named = {line.split()[1] for line in lines}
    assert set(contents(folder)) <= named
    assert all((folder / path).exists() for path in named)
    assert "docker-compose.yml here" in said.stderr


def test_beside_the_compose_file_it_says_how_to_go_on(cunjing: Cunjing, folder: Path) -> None:
    (folder / "docker-compose.yml").touch()
    assert "now: docker compose up -d" in cunjing("init").stderr


def test_a_second_time_keeps_every_byte(cunjing: Cunjing, folder: Path) -> None:
    cunjing("init .")
    before = contents(folder)
    said = cunjing("init .")
    assert said.exit_code == 0
    assert {line.split()[0] for line in said.stdout.splitlines()} == {"kept"}
    assert contents(folder) == before


def test_secrets_are_for_their_owner_alone_and_no_two_are_alike(folder: Path) -> None:
    list(installed(folder))
    secrets = folder / "secrets"
    assert {mode(path) for path in (secrets, *secrets.rglob("*")) if path.is_dir()} == {0o700}
    files = [path for path in secrets.rglob("*") if path.is_file()]
    assert {mode(path) for path in files} == {0o600}
    files.remove(folder / DEVICES)  # empty until the first device has a password
    assert len({path.read_text("ascii") for path in files}) == len(files) == 7
    assert all(len(path.read_text("ascii")) > 40 for path in files)


def test_two_installations_share_no_secret(folder: Path) -> None:
    made = []
    for name in ("one", "two"):
        (folder / name).mkdir()
        list(installed(folder / name))
        made.append(set(contents(folder / name / "secrets").values()) - {b""})
    assert not made[0] & made[1]


def test_the_broker_knows_the_gateway_by_the_password_that_the_gateway_has(folder: Path) -> None:
    list(installed(folder))
    lines = (folder / PASSWORDS).read_text("ascii").splitlines()
    users = dict(line.split(":", 1) for line in lines)
    assert set(users) == {"gateway", "health"}
    assert fits(users["gateway"], (folder / "secrets/gateway/mqtt").read_text("ascii").strip())
    options = (folder / "secrets/mosquitto/health").read_text("ascii").split()
    assert options[:3] == ["-u", "health", "-P"]
    assert fits(users["health"], options[3])


def test_the_configuration_loads_and_the_county_can_be_used(folder: Path) -> None:
    list(installed(folder))
    settings = load(folder / "config/gateway.toml", channels())
    assert (settings.mqtt.url, settings.mqtt.username) == ("mqtt://mosquitto:1884", "gateway")
    assert settings.mqtt.read_password()
    assert settings.influxdb is not None
    assert settings.influxdb.reader_file == Path("secrets/grafana/influxdb-read")
    assert checked(folder / settings.inventory.path).devices


def test_devices_that_the_broker_knows_already_stay(folder: Path) -> None:
    (folder / "secrets/mosquitto").mkdir(parents=True)
    known = "bin-0101:$7$101$c2FsdA==$aGFzaA==\ngateway:$7$101$c2FsdA==$aGFzaA==\n"
    (folder / DEVICES).write_text(known, "ascii")
    (folder / DEVICES).chmod(0o600)
    steps = {step.path: step.done for step in installed(folder)}
    assert steps[PASSWORDS] is StepOutcome.MADE
    assert (folder / DEVICES).read_text("ascii") == known
    lines = (folder / PASSWORDS).read_text("ascii").splitlines()
    assert [line.partition(":")[0] for line in lines] == ["gateway", "health"]


def test_a_new_installation_lets_no_device_in_and_has_the_file_for_them(folder: Path) -> None:
    list(installed(folder))
    assert (folder / DEVICES).read_bytes() == b""
    assert mode(folder / DEVICES) == 0o600


def test_another_user_of_the_house_stays(folder: Path) -> None:
    (folder / "secrets/mosquitto").mkdir(parents=True)
    (folder / PASSWORDS).write_text("chirpstack:$7$101$c2FsdA==$aGFzaA==\n", "ascii")
    steps = list(installed(folder))
    assert [step.done for step in steps if step.path == PASSWORDS] == [StepOutcome.MENDED]
    lines = (folder / PASSWORDS).read_text("ascii").splitlines()
    assert lines[0] == "chirpstack:$7$101$c2FsdA==$aGFzaA=="
    assert [line.partition(":")[0] for line in lines] == ["chirpstack", "gateway", "health"]


def test_rights_that_are_too_wide_are_put_right_and_what_a_secret_says_is_kept(folder: Path) -> None:
    list(installed(folder))
    secret = folder / "secrets/gateway/mqtt"
    said = secret.read_text("ascii")
    secret.chmod(0o644)
    (folder / "secrets").chmod(0o755)
    mended = {step.path for step in installed(folder) if step.done is StepOutcome.MENDED}
    assert mended == {"secrets", "secrets/gateway/mqtt"}
    assert (mode(secret), mode(folder / "secrets")) == (0o600, 0o700)
    assert secret.read_text("ascii") == said


def test_configuration_that_is_there_is_not_looked_into(folder: Path) -> None:
    (folder / "config").mkdir()
    (folder / "config/gateway.toml").write_text("# mine\n", "utf-8")
    (folder / "config/inventory.yaml").write_text("# mine too\n", "utf-8")
    list(installed(folder))
    assert (folder / "config/gateway.toml").read_text("utf-8") == "# mine\n"
    assert (folder / "config/inventory.yaml").read_text("utf-8") == "# mine too\n"


def test_an_env_file_of_ones_own_gets_the_two_numbers_and_keeps_the_rest(folder: Path) -> None:
    (folder / ".env").write_text("COMPOSE_PROJECT_NAME=hewan\n", "utf-8")
    assert [step.done for step in installed(folder) if step.path == ".env"] == [StepOutcome.MENDED]
    text = (folder / ".env").read_text("utf-8")
    assert text.startswith("COMPOSE_PROJECT_NAME=hewan\n")
    assert text.count("\nCUNJING_UID=") == text.count("\nCUNJING_GID=") == 1
    assert [step.done for step in installed(folder) if step.path == ".env"] == [StepOutcome.KEPT]


@needs_root
def test_for_root_the_files_belong_to_a_number_without_an_account(folder: Path) -> None:
    list(installed(folder, {}))
    assert f"CUNJING_UID={NO_ACCOUNT.uid}\n" in (folder / ".env").read_text("utf-8")
    for path in (folder / "secrets", *(folder / "secrets").rglob("*"), folder / "data/gateway"):
        assert (path.stat().st_uid, path.stat().st_gid) == NO_ACCOUNT


@needs_root
def test_for_sudo_they_belong_to_who_stands_behind_it(folder: Path) -> None:
    list(installed(folder, {"SUDO_UID": "1234", "SUDO_GID": "1235"}))
    assert "CUNJING_UID=1234\nCUNJING_GID=1235\n" in (folder / ".env").read_text("utf-8")
    assert (folder / "secrets/gateway/mqtt").stat().st_uid == 1234


@needs_root
def test_the_numbers_of_an_env_file_hold_also_for_root(folder: Path) -> None:
    (folder / ".env").write_text("CUNJING_UID=2345\nCUNJING_GID=2346\n", "utf-8")
    list(installed(folder, {}))
    assert (folder / "secrets/gateway/mqtt").stat().st_uid == 2345
    os.chown(folder / "secrets/gateway/mqtt", 0, 0)
    assert [step.path for step in installed(folder, {}) if step.done is StepOutcome.MENDED] == ["secrets/gateway/mqtt"]
    assert (folder / "secrets/gateway/mqtt").stat().st_uid == 2345


def spoil(folder: Path, how: str) -> None:
    """One thing that must not be gone over."""
    list(installed(folder))
    match how:
        case "lost":
            (folder / "secrets/gateway/mqtt").unlink()
        case "another":
            (folder / "secrets/gateway/mqtt").write_text("another\n", "ascii")
        case "empty":
            (folder / "secrets/grafana/admin").write_text("\n", "ascii")
        case "a file":
            (folder / "data/grafana").rmdir()
            (folder / "data/grafana").touch()
        case "no number":
            (folder / ".env").write_text("CUNJING_UID=me\nCUNJING_GID=us\n", "utf-8")
        case "one number":
            (folder / ".env").write_text("CUNJING_UID=1\n", "utf-8")


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("lost", "has a user gateway, whose password should be in secrets/gateway/mqtt; remove the line of gateway"),
        ("another", "the password in secrets/gateway/mqtt is not the one that"),
        ("empty", "'secrets/grafana/admin' is empty; write the secret on its first line"),
        ("a file", "data/grafana is not a folder; move it away"),
        ("no number", "CUNJING_UID and CUNJING_GID are both whole numbers"),
        ("one number", "CUNJING_UID and CUNJING_GID are both whole numbers"),
    ],
)
def test_what_cannot_be_gone_over_is_one_sentence_and_loses_nothing(
    cunjing: Cunjing, folder: Path, how: str, says: str
) -> None:
    spoil(folder, how)
    before = contents(folder)
    said = cunjing("init")
    assert said.exit_code == 1
    assert says in said.stderr
    assert len(said.stderr.splitlines()) == 1
    assert contents(folder) == before


@needs_root
@pytest.mark.parametrize(
    ("theirs", "says"),
    [
        (".env", "says CUNJING_UID=0, and you are user 65534"),
        ("secrets", "belongs to user 0, and the containers run as"),
    ],
)
def test_what_belongs_to_somebody_else_is_said_with_how_to_change_it(folder: Path, theirs: str, says: str) -> None:
    if theirs == ".env":
        (folder / ".env").write_text(ME, "utf-8")
    else:
        (folder / "secrets").mkdir()
    (folder / theirs).chmod(0o755)
    folder.chmod(0o777)
    os.seteuid(65_534)
    try:
        with pytest.raises(SettingsFault, match=says):
            list(installed(Path()))  # where we stand: the way there is root's alone
    finally:
        os.seteuid(0)


@needs_root
def test_a_folder_that_takes_nothing_is_said_without_a_traceback(cunjing: Cunjing, folder: Path) -> None:
    folder.chmod(0o755)
    os.seteuid(65_534)
    try:
        said = cunjing("init")
    finally:
        os.seteuid(0)
    assert said.exit_code == 1
    assert (
        said.stderr
        == "secrets cannot be made or read: permission denied; check its folder and its rights, and run it again\n"
    )


@pytest.mark.parametrize("line", ["init nowhere", "init a-file", "init . .."])
def test_a_folder_that_is_none_is_wrong_use(cunjing: Cunjing, folder: Path, line: str) -> None:
    (folder / "a-file").touch()
    said = cunjing(line)
    assert (said.exit_code, said.stdout) == (2, "")


def test_the_env_file_holds_numbers_and_remarks_alone(folder: Path) -> None:
    list(installed(folder))
    lines = [line for line in (folder / ".env").read_text("utf-8").splitlines() if line]
    assert len([line for line in lines if not line.startswith("#")]) == 2


def test_the_invented_county_is_the_shipped_one(folder: Path) -> None:
    list(installed(folder))
    shipped = yaml.safe_load((Path(__file__).parents[3] / "config/inventory.example.yaml").read_text("utf-8"))
    assert yaml.safe_load((folder / "config/inventory.yaml").read_text("utf-8")) == shipped
