"""Random and mutated payloads, seeded: each is samples or a refusal with a reason, and none raises."""

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

from telemetry.codecs import Frame, codecs
from telemetry.envelopes import envelopes
from telemetry.wire import Ignored, Reason, Rejected, Samples, Uplink, decode
from tests.telemetry.county import DIRECTORY

GOLDEN = Path(__file__).parents[1] / "golden"
REASONS = {str(reason) for reason in Reason}
TOKENS = [
    b"null",
    b"1e999",
    b"-1",
    b"true",
    b"NaN",
    b'"',
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\\ud800",
    b"\xff",
    b'"boot":',
    b"0" * 40,
]

DEFAULT = 20_000
DEEP = 1_000_000


def cases(folder: str, name: str) -> list[dict[str, Any]]:
    golden = yaml.safe_load((GOLDEN / folder / f"{name}.yaml").read_text(encoding="utf-8"))
    return [*golden["examples"], *golden["rejected"]]


def payload(case: dict[str, Any]) -> bytes:
    for key in ("hex", "payload_hex"):
        if key in case:
            return bytes.fromhex(case[key])
    return str(case["payload"]).encode()


def mutated(random: Random, seeds: list[bytes]) -> bytes:
    """Noise now and then; else a good or bad example with some bytes changed, cut, doubled or replaced by a token."""
    if random.random() < 0.1:
        return random.randbytes(random.randrange(64))
    wire = bytearray(random.choice(seeds))
    for _ in range(random.randrange(1, 5)):
        at = random.randrange(len(wire) + 1)
        match random.randrange(5):
            case 0:
                wire[at : at + 1] = random.randbytes(1)
            case 1:
                del wire[at : at + random.randrange(1, 9)]
            case 2:
                wire[at:at] = wire[at : at + random.randrange(1, 17)]
            case 3:
                wire[at : at + random.randrange(4)] = random.choice(TOKENS)
            case _:
                wire[at:at] = random.choice(seeds)[:64]
    return bytes(wire)


def fuzz(read: Callable[[bytes], object], seeds: list[bytes], rounds: int) -> None:
    random = Random(20_261_122)
    good = refused = 0
    for turn in range(rounds):
        wire = mutated(random, seeds)
        decoded = read(wire)
        if isinstance(decoded, Rejected):
            assert decoded.reason in REASONS, (turn, wire)
            assert decoded.detail, (turn, wire)
            refused += 1
        else:
            assert isinstance(decoded, Samples | Frame | Ignored), (turn, wire)
            good += 1
    assert min(good, refused) > rounds // 200, "the mutations are too wild or too tame to prove anything"


@pytest.mark.parametrize("rounds", [DEFAULT, pytest.param(DEEP, marks=pytest.mark.deep)])
@pytest.mark.parametrize("name", list(envelopes()))
def test_no_mutation_of_a_payload_raises(name: str, rounds: int) -> None:
    rows = cases("envelopes", name)
    topic = next(row["topic"] for row in rows if "samples" in row)
    fuzz(
        lambda wire: decode(Uplink(0, topic, wire), DIRECTORY),
        [payload(row) for row in rows if row["topic"] == topic],
        rounds,
    )


@pytest.mark.parametrize("rounds", [DEFAULT, pytest.param(DEEP, marks=pytest.mark.deep)])
@pytest.mark.parametrize("profile", list(codecs()))
def test_no_mutation_of_a_frame_raises(profile: str, rounds: int) -> None:
    codec = codecs()[profile]
    fuzz(lambda wire: codec.decode(wire, codec.f_port, {}), [payload(row) for row in cases("codecs", profile)], rounds)
