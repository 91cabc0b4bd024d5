"""A small installation in a folder of its own, and the command run in it as a person would."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gateway.cli import app
from tests.gateway.cli.installation import Cunjing, Installation


@pytest.fixture
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installation:
    monkeypatch.chdir(tmp_path)
    return Installation(tmp_path)


@pytest.fixture
def cunjing() -> Cunjing:
    """Runs ``cunjing`` with the words of a line, and bytes on standard input."""

    def run(line: str, stdin: bytes = b"") -> Result:
        return CliRunner().invoke(app, line.split(), input=stdin, prog_name="cunjing")

    return run
