"""What the truth's file says, and how it ends with a line that says nothing (``benchmarks/score/truth.py``)."""

import pytest

from benchmarks.score import truth
from tests.score.made import bin_site, levels, plant_site, true, visit
from tests.small_county import at, iso

WORLD = b'{"truth":"world","scenario":"x","seed":1,"from":"2026-11-22T16:00:00Z","to":"2026-11-23T16:00:00Z"}'


def test_a_level_holds_until_the_next_step_and_a_visit_changes_it_between() -> None:
    curve = true(bin_site(), levels(10, 40, 5, 6), visit(1.5, 45, 3)).levels["a"]
    assert [curve.at(at(hours)) for hours in (0, 0.9, 1, 1.4)] == [10, 10, 40, 40]
    assert curve.at(at(1.5) - 1) == 45
    assert curve.at(at(1.5)) == 3
    assert curve.within(at(1.2), at(2)) == [40, 45, 3, 5]
    assert curve.first_at_least(44, at(0), at(4)) == at(1.5) - 1
    assert curve.first_at_least(46, at(0), at(4)) is None


def test_keys_that_nobody_knows_are_left_unread() -> None:
    assert true({**bin_site(), "colour": "green"}).sites["a"].floor_mm == 1_000


def test_crossings_are_asked_for_the_step_before() -> None:
    crossings = {"truth": "crossings", "asset": "a", "from": iso(0), "step_s": 3_600}
    found = true(bin_site(), {**crossings, "two_thirds_at": [iso(9), None], "overflow_at": [None, None]}).crossings["a"]
    assert [found.two_thirds(at(hours)) for hours in (-1, 0, 0.9, 1)] == [None, at(9), at(9), None]


def test_a_plant_has_run_for_so_long_whatever_the_case_of_its_states() -> None:
    run = {"truth": "runs", "asset": "p", "from": iso(0), "step_s": 3_600, "level_mm": [1, 2, 3], "flow_m3h": [1, 0, 1]}
    runs = true(plant_site("flow"), {**run, "state": ["RUNNING", "IDLE", "RUNNING"]}).runs["p"]
    assert runs.running_since(at(0.5), 3_600_000) == at(2.5)
    assert runs.running_since(at(0.5), 7_200_000) is None
    assert runs.level_mm.at(at(1.5)) == 2


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([WORLD, b"{"], "made:2: not a line of truth"),
        ([WORLD, b'{"truth":"wish"}'], "made:2: not a line of truth"),
        ([WORLD, b'{"truth":"missed","asset":"a","at":"2026-11-22T16:00:00"}'], "made:2: at has no time zone"),
        ([b'{"truth":"missed","asset":"a","at":"2026-11-22T16:00:00Z"}'], "needs exactly one"),
        ([WORLD, WORLD], "needs exactly one"),
    ],
)
def test_a_line_that_is_none_is_named(lines: list[bytes], says: str) -> None:
    with pytest.raises(truth.TruthFault, match=says):
        truth.read(lines, "made")
