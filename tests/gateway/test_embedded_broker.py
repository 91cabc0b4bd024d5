"""Which broker is embedded, and what is said when none can be."""

import socket
import stat
from pathlib import Path

import pytest

from gateway.embedded_broker import BrokerFault, embedded_broker, find_mosquitto


def test_none_hides_an_installed_mosquitto() -> None:
    assert find_mosquitto({"CUNJING_MOSQUITTO": "none", "PATH": "/usr/sbin"}) is None


def test_a_named_mosquitto_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(BrokerFault, match="there is no such program"):
        find_mosquitto({"CUNJING_MOSQUITTO": str(tmp_path / "none")})


def test_mosquitto_is_found_on_path(tmp_path: Path) -> None:
    program = tmp_path / "mosquitto"
    program.touch(mode=0o755)
    assert find_mosquitto({"PATH": str(tmp_path)}) == program


@pytest.mark.broker
@pytest.mark.usefixtures("needs_mosquitto")
def test_a_taken_port_is_said_by_mosquitto(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(BrokerFault, match=f"does not start on port {port}"), embedded_broker(tmp_path, port):
            raise AssertionError


def test_a_taken_port_is_said_by_amqtt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUNJING_MOSQUITTO", "none")
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(BrokerFault, match=f"does not start on port {port}"), embedded_broker(tmp_path, port):
            raise AssertionError


def test_the_password_is_kept_for_the_next_run_and_for_the_owner_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUNJING_MOSQUITTO", "none")
    with embedded_broker(tmp_path) as first:
        password = first.password
    with embedded_broker(tmp_path) as second:
        assert second.password == password
    assert stat.S_IMODE(second.password_file.stat().st_mode) == 0o600
