"""What the rings of a bin come to: the level that was held, the noise of the site, its floor."""

import pytest

from alerts.conditions import rings


def ring(*pcts: float) -> bytes:
    return b"".join(rings.PACKED[each] for each in pcts)


@pytest.mark.parametrize(
    ("pcts", "votes", "held"),
    [
        ((), 3, -1.0),
        ((40,), 3, 40.0),
        ((40, 47.9), 3, 47.9),
        ((40, 48), 3, 40.0),
        ((40, 41, 90), 3, 41.0),
        ((40, 41, 90, 42), 3, 41.0),
        ((40, 41, 42, 90, 42, 41), 3, 42.0),
        ((40, 41, 90, 90, 42, 41), 3, 42.0),
        ((40, 40, 90, 90, 90, 40), 3, 90.0),
        ((40, 40, 90, 90, 40, 40), 2, 90.0),
        ((90, 90, 90, 40, 40, 40, 40, 40, 40), 3, 40.0),
        ((90, 90, 90, 40, 40, 40), 3, 90.0),
    ],
)
def test_the_level_before_a_fall_is_one_on_which_readings_agreed(
    pcts: tuple[float, ...], votes: int, held: float
) -> None:
    assert rings.held(ring(*pcts), votes) == held


def test_what_goes_down_a_little_with_each_reading_settles() -> None:
    assert rings.settles(ring(40, 38, 36, 34, 32), 30, 40)
    assert not rings.settles(ring(40, 38, 36, 34, 32), 20, 40)
    assert not rings.settles(ring(40), 20, 40)
    assert not rings.settles(ring(40, 40, 40, 34, 32), 20, 40)
    assert rings.settles(ring(40, 37.1, 34.2, 31.3, 30.1), 30, 40)
    assert not rings.settles(ring(40, 37, 34, 31, 30.1), 30, 40)


def test_noise_is_what_sticks_out_for_one_reading_or_two() -> None:
    rising = ring(*[10.0 + each for each in range(16)])
    assert rings.note_noise(b"", rising) == b"\0"
    for stray, tenths in (((30.0,), 29), ((30.0, 30.0), 41), ((10.0,), 29), ((10.0, 10.0), 41), ((95.0,), 35)):
        found = rings.note_noise(b"", ring(*[20.0] * 6, *stray, *[20.0] * (10 - len(stray))))
        assert list(found) == [tenths]
    assert rings.note_noise(b"", ring(*[20.0] * 3, 40.0, *[20.0] * 3)) == b""
    assert list(rings.note_noise(b"", ring(*[20.0] * 3, 40.0, *[20.0] * 4))) == [60]
    assert rings.note_noise(bytes((1, 2, 3, 4)), rising) == bytes((2, 3, 4, 0))


def test_the_noise_is_that_of_the_last_looks() -> None:
    assert rings.noise_pct(b"") == 0.0
    assert rings.noise_pct(bytes([40] * 4)) == 4.0
    assert rings.noise_pct(bytes([40])) == 2.0


def test_levels_lie_packed_in_tenths() -> None:
    assert rings.levels(ring(0, 0.1, 99.9, 100)) == (0.0, 0.1, 99.9, 100.0)
    assert (len(rings.PACKED), rings.RING, rings.AFTER) == (1_001, 32, 4)


def seen(*distances: float) -> bytes:
    found = b""
    for each in distances:
        found = rings.note_floor(found, each)
    return found


@pytest.mark.parametrize(
    ("distances", "learned_mm"),
    [
        ((), 0.0),
        ((1160, 1158, 1161, 1159), 0.0),
        ((1160, 1158, 1161, 1159, 1157), 1160.0),
        ((1160.4, 1158, 1161, 1159, 1157, 1400), 1160.0),
        ((1160, 1158, 1161, 1159, 700, 640), 1160.0),
        ((1160, 950, 1158, 940, 1161, 960, 1159, 955), 1160.0),
        ((1000, 1049, 990, 985, 998), 0.0),
        ((1000, 1050, 990, 985, 998), 1050.0),
        ((840, 835, 838, 841, 700), 840.0),
        ((950.6, 940, 945, 940, 941), 0.0),
        ((950, 940, 945, 940, 941), 950.0),
        ((700, 690, 690, 690, 690), 700.0),
        ((699, 690, 690, 690, 690), 0.0),
        ((1500, 1490, 1490, 1490, 1490), 1500.0),
        ((1501, 1490, 1490, 1490, 1490), 0.0),
        (tuple(range(1101, 1113)), 1110.0),
    ],
)
def test_a_floor_is_learned_from_enough_emptyings(distances: tuple[float, ...], learned_mm: float) -> None:
    assert rings.learned_mm(seen(*distances), 1000.0) == learned_mm


def test_only_the_last_emptyings_count() -> None:
    last = seen(*[1160.0] * 5, *[1001.0] * 12)
    assert len(last) == 24
    assert rings.learned_mm(last, 1000.0) == 0.0


def test_a_floor_may_seem_further_away_the_deeper_it_is() -> None:
    assert [rings.tolerance_mm(each) for each in (1000.0, 1700.0, 3000.0)] == [50.0, 51.0, 90.0]
