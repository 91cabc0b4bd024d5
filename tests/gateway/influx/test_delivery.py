"""How a batch is cut, halved and filed: whatever the server refuses, the rest is stored and each bad line is named."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.influx.answers import WriteAnswer, WriteVerdict
from gateway.influx.delivery import (
    EXPIRED,
    HOPELESS_FROM,
    MOST_BYTES,
    MOST_LINES,
    PROBES,
    REFUSED,
    Delivery,
)
from gateway.influx.points import Point

OK = WriteAnswer(204)
NO = WriteAnswer(422, "partial write: field type conflict dropped=1")


def points(count: int) -> list[Point]:
    return [(f"a f={number}.0 {number}".encode(), number) for number in range(count)]


def deliver(delivery: Delivery, bad: set[bytes]) -> tuple[list[bytes], int]:
    """Plays a server that takes a request only if no line of it is bad; what it stored, and how often it was asked."""
    stored: list[bytes] = []
    asked = 0
    while delivery.piece:
        asked += 1
        piece = list(delivery.piece)
        if bad.isdisjoint(piece):
            stored += piece
            assert delivery.take_answer(OK) is WriteVerdict.STORED
        else:
            assert delivery.take_answer(NO) is WriteVerdict.REFUSED
    return stored, asked


@given(st.integers(1, 400), st.sets(st.integers(0, 399), max_size=12))
def test_every_bad_line_is_filed_and_every_other_stored_in_its_order(count: int, places: set[int]) -> None:
    batch = points(count)
    bad = {batch[place][0] for place in places if place < count}
    delivery = Delivery(batch, oldest_ms=0)
    stored, _ = deliver(delivery, bad)
    assert stored == [line for line, _ in batch if line not in bad]
    assert [each.line for each in delivery.filed] == [line for line, _ in batch if line in bad]
    assert delivery.stored == len(stored)


@given(st.integers(0, MOST_LINES - 1))
def test_one_bad_line_of_a_full_request_costs_at_most_27_requests(place: int) -> None:
    batch = points(MOST_LINES)
    _, asked = deliver(Delivery(batch, oldest_ms=0), {batch[place][0]})
    assert asked <= 27


def test_a_request_holds_at_most_so_many_lines_and_bytes() -> None:
    assert len(Delivery(points(MOST_LINES + 1), oldest_ms=0).piece) == MOST_LINES
    long = [(b"x" * 1_000_000, 0)] * 9
    piece = Delivery(long, oldest_ms=0).piece
    assert len(piece) == 3
    assert sum(len(line) + 1 for line in piece) <= MOST_BYTES


def test_what_is_too_large_goes_in_halves_and_one_line_that_is_too_large_is_filed() -> None:
    delivery = Delivery(points(3), oldest_ms=0)
    assert delivery.take_answer(WriteAnswer(413)) is WriteVerdict.TOO_LARGE
    assert [len(delivery.piece), delivery.take_answer(OK)] == [2, WriteVerdict.STORED]
    assert delivery.take_answer(WriteAnswer(413, "too large")) is WriteVerdict.TOO_LARGE
    assert [(each.reason, each.detail) for each in delivery.filed] == [(REFUSED, "HTTP 413: too large")]


def test_trouble_leaves_the_piece_where_it_is() -> None:
    delivery = Delivery(points(3), oldest_ms=0)
    for answer in (WriteAnswer(0), WriteAnswer(503), WriteAnswer(429), WriteAnswer(401), WriteAnswer(404)):
        assert delivery.take_answer(answer) in (WriteVerdict.LATER, WriteVerdict.PAUSED)
        assert len(delivery.piece) == 3
    assert delivery.filed == []


def test_points_that_the_bucket_would_drop_are_filed_unsent() -> None:
    delivery = Delivery(points(5), oldest_ms=3)
    assert list(delivery.piece) == [b"a f=3.0 3", b"a f=4.0 4"]
    assert {each.reason for each in delivery.filed} == {EXPIRED}
    assert len(delivery.filed) == 3


def test_a_line_that_the_server_finds_too_old_is_expired_not_refused() -> None:
    delivery = Delivery(points(1), oldest_ms=0)
    delivery.take_answer(WriteAnswer(422, "dropped 1 points outside retention policy of duration 72h0m0s"))
    assert [each.reason for each in delivery.filed] == [EXPIRED]


def test_when_nothing_at_all_is_taken_probes_are_spread_over_the_batch() -> None:
    batch = points(1_000)
    delivery = Delivery(batch, oldest_ms=0)
    while not delivery.probes:
        delivery.take_answer(NO)
    assert len(delivery.filed) == HOPELESS_FROM
    assert PROBES <= len(delivery.probes) <= PROBES + 1
    delivery.passed()
    assert delivery.probes == ()
