"""The last word about an episode by how it ended, of every rule whose end is told."""

import pytest
from msgspec.structs import replace

from alerts import policy
from alerts.alert import Alert
from alerts.conditions.bins import BinMemory
from alerts.model import Severity
from alerts.notify.message_writer import INHIBITED, PARAMETERS_CHANGED, RAISED_AGAIN, choose
from gateway import shipped

POLICIES = policy.load(shipped.policy_files().escalation, "escalation.yaml")
TOLD = sorted(rule for rule, said in POLICIES.rules.items() if said.cleared_text)
EMPTY = BinMemory(fill_pct=5.0)


def ended(rule: str, reason: str = "recovered") -> Alert:
    return Alert(
        episode=f"{rule}/site/1",
        rule=rule,
        asset="site",
        device="",
        severity=Severity.P2,
        raised_ms=1,
        since_ms=1,
        detail={},
        closed_ms=2,
        ended=reason,
    )


@pytest.mark.parametrize("rule", TOLD)
def test_what_stands_again_is_not_said_to_be_over(rule: str) -> None:
    again = replace(ended(rule), episode=f"{rule}/site/2", closed_ms=0)
    assert choose(ended(rule), POLICIES.of(rule), EMPTY, 66.7, [again]).unsaid == RAISED_AGAIN


@pytest.mark.parametrize("rule", TOLD)
def test_a_parameter_that_was_changed_makes_nothing_better(rule: str) -> None:
    assert choose(ended(rule, PARAMETERS_CHANGED), POLICIES.of(rule), EMPTY, 66.7, []).unsaid == PARAMETERS_CHANGED


@pytest.mark.parametrize("rule", TOLD)
def test_only_hot_ash_is_not_over_while_its_bin_burns(rule: str) -> None:
    fire = replace(ended("fire"), closed_ms=0, latched=True)
    unsaid = choose(ended(rule), POLICIES.of(rule), None, None, [fire]).unsaid
    assert unsaid == {"hot_ash": INHIBITED, "fire": RAISED_AGAIN}.get(rule, "")


@pytest.mark.parametrize("rule", TOLD)
def test_what_ended_otherwise_has_its_closing_word(rule: str) -> None:
    closing = choose(ended(rule), POLICIES.of(rule), EMPTY, 66.7, [])
    assert closing.unsaid == ""
    assert closing.text == ("overflow_over" if rule == "overflow" else POLICIES.of(rule).cleared_text)
