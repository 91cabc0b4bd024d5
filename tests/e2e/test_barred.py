"""A broker that does not let the gateway in: the trouble is said once, however often it is tried again."""

from dataclasses import replace
from pathlib import Path

import pytest

from gateway.embedded_broker import Embedded
from tests.e2e.gateway_process import Installation, offset_to, until
from tests.lorawan import VILLAGE

pytestmark = [pytest.mark.e2e, pytest.mark.broker]


def broker_said(installation: Installation) -> dict[str, object]:
    found: dict[str, object] = installation.ready().get("parts", {}).get("broker", {})
    return found


def lines_about(installation: Installation, word: str) -> list[str]:
    return [line for line in installation.log.read_text("utf-8").splitlines() if word in line]


def test_a_wrong_password_is_one_line_however_often_it_is_tried(mosquitto: Embedded, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("guess\n", "ascii")
    installation = Installation(tmp_path / "gateway", replace(mosquitto, password_file=wrong), VILLAGE, offset_to(10))
    broker_log = mosquitto.password_file.with_name("mosquitto.log")
    process = installation.start()
    try:
        until(lambda: broker_log.read_text("utf-8", "replace").count("not authorised") >= 3, 40)
        assert "refuses user 'cunjing'" in str(broker_said(installation)["state"])
        assert "password_file" in str(broker_said(installation)["remedy"])
    finally:
        process.kill()
        process.join()
    assert len(lines_about(installation, "refuses user")) == 1, installation.last_words()
