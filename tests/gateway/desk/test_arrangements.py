"""What the desk knows of absences, extra rounds, trials and figures is what the journal has: no more, and no less."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from alerts.calendars import RoundSlot
from alerts.conditions.thresholds import ThresholdScope
from alerts.notify.holds import TrialKind
from gateway.commands.absences import RecordAbsence
from gateway.commands.extra_rounds import OrderExtraRound
from gateway.commands.thresholds import SetFigure
from gateway.commands.trials import EndTrial
from gateway.desk.projection import Arrangements, Projection
from gateway.desk.rounds import Rounds
from gateway.journal.entry import Entry
from tests.telling_county import COUNTY, DAY, HOUR, MINUTE, POLICY_FILES, START_MS
from tests.telling_line import Hand, TellingLine

NOON = START_MS + 4 * HOUR + 30 * MINUTE
WISHES = (
    RecordAbsence(person="cleaner", from_ms=0, until_ms=NOON + DAY, by="office"),
    OrderExtraRound(place="liutan", from_ms=NOON + 30 * MINUTE, until_ms=NOON + HOUR, by="office"),
    EndTrial(kind=TrialKind.ASSET, name="new", by="office"),
    SetFigure(
        place=ThresholdScope.ASSET,
        name="round",
        rule="over_two_thirds",
        figure="raise_pct",
        value=58.0,
        by="office",
        reason="试",
    ),
)


class Beside:
    """A desk that is told each commit, on a line that it does not look into."""

    def __init__(self, path: Path) -> None:
        self.arrangements: Arrangements | None = None
        self.line = TellingLine(path, COUNTY, POLICY_FILES, Hand(NOON), self._hear, lambda _message: None)
        self.begin()

    def begin(self) -> Arrangements:
        self.arrangements = Arrangements.of(self.line.pipeline, self.line._journal.restore().meta)
        return self.arrangements

    def known(self) -> tuple[object, ...]:
        """All that is arranged, as the desk has it."""
        assert self.arrangements is not None
        arranged = self.arrangements
        tuned = arranged.thresholds.rules.of(COUNTY.assets["round"])["over_two_thirds"]
        return (
            [each.person for each in arranged.absences.list_current(NOON)],
            [each.place for each in arranged.extras.list_current(NOON)],
            [each.name for each in arranged.trials.list_ended()],
            arranged.lines_pct["round"],
            tuned,
        )

    def _hear(self, entry: Entry) -> None:
        if self.arrangements is not None:
            self.arrangements.take(entry.meta)


@pytest.fixture
def beside(tmp_path: Path) -> Iterator[Beside]:
    made = Beside(tmp_path / "journal.db")
    with closing(made.line):
        yield made


def test_nothing_is_known_of_a_wish_before_it_is_durable(beside: Beside) -> None:
    before, seen = beside.known(), []
    beside.line.waited = lambda _trouble: seen.append(beside.known())
    for wish in WISHES:
        beside.line.hand.refuses_next = "COMMIT"
        was = beside.known()
        beside.line.order(wish)
        assert seen.pop() == was, "a page could have shown what a crash would have taken back"
        assert beside.known() != was
    assert beside.known() != before


def test_a_start_knows_all_that_was_arranged_before_it(beside: Beside) -> None:
    for wish in WISHES:
        beside.line.order(wish)
    known = beside.known()
    beside.line.end(MINUTE)
    beside.begin()
    assert beside.known() == known


def test_the_desk_and_the_alerts_know_the_same_rounds(beside: Beside) -> None:
    beside.line.order(WISHES[1])
    arranged = beside.begin()
    bin_with_rounds = COUNTY.assets["round"]
    assert next(arranged.calendar.slots(bin_with_rounds, NOON)) == RoundSlot(
        NOON + 30 * MINUTE, NOON + HOUR, extra=True
    )
    mine, theirs = (
        list(each.slots(bin_with_rounds, NOON)) for each in (arranged.calendar, beside.line.pipeline.calendar)
    )
    assert mine == theirs
    shown = Rounds(arranged.calendar).of(COUNTY.assets.values(), Projection.of(COUNTY, {}, ()), NOON)
    assert shown is not None
    assert shown.slot.start_ms == NOON + 30 * MINUTE, "half past twelve, not half past two"


def test_a_page_that_showed_the_day_before_shows_a_round_that_is_ordered_now(beside: Beside) -> None:
    arranged = beside.begin()
    rounds, seen = Rounds(arranged.calendar), Projection.of(COUNTY, {}, ())
    before = rounds.of(COUNTY.assets.values(), seen, NOON)
    assert before is not None
    assert before.slot.start_ms == NOON + 2 * HOUR + 30 * MINUTE
    beside.line.order(WISHES[1])
    after = rounds.of(COUNTY.assets.values(), seen, NOON)
    assert after is not None
    assert after.slot.start_ms == NOON + 30 * MINUTE
