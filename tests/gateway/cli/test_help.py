"""The command's own promises: quick help, an example for everything, one meaning for each exit code."""

import os
import subprocess
import sys

import pytest
import typer.main
from typer.testing import CliRunner

from gateway.cli import app
from tests.gateway.cli.installation import Cunjing, Installation

LATE = (
    "fastapi",
    "httpx",
    "paho",
    "pydantic",
    "rich",
    "sqlite3",
    "uvicorn",
    "yaml",
    "alerts",
    "dashboards",
    "gateway.settings",
)


def commands() -> list[str]:
    root = typer.main.get_command(app)
    found = [""]
    for name, command in vars(root)["commands"].items():
        found += [name, *(f"{name} {below}" for below in vars(command).get("commands", {}))]
    return found


@pytest.mark.parametrize("command", commands())
def test_every_command_has_help_with_an_example_of_itself(cunjing: Cunjing, command: str) -> None:
    said = cunjing(f"{command} --help")
    assert said.exit_code == 0
    assert "Example:\n" in said.stdout
    assert f"\n    cunjing {command}" in said.stdout


def test_every_command_of_the_papers_is_there() -> None:
    wanted = "demo gateway simulate record replay decode export ack reset figure why who doctor init"
    wanted += " inventory influx boards desk sms watch card maintenance"
    below = {"inventory check", "sms test", "sms welcome", "sms people", "influx setup", "influx resend"}
    below |= {f"desk {verb}" for verb in ("adduser", "removeuser", "users")}
    below |= {f"maintenance {verb}" for verb in ("add", "end", "list")}
    below |= {"round"} | {f"round {verb}" for verb in ("order", "cancel", "list")}
    below |= {"absence"} | {f"absence {verb}" for verb in ("add", "end", "list")}
    below |= {f"boards {verb}" for verb in ("write", "check", "push", "outline")}
    assert {*wanted.split(), *below, ""} == set(commands())


def test_help_imports_nothing_that_takes_long() -> None:
    look = f"import gateway.cli, sys; print([name for name in {LATE!r} if name in sys.modules])"
    said = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n"


@pytest.mark.parametrize(
    "line",
    [
        "nonsense",
        "replay",
        "replay no-such-file",
        "replay uplinks.jsonl --inventory no-such-file",
        "replay inventory.yaml --inventory inventory.yaml --until yesterday",
        "replay inventory.yaml --inventory inventory.yaml --until 2026-11-22T00:00:00",
        "decode --envelope morse",
        "decode --envelope native --profile milesight-em400",
        "decode --envelope raw --profile native",
        "inventory check no-such-file",
        "export secrets --config gateway.toml",
        "export readings --config gateway.toml --format xlsx",
        "ack overflow/ytan-03/1 --config gateway.toml",
        "record --broker http://127.0.0.1",
        "record --broker mqtt://127.0.0.1:1 --topic cunjing/#/x",
        "simulate --broker http://127.0.0.1 --scenario demo",
        "simulate --broker mqtt://127.0.0.1:1 --scenario no-such-scenario",
        "simulate --broker mqtt://127.0.0.1:1 --scenario demo --mqtt 4",
    ],
)
@pytest.mark.usefixtures("installation")
def test_wrong_use_ends_with_two_and_says_nothing_on_standard_output(cunjing: Cunjing, line: str) -> None:
    said = cunjing(line)
    assert (said.exit_code, said.stdout) == (2, "")
    assert "Error: " in said.stderr


@pytest.mark.parametrize(
    "line",
    [
        "gateway --config inventory.yaml",
        "doctor --config inventory.yaml",
        "export readings --config gateway.toml",
        "ack overflow/ytan-03/1 --by cleaner-li --config gateway.toml",
        "record --broker mqtt://127.0.0.1:1",
        "simulate --broker mqtt://127.0.0.1:1 --scenario demo",
        "simulate --broker mqtt://127.0.0.1:1 --scenario gateway.toml",
    ],
)
@pytest.mark.usefixtures("installation")
def test_a_problem_ends_with_one_and_a_sentence_without_a_traceback(cunjing: Cunjing, line: str) -> None:
    said = cunjing(line)
    assert (said.exit_code, said.stdout) == (1, "")
    assert said.stderr
    assert "Traceback" not in said.stderr


def test_a_reader_who_leaves_early_is_no_problem(installation: Installation) -> None:
    """As with ``| head -1``: the pipe's other end is closed before the first line is written."""
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "gateway.cli", "inventory", "check", "inventory.yaml"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with installation.folder.joinpath("inventory.yaml").open("a", encoding="utf-8") as county:
        county.write("nonsense: 1\n")
    said = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, env=environment, check=False)
    os.close(writing)
    assert (said.returncode, said.stderr) == (0, b"")


def test_the_version_is_told() -> None:
    assert CliRunner().invoke(app, ["--version"]).stdout.startswith("cunjing ")
