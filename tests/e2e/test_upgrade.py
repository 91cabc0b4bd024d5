"""A real gateway starts on what an older program left in the middle of everything, and goes on (case J5)."""

import json
import lzma
import stat
from pathlib import Path
from typing import Any

import pytest

from gateway.clock import WallClock
from gateway.embedded_broker import Embedded
from tests.before_the_upgrade import LOST
from tests.e2e.gateway_process import Installation, until
from tests.e2e.test_wire import publish
from tests.telling_county import MINUTE, START_MS, WRITTEN

pytestmark = [pytest.mark.e2e, pytest.mark.broker]

GOLDEN = Path(__file__).parents[1] / "golden" / "journals"
CUT_MS = START_MS + 51 * MINUTE
TOPIC = "cunjing/v1/xia/s-pool/telemetry"


def texts(outbox: Path) -> list[dict[str, Any]]:
    return [json.loads(found.read_text("utf-8")) for found in sorted(outbox.glob("*.json"))]


@pytest.mark.parametrize("version", [1, 7])
def test_an_installation_of_an_older_program_goes_on(version: int, mosquitto: Embedded, tmp_path: Path) -> None:
    offset_ms = CUT_MS + 2 * MINUTE - WallClock().now_ms()
    installation = Installation(tmp_path / "gateway", mosquitto, WRITTEN, offset_ms)
    installation.journal.write_bytes(lzma.decompress((GOLDEN / f"{version}.db.xz").read_bytes()))
    installation.journal.chmod(0o644)
    with installation.running():
        until(lambda: any(text["key"].startswith(LOST) for text in texts(installation.outbox)), 20)
        publish(mosquitto, [(TOPIC, {"v": 1, "boot": 2, "seq": 1, "readings": {"distance_mm": 230.0}})])
        until(lambda: bool(installation.rows("SELECT 1 FROM reading WHERE boot = 2")), 20)
        assert installation.rows("SELECT count(*) FROM migration WHERE applied_at IS NULL") == [(version,)]
        assert installation.rows("SELECT count(*) FROM alert WHERE cleared_ms IS NULL") == [(9,)]
    assert stat.S_IMODE(installation.journal.stat().st_mode) == 0o600
    assert "rights_tightened" in installation.last_words()
    with installation.running():
        assert installation.ready()["parts"]["soundness"]["ready"]
