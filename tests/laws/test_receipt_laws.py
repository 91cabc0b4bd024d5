"""Receipts repeat and come in any order: whatever the order, the journal says the same in the end."""

from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.answers import Receipt, settled
from alerts.channels import Accepted
from gateway.journal.entry import AttemptEnded, AttemptStarted, Entry
from gateway.journal.writer import Journal
from tests.gateway.journal.entries import NOW_MS, contents, owed

RECEIPTS = st.builds(
    Receipt,
    channel=st.just("gammu"),
    reference=st.sampled_from(("one", "two")),
    delivered=st.booleans(),
    at_ms=st.integers(NOW_MS, NOW_MS + 5),
    reason=st.sampled_from(("", "a", "b")),
)


ONE_TEXTS = RECEIPTS.filter(lambda said: said.reference == "one")


@given(st.lists(ONE_TEXTS, min_size=1, max_size=6), st.randoms())
def test_what_receipts_come_to_depends_on_no_order_and_no_repetition(said: list[Receipt], chance: object) -> None:
    again = [*said, *said]
    chance.shuffle(again)  # type: ignore[attr-defined] # Hypothesis' own Random
    one = other = None
    for each in said:
        one = settled(one, each)
    for each in again:
        other = settled(other, each)
    assert one == other
    assert one is not None
    assert one.delivered == any(each.delivered for each in said)


@settings(max_examples=40, deadline=None)
@given(st.lists(RECEIPTS, min_size=1, max_size=5), st.integers(0, 5), st.randoms())
def test_the_journal_says_the_same_whenever_and_however_often_receipts_come(
    said: list[Receipt], early: int, chance: object
) -> None:
    again = [*said, *said[:2]]
    chance.shuffle(again)  # type: ignore[attr-defined] # Hypothesis' own Random
    assert _kept(said, 0) == _kept(again, early)


def _kept(said: list[Receipt], early: int) -> object:
    """The journal's rows when the first ``early`` receipts come before our own note that the texts were taken."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "journal.db"
        with closing(Journal.open(path)) as journal:
            journal.commit(Entry(owed=[owed(0), owed(1)]))
            for each in said[:early]:
                journal.commit(Entry(receipts=[each]))
            for number, reference in ((1, "one"), (2, "two")):
                ended = AttemptEnded(
                    number, NOW_MS + 3, Accepted(reference), None, "gammu", receipt_due_ms=NOW_MS + 900_000
                )
                journal.commit(Entry(attempts=[AttemptStarted(number, NOW_MS + 2), ended]))
            for each in said[early:]:
                journal.commit(Entry(receipts=[each]))
        rows = contents(path)
        return rows["receipt"], rows["notification"], rows["answer"]
