"""The steps of the image without an image: docker/build.sh into a clean prefix, and the program run from there.

It is the one test that needs a way to the package index, as ``make setup`` does; where there is none it says so.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from tests.compose.compose_file import DOCKERFILE, ROOT
from tests.conftest import missing

BUILD = "docker/build.sh"


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the first stage of the image makes of the source."""
    folder = tmp_path_factory.mktemp("image")
    probe = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder / "probe"), "idna"]
    if subprocess.run(probe, capture_output=True, check=False).returncode != 0:
        missing("index", "no package index can be reached from here; docker/build.sh needs one, as make setup does")
    environment = {**os.environ, "PREFIX": str(folder / "prefix"), "PYTHON": sys.executable}
    for step in ("dependencies", "package"):
        assert f"RUN sh {BUILD} {step}\n" in DOCKERFILE
        said = subprocess.run(
            ["sh", BUILD, step], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        assert said.returncode == 0, said.stdout + said.stderr
    return folder / "prefix"


def cunjing(prefix: Path, folder: Path, *words: str) -> str:
    """Run from the prefix, where nothing of the source is near."""
    environment = {"PATH": f"{prefix / 'bin'}:/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"}
    said = subprocess.run(["cunjing", *words], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout + said.stderr
    return said.stdout


def installed(prefix: Path) -> dict[str, str]:
    """What packages are in the prefix, by what the interpreter there finds."""
    look = "import importlib.metadata as m, json; print(json.dumps({d.name: d.version for d in m.distributions()}))"
    command = [str(prefix / "bin/python"), "-I", "-c", look]
    found: dict[str, str] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return {canonicalize_name(name): version for name, version in found.items()}


def pins(name: str) -> dict[str, str]:
    lines = (ROOT / "requirements" / name).read_text("utf-8").splitlines()
    return dict(line.removesuffix(" \\").split("==", 1) for line in lines if "==" in line and line[0] not in " #")


def test_the_commands_run_from_the_prefix(prefix: Path, tmp_path: Path) -> None:
    assert cunjing(prefix, tmp_path, "--version").startswith("cunjing ")
    for words in (("--help",), ("gateway", "--help"), ("influx", "setup", "--help"), ("init", "--help")):
        assert "Example:" in cunjing(prefix, tmp_path, *words)


def test_what_is_shipped_is_found_in_the_installed_wheel(prefix: Path, tmp_path: Path) -> None:
    made = cunjing(prefix, tmp_path, "init")
    assert "config/gateway.toml" in made
    assert (
        "can be used"
        in subprocess.run(
            [prefix / "bin/cunjing", "inventory", "check", "config/inventory.yaml"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        ).stderr
    )


def test_the_boards_are_in_the_wheel_and_need_no_sdk_to_be_written_for_an_installation(
    prefix: Path, tmp_path: Path
) -> None:
    cunjing(prefix, tmp_path, "init")
    (tmp_path / "secrets/grafana/influxdb-read").write_text("reads\n", "ascii")
    said = cunjing(prefix, tmp_path, "boards", "write", "--to", "out")
    boards = {path.name for path in (ROOT / "dashboards/generated").iterdir()}
    assert {line.rpartition("/")[2] for line in said.splitlines()} == boards | {"cunjing.geojson"}
    assert "grafana-foundation-sdk" not in installed(prefix)
    check = subprocess.run([prefix / "bin/cunjing", "boards", "check"], capture_output=True, text=True, check=False)
    assert (check.returncode, check.stdout) == (1, "")
    assert "run it in a clone after `make setup`" in check.stderr


def test_the_prefix_has_the_pinned_packages_and_cunjing_and_nothing_else(prefix: Path) -> None:
    found = installed(prefix)
    assert found.pop("cunjing")
    assert found == {name: version for name, version in pins("runtime.txt").items() if name in found}
    left_out = pins("runtime.txt").keys() - found.keys()
    assert left_out <= {"pip", "setuptools"}, f"not installed: {left_out}"
    assert not {"pip", "hatchling", "pytest", "ruff", "mypy"} & found.keys()


def test_nothing_is_written_into_the_source(prefix: Path) -> None:
    assert prefix.exists()
    assert not (ROOT / "build").exists()
    assert not (ROOT / "dist").exists()
    assert list(ROOT.glob("*.egg-info")) == []


def test_a_package_that_is_not_the_pinned_one_is_refused(tmp_path: Path) -> None:
    """Hashes are asked for wherever something is fetched."""
    text = (ROOT / BUILD).read_text("utf-8")
    fetching = [line for line in text.replace("\\\n", " ").splitlines() if "pip" in line and "--requirement" in line]
    assert len(fetching) == 2
    assert all("--require-hashes" in line for line in fetching)
    said = subprocess.run(
        ["sh", BUILD, "nonsense"],
        cwd=ROOT,
        env={**os.environ, "PREFIX": str(tmp_path / "p")},
        capture_output=True,
        check=False,
    )
    assert said.returncode == 2
