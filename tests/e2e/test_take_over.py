"""Two gateways under one client id: each of the two says what it is, in its log, on /readyz and to ``doctor``."""

from pathlib import Path

import pytest

from alerts.channels import channels
from gateway import doctor
from gateway.embedded_broker import Embedded
from gateway.settings import load
from tests.e2e.gateway_process import Installation, offset_to, until
from tests.lorawan import VILLAGE

pytestmark = [pytest.mark.e2e, pytest.mark.broker]


def said_of_broker(installation: Installation) -> str:
    part = installation.ready().get("parts", {}).get("broker", {})
    return "" if part.get("ready", True) else f"{part['state']}; {part['remedy']}"


def test_a_second_gateway_under_the_same_client_id_is_named(mosquitto: Embedded, tmp_path: Path) -> None:
    ours, other = (Installation(tmp_path / name, mosquitto, VILLAGE, offset_to(10)) for name in ("ours", "other"))
    with ours.running(), other.running():
        until(lambda: "顶掉" in said_of_broker(ours), 30)
        assert "'cunjing-gateway'" in said_of_broker(ours)
        until(lambda: "client_id" in ours.last_words(), 10)
        assert "cunjing_mqtt_thrown_out 0.0" not in ours.metrics()
        found = doctor.running(load(ours.configuration, channels()))
        assert not found.ready
        assert any("顶掉" in note and "client_id" in note for note in found.notes), found
    logged = [line for line in ours.log.read_text("utf-8").splitlines() if "顶掉" in line]
    assert len(logged) == 1, logged
