"""Lines of one kind are bounded: the first whole, the rest counted and summed up; nothing is hidden for ever."""

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import structlog

from alerts.undo import UndoLog
from gateway import logs
from gateway.barrier import Barrier
from gateway.logs import FIRST, FORGOTTEN_AFTER_S, MOST_KINDS, SUMMED_EVERY_S, Limiter


class Rim:
    """A limiter whose clock and alarm clock the test holds."""

    def __init__(self) -> None:
        self.at_s = 0.0
        self.asked: list[tuple[float, Callable[[], None]]] = []
        self.told: list[tuple[str, Mapping[str, Any]]] = []
        self.limiter = Limiter(
            lambda: self.at_s,
            lambda seconds, callback: self.asked.append((self.at_s + seconds, callback)),
            lambda level, fields: self.told.append((level, fields)),
        )

    def passes(self, event: str, level: str = "error", **more: object) -> bool:
        try:
            self.limiter(None, "", {"event": event, "level": level, **more})
        except structlog.DropEvent:
            return False
        return True

    def go_to(self, at_s: float) -> None:
        while self.asked and self.asked[0][0] <= at_s:
            self.at_s, callback = self.asked.pop(0)
            callback()
        self.at_s = at_s


def test_the_first_stand_whole_and_the_rest_is_summed_up_with_the_newest() -> None:
    rim = Rim()
    assert [rim.passes("flood", number=number) for number in range(100)] == [True] * FIRST + [False] * (100 - FIRST)
    assert rim.told == []
    rim.go_to(SUMMED_EVERY_S)
    assert rim.told == [("error", {"of": "flood", "lines": 80, "seconds": 60, "newest": {"number": "99"}})]
    assert rim.asked == []


def test_a_flood_that_goes_on_is_one_line_a_minute() -> None:
    rim = Rim()
    for second in range(3_600):
        rim.go_to(float(second))
        rim.passes("flood")
    assert 55 <= len(rim.told) <= 60
    rim.go_to(4_000.0)
    assert sum(fields["lines"] for _, fields in rim.told) == 3_600 - FIRST


def test_what_is_another_kind_is_not_hidden_by_a_flood() -> None:
    rim = Rim()
    for _ in range(1_000):
        rim.passes("journal_unavailable", problem="locked since 12 s")
    assert not rim.passes("journal_unavailable", problem="locked since 13 s")
    assert rim.passes("journal_unavailable", problem="full")
    assert rim.passes("journal_unavailable", level="warning", problem="locked since 14 s")
    assert rim.passes("stopped")


def test_two_mistakes_of_ours_are_two_kinds() -> None:
    rim = Rim()

    def fails(how: Callable[[], object]) -> bool:
        try:
            how()
        except ArithmeticError as error:
            return rim.passes("failed_by_our_mistake", exc_info=error)
        raise AssertionError

    def divide() -> object:
        return 1 // 0

    for _ in range(100):
        fails(divide)
    assert not fails(divide)
    assert fails(lambda: 1 // 0)
    assert fails(lambda: 2.0**10_000)


def test_a_kind_that_was_silent_for_long_begins_anew() -> None:
    rim = Rim()
    for _ in range(FIRST + 1):
        rim.passes("flood")
    rim.go_to(FORGOTTEN_AFTER_S + SUMMED_EVERY_S)
    assert rim.passes("flood")


def test_kinds_without_end_are_bounded_and_counted() -> None:
    rim = Rim()
    passed = sum(rim.passes(f"event {chr(97 + number % 26)}{'x' * number}"[:120]) for number in range(MOST_KINDS * 3))
    assert passed < MOST_KINDS * 3
    rim.go_to(SUMMED_EVERY_S)
    assert passed + sum(fields["lines"] for _, fields in rim.told) == MOST_KINDS * 3


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """A log of its own for the test, as machines get it."""
    logs.configure(machine=True)
    yield lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    logs.configure(bounded=False)


def test_thousands_of_tracebacks_are_a_page_and_not_megabytes(lines: Callable[[], list[dict[str, Any]]]) -> None:
    barrier = Barrier(UndoLog(), lambda _trouble: None)

    def fail(depth: int) -> None:
        if depth:
            fail(depth - 1)
        raise ValueError("x" * 60_000)

    for _ in range(2_000):
        barrier.attempt(lambda: fail(20), lambda _: None, "an uplink")
    said = lines()
    assert len(said) == FIRST
    assert all(line["event"] == "failed_by_our_mistake" for line in said)
    assert sum(len(json.dumps(line)) for line in said) < 400_000


def test_what_libraries_log_is_bounded_and_formed_like_ours(lines: Callable[[], list[dict[str, Any]]]) -> None:
    library = logging.getLogger("asyncio")
    for number in range(500):
        library.error("socket.accept() out of system resource %s", number, exc_info=OSError(24, "Too many open files"))
    said = lines()
    assert len(said) == FIRST
    assert said[3]["library"] == "asyncio"
    assert said[3]["said"] == "socket.accept() out of system resource 3"
    assert "Too many open files" in said[3]["exception"]


def test_the_sum_is_a_line_of_the_log(lines: Callable[[], list[dict[str, Any]]]) -> None:
    log = logs.logger("test")
    for number in range(FIRST + 5):
        log.warning("flood", number=number)
    processors = structlog.get_config()["processors"]
    next(each for each in processors if isinstance(each, Limiter)).sum_up()
    *_, summed = lines()
    assert (summed["event"], summed["of"], summed["lines"]) == ("log_lines_summed_up", "flood", 5)
    assert summed["newest"] == {"number": str(FIRST + 4)}
    assert summed["level"] == "warning"
