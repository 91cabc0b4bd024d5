"""docker-compose.yml against its schema and the laws of ADR 0016: what is mounted exists, and each part may do little.

No engine is needed and none is asked.
"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest

from dashboards.county_map import OUTLINE_SRC
from gateway.installation import NO_ACCOUNT, installed
from tests.compose.compose_file import (
    DOCKERFILE,
    DOCUMENT,
    FILE,
    ONE_SHOT,
    ROOT,
    SERVICES,
    TEXT,
    environment_file,
    expanded,
    image_health_check,
    instructions,
    mounts,
    variables,
)

PINNED: Final = re.compile(r"(?P<name>[a-z0-9./-]+):(?P<tag>[0-9]+\.[0-9]+\.[0-9]+(-[a-z0-9.-]+)?)")
EVERY: Final = sorted(SERVICES)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which ``cunjing init`` was run."""
    folder = tmp_path_factory.mktemp("installation")
    list(installed(folder))
    return folder


def judged(file: Path) -> subprocess.CompletedProcess[str]:
    """What the compose specification's own schema says; it comes with the package, nothing is fetched."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_compose_specifications_schema_accepts_it() -> None:
    said = judged(FILE)
    assert said.returncode == 0, said.stdout


@pytest.mark.parametrize(
    ("was", "becomes"),
    [("read_only: true", "readonly: true"), ("condition: service_healthy", "condition: healthy"), ("[ALL]", "ALL")],
)
def test_the_schema_sees_what_is_wrong(tmp_path: Path, was: str, becomes: str) -> None:
    assert was in TEXT
    wrong = tmp_path / "docker-compose.yml"
    wrong.write_text(TEXT.replace(was, becomes, 1), "utf-8")
    assert judged(wrong).returncode == 1


def test_it_is_the_whole_of_it() -> None:
    assert EVERY == ["gateway", "grafana", "influxdb", "influxdb-setup", "mosquitto"]


@pytest.mark.parametrize("service", EVERY)
def test_every_folder_that_is_mounted_is_shipped_or_made_by_init(service: str, made: Path) -> None:
    for mount in mounts(service):
        shipped, is_made = (ROOT / mount.source).exists(), (made / mount.source).exists()
        assert shipped or is_made, f"nobody makes {mount.source}"


def test_the_boards_look_for_the_outline_where_it_is_mounted() -> None:
    (mount,) = [each for each in mounts("grafana") if each.source == "./config/outline.geojson"]
    assert mount.target == f"/usr/share/grafana/{OUTLINE_SRC}"


def test_what_grafanas_own_files_name_is_mounted() -> None:
    """Places inside the container that provisioning names."""
    named = set()
    for file in (ROOT / "config/grafana/provisioning").rglob("*.yaml"):
        text = file.read_text("utf-8")
        named |= set(re.findall(r"\$__file\{([^}]+)\}", text)) | set(re.findall(r"path: (/\S+)", text))
    assert named == {"/run/secrets/influxdb-read", "/etc/grafana/boards"}
    for path in named:
        assert any(path == each.target or path.startswith(f"{each.target}/") for each in mounts("grafana")), path


@pytest.mark.parametrize("service", EVERY)
def test_a_folder_that_is_missing_is_told_instead_of_made_for_root(service: str) -> None:
    for volume in SERVICES[service]["volumes"]:
        assert volume["bind"] == {"create_host_path": False}


def test_every_file_that_is_named_inside_a_container_is_in_a_folder_that_is_mounted(made: Path) -> None:
    """Configuration and secrets that commands, health checks and environments name, found again on this side."""
    named = {
        "mosquitto": [
            "/mosquitto/config/mosquitto-2.1.conf",
            "/mosquitto/config/acl",
            "/mosquitto/secrets/health",
            "/mosquitto/secrets/house",
        ],
        "influxdb-setup": ["/cunjing/config/gateway.toml", "/cunjing/secrets/operator/influxdb"],
        "gateway": ["/cunjing/config/inventory.yaml", "/cunjing/secrets/gateway/mqtt"],
        "grafana": ["/run/secrets/admin", "/run/secrets/secret-key"],
    }
    for service, paths in named.items():
        for path in paths:
            (mount,) = [each for each in mounts(service) if path.startswith(f"{each.target}/")]
            here = mount.source + path.removeprefix(mount.target)
            assert (ROOT / here).is_file() or (made / here).is_file(), f"{service} would not find {path}"


def test_every_image_is_pinned_to_the_last_number() -> None:
    images = [service["image"] for service in SERVICES.values()] + list(instructions("FROM"))
    assert len(images) == len(SERVICES) + 2
    for image in images:
        assert PINNED.fullmatch(image.removesuffix(" AS build")), f"{image} is not pinned"
    assert ":latest" not in TEXT + DOCKERFILE


def test_our_own_image_has_the_version_of_the_program_and_is_never_fetched() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    ours = {name: service for name, service in SERVICES.items() if service["image"].startswith("cunjing")}
    assert sorted(ours) == ["gateway", "influxdb-setup"]
    assert {service["image"] for service in ours.values()} == {f"cunjing-gateway:{version}"}
    assert {service["pull_policy"] for service in ours.values()} == {"never"}
    assert [name for name, service in ours.items() if "build" in service] == ["gateway"]


@pytest.mark.parametrize("service", EVERY)
def test_every_service_may_do_little(service: str) -> None:
    spec = SERVICES[service]
    assert spec["user"].startswith("${CUNJING_UID:?")
    assert spec["read_only"] is True
    assert spec["cap_drop"] == ["ALL"]
    assert spec["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "network_mode", "pid", "ipc", "devices"} & spec.keys()
    assert "/tmp" in spec["tmpfs"]  # noqa: S108 -- inside a container


@pytest.mark.parametrize("service", EVERY)
def test_every_service_comes_back_and_its_log_is_bounded(service: str) -> None:
    spec = SERVICES[service]
    assert spec["restart"] == ("on-failure:5" if service in ONE_SHOT else "unless-stopped")
    assert spec["logging"]["options"].keys() == {"max-size", "max-file"}


def test_every_service_that_stays_has_a_health_check() -> None:
    for name in SERVICES.keys() - ONE_SHOT:
        if "build" in SERVICES[name]:
            assert image_health_check()[0] == "python"
        else:
            assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"
            assert SERVICES[name]["healthcheck"].keys() >= {"interval", "timeout", "retries", "start_period"}
    assert all(SERVICES[name]["healthcheck"] == {"disable": True} for name in ONE_SHOT)


def test_only_the_broker_the_desk_and_grafana_are_published_and_only_the_broker_to_others() -> None:
    published = {name: spec["ports"] for name, spec in SERVICES.items() if "ports" in spec}
    assert {name: [expanded(port, {}) for port in ports] for name, ports in published.items()} == {
        "gateway": ["127.0.0.1:8080:8080"],
        "grafana": ["127.0.0.1:3000:3000"],
        "mosquitto": ["0.0.0.0:1883:1883"],
    }
    given = {"CUNJING_DESK_ADDRESS": "192.0.2.7", "CUNJING_DESK_PORT": "80"}
    assert expanded(published["gateway"][0], given) == "192.0.2.7:80:8080"


def test_the_time_series_are_in_a_network_that_leads_nowhere() -> None:
    assert DOCUMENT["networks"]["inside"] == {"internal": True}
    assert SERVICES["influxdb"]["networks"] == SERVICES["influxdb-setup"]["networks"] == ["inside"]
    assert all("inside" in spec["networks"] for spec in SERVICES.values())


def test_nothing_has_to_be_well_for_the_gateway_to_start() -> None:
    """Texts are owed whether or not InfluxDB is well (law L3): it waits for the others and then goes on without."""
    waits = [(name, on, how) for name, spec in SERVICES.items() for on, how in spec.get("depends_on", {}).items()]
    assert {name for name, _, _ in waits} == {"gateway", "grafana", "influxdb-setup"}
    assert [on for _, on, how in waits if how["required"] is not False] == []
    assert {on for name, on, _ in waits if name == "gateway"} == {"mosquitto", "influxdb-setup"}


def test_a_container_sees_the_secrets_it_needs_and_no_other() -> None:
    sees = {
        name: {
            mount.source.removeprefix("./secrets"): mount.read_only
            for mount in mounts(name)
            if "secrets" in mount.source
        }
        for name in SERVICES
    }
    assert sees == {
        "mosquitto": {"/mosquitto": False},
        "influxdb": {},
        "influxdb-setup": {"/gateway": False, "/grafana": False, "/operator": False},
        "gateway": {"/gateway": True, "/grafana": True},
        "grafana": {"/grafana": True},
    }


def test_what_is_not_data_or_a_secret_to_be_made_is_mounted_for_reading_alone() -> None:
    for name in SERVICES:
        for mount in mounts(name):
            assert mount.read_only or mount.source.startswith(("./data/", "./secrets/"))


def test_no_secret_stands_in_a_file_or_an_environment(made: Path) -> None:
    secrets = [path.read_text("ascii") for path in (made / "secrets").rglob("*") if path.is_file()]
    words = {word for text in secrets for word in re.split(r"[\s:]+", text) if len(word) > 20}
    assert len(words) > 6
    open_files = [TEXT, DOCKERFILE, *((made / name).read_text("utf-8") for name in (".env", "config/gateway.toml"))]
    assert [word for word in words if any(word in text for text in open_files)] == []
    for spec in SERVICES.values():
        for name, value in spec.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|TOKEN|KEY", name) and value not in ("true", "false"):
                assert name.endswith("__FILE"), f"{name} would hold a secret"


def test_every_variable_has_a_safe_default_or_is_made_by_init(made: Path) -> None:
    environment = environment_file(made / ".env")
    needed = {name for name, default in variables().items() if default is None}
    assert needed == {"CUNJING_UID", "CUNJING_GID"} == environment.keys()
    assert all(environment[name].isdecimal() for name in needed)
    told = (made / ".env").read_text("utf-8")
    for name, default in variables().items():
        assert default is None or f"\n# {name}={default}\n" in told, f".env does not tell of {name}"


def test_without_init_compose_says_what_is_missing() -> None:
    with pytest.raises(KeyError, match="CUNJING_UID"):
        expanded(TEXT, {})
    assert "${CUNJING_UID:?run cunjing init first}" in TEXT


def test_what_may_enter_the_build_is_what_the_wheel_is_made_of() -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line and line[0] != "#"]
    assert lines[0] == "*"
    let_in = {line.removeprefix("!") for line in lines if line.startswith("!")}
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]["wheel"]
    wanted = {*wheel["packages"], *wheel["force-include"], "pyproject.toml", "README.md"}
    wanted |= {"docker/build.sh", "requirements/build.txt", "requirements/runtime.txt"}
    assert wanted - let_in == set(), "the build would not find these: add them to .dockerignore"
    assert let_in - wanted == set(), "the build does not need these"


def test_the_image_runs_as_nobody_and_passes_signals_on() -> None:
    assert DOCKERFILE.count("\nFROM ") == 2
    assert list(instructions("USER")) == ["10001:10001"]
    assert list(instructions("STOPSIGNAL")) == ["SIGTERM"]
    assert list(instructions("ENTRYPOINT")) == ['["cunjing"]']
    assert list(instructions("CMD")) == ['["gateway", "--config", "config/gateway.toml"]']
    assert list(instructions("ADD")) == []
    assert "requirements/dev" not in DOCKERFILE


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can ask for another user's rights")
def test_the_owners_number_reads_the_secrets_and_the_images_own_users_do_not() -> None:
    """Why every service runs as the owner: a mount keeps the owner and the mode that a file has outside."""
    setpriv = shutil.which("setpriv") or pytest.skip("setpriv is not here; it comes with util-linux")
    with TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        list(installed(Path(place), {}))
        reads = {}
        for uid in (NO_ACCOUNT.uid, 472, 1000, 1883):
            user = [setpriv, "--reuid", str(uid), "--regid", str(uid), "--clear-groups", "--inh-caps=-all"]
            secret = Path(place) / "secrets/gateway/mqtt"
            reads[uid] = subprocess.run([*user, "cat", secret], check=False, capture_output=True).returncode == 0
    assert reads == {NO_ACCOUNT.uid: True, 472: False, 1000: False, 1883: False}
