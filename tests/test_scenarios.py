"""Every scenario file is played, as written, ticked, redelivered and restarted: it prints what it expects, no more."""

from functools import cache

import pytest

from alerts.model import PRINTED
from alerts.rules import rules
from telemetry.segments import SEGMENT, units
from tests.scenario_file import Line, names, read
from tests.scenario_run import MINUTE, Play, Variation, differences

NAMES = names()


@pytest.mark.parametrize("name", NAMES)
def test_a_scenario_prints_what_it_expects_and_nothing_else(name: str) -> None:
    scenario = read(name)
    play = _as_written(name)
    different = differences(scenario.expected, play.printed())
    assert not different, f"{scenario.law}\n{different}"
    silent = [line for line in scenario.because if not _is_said(line, play.everything())]
    assert silent == [], "\n".join(f"{line}: {words}" for line, words in play.everything())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "variation",
    [Variation(tick_every_ms=MINUTE), Variation(redelivered=True), Variation(restart_every=3)],
    ids=["ticked every minute", "every uplink twice", "restarted before every third"],
)
def test_ticks_redelivery_and_restarts_change_nothing(name: str, variation: Variation) -> None:
    scenario = read(name)
    assert Play(scenario, variation).run().printed() == _as_written(name).printed()


@pytest.mark.parametrize("name", NAMES)
def test_every_message_has_its_own_key_and_fits_one_segment(name: str) -> None:
    owed = _as_written(name).owed()
    keys = [message.key for message in owed]
    assert len(set(keys)) == len(keys)
    assert [message.text for message in owed if units(message.text) > SEGMENT] == []


def test_every_rule_has_a_scenario_of_its_name() -> None:
    assert set(rules()) <= set(NAMES)


@cache
def _as_written(name: str) -> Play:
    return Play(read(name)).run()


def _is_said(line: Line, everything: list[tuple[str, str]]) -> bool:
    return any(
        line.said == said and all(fragment in words for fragment in line.fragments) for said, words in everything
    )


def test_what_scenarios_call_printed_is_what_replay_prints() -> None:
    assert {"raised", "cleared", "owed", "emptied", "acked", "reset", "partly_emptied"} == PRINTED
