"""A device's signs of life: what a sample changes of what is known, and when its clock is not believed."""

import pytest

from alerts.conditions.devices import DeviceMemory, hear
from alerts.conditions.traffic import SILENT, HourlyTraffic
from telemetry.reading import Reading, TimeSource, Values

BEFORE = DeviceMemory(1, 100, 90, 5, 80.0, 7, 20, 66, HourlyTraffic(3))


def reading(observed_ms: int, *, boot: int = 7, seq: int = 21, late: bool = False, **values: float) -> Reading:
    return Reading("d", "a", boot, seq, observed_ms, 200, TimeSource.OK, late, Values(**values))


@pytest.mark.parametrize(
    ("observed_ms", "boot", "seq", "late", "counts_for"),
    [
        (91, 7, 21, False, 91),
        (90, 7, 21, False, 90),
        (89, 7, 21, False, 90),
        (89, 7, 20, False, 90),
        (89, 7, 19, False, 89),
        (89, 8, 19, False, 90),
        (89, 7, 21, True, 89),
    ],
)
def test_the_next_sample_is_never_older_unless_it_is_late_or_was_overtaken(
    observed_ms: int,
    boot: int,
    seq: int,
    late: bool,  # noqa: FBT001 -- of the table
    counts_for: int,
) -> None:
    assert BEFORE.in_order(reading(observed_ms, boot=boot, seq=seq, late=late)).observed_ms == counts_for


def test_a_sample_ends_what_was_bridged_and_what_was_excused() -> None:
    after = hear(BEFORE, reading(150, boot=8, seq=0, battery_pct=55.0), older=False)
    assert after == DeviceMemory(1, 200, 150, 0, 55.0, 8, 0, 0, HourlyTraffic(3))
    assert hear(BEFORE, reading(150), older=False).battery_pct == 80.0


def test_one_that_is_older_is_a_sign_of_life_alone() -> None:
    after = hear(BEFORE, reading(50, battery_pct=1.0), older=True)
    assert after == DeviceMemory(1, 200, 90, 0, 80.0, 7, 20, 66, HourlyTraffic(3))


def test_of_a_device_that_was_never_heard_nothing_is_known_but_since_when() -> None:
    assert DeviceMemory(1) == DeviceMemory(1, 0, 0, 0, None, -1, -1, 0, SILENT)
