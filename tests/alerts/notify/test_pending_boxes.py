"""How the mailbox of a number fills, empties and storms, and when it has room for one more text: from both sides."""

import dataclasses
from collections.abc import Sequence
from typing import Final

import pytest
from msgspec.structs import replace

from alerts.calendars import DAY_MS, HOUR_MS, MINUTE_MS
from alerts.model import MessageKind, Owed
from alerts.notify.lists import LIST
from alerts.notify.mailbox import MOST_LEFT, Left, Mailbox
from alerts.notify.pending import MailboxRules
from alerts.notify.stages import Release
from alerts.topology import OUTAGE
from telemetry.inventory import Duty, Inventory
from telemetry.reading import Millis
from telemetry.terms import Role
from tests.alerts.notify.builders import CAN, COUNTY, ESCALATION, NOON, PLANT, ROAD, clock, owed, with_person

RULES: Final = MailboxRules(ESCALATION.holds)
FIRST, STEP, OVER = MessageKind.FIRST, MessageKind.ESCALATION, MessageKind.CLEARED
SECOND_MS: Final = 1_000


def told(
    number: int = 1, asset: str = PLANT, kind: MessageKind = FIRST, at_ms: Millis = NOON, rule: str = "stopped"
) -> Owed:
    """To the crew, about an episode of that number."""
    return replace(owed(rule, asset, kind, "crew-chen", number), at_ms=at_ms)


def sent(*texts: Left, to: str = "crew-chen", pending: Sequence[Owed] = ()) -> Mailbox:
    """The box after these left to somebody."""
    left_ms = tuple(each.at_ms for each in texts)
    return Mailbox(COUNTY.people[to].phone, pending=tuple(pending), left=texts, left_ms=left_ms)


def about(asset: str, *times: Millis) -> list[Left]:
    """Texts about one asset that left then."""
    return [Left(at_ms, (asset,)) for at_ms in times]


def release(box: Mailbox, now_ms: Millis = NOON, rules: MailboxRules = RULES) -> tuple[Millis, str]:
    """When the first of what is pending may leave, and what it waits for."""
    filed = rules.filed(box, now_ms)
    return filed.due_ms, filed.reason


EMPTY: Final = Mailbox(COUNTY.people["crew-chen"].phone)


def test_what_comes_into_an_empty_box_may_leave_at_once() -> None:
    message = told()
    assert RULES.taken(EMPTY, message) == replace(EMPTY, pending=(message,), due_ms=NOON, cried_ms=(NOON,))


def test_a_closing_word_takes_every_word_of_its_episode_with_it_that_never_left() -> None:
    first, step, other = told(), told(kind=STEP), told(2)
    for pending, rest, due_ms in (((first,), (), 0), ((first, step), (), 0), ((first, other), (other,), NOON + 5)):
        box = replace(EMPTY, pending=pending, due_ms=NOON + 5, reason="grouped")
        gone = RULES.taken(box, told(kind=OVER, at_ms=NOON + 1))
        assert gone == replace(box, pending=rest, due_ms=due_ms)


def test_a_closing_word_leaves_where_its_episode_was_told_or_the_word_is_somebody_elses() -> None:
    over = told(kind=OVER, at_ms=NOON + 1)
    for waits in (told(kind=STEP), told(2), replace(told(), to="dispatch-wu")):
        box = RULES.taken(replace(EMPTY, pending=(waits,), due_ms=NOON), over)
        assert box.pending == (waits, over)


def test_what_goes_on_of_an_episode_waits_beside_its_first_word() -> None:
    for kind in (STEP, MessageKind.REPEAT, MessageKind.FRESH):
        box = RULES.taken(replace(EMPTY, pending=(told(),), due_ms=NOON), told(kind=kind))
        assert box.pending == (told(), told(kind=kind))


def test_a_closing_word_that_asks_for_something_leaves_in_the_place_of_the_first() -> None:
    over = replace(told(kind=OVER, at_ms=NOON + 1), covers=("over_two_thirds/it/1",))
    box = RULES.taken(replace(EMPTY, pending=(told(), told(2)), due_ms=NOON), over)
    assert box.pending == (told(2), over)


def cried(count: int, at_ms: Millis = NOON - MINUTE_MS) -> tuple[Millis, ...]:
    return tuple(at_ms + number for number in range(count))


def test_more_than_ten_in_ten_minutes_begin_a_storm_and_the_box_remembers_no_more_of_them() -> None:
    for before, storm_ms in ((9, 0), (10, NOON), (11, NOON)):
        box = RULES.taken(replace(EMPTY, cried_ms=cried(before)), told())
        assert box.storm_ms == storm_ms
        assert box.cried_ms == (*cried(before), NOON)[-11:]
    old = (NOON - 10 * MINUTE_MS, *cried(9))
    assert RULES.taken(replace(EMPTY, cried_ms=old), told()).storm_ms == 0, "ten minutes ago is not within them"
    young = (NOON - 10 * MINUTE_MS + 1, *cried(9))
    assert RULES.taken(replace(EMPTY, cried_ms=young), told()).storm_ms == NOON


def test_a_storm_keeps_its_beginning_until_few_come_and_nothing_waits() -> None:
    began_ms = NOON - MINUTE_MS
    for before, pending, storm_ms in (
        (10, (), began_ms),
        (5, (), began_ms),
        (4, (), 0),
        (4, (told(2),), began_ms),
    ):
        box = replace(EMPTY, cried_ms=cried(before), storm_ms=began_ms, pending=pending)
        assert RULES.taken(box, told()).storm_ms == storm_ms


def test_an_outage_is_a_storm_by_itself_and_is_remembered_once() -> None:
    dark = told(asset="ytp", rule=OUTAGE)
    box = RULES.taken(EMPTY, dark)
    assert (box.outages, box.storm_ms) == ((dark.episode,), NOON)
    again = RULES.taken(box, replace(dark, at_ms=NOON + 1))
    assert (again.outages, again.storm_ms) == ((dark.episode,), NOON)
    other = RULES.taken(box, told(2, "wushi", MessageKind.FRESH, rule=OUTAGE))
    assert other.outages == (dark.episode, f"{OUTAGE}/wushi/2")
    for none in (replace(dark, kind=STEP), replace(dark, kind=OVER), told()):
        assert (RULES.taken(EMPTY, none).outages, RULES.taken(EMPTY, none).storm_ms) == ((), 0)


def test_the_end_of_an_outage_is_the_end_of_its_storm_where_few_came_otherwise() -> None:
    storm = replace(EMPTY, storm_ms=NOON - MINUTE_MS, outages=("a", "b"), pending=(told(),))
    for outages, count, storm_ms in (
        (("a", "b"), 0, storm.storm_ms),
        (("a",), 0, 0),
        (("a",), 4, 0),
        (("a",), 5, storm.storm_ms),
    ):
        box = RULES.calmed(replace(storm, outages=outages, cried_ms=cried(count)), "a", NOON)
        assert (box.outages, box.storm_ms) == (outages[1:], storm_ms)
    waits = RULES.calmed(replace(storm, storm_ms=NOON, due_ms=NOON + MINUTE_MS, outages=("a",)), "a", NOON)
    assert waits.due_ms == NOON


def test_a_box_in_which_nothing_waits_is_not_due() -> None:
    assert RULES.filed(replace(EMPTY, due_ms=NOON, reason="grouped"), NOON) == EMPTY


def test_a_box_is_due_when_the_first_of_what_waits_may_leave() -> None:
    quiet = replace(told(kind=STEP), at_ms=clock(20))
    urgent = replace(told(2), at_ms=clock(20))
    box = sent(*about(PLANT, clock(20, 59)), pending=(quiet, urgent))
    assert release(box, clock(20, 59)) == (clock(20, 59), "grouped"), "what is urgent leaves before the night"
    assert release(replace(box, pending=(quiet,)), clock(20, 59)) == (clock(6, 30, 10), "quiet")


def test_what_left_is_written_down_with_what_it_was_about() -> None:
    box = replace(EMPTY, pending=(told(),), due_ms=NOON, reason="grouped", cried_ms=(NOON,))
    first, step, over = told(), told(2, kind=STEP), told(3, kind=OVER)
    notice, small = told(4, kind=MessageKind.NOTICE), replace(told(5), severity="P3")
    both = replace(told(6), covers=("a", "b", "c"))
    listed = told(7, rule=LIST, kind=MessageKind.DIGEST)
    texts = (first, step, over, notice, small, both, listed)
    where = {each.episode: PLANT for each in texts} | {"a": ROAD, "b": CAN, "c": ROAD}
    after = RULES.emptied(box, NOON, texts, where)
    assert after.left == (
        Left(NOON, (PLANT,), counts=True, tells=True, key=first.key),
        Left(NOON, (PLANT,), counts=False, tells=True, key=step.key),
        Left(NOON, (PLANT,), counts=False, tells=False, key=over.key),
        Left(NOON, (PLANT,), counts=False, tells=False, key=notice.key),
        Left(NOON, (PLANT,), counts=True, tells=False, key=small.key),
        Left(NOON, (ROAD, CAN), counts=True, tells=True, key=both.key),
        Left(NOON, (PLANT,), counts=True, tells=False, key=listed.key),
    )
    assert after.left_ms == (NOON,) * 7
    assert (after.pending, after.due_ms, after.reason) == ((), 0, "")
    assert RULES.emptied(box, NOON, (first,), {}).left[0].assets == ("",)


def test_what_left_a_day_ago_is_forgotten_and_so_is_what_is_beyond_two_hundred() -> None:
    box = sent(*about(PLANT, NOON - DAY_MS, NOON - DAY_MS + 1))
    assert [each.at_ms for each in RULES.emptied(box, NOON, (told(),), {}).left] == [NOON - DAY_MS + 1, NOON]
    full = sent(*about(PLANT, *range(NOON - MOST_LEFT, NOON)))
    after = RULES.emptied(full, NOON, (told(),), {})
    assert after.left_ms == tuple(range(NOON - MOST_LEFT + 1, NOON + 1))
    assert len(after.left) == MOST_LEFT


def test_a_storm_is_over_when_its_box_was_emptied_and_few_came_lately() -> None:
    for count, outages, storm_ms in ((4, (), 0), (5, (), NOON), (0, ("a",), NOON)):
        box = replace(EMPTY, storm_ms=NOON, cried_ms=cried(count), outages=outages)
        assert RULES.emptied(box, NOON, (), {}).storm_ms == storm_ms
    old = replace(EMPTY, storm_ms=NOON, cried_ms=cried(5, NOON - 10 * MINUTE_MS - 4))
    assert RULES.emptied(old, NOON, (), {}).storm_ms == 0


QUARTER: Final = (NOON - 14 * MINUTE_MS, NOON - 13 * MINUTE_MS, NOON - 12 * MINUTE_MS)


def again(asset: str = PLANT) -> Owed:
    """What passes no budget, and counts for the share of its asset."""
    return told(asset=asset, kind=MessageKind.REPEAT)


def test_the_fifth_of_a_quarter_of_an_hour_is_the_last_until_the_first_is_so_long_ago() -> None:
    four = [*about(ROAD, *QUARTER[:2]), *about(CAN, *QUARTER[1:])]
    assert release(sent(*four, pending=(again(),))) == (NOON, "")
    five = [*four, Left(NOON - 10 * MINUTE_MS, ("another",))]
    assert release(sent(*five, pending=(again(),))) == (NOON + MINUTE_MS, "budget")
    ago = [replace(five[0], at_ms=NOON - 15 * MINUTE_MS), *five[1:]]
    assert release(sent(*ago, pending=(again(),))) == (NOON, ""), "a quarter of an hour ago is not within it"
    just = [replace(five[0], at_ms=NOON - 15 * MINUTE_MS + 1), *five[1:]]
    assert release(sent(*just, pending=(again(),))) == (NOON + 1, "budget")


def test_an_hour_has_eleven_and_a_day_thirty() -> None:
    eleven = [Left(NOON - (59 - 4 * each) * MINUTE_MS, (f"{each}",)) for each in range(11)]
    assert release(sent(*eleven, pending=(again(),))) == (NOON + MINUTE_MS, "budget")
    thirty = [Left(NOON - (23 * 60 - 40 * each) * MINUTE_MS, (f"{each}",)) for each in range(30)]
    assert release(sent(*thirty, pending=(again(),))) == (NOON + HOUR_MS, "budget")
    assert release(sent(*thirty[1:], pending=(again(),)))[0] == NOON


def test_one_asset_has_half_of_a_budget_and_takes_no_more_from_the_others() -> None:
    two = about(PLANT, *QUARTER[:2])
    assert release(sent(*two, pending=(again(),))) == (NOON + MINUTE_MS, "budget")
    assert release(sent(*two, pending=(again(asset=ROAD),))) == (NOON, "")
    many = [*about(PLANT, *QUARTER, *QUARTER), *about(CAN, QUARTER[2]), *about(ROAD, QUARTER[2])]
    assert release(sent(*many, pending=(again(asset="another"),))) == (NOON, ""), "two of it count for the others"
    more = [*many, Left(QUARTER[2], (CAN, ROAD))]
    assert release(sent(*more, pending=(again(asset="another"),)))[0] > NOON


def test_of_eleven_in_an_hour_an_asset_has_five() -> None:
    for count, due_ms in ((4, NOON), (5, NOON + 10 * MINUTE_MS)):
        hour = about(PLANT, *(NOON - (50 - 6 * each) * MINUTE_MS for each in range(count)))
        assert release(sent(*hour, pending=(again(),)))[0] == due_ms


def test_a_budget_of_nothing_is_none() -> None:
    """Nothing may be lost: what could never leave would be."""
    telling = ESCALATION.holds.policies.telling.model_copy(update={"budget": {15 * MINUTE_MS: 0}})
    policies = ESCALATION.holds.policies.model_copy(update={"telling": telling})
    rules = MailboxRules(dataclasses.replace(ESCALATION.holds, policies=policies))
    assert release(sent(*about(ROAD, QUARTER[0]), pending=(again(),)), rules=rules) == (NOON, "")


def test_what_counts_for_no_share_and_what_is_of_several_assets_still_counts_for_the_number() -> None:
    steps = [Left(each, (PLANT,), counts=False) for each in QUARTER]
    both = [Left(each, (PLANT, ROAD)) for each in QUARTER]
    unknown = [Left(each, ()) for each in QUARTER]
    for lefts in (steps, both, unknown):
        assert release(sent(*lefts, pending=(again(),))) == (NOON, "")
        five = [*lefts, *lefts[:2]]
        assert release(sent(*five, pending=(again(asset=ROAD),)))[1] == "budget"
    for kind, waits in ((STEP, False), (OVER, False), (MessageKind.NOTICE, False), (MessageKind.REPEAT, True)):
        box = sent(*about(PLANT, *QUARTER[:2]), pending=(told(kind=kind),))
        assert (release(box)[1] == "budget") is waits, kind


def test_of_a_small_budget_an_asset_has_two() -> None:
    holds = ESCALATION.holds
    for most, room in ((3, True), (2, False)):
        telling = holds.policies.telling.model_copy(update={"budget": {15 * MINUTE_MS: most}})
        policies = holds.policies.model_copy(update={"telling": telling})
        rules = MailboxRules(dataclasses.replace(holds, policies=policies))
        box = sent(*about(PLANT, QUARTER[0]), pending=(again(),))
        assert release(box, rules=rules) == (NOON, "")
        twice = sent(*about(PLANT, QUARTER[0]), Left(QUARTER[0], (ROAD,)), pending=(again(),))
        assert (release(twice, rules=rules) == (NOON, "")) is room


def today(*times: Millis, to: str = "cleaner-li") -> list[Left]:
    return [Left(at_ms, (f"{to}-{number}",)) for number, at_ms in enumerate(times)]


def test_who_empties_bins_gets_four_texts_a_day_and_the_fifth_in_the_morning() -> None:
    message = replace(owed("over_two_thirds"), at_ms=NOON)
    hours = (clock(7), clock(8), clock(9), clock(10))
    assert release(sent(*today(*hours), to="cleaner-li", pending=(message,))) == (clock(6, 30, 10), "daily_cap")
    assert release(sent(*today(*hours[1:]), to="cleaner-li", pending=(message,))) == (NOON, "")
    assert release(sent(*today(*hours), pending=(message,))) == (NOON, ""), "a crew has no such cap"
    for first_ms, waits in ((clock(0), True), (clock(0) - 1, False)):
        box = sent(*today(first_ms, *hours[1:]), to="cleaner-li", pending=(message,))
        assert (release(box)[1] == "daily_cap") is waits


def test_the_numbers_of_those_alone_who_empty_bins_are_capped() -> None:
    def numbers(inventory: Inventory) -> set[str]:
        return set(MailboxRules(dataclasses.replace(ESCALATION.holds, inventory=inventory)).capped)

    people = COUNTY.people
    usual = {people[each].phone for each in ("cleaner-li", "cleaner-zhou", "driver-tang")}
    assert numbers(COUNTY) == usual
    assert numbers(with_person("cleaner-li", duties=())) == usual - {people["cleaner-li"].phone}
    two = (Duty(Role.CLEANER, area="ytan"), Duty(Role.CREW, area="ytan"))
    assert numbers(with_person("cleaner-li", duties=two)) == usual - {people["cleaner-li"].phone}
    assert numbers(with_person("crew-chen", phone=people["cleaner-li"].phone)) == usual - {people["cleaner-li"].phone}


CAPPED: Final = today(clock(7), clock(8), clock(9), clock(10))


def p2(number: int, at_ms: Millis, asset: str = ROAD) -> Owed:
    return replace(owed(asset=asset, number=number), at_ms=at_ms)


def test_a_p2_of_an_asset_not_told_today_leaves_above_the_cap_and_a_fourth_within_half_an_hour_of_the_oldest() -> None:
    late = (p2(1, NOON - 20 * MINUTE_MS), p2(2, NOON - 10 * MINUTE_MS, CAN))
    small = replace(owed("over_two_thirds", number=3), at_ms=NOON - HOUR_MS)
    box = sent(*CAPPED, to="cleaner-li", pending=late)
    assert release(box) == (NOON, ""), "so many a day leave at once"
    spent = replace(box, over_ms=(clock(0), clock(7), clock(8)))
    assert release(spent) == (NOON + 10 * MINUTE_MS, "daily_cap")
    yesterday = replace(box, over_ms=(clock(0) - 1, clock(7), clock(8)))
    assert release(yesterday) == (NOON, "")
    with_small = replace(spent, pending=(small, *late))
    assert release(with_small) == (NOON + 10 * MINUTE_MS, "daily_cap"), "how long a P3 has waited hurries nothing"
    assert RULES.releases(with_small, NOON) == [
        Release(clock(6, 30, 10), "daily_cap"),
        *[Release(NOON + 10 * MINUTE_MS, "daily_cap")] * 2,
    ]


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        (Left(clock(0), (ROAD,)), False),
        (Left(clock(0) - 1, (ROAD,)), True),
        (Left(clock(7), (CAN, ROAD)), False),
        (Left(clock(7), (CAN,)), True),
        (Left(clock(7), (ROAD,), tells=False), True),
    ],
)
def test_an_asset_that_was_told_of_today_does_not_pass_the_cap(text: Left, passes: bool) -> None:  # noqa: FBT001 -- drawn
    box = sent(text, *CAPPED, to="cleaner-li", pending=(p2(1, NOON),))
    assert release(box) == ((NOON, "") if passes else (clock(6, 30, 10), "daily_cap"))
    step = replace(box, pending=(replace(p2(1, NOON), kind=STEP),))
    assert release(step)[1] == "daily_cap", "what goes on of it waits"


def test_how_long_something_has_waited_that_has_room_hurries_nothing_above_the_budget() -> None:
    """Two lists about one place fill its share and are no word of it; the other place has room."""
    listed = [Left(each, (ROAD,), tells=False) for each in QUARTER[:2]]
    old, new = p2(1, NOON - 29 * MINUTE_MS - 30 * SECOND_MS, CAN), p2(2, NOON)
    box = replace(sent(*listed, pending=(old, new)), over_ms=(clock(7), clock(8), clock(9)))
    assert RULES.releases(box, NOON) == [Release(NOON), Release(NOON + MINUTE_MS, "budget")]
    soon = replace(box, pending=(replace(old, at_ms=NOON - 30 * MINUTE_MS + 1), new))
    assert RULES.releases(soon, NOON)[1] == Release(NOON + MINUTE_MS, "budget")


def test_what_leaves_above_the_budget_is_counted_for_the_day() -> None:
    box = replace(sent(*CAPPED, to="cleaner-li"), over_ms=(clock(0) - 1, clock(8)))
    texts = (p2(1, NOON), p2(2, NOON, CAN))
    where = {texts[0].episode: ROAD, texts[1].episode: CAN}
    assert RULES.emptied(box, NOON, texts, where).over_ms == (clock(8), NOON, NOON)
    three = replace(sent(*CAPPED[1:], to="cleaner-li"))
    assert RULES.emptied(three, NOON, texts, where).over_ms == (NOON,), "the first of them has the last room"


def test_a_text_that_no_provider_took_counts_for_nothing() -> None:
    first, other = p2(1, NOON), p2(2, NOON, CAN)
    box = RULES.emptied(sent(*CAPPED, to="cleaner-li"), NOON, (first, other), {})
    assert RULES.untaken(box, "another", NOON) is box
    without = RULES.untaken(box, first.key, NOON + 1)
    assert [each.key for each in without.left] == ["", "", "", "", other.key]
    assert without.left_ms == (*(each.at_ms for each in CAPPED), NOON)
    assert without.over_ms == (NOON,)
    waits = replace(owed("over_two_thirds", number=3), at_ms=NOON)
    last = RULES.emptied(sent(*CAPPED[1:], to="cleaner-li"), NOON, (first,), {})
    full = RULES.filed(replace(last, pending=(waits,)), NOON + MINUTE_MS)
    assert full.reason == "daily_cap"
    free = RULES.untaken(full, first.key, NOON + MINUTE_MS)
    assert (free.due_ms, free.reason, free.over_ms) == (NOON + MINUTE_MS, "", ())


def test_what_was_let_through_the_night_takes_what_waits_along() -> None:
    night_ms, day_ms = clock(22), clock(20)
    small = replace(told(kind=STEP), at_ms=day_ms)
    assert release(replace(EMPTY, pending=(small,)), night_ms) == (clock(6, 30, 10), "quiet")
    both = replace(EMPTY, pending=(small, replace(told(2), at_ms=night_ms)))
    assert RULES.releases(both, night_ms) == [Release(night_ms)] * 2
