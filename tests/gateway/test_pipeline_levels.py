"""What a bin's sample counted as is told to whoever keeps it, also where it came too late to be judged."""

import json
from pathlib import Path

import pytest

from gateway import imports, shipped, start
from gateway.replay import Memory
from telemetry.wire import Uplink

VILLAGE = Path(__file__).parents[1] / "scenarios" / "counties" / "village.yaml"
BEGAN_MS = 1_795_305_600_000
MINUTES_20 = 1_200_000


def judged(*samples: tuple[int, float]) -> list[float | None]:
    """The levels of samples of one pool (d_empty 1,200, d_full 200, blind 200 mm), each as (seq, distance)."""
    pipeline = start.anew(imports.checked(VILLAGE), shipped.policy_files(), Memory(), BEGAN_MS)
    pipeline.county.listen(BEGAN_MS, None, pipeline.changes, started=True)
    for arrival, (seq, distance_mm) in enumerate(samples, start=1):
        said = {"v": 1, "boot": 1, "seq": seq, "ts": BEGAN_MS + seq * MINUTES_20}
        payload = json.dumps({**said, "readings": {"distance_mm": distance_mm}}).encode()
        pipeline.take(Uplink(BEGAN_MS + arrival * MINUTES_20, "cunjing/v1/xia/s-pool/telemetry", payload))
    return [reading.judged_pct for reading in pipeline.finish()[0].readings]


@pytest.mark.parametrize(
    ("samples", "levels"),
    [
        (((1, 700), (2, 520)), [50.0, 68.0]),
        (((1, 700), (2, 8190), (3, 0)), [50.0, None, None]),
        (((1, 480), (2, 150)), [72.0, 95.0]),
        (((1, 150), (2, 150), (3, 150)), [None, None, 95.0]),
        (((2, 480), (3, 480), (1, 700)), [72.0, 72.0, 50.0]),
        (((2, 480), (3, 480), (1, 150)), [72.0, 72.0, None]),
    ],
    ids=["good", "no echo", "blind after a climb", "blind from the start", "older than the last", "older and blind"],
)
def test_a_reading_keeps_the_level_that_it_counted_as(
    samples: tuple[tuple[int, float], ...], levels: list[float | None]
) -> None:
    assert judged(*samples) == levels
