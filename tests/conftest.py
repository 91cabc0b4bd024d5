"""Real parts for tests: started on loopback, or skipped with the package that is missing (with CI=true a failure)."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.embedded import SWITCH, Embedded, embedded_broker, find_mosquitto


def require_mosquitto() -> None:
    if find_mosquitto() is None:
        hidden = f" ({SWITCH}=none hides it)" if os.environ.get(SWITCH) == "none" else ""
        reason = f"mosquitto is not here{hidden}; install the Debian package mosquitto"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture
def needs_mosquitto() -> None:
    require_mosquitto()


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Embedded]:
    require_mosquitto()
    with embedded_broker(tmp_path / "broker") as broker:
        yield broker
