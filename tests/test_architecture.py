"""docs/architecture.md cannot drift: what it names exists, and every package's first line stands in it."""

import ast
import re
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PACKAGES: Final = sorted(
    file.parent
    for room in ("telemetry", "alerts", "dashboards", "firmware_sim", "gateway", "benchmarks")
    for file in (ROOT / room).rglob("__init__.py")
)


def test_every_path_the_page_names_exists() -> None:
    named = set(re.findall(r"`([\w.-]+/[\w./-]*|[\w-]+\.(?:md|py|toml|yaml|sql))`", PAGE))
    assert len(named) > 20, "the page names paths between backticks"
    assert sorted(path for path in named if not (ROOT / path).exists()) == []


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.relative_to(ROOT).as_posix())
def test_every_package_says_on_the_page_what_it_says_of_itself(package: Path) -> None:
    text = ast.get_docstring(ast.parse((package / "__init__.py").read_text(encoding="utf-8"))) or ""
    assert text, "a package opens with what it is"
    first_line = text.splitlines()[0]
    assert first_line in PAGE, f"docs/architecture.md does not say: {first_line}"


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.relative_to(ROOT).as_posix())
def test_every_package_has_its_place_on_the_page(package: Path) -> None:
    assert f"`{package.relative_to(ROOT).as_posix()}/`" in PAGE
