"""What the office of a score does about what is said, and that it says what is so (``benchmarks/score/office.py``)."""

from benchmarks.score.office import Office
from benchmarks.score.truth import Truth
from gateway.commands.episodes import EpisodeCommand, EpisodeVerb
from gateway.replay import NOBODY_ASKS, TimedWish
from tests.score.made import bin_site, event, levels, true
from tests.small_county import at, county


def asked(office: Office) -> list[tuple[float, EpisodeCommand]]:
    """Everything that it asks from now on, at which hour."""
    found = []
    while office.next_ms < NOBODY_ASKS:
        wish = office.ask()
        assert isinstance(wish.command, EpisodeCommand)
        found.append(((wish.at_ms - at(0)) / 3_600_000, wish.command))
    return found


def of(truth: Truth) -> Office:
    return Office(truth, county())


def test_a_fire_is_looked_at_and_reset_after_two_hours_and_again_while_it_is_hot() -> None:
    office = of(true(bin_site()))
    office.listen(event("raised", 10, rule="fire"))
    assert office.next_ms == at(12)
    wish = office.ask()
    assert isinstance(wish.command, EpisodeCommand)
    assert (wish.command.verb, wish.command.by, wish.command.episode) == (EpisodeVerb.RESET, "dispatcher", "fire/a")
    assert office.next_ms == NOBODY_ASKS
    office.hear(wish, "it still burns")
    assert [hours for hours, _ in asked(office)] == [13]
    office.hear(TimedWish(at(13), "office", wish.command), "")
    assert office.next_ms == NOBODY_ASKS


def answers(pct: float) -> list[tuple[float, EpisodeCommand]]:
    """What is answered to forty texts about a bin that is so full."""
    office = of(true(bin_site(), levels(*[pct] * 48)))
    office.listen(event("raised", 9, rule="overflow"))
    for nth in range(40):
        office.listen(event("owed", 10, rule="overflow", kind="first", to=f"cleaner-{nth}"))
    return asked(office)


def test_half_of_the_texts_are_answered_after_25_minutes_and_truly() -> None:
    so, not_so = answers(98), answers(40)
    assert 10 < len(so) < 30
    assert {command.verb for _, command in so} == {EpisodeVerb.ACK}
    assert {command.verb for _, command in not_so} == {EpisodeVerb.DOUBT}
    assert {round(hours, 2) for hours, _ in so} == {10.42}
    assert len({command.by for _, command in so}) == len(so), "each by who had it"


def test_the_same_texts_are_answered_each_time() -> None:
    assert answers(98) == answers(98)


def test_nobody_answers_a_list_or_a_closing() -> None:
    office = of(true(bin_site(), levels(*[98.0] * 48)))
    office.listen(event("raised", 9, rule="overflow"))
    for nth in range(20):
        office.listen(event("owed", 10, rule="overflow", kind="cleared", to=f"cleaner-{nth}"))
        office.listen(event("owed", 10, rule="list", kind="digest", to=f"cleaner-{nth}"))
    assert asked(office) == []
