"""What may be ordered, and what is said of an order that cannot be played."""

from pathlib import Path

import pytest

from firmware_sim.scenario import HOUR_MS, MANNERS, Happening, ScenarioError, at_start, load

SCENARIOS = Path(__file__).parents[2] / "firmware_sim" / "scenarios"
SHORT = "{seed: 1, start: 2026-11-23T00:00:00Z, hours: 6}"


@pytest.mark.parametrize("path", sorted(SCENARIOS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_scenario_of_the_house_loads(path: Path) -> None:
    assert load(path.read_text("utf-8")).hours > 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("seed: [", "not YAML"),
        ("- 1", "a scenario is a mapping"),
        ("{seed: 1, hours: 6}", "start: Field required"),
        ("{seed: 1, start: 2026-11-23T00:00:00Z, hours: 6, fleat: {}}", "fleat: Extra inputs"),
        ("{seed: 1, start: 2026-11-23T00:00:00, hours: 6}", "start: Input should have timezone"),
        ("{seed: 1, start: 2026-11-23T00:00:00Z, hours: 6, fleet: {pools: 3}}", "fleet.pools: Input should be less"),
        (
            "{seed: 1, start: 2026-11-23T00:00:00Z, hours: 6, events: [{kind: flood, target: g01}]}",
            "events.0.kind: Input should be",
        ),
        (
            "{seed: 1, start: 2026-11-23T00:00:00Z, hours: 6, sites: [{device: bin-0001}, {device: bin-0001}]}",
            "bin-0001 is described more than once",
        ),
    ],
)
def test_an_order_that_cannot_be_played_says_where_and_why(text: str, said: str) -> None:
    with pytest.raises(ScenarioError, match=said):
        load(text)


def test_a_clock_time_is_the_first_one_from_the_start_on() -> None:
    scenario = load(SHORT)  # 08:00 in Shanghai
    assert scenario.instant("08:00") == scenario.start_ms
    assert scenario.instant("09:30") == scenario.start_ms + 90 * 60_000
    assert scenario.instant("07:00") == scenario.start_ms + 23 * HOUR_MS
    assert scenario.instant(2.5) == scenario.start_ms + 150 * 60_000


def test_a_moved_scenario_keeps_its_clock_times() -> None:
    scenario = load(SHORT)
    moved = at_start(scenario, scenario.start_ms + 49 * HOUR_MS)
    assert moved.start_ms == scenario.start_ms + 49 * HOUR_MS
    assert moved.instant("09:30") == scenario.instant("09:30") + 48 * HOUR_MS
    assert moved.end_ms - moved.start_ms == scenario.end_ms - scenario.start_ms


def test_every_kind_of_event_has_its_manner() -> None:
    assert set(Happening) == set(MANNERS)
