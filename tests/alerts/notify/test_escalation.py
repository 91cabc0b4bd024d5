"""A word that fell due while nobody could act is judged by the hour at which it is told, not by the one it was due."""

from pathlib import Path

import pytest

from alerts.alert import Alert
from alerts.build import assemble
from alerts.calendars import MINUTE_MS
from alerts.model import Event, Owed, Severity
from gateway import imports, shipped

COUNTY = imports.checked(Path(__file__).parents[2] / "golden" / "inventory" / "county.yaml")
ESCALATION = assemble(COUNTY, shipped.policy_files())[0].decider.escalation
NOON = 1_795_320_000_000  # 2026-11-22T04:00:00Z, which is noon there
EVENING = NOON + 8 * 60 * MINUTE_MS + 50 * MINUTE_MS  # 20:50


@pytest.mark.parametrize(("late_min", "told"), [(5, True), (15, False), (120, False)])
def test_a_closing_word_that_was_due_by_day_wakes_nobody_at_night(late_min: int, told: bool) -> None:  # noqa: FBT001 -- drawn
    asset = next(asset.id for asset in COUNTY.assets.values() if asset.bin is not None)
    crew = next(person.id for person in COUNTY.people.values() if any(duty.role == "crew" for duty in person.duties))
    over = Alert(
        episode=f"overflow/{asset}/1",
        rule="overflow",
        asset=asset,
        device="",
        severity=Severity.P2,
        raised_ms=NOON,
        since_ms=NOON,
        detail={},
        told=(crew,),
        closed_ms=EVENING,
        due_ms=EVENING,
    )
    log = list[Event | Owed]()
    after = ESCALATION.run(over, None, EVENING + late_min * MINUTE_MS, log)
    assert [isinstance(said, Owed) for said in log] == [told]
    if not told:
        (held,) = log
        assert isinstance(held, Event)
        assert ((held.detail or {})["reason"], after.due_ms) == ("quiet", EVENING + (9 * 60 + 40) * MINUTE_MS)
