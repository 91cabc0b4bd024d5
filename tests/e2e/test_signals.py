"""What a gateway makes of signals: SIGTERM ends it well, SIGHUP does not, and its log says why."""

import os
import signal
from pathlib import Path

import pytest

from gateway.embedded_broker import Embedded
from tests.e2e.gateway_process import Installation, until
from tests.gateway.cli.installation import COUNTY

pytestmark = [pytest.mark.e2e, pytest.mark.broker]


def test_a_reload_that_cannot_be_is_said_and_ends_nothing(tmp_path: Path, mosquitto: Embedded) -> None:
    installation = Installation(tmp_path / "gateway", mosquitto, COUNTY.read_text("utf-8"))
    with installation.running() as gateway:
        assert gateway.pid is not None
        os.kill(gateway.pid, signal.SIGHUP)
        until(lambda: "not_reloaded" in installation.last_words(), 20)
        assert installation.ready()["ready"]
