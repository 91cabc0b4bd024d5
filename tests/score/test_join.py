"""Every rule of join for bins, each with its double (docs/score.md, ``benchmarks/score/join.py``)."""

from typing import Any

import pytest

from benchmarks.score import join
from benchmarks.score.heard import Ear
from benchmarks.score.said import Said, Story
from benchmarks.score.tally import Tally
from benchmarks.score.truth import Truth
from tests.score.made import bin_site, counted, ears, event, every_20_minutes, fault, levels, lie, story, true, visit
from tests.small_county import at

HEARD = ears(*every_20_minutes())


def emptyings(rows: list[dict[str, Any]], said: list[Said], heard: dict[str, Ear] = HEARD) -> Tally:
    tally = Tally()
    join.judge_emptyings(true(bin_site(), *rows), story(*said), heard, tally)
    return tally


FULL_DAY = levels(*[60.0] * 10, *[3.0] * 38)


# --- emptied


@pytest.mark.parametrize(("said_at", "hit"), [(9.7, True), (9.6, False), (10.0, True), (12.0, True), (12.1, False)])
def test_an_emptying_may_be_said_from_one_interval_before_to_two_hours_after(said_at: float, hit: bool) -> None:  # noqa: FBT001 -- the case and its double
    tally = emptyings([FULL_DAY, visit(10, 60, 3)], [event("emptied", said_at)])
    assert counted(tally, "emptied.recall") == (int(hit), 1)
    assert counted(tally, "emptied.precision") == (int(hit), 1)


def test_a_slow_sensor_has_four_intervals() -> None:
    rows = [{**bin_site(), "interval_s": 7_200}, FULL_DAY, visit(10, 60, 3)]
    for said_at, hit in ((18, 1), (18.1, 0)):
        tally = emptyings(rows, [event("emptied", said_at)], ears(*range(0, 49, 2)))
        assert counted(tally, "emptied.recall") == (hit, 1)


def test_after_a_gap_an_emptying_has_until_the_fourth_reading() -> None:
    gap = ears(*[hours for hours in every_20_minutes() if not 9 < hours < 20])
    rows = [FULL_DAY, visit(10, 60, 3)]
    assert counted(emptyings(rows, [event("emptied", 20.7)], gap), "emptied.recall") == (1, 1)
    assert counted(emptyings(rows, [event("emptied", 21.1)], gap), "emptied.recall") == (0, 1)


def test_a_visit_that_nobody_heard_is_not_due() -> None:
    gone = ears(*[hours for hours in every_20_minutes() if hours < 10.2])
    assert counted(emptyings([FULL_DAY, visit(10, 60, 3)], [], gone), "emptied.recall") == (0, 0)


def test_a_visit_below_15_percent_is_neutral_whatever_is_said() -> None:
    rows = [levels(*[14.0] * 10, *[1.0] * 38), visit(10, 14, 1)]
    for said in ([], [event("emptied", 10.3)]):
        tally = emptyings(rows, said)
        assert counted(tally, "emptied.recall") == counted(tally, "emptied.precision") == (0, 0)


def test_an_emptying_without_a_visit_is_false() -> None:
    tally = emptyings([FULL_DAY, visit(10, 60, 3)], [event("emptied", 10.3), event("emptied", 30)])
    assert counted(tally, "emptied.precision") == (1, 2)


def test_two_visits_are_told_apart_and_a_second_event_of_one_is_false() -> None:
    two = [levels(*[60.0] * 10, *[40.0], *[3.0] * 37), visit(10, 60, 3), visit(11, 40, 3)]
    told = emptyings(two, [event("emptied", 10.4), event("emptied", 11.4)])
    assert counted(told, "emptied.recall") == (2, 2)
    assert counted(told, "emptied.one_event") == (2, 2)
    one = emptyings([FULL_DAY, visit(10, 60, 3)], [event("partly_emptied", 10.4), event("emptied", 10.8)])
    assert counted(one, "emptied.recall") == (1, 1)
    assert counted(one, "emptied.one_event") == (0, 1)


def test_a_partial_visit_is_no_emptying() -> None:
    rows = [levels(*[80.0] * 10, *[40.0] * 38), visit(10, 80, 40)]
    partly = emptyings(rows, [event("partly_emptied", 10.3)])
    assert counted(partly, "partly_emptied.recall") == (1, 1)
    assert counted(partly, "emptied.recall") == (0, 0)
    wholly = emptyings(rows, [event("emptied", 10.3)])
    assert counted(wholly, "partly_emptied.recall") == (0, 1)
    assert counted(wholly, "emptied.precision") == (0, 1)


@pytest.mark.parametrize("word", ["emptied", "partly_emptied"])
def test_near_the_mark_either_word_is_right(word: str) -> None:
    tally = emptyings([levels(*[60.0] * 10, *[16.0] * 38), visit(10, 60, 16)], [event(word, 10.3)])
    assert counted(tally, f"{word}.precision") == (1, 1)
    assert counted(tally, "emptied.recall") == (0, 0)


def test_what_a_stuck_sensor_says_of_visits_is_set_apart_and_what_it_said_before_is_not() -> None:
    rows = [FULL_DAY, visit(10, 60, 3), visit(30, 60, 3)]
    tally = emptyings([*rows, lie("stuck", 20, wrong=25)], [event("emptied", 10.3)])
    assert counted(tally, "emptied.recall") == (1, 1)
    assert counted(tally, "emptied.recall_lying") == (0, 1)


def closed(pct: float, *rows: dict[str, Any]) -> tuple[int, int]:
    raised = event("raised", 1, rule="over_two_thirds")
    over = event("cleared", 10.3, rule="over_two_thirds", detail={"reason": "emptied"})
    return counted(emptyings([levels(*[pct] * 48), *rows], [raised, over]), "emptied.closed_over_line")


def test_closed_as_emptied_while_over_two_thirds() -> None:
    assert closed(80) == (1, 1)
    assert closed(50) == (0, 1)
    assert closed(80, visit(10, 80, 3)) == (0, 1)


# --- lines


def lines(rows: list[dict[str, Any]], said: list[Said], heard: dict[str, Ear] = HEARD) -> Tally:
    tally = Tally()
    join.judge_lines(true(bin_site(), *rows), story(*said), heard, tally)
    return tally


OVER = levels(*[50.0] * 5, *[70.0] * 5, *[75.0] * 10, *[3.0] * 28)
"""Over the line from 5 h on, five points above it from 10 h to 20 h."""


@pytest.mark.parametrize(("raised_at", "hit"), [(5.4, True), (10.3, True), (10.5, False)])
def test_a_line_is_due_from_five_points_above_and_noticed_by_the_second_reading(raised_at: float, hit: bool) -> None:  # noqa: FBT001 -- the case and its double
    tally = lines([OVER], [event("raised", raised_at, rule="over_two_thirds")])
    assert counted(tally, "over_two_thirds.noticed") == (int(hit), 1)
    assert tally.of("over_two_thirds.noticed").delays_ms == ([at(raised_at) - at(5)] if hit else [])


def test_a_level_just_over_the_line_is_not_due_and_no_false_alert() -> None:
    tally = lines([levels(*[50.0] * 5, *[71.0] * 43)], [event("raised", 6, rule="over_two_thirds")])
    assert counted(tally, "over_two_thirds.noticed") == (0, 0)
    assert counted(tally, "over_two_thirds.precision") == (1, 1)


def test_one_that_was_over_before_two_readings_is_not_due() -> None:
    short = levels(*[50.0] * 5, *[90.0], *[3.0] * 42)
    assert counted(lines([short], [], ears(0, 5.2, 7, 9)), "over_two_thirds.noticed") == (0, 0)
    assert counted(lines([short], []), "over_two_thirds.noticed") == (0, 1)


@pytest.mark.parametrize(("sure_at", "hit"), [(11.6, True), (11.7, False)])
def test_sure_within_four_more_readings(sure_at: float, hit: bool) -> None:  # noqa: FBT001 -- the case and its double
    said = [
        event("raised", 10.3, rule="over_two_thirds", detail={"sure": False}),
        event("ascertained", sure_at, rule="over_two_thirds"),
    ]
    tally = lines([OVER], said)
    assert counted(tally, "over_two_thirds.noticed") == (1, 1)
    assert counted(tally, "over_two_thirds.sure") == (int(hit), 1)


def test_whoever_does_not_speak_of_sureness_is_sure_when_raised() -> None:
    assert counted(lines([OVER], [event("raised", 10.3, rule="over_two_thirds")]), "over_two_thirds.sure") == (1, 1)


@pytest.mark.parametrize(
    ("pct", "detail", "ascertained", "kind"),
    [
        (50, {}, None, "false_sure"),
        (60, {}, None, ""),  # within 8 points
        (50, {"sure": False}, None, "false_unsure"),
        (50, {"sure": False}, 7, "false_sure"),
        (50, {"sure": False}, 21, "false_unsure"),  # by then it was so
    ],
)
def test_an_alert_eight_points_below_its_line_is_false(
    pct: float, detail: dict[str, bool], ascertained: float | None, kind: str
) -> None:
    said = [event("raised", 6, rule="over_two_thirds", detail=detail)]
    said += [] if ascertained is None else [event("ascertained", ascertained, rule="over_two_thirds")]
    tally = lines([levels(*[pct] * 20, *[80.0] * 28)], said)
    found = [name for name in join.FALSE if counted(tally, f"over_two_thirds.{name}")[0]]
    assert found == ([kind] if kind else [])
    assert counted(tally, "lines.false_sure")[1] == 48, "hours of bins, counted once for both lines"


def test_an_alert_that_comes_true_within_two_hours_is_not_false() -> None:
    early = [event("raised", 18.1, rule="over_two_thirds")]
    assert counted(lines([levels(*[50.0] * 20, *[80.0] * 28)], early), "lines.false_sure")[0] == 0
    assert counted(lines([levels(*[50.0] * 21, *[80.0] * 27)], early), "lines.false_sure")[0] == 1


def test_what_a_backlog_raises_is_about_the_hours_it_brings() -> None:
    raised = story(event("raised", 20, rule="over_two_thirds"))
    raised.episodes["over_two_thirds/a"].since_ms = at(8)
    tally = Tally()
    join.judge_lines(true(bin_site(), levels(*[80.0] * 10, *[3.0] * 38)), raised, HEARD, tally)
    assert counted(tally, "lines.false_sure")[0] == 0


def test_a_text_is_false_when_all_that_it_speaks_of_is() -> None:
    rows = [bin_site(), bin_site("b"), levels(*[80.0] * 48), levels(*[20.0] * 48, asset="b")]
    raised = [event("raised", 6, each, rule="over_two_thirds") for each in ("a", "b")]
    both = ["over_two_thirds/a", "over_two_thirds/b"]

    def texts(*covers: str, kind: str = "first") -> int:
        tally = Tally()
        owed = event("owed", 7, rule="over_two_thirds", episode=covers[0], covers=covers, kind=kind)
        join.judge_line_texts(true(*rows), story(*raised, owed), tally)
        return counted(tally, "lines.false_texts")[0]

    assert texts(*both) == 0
    assert texts(both[0]) == 0
    assert texts(both[1]) == 1
    assert texts(both[1], kind="cleared") == 0, "a closing asks nobody to go"


# --- fire


def fires(truth: Truth, said: Story, heard: dict[str, Ear]) -> Tally:
    tally = Tally()
    join.judge_fires(truth, said, heard, tally)
    return tally


BURNS = true(bin_site(), fault("fire", 10, 11, asset="a"))


@pytest.mark.parametrize(
    ("heat", "due"),
    [({"temperature_c": 75}, 1), ({"temperature_c": 74}, 0), ({"temperature_c": 85}, 0), ({"fire_flag": 1}, 1)],
)
def test_a_fire_is_due_with_a_sample_of_75_degrees_or_a_flag(heat: dict[str, float], due: int) -> None:
    tally = fires(BURNS, story(), ears(9, 10.5, 12, **heat))
    assert counted(tally, "fire.recall") == (0, due)


def test_a_fire_is_told_at_the_sample_that_shows_it() -> None:
    heard = ears(10.5, 10.8, temperature_c=90)
    assert counted(fires(BURNS, story(event("raised", 10.5, rule="fire")), heard), "fire.recall") == (1, 1)
    assert counted(fires(BURNS, story(event("raised", 10.8, rule="fire")), heard), "fire.recall") == (0, 1)


def test_a_fire_behind_an_unreset_one_is_set_apart() -> None:
    heard = ears(10.5, temperature_c=90)
    before = event("raised", 3, rule="fire")
    unreset = fires(BURNS, story(before), heard)
    assert (counted(unreset, "fire.behind"), counted(unreset, "fire.recall")) == ((1, 1), (0, 0))
    reset = fires(BURNS, story(before, event("reset", 5, rule="fire")), heard)
    assert (counted(reset, "fire.behind"), counted(reset, "fire.recall")) == ((0, 1), (0, 1))


@pytest.mark.parametrize(("raised_at", "wrong"), [(9.9, 1), (10.5, 0), (12.9, 0), (13.1, 1)])
def test_what_is_hot_without_a_fire_or_ash_is_false(raised_at: float, wrong: int) -> None:
    tally = fires(BURNS, story(event("raised", raised_at, rule="hot_ash")), {})
    assert counted(tally, "hot_ash.false")[0] == wrong
