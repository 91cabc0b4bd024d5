"""Extra rounds: slots among the others of the bins that they are about, what cannot be ordered, and a restart."""

from itertools import islice, pairwise

import pytest

from alerts.calendars import Calendar, RoundSlot
from alerts.model import Refused
from alerts.operations.extra_rounds import AHEAD_MS, LONGEST_MS, ExtraRound, ExtraRounds
from gateway import start
from gateway.commands.command import NotPossible, UnknownPerson
from gateway.commands.extra_rounds import CancelExtraRound, ExtraDone, OrderExtraRound
from gateway.pipeline import Pipeline
from gateway.replay import Memory
from telemetry.reading import Millis
from tests.acting import do
from tests.scenario_file import read
from tests.scenario_run import ListJournal, policy_files

COUNTY = read("extra_round").inventory
HOUR: Millis = 3_600_000
NOON: Millis = 1_795_406_400_000  # 12:00 there
ORDER = OrderExtraRound(place="liutan", from_ms=NOON, until_ms=NOON + HOUR, by="dispatch-wu")


def order(place: str, from_ms: Millis = NOON, hours: float = 1) -> ExtraRound:
    return ExtraRound(id="", place=place, start_ms=from_ms, end_ms=from_ms + round(hours * HOUR))


def test_it_stands_among_the_bins_own_rounds_in_order_and_marked() -> None:
    extras = ExtraRounds(COUNTY)
    calendar = Calendar.of(COUNTY.county, extras.slots)
    extras.add(order("liutan"), NOON)
    extras.add(order("round-bin", NOON + 30 * HOUR), NOON)
    slots = list(islice(calendar.slots(COUNTY.assets["round-bin"], NOON), 6))
    assert [slot.extra for slot in slots] == [True, False, False, False, True, False]
    assert all(before.start_ms <= after.start_ms for before, after in pairwise(slots))
    assert calendar.last_slot(COUNTY.assets["round-bin"], NOON, NOON + 2 * HOUR) == RoundSlot(
        NOON, NOON + HOUR, extra=True
    )
    assert sum(slot.extra for slot in islice(calendar.slots(COUNTY.assets["round-road"], NOON), 6)) == 1
    assert list(calendar.slots(COUNTY.assets["pool"], NOON)) == [], "a bin without rounds gets none"


@pytest.mark.parametrize(
    ("wish", "says"),
    [
        (order("nowhere"), "no area or bin nowhere"),
        (order("huaqiao"), "no bin of huaqiao has rounds"),
        (order("pool"), "no bin of pool has rounds"),
        (order("liutan", hours=0), "ends after it begins"),
        (order("liutan", NOON - 5 * HOUR), "not in the past"),
        (order("liutan", hours=LONGEST_MS / HOUR + 1), "at most a day"),
        (order("liutan", NOON + AHEAD_MS + HOUR), "days ahead"),
    ],
)
def test_what_cannot_be_is_said_with_its_remedy_and_changes_nothing(wish: ExtraRound, says: str) -> None:
    extras = ExtraRounds(COUNTY)
    refusal = extras.add(wish, NOON)
    assert isinstance(refusal, Refused)
    assert says in refusal.sentence
    assert extras.list_current(0) == ()


def pipeline() -> Pipeline:
    made = start.anew(COUNTY, policy_files(), Memory(), NOON)
    made.county.listen(NOON, None, made.changes, started=True)
    made.finish()
    return made


def test_it_outlasts_a_restart_and_so_does_its_end() -> None:
    line, journal = pipeline(), ListJournal()
    done = do(ORDER, line, NOON)
    assert isinstance(done, ExtraDone)
    assert isinstance(do(ORDER, line, NOON), NotPossible), "twice is once"
    entry = line.finish()[0]
    assert [(row.event, row.rule) for row in entry.events] == [("extra_ordered", "extra_round")]
    journal.commit(entry)
    again = start.resumed(COUNTY, policy_files(), Memory(), journal.restored(), NOON)
    assert again.extras.list_current(NOON) == (done.extra,)
    assert isinstance(do(CancelExtraRound(extra=done.extra.id, by="dispatch-wu"), again, NOON), ExtraDone)
    journal.commit(again.finish()[0])
    assert start.resumed(COUNTY, policy_files(), Memory(), journal.restored(), NOON).extras.list_current(0) == ()


def test_strangers_order_nothing() -> None:
    line = pipeline()
    assert isinstance(do(CancelExtraRound(extra="x", by="nobody"), line, NOON), UnknownPerson)
    assert isinstance(do(CancelExtraRound(extra="x", by="dispatch-wu"), line, NOON), NotPossible)
    assert line.finish()[0].is_empty
