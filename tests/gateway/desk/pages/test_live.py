"""The stream of changes: bounded for a person and in all, nobody shut out by another, and never silent for long."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx
from hypothesis import given
from hypothesis import strategies as st

from gateway.desk.pages.live import MOST_EACH, Seat, Streams
from tests.desk_gateway import DeskGateway
from tests.gateway.desk.conftest import Visitor

Enter = Callable[[str], Visitor]
STILL = ["event: still", "data: 1", ""]


def begun(stream: httpx.Response) -> Iterator[str]:
    """What is said on it, after the greeting."""
    lines = stream.iter_lines()
    assert [next(lines) for _ in range(4)] == ["retry: 2000", *STILL]
    return lines


def test_it_speaks_at_once_and_tells_proxies_to_pass_it_on(visitor: Enter) -> None:
    with visitor("lin").stream("GET", "/live") as stream:
        begun(stream)
        assert stream.headers["x-accel-buffering"] == "no"
        assert stream.headers["cache-control"] == "no-store"
        assert stream.headers["content-type"].startswith("text/event-stream")


def test_one_more_than_a_person_may_have_ends_their_oldest_and_nobody_elses(
    gateway: DeskGateway, visitor: Enter
) -> None:
    guest, lin = visitor("guest"), visitor("lin")
    with ExitStack() as stack:
        other = begun(stack.enter_context(lin.stream("GET", "/live")))
        mine = [begun(stack.enter_context(guest.stream("GET", "/live"))) for _ in range(MOST_EACH + 1)]
        assert list(mine[0]) == ["retry: 30000", "event: full", "data: 1", ""], (
            "it comes again later, and the page says so"
        )
        gateway.filled("bin-0101", 72)
        for each in (*mine[1:], other):
            assert any(line == "event: levels" for line in each)


def test_who_comes_when_all_is_full_costs_the_one_with_the_most() -> None:
    streams = Streams(most=6, most_each=4)
    greedy = [taken(streams, "greedy") for _ in range(4)]
    others = [taken(streams, "other") for _ in range(2)]
    new = taken(streams, "new")
    assert [seat.is_taken_away for seat in greedy] == [True, False, False, False]
    assert not any(seat.is_taken_away for seat in (*others, new))


def test_where_everybody_has_as_little_nobody_goes() -> None:
    streams = Streams(most=6, most_each=4)
    for person in "abcdef":
        assert streams.join(person) is not None
    assert streams.join("g") is None
    assert streams.join("a") is None


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.booleans()), max_size=80))
def test_the_bounds_hold_and_a_person_without_any_is_let_in_while_somebody_has_two(
    steps: list[tuple[str, bool]],
) -> None:
    streams = Streams(most=6, most_each=3)
    seats: list[Seat] = []
    for person, leaves in steps:
        mine = [seat for seat in seats if seat.person == person and not seat.is_taken_away]
        if leaves and mine:
            streams.leave(mine[0])
            seats.remove(mine[0])
            continue
        counts = {each: [seat.person for seat in seats if not seat.is_taken_away].count(each) for each in "abcdefgh"}
        seat = streams.join(person)
        if seat is None:
            assert sum(counts.values()) == 6
            assert max(counts.values()) <= counts[person] + 1
            continue
        seats.append(seat)
        open_now = [each for each in seats if not each.is_taken_away]
        assert len(open_now) == len(streams) <= 6
        assert sum(each.person == person for each in open_now) <= 3


def taken(streams: Streams, person: str) -> Seat:
    seat = streams.join(person)
    assert seat is not None
    return seat
