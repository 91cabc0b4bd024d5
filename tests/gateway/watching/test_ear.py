"""When a silence of the whole county is none of the usual ones."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.watching.self_check import LEARNING_S, WINDOW_S, Ear

MINUTE = 60.0
HOUR = 60 * MINUTE
BEGIN = 1_000.0


def listening(shortest_s: float = 20 * MINUTE) -> Ear:
    ear = Ear(shortest_s, 10 * MINUTE, BEGIN)
    ear.listens(BEGIN, live=True)
    return ear


def spoken(ear: Ear, from_s: float, to_s: float, every_s: float) -> float:
    """A message every so often; when the last was heard."""
    at_s = from_s
    while at_s + every_s <= to_s:
        at_s += every_s
        ear.heard(at_s)
    return at_s


def test_a_county_that_speaks_each_minute_is_missed_after_ten_minutes() -> None:
    ear = listening()
    last_s = spoken(ear, BEGIN, BEGIN + 2 * HOUR, MINUTE)
    assert not ear.is_deaf(last_s + 10 * MINUTE - 1)
    assert ear.is_deaf(last_s + 10 * MINUTE)
    ear.heard(last_s + 11 * MINUTE)
    assert not ear.is_deaf(last_s + 11 * MINUTE)


def test_before_it_has_heard_for_an_hour_the_intervals_say_what_is_usual() -> None:
    ear = listening()
    last_s = spoken(ear, BEGIN, BEGIN + LEARNING_S / 2, MINUTE)
    assert not ear.is_deaf(last_s + 39 * MINUTE)
    assert ear.is_deaf(last_s + 40 * MINUTE)


def test_devices_that_all_speak_at_the_full_hour_are_not_missed_between() -> None:
    ear = listening(shortest_s=HOUR)
    last_s = spoken(ear, BEGIN, BEGIN + 48 * HOUR, HOUR)
    assert not ear.is_deaf(last_s + 110 * MINUTE)
    assert ear.is_deaf(last_s + 120 * MINUTE)


def test_while_we_are_not_subscribed_ten_minutes_are_enough() -> None:
    ear = listening(shortest_s=HOUR)
    ear.listens(BEGIN + MINUTE, live=False)
    assert ear.is_deaf(BEGIN + 10 * MINUTE)
    ear.listens(BEGIN + 15 * MINUTE, live=True)
    assert not ear.is_deaf(BEGIN + 16 * MINUTE)


def test_a_silence_that_was_told_does_not_become_usual() -> None:
    ear = listening()
    last_s = spoken(ear, BEGIN, BEGIN + 2 * HOUR, MINUTE)
    ear.heard(last_s + 3 * HOUR)
    assert ear.is_deaf(last_s + 3 * HOUR + 10 * MINUTE)


def test_what_was_usual_long_ago_is_forgotten() -> None:
    ear = listening()
    at_s = spoken(ear, BEGIN, BEGIN + 4 * HOUR, 15 * MINUTE)
    assert not ear.is_deaf(at_s + 29 * MINUTE)
    at_s = spoken(ear, at_s, at_s + 2.1 * WINDOW_S, MINUTE)
    assert ear.is_deaf(at_s + 10 * MINUTE)


def test_without_devices_nobody_is_missed() -> None:
    assert not listening(shortest_s=0).is_deaf(BEGIN + 1e6)


@given(gaps=st.lists(st.floats(0.001, 20 * MINUTE), max_size=200))
def test_ten_minutes_are_always_borne_and_two_intervals_never(gaps: list[float]) -> None:
    ear, at_s = listening(), BEGIN
    for gap_s in gaps:
        assert not ear.is_deaf(at_s + min(gap_s, 10 * MINUTE - 0.001))
        at_s += gap_s
        ear.heard(at_s)
    assert ear.is_deaf(at_s + 40 * MINUTE + 1)
