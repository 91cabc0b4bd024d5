"""mosquitto's own hashes are understood, and it understands ours (the latter with a real broker, in tests/compose)."""

import shutil
import subprocess
from pathlib import Path

import pytest

from gateway.mosquitto_passwords import fits, hashed

THEIRS = (
    "$7$101$hJkQ2t6I6ZsBhjgp$X5K4ezH0utYpdTXOdlKqwFnSCLf8be4JK0fDJC/98AI11y6veBt2ses/NMmPISLd5uKrk9RybiaIEc3kGFA8JQ=="
)
"""What mosquitto_passwd 2.0.11 made of the password ``hush``."""


def test_what_is_hashed_fits_its_password_and_no_other() -> None:
    kept = hashed("hush")
    assert kept.startswith("$7$101$")
    assert fits(kept, "hush")
    assert not fits(kept, "Hush")
    assert hashed("hush") != kept


@pytest.mark.parametrize(
    "kept", ["", "hush", "$6$c2FsdA==$aGFzaA==", "$7$0$c2FsdA==$aGFzaA==", "$7$101$?$?", "$7$101$c2FsdA=="]
)
def test_what_is_no_hash_of_this_kind_fits_nothing(kept: str) -> None:
    assert not fits(kept, "hush")


def test_a_hash_that_mosquitto_made_fits() -> None:
    assert fits(THEIRS, "hush")
    assert not fits(THEIRS, "hash")


@pytest.mark.broker
def test_a_hash_of_mosquittos_own_program_fits(tmp_path: Path) -> None:
    program = shutil.which("mosquitto_passwd") or pytest.skip("mosquitto_passwd is not here; it comes with mosquitto")
    subprocess.run([program, "-c", "-b", tmp_path / "passwords", "bin-1", "hush"], check=True)
    name, _, kept = (tmp_path / "passwords").read_text("ascii").partition(":")
    assert name == "bin-1"
    assert fits(kept, "hush")
