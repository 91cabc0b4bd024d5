"""A bin's hours, by hand. The pool's line is 66.7 %; its sensor counts as silent after two hours."""

from alerts.rollups.rows import BinRow
from tests.alerts.rollups.hours import level, rows, said


def test_levels_are_those_of_the_judged_samples() -> None:
    (row,) = rows(BinRow, "pool", [level(0, 30), level(20, 50), level(40, 40)])
    assert (row.fill_min_pct, row.fill_max_pct, row.fill_mean_pct, row.fill_last_pct) == (30.0, 50.0, 40.0, 40.0)
    assert (row.samples, row.known_min, row.over_min, row.emptyings) == (3, 60.0, 0.0, 0)
    assert row.exposure_points == 0.0


def test_a_level_is_known_from_its_first_sample_on() -> None:
    (row,) = rows(BinRow, "pool", [level(15, 30)])
    assert (row.known_min, row.samples) == (45.0, 1)


def test_time_over_the_line_is_that_between_two_samples() -> None:
    (row,) = rows(BinRow, "pool", [level(0, 60), level(20, 70), level(35, 60)])
    assert (row.known_min, row.over_min) == (60.0, 15.0)
    assert row.exposure_points == 0.5 * 15 / 60


def test_the_line_itself_is_not_over_it() -> None:
    (row,) = rows(BinRow, "pool", [level(0, 66.7), level(30, 66.8)])
    assert row.over_min == 30.0


def test_a_level_holds_into_the_next_hours_until_its_device_is_silent() -> None:
    found = rows(BinRow, "pool", [level(30, 80)], hours=4)
    assert [(row.known_min, row.over_min, row.samples) for row in found] == [
        (30.0, 30.0, 1),
        (60.0, 60.0, 0),
        (30.0, 30.0, 0),
        (0.0, 0.0, 0),
    ]
    assert [row.fill_last_pct for row in found] == [80.0, None, None, None]
    assert [row.exposure_points for row in found] == [0.5, 0.5, 0.5, None], "unknown time is left out, and is not zero"


def test_a_sample_without_a_level_keeps_the_last_one_alive_and_counts_as_none() -> None:
    found = rows(BinRow, "pool", [level(0, 80), said("s-pool", 110, distance_mm=65_535.0)], hours=4)
    assert [(row.known_min, row.samples) for row in found] == [(60.0, 1), (60.0, 0), (60.0, 0), (50.0, 0)]


def test_a_sample_without_a_level_wakes_none_that_had_gone_stale() -> None:
    found = rows(BinRow, "pool", [level(0, 80), said("s-pool", 130, temperature_c=20.0)], hours=3)
    assert [row.known_min for row in found] == [60.0, 60.0, 0.0]


def test_an_emptying_counts_when_its_second_sample_comes() -> None:
    found = rows(BinRow, "pool", [level(0, 80), level(20, 80), level(50, 5), level(70, 6)], hours=2)
    assert [row.emptyings for row in found] == [0, 1]
    assert [row.over_min for row in found] == [50.0, 0.0]


def test_a_part_of_it_is_no_emptying() -> None:
    (row,) = rows(BinRow, "pool", [level(0, 80), level(10, 80), level(20, 40), level(30, 40)])
    assert row.emptyings == 0


def test_what_the_blind_zone_counts_as_depends_on_what_came_before() -> None:
    blind = said("s-pool", 65, distance_mm=150.0)
    assert [row.fill_max_pct for row in rows(BinRow, "pool", [level(0, 75), blind], hours=2)] == [75.0, 95.0]
    assert [row.samples for row in rows(BinRow, "pool", [level(0, 30), blind], hours=2)] == [1, 0]


def test_a_bin_without_a_word_has_a_row_that_says_so() -> None:
    assert rows(BinRow, "pool", []) == [BinRow(None, None, None, None, 0, 0.0, 0.0, 0, None)]


def test_of_two_samples_of_one_instant_the_later_number_holds() -> None:
    both = [said("s-pool", 0, seq=2, distance_mm=400.0), said("s-pool", 0, seq=1, distance_mm=900.0)]
    (row,) = rows(BinRow, "pool", both)
    assert (row.fill_last_pct, row.over_min, row.samples) == (80.0, 60.0, 2)
