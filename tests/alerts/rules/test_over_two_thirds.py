"""The line of each bin as its own rule draws it, and which bins are asked for it."""

from typing import Final

import pytest

from alerts.build import assemble_whole
from alerts.rules.over_two_thirds import POINTS_A_SITE, OverTwoThirds, drawn_pct, line_pct, lines_pct
from gateway import shipped
from tests.alerts.notify.test_stages import COUNTY

PLANS: Final = assemble_whole(COUNTY, shipped.policy_files()).county.plans
LINE: Final = OverTwoThirds().raise_pct


def test_a_bin_has_the_line_of_its_rule_and_a_plant_has_none() -> None:
    assert line_pct(PLANS["ytan-03"]) == LINE
    with pytest.raises((TypeError, KeyError)):
        line_pct(PLANS["chetian-plant"])


def test_every_bin_has_a_line_and_only_those_that_count_have_one_for_the_score() -> None:
    assert dict(drawn_pct(PLANS)) == {"ytan-03": LINE, "ytan-04": LINE}
    assert dict(lines_pct(PLANS)) == {"ytan-03": LINE}
    assert len(drawn_pct(PLANS)) == 2
    with pytest.raises(KeyError):
        lines_pct(PLANS)["ytan-04"]


def test_what_a_site_over_the_line_costs_is_half_a_point() -> None:
    assert POINTS_A_SITE == 0.5
