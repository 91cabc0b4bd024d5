"""The policy files that come with the program: found in a source tree, packed into the wheel, replaced file by file."""

import tomllib
from pathlib import Path

import pytest

from alerts.build import assemble
from gateway import imports, shipped
from gateway.settings import Alerts, SettingsFault

ROOT = Path(__file__).parents[2]
COUNTY = ROOT / "tests" / "golden" / "inventory" / "county.yaml"


def test_the_shipped_policy_files_make_a_county() -> None:
    county, _ = assemble(imports.checked(COUNTY), shipped.policy_files())
    assert county.plans


def test_a_file_of_ones_own_replaces_the_shipped_one_and_no_other(tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text("# mine\n", "utf-8")
    policy_files = shipped.policy_files(Alerts(texts=mine))
    assert (policy_files.texts, policy_files.texts_name) == ("# mine\n", str(mine))
    assert policy_files.escalation == shipped.policy_files().escalation


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsFault, match=r"none\.yaml cannot be read: no such file"):
        shipped.policy_files(Alerts(rules=tmp_path / "none.yaml"))


def test_the_wheel_carries_what_is_looked_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    for name in (shipped.ESCALATION, shipped.TEXTS):
        assert included[f"config/{name}"] == f"gateway/config/{name}"
    assert all((ROOT / source).is_file() for source in included)
