"""One county told one input at a time: what it says, what it remembers, and that a failed input leaves it as it was.

That everybody is told of everything, whatever happens, are the laws of tests/laws/test_telling_laws.py.
"""

from typing import Any

import pytest
from msgspec.structs import replace

from alerts.alert import Alert
from alerts.build import Assembled, PolicyFiles, assemble_whole
from alerts.episodes.county import Changes
from alerts.episodes.decide import Trouble
from alerts.model import Actor, Event, MessageKind, Owed, Refused, Severity
from alerts.operations.absences import Absence
from alerts.timers import NEVER
from alerts.undo import UndoLog
from telemetry.reading import Millis, Reading, TimeSource, Values
from tests.scenario_run import policy_files
from tests.telling_county import COUNTY, DAY, HOUR, MINUTE, SECOND, START_MS

QUIET = policy_files()
EIGHT: Millis = START_MS + 30 * MINUTE
LOW, FULL, OVER = Values(distance_mm=1_190.0), Values(distance_mm=230.0), Values(distance_mm=500.0)
FIRE = Values(distance_mm=900.0, temperature_c=95.0)
COOL = Values(distance_mm=900.0, temperature_c=20.0)
OFFICE = Actor("office", "desk")


class Village:
    """A county with all that it has changed and said since it began."""

    def __init__(self, at_ms: Millis = EIGHT, *, policy_files: PolicyFiles = QUIET, hears: bool = True) -> None:
        self.made: Assembled = assemble_whole(COUNTY, policy_files)
        self.county = self.made.county
        self.changes = Changes.under(self.made.undo)
        known = dict.fromkeys(COUNTY.devices, at_ms)
        self.county.restore({asset: plan.born(known) for asset, plan in self.county.plans.items()}, ())
        self.seq = 0
        if hears:
            self.county.listen(at_ms, None, self.changes, started=True)

    def say(self, device: str, values: Values, at_ms: Millis, *, observed_ms: Millis | None = None) -> float | None:
        self.seq += 1
        observed = at_ms if observed_ms is None else observed_ms
        late = at_ms - observed > 2 * HOUR
        asset = COUNTY.devices[device].asset
        return self.county.observe(
            Reading(device, asset, 1, self.seq, observed, at_ms, TimeSource.OK, late, values), self.changes
        )

    def fill(self, device: str = "s-pool", at_ms: Millis = EIGHT) -> str:
        """Two full samples, and what is due then; the overflow that stands."""
        for when in (at_ms, at_ms + MINUTE):
            self.say(device, FULL, when)
        self.county.advance(at_ms + MINUTE, self.changes)
        return self.episode("overflow", COUNTY.devices[device].asset)

    def episode(self, rule: str, asset: str) -> str:
        return next(name for name in self.county.alerts if name.startswith(f"{rule}/{asset}/"))

    def alert(self, rule: str, asset: str) -> Alert:
        return self.county.alerts[self.episode(rule, asset)]

    def told(self, rule: str | None = None) -> list[Owed]:
        return [each for each in self.changes.log if isinstance(each, Owed) and rule in (None, each.rule)]

    def events(self, *names: str) -> list[Event]:
        return [each for each in self.changes.log if isinstance(each, Event) and each.event in names]


@pytest.fixture
def village() -> Village:
    return Village()


# --- what has changed


def test_what_some_inputs_have_changed_is_handed_over_once() -> None:
    changes = Changes.under(UndoLog())
    changes.moved["pool"] = None
    changes.log.append(Event(at_ms=1, event="noted"))
    taken = changes.take()
    assert (dict(taken.moved), [each.event for each in taken.log if isinstance(each, Event)]) == (
        {"pool": None},
        ["noted"],
    )
    assert (taken.alerts, taken.boxes) == ({}, {})
    assert changes.is_empty
    assert changes.take().is_empty


@pytest.mark.parametrize("part", ["moved", "alerts", "boxes", "log"])
def test_whatever_is_another_than_before_is_a_change(part: str) -> None:
    changes = Changes()
    held: Any = getattr(changes, part)
    if part == "log":
        held.append(Event(at_ms=1, event="noted"))
    else:
        held["x"] = None
    assert not changes.is_empty


# --- samples


def test_a_sample_says_what_it_counted_as_and_moves_nothing_where_all_is_well(village: Village) -> None:
    assert village.say("s-pool", LOW, EIGHT) == pytest.approx(1.0)
    assert village.changes.is_empty
    assert village.county.states["pool"].devices[0].seen_ms == EIGHT
    assert village.say("s-pool", Values(temperature_c=20.0), EIGHT + MINUTE) is None


def test_a_full_bin_is_told_of_by_text_and_stands(village: Village) -> None:
    episode = village.fill()
    assert [(owed.to, owed.kind) for owed in village.told("overflow")] == [("cleaner", MessageKind.FIRST)]
    assert village.county.is_open(episode)
    assert episode in village.changes.alerts
    assert "pool" in village.changes.moved
    assert village.changes.boxes["13900000001"] == village.county.boxes["13900000001"]
    assert not village.county.is_open("overflow/pool/never")


def test_what_was_due_before_a_sample_happens_before_it(village: Village) -> None:
    village.say("s-pool", FIRE, EIGHT)
    village.say("s-road", LOW, EIGHT + 11 * MINUTE)
    assert {owed.at_ms for owed in village.told("fire")} == {EIGHT, EIGHT + 10 * MINUTE}


def test_an_episode_that_is_over_and_of_which_nobody_is_to_hear_is_let_go(village: Village) -> None:
    episode = village.fill()
    for number in range(2):
        village.say("s-pool", LOW, EIGHT + HOUR + number * MINUTE)
    village.county.advance(EIGHT + 3 * HOUR, village.changes)
    assert village.changes.alerts[episode].closed_ms
    assert episode not in village.county.alerts
    assert not village.county.is_open(episode)


def test_a_failed_input_leaves_the_county_as_it_was(village: Village) -> None:
    undo = village.made.undo
    village.fill("s-road")
    county = village.county
    before = (dict(county.states), dict(county.alerts), dict(county.boxes), county.timers.earliest_ms)
    said = len(village.changes.log)
    savepoint = undo.savepoint()
    village.fill("s-pool", EIGHT + 5 * MINUTE)
    village.say("s-far", FIRE, EIGHT + 6 * MINUTE)
    undo.rollback(savepoint)
    undo.release()
    assert (dict(county.states), dict(county.alerts), dict(county.boxes)) == before[:3]
    assert county.timers.earliest_ms <= before[3]
    assert len(village.changes.log) == said


# --- time


def test_what_is_due_is_done_one_thing_after_the_other_until_nothing_is(village: Village) -> None:
    village.say("s-pool", FIRE, EIGHT)
    at_ms = EIGHT + 10 * MINUTE
    assert village.county.ring(at_ms - 1, village.changes) is False
    rung = 0
    while village.county.ring(at_ms, village.changes):
        rung += 1
    assert rung >= 1
    assert {owed.at_ms for owed in village.told("fire")} == {EIGHT, at_ms}
    assert village.county.timers.earliest_ms > at_ms


def test_what_is_skipped_is_not_done_until_what_it_is_about_moves(village: Village) -> None:
    village.say("s-pool", FIRE, EIGHT)
    at_ms = EIGHT + 10 * MINUTE
    village.county.skip(at_ms)
    village.county.advance(at_ms, village.changes)
    assert {owed.at_ms for owed in village.told("fire")} == {EIGHT}


def test_a_machine_that_is_due_and_does_not_move_is_our_mistake(village: Village) -> None:
    county = village.county
    county.timers.file("a", "pool", EIGHT)
    assert county.ring(EIGHT, village.changes) is False, "it is filed anew for when it is due"
    due_ms = county.timers.earliest_ms
    assert EIGHT < due_ms < NEVER


# --- silence, and who listens


def test_a_county_that_is_not_heard_misses_nobody() -> None:
    village = Village(hears=False)
    assert village.county.hearing_since_ms == NEVER
    village.county.advance(EIGHT + DAY, village.changes)
    assert village.events("raised") == []


def test_a_silence_is_raised_and_its_device_is_not_heard_any_more(village: Village) -> None:
    village.county.advance(EIGHT + DAY, village.changes)
    assert {event.rule for event in village.events("raised")} >= {"offline"}
    assert not village.county.hears("far")
    village.county.renew("s-far", EIGHT + DAY, village.changes)
    assert village.county.hears("far")
    assert not village.county.hears("pool")
    assert not village.county.hears("nowhere")


def test_what_nobody_could_hear_is_excused_and_what_fell_due_meanwhile_waits_for_the_grace(village: Village) -> None:
    village.say("s-pool", FIRE, EIGHT)
    village.say("s-far", LOW, EIGHT)
    village.county.deafen()
    back_ms = EIGHT + 3 * HOUR
    village.county.listen(back_ms, EIGHT, village.changes, started=False)
    assert village.county.states["far"].devices[0].shift_ms == 3 * HOUR
    assert village.county.hearing_since_ms == back_ms
    village.county.advance(back_ms + 10 * MINUTE - 1, village.changes)
    assert {owed.at_ms for owed in village.told("fire")} == {EIGHT}
    village.county.advance(back_ms + 10 * MINUTE, village.changes)
    assert village.told("fire")[-1].at_ms == back_ms + 10 * MINUTE
    assert village.events("raised")[1:] == []


def test_an_oversleep_is_a_deafness_and_a_long_one_makes_the_time_of_day_doubtful(village: Village) -> None:
    village.say("s-pool", LOW, EIGHT)
    for slept_ms, doubtful in ((DAY, 0), (DAY + 1, EIGHT + DAY + 1 + 7 * DAY)):
        other = Village()
        other.say("s-pool", LOW, EIGHT)
        other.county.oversleep(EIGHT, EIGHT + slept_ms, other.changes)
        assert other.county.states["pool"].devices[0].shift_ms == slept_ms
        assert "pool" in other.changes.moved
        assert other.county.hearing_since_ms == EIGHT + slept_ms
        assert other.county.unsettled_until_ms == doubtful


def test_while_nobody_is_subscribed_an_oversleep_excuses_nobody_yet() -> None:
    village = Village(hears=False)
    village.county.oversleep(EIGHT, EIGHT + HOUR, village.changes)
    assert village.county.states["pool"].devices[0].shift_ms == 0
    village.county.listen(EIGHT + 2 * HOUR, EIGHT, village.changes, started=True)
    assert village.county.states["pool"].devices[0].shift_ms == 2 * HOUR


def test_old_news_that_came_with_a_queue_waits_for_what_is_behind_it(village: Village) -> None:
    village.county.deafen()
    back_ms = EIGHT + HOUR
    village.county.listen(back_ms, EIGHT, village.changes, started=False)
    for number in range(2):
        village.say("s-pool", FULL, back_ms + number * SECOND, observed_ms=EIGHT + 20 * MINUTE + number * MINUTE)
    village.county.advance(back_ms + 10 * MINUTE - 1, village.changes)
    assert village.told("overflow") == []
    village.county.advance(back_ms + 10 * MINUTE, village.changes)
    assert [owed.to for owed in village.told("overflow")] == ["cleaner"]


# --- how much a device says


def test_a_message_is_above_the_share_of_its_hour_or_it_is_not(village: Village) -> None:
    above = [village.county.count("s-pool", 60_000, EIGHT, village.changes) for _ in range(20)]
    assert above == [False] * 17 + [True] * 3
    assert "pool" in village.changes.moved
    assert [event.rule for event in village.events("raised")] == ["flooded_device"]
    village.county.advance(EIGHT + 2 * HOUR, village.changes)
    assert [event.rule for event in village.events("cleared")] == ["flooded_device"]


def test_a_measurement_in_its_turn_is_nobodys_flood(village: Village) -> None:
    before = village.county.states["pool"]
    assert village.county.count("s-pool", 100, EIGHT, village.changes, EIGHT) is False
    assert village.county.states["pool"] is before
    assert village.changes.is_empty


# --- people


def test_what_a_person_does_about_an_episode_counts_and_what_cannot_be_changes_nothing(village: Village) -> None:
    episode = village.fill()
    said = len(village.changes.log)
    refused = village.county.respond(
        episode, lambda rules, alert, _memory, log: rules.unshelve(alert, OFFICE, EIGHT, log), EIGHT, village.changes
    )
    assert isinstance(refused, Refused)
    assert len(village.changes.log) == said
    at_ms = EIGHT + 5 * MINUTE
    done = village.county.respond(
        episode, lambda rules, alert, _memory, log: rules.acknowledge(alert, OFFICE, at_ms, log), at_ms, village.changes
    )
    assert done is None
    assert village.county.alerts[episode].acked_by == "office"
    assert [event.event for event in village.events("acked")] == ["acked"]


def test_a_fire_that_has_cooled_is_over_when_somebody_says_so_and_not_before(village: Village) -> None:
    village.say("s-pool", FIRE, EIGHT)
    episode = village.episode("fire", "pool")
    assert village.county.may_reset(episode) is False
    assert village.county.reset(episode, OFFICE, EIGHT, village.changes) is False
    for number in range(1, 8):
        village.say("s-pool", COOL, EIGHT + number * 20 * MINUTE)
    assert village.county.alerts[episode].latched
    assert village.county.may_reset(episode) is True
    at_ms = EIGHT + 3 * HOUR
    assert village.county.reset(episode, OFFICE, at_ms, village.changes) is True
    assert village.changes.alerts[episode].closed_ms == at_ms
    assert village.county.may_reset(episode) is False
    assert village.county.may_reset("fire/pool/never") is False


def test_who_comes_into_a_role_hears_what_stands_and_who_was_there_does_not(village: Village) -> None:
    episode = village.fill()
    village.made.absences.restore(
        [Absence(id="x", person="cleaner", stand_in="shared", from_ms=EIGHT + HOUR, until_ms=EIGHT + 2 * DAY)]
    )
    village.county.arrange(EIGHT + 2 * MINUTE, village.changes)
    village.county.advance(EIGHT + HOUR - 1, village.changes)
    assert [owed.to for owed in village.told("overflow")] == ["cleaner"]
    village.county.advance(EIGHT + HOUR + 30 * MINUTE, village.changes)
    assert [owed.to for owed in village.told("overflow")] == ["cleaner", "shared"]
    assert village.county.alerts[episode].told == ("cleaner", "shared")


def text(village: Village, to: str = "cleaner") -> Owed:
    return next(owed for owed in village.told("overflow") if owed.to == to)


def test_a_text_goes_to_the_number_of_now_and_to_who_stands_in_for_who_is_away(village: Village) -> None:
    village.fill()
    owed = text(village)
    county, at_ms = village.county, EIGHT + 2 * MINUTE
    assert county.readdress(owed, at_ms, village.changes) == COUNTY.people["cleaner"].phone
    assert county.readdress(replace(owed, phone="13999999999"), at_ms, village.changes) == owed.phone
    village.made.absences.restore(
        [Absence(id="x", person="cleaner", stand_in="head", from_ms=EIGHT, until_ms=EIGHT + DAY)]
    )
    assert county.readdress(owed, at_ms, village.changes) is None
    county.advance(EIGHT + HOUR, village.changes)
    assert "head" in [each.to for each in village.told("overflow")]


def test_who_left_is_succeeded_by_who_answers_for_the_step_of_what_is_urgent_and_stands(village: Village) -> None:
    episode = village.fill()
    owed = text(village)
    county = village.county
    known = county.alerts[episode]
    county.alerts[episode] = replace(known, told=(), told_ms={})
    assert county.successors(owed, EIGHT + MINUTE) == ("cleaner",)
    assert county.successors(replace(owed, severity=Severity.P3), EIGHT + MINUTE) == ()
    assert county.successors(replace(owed, kind=MessageKind.CLEARED), EIGHT + MINUTE) == ()
    assert county.successors(replace(owed, episode="overflow/pool/never"), EIGHT + MINUTE) == ()
    county.alerts[episode] = replace(known, closed_ms=EIGHT + MINUTE)
    assert county.successors(owed, EIGHT + MINUTE) == ()


def test_a_text_that_is_owed_is_of_use_while_it_is_true(village: Village) -> None:
    episode = village.fill()
    owed = text(village)
    assert village.county.no_longer_owed(owed, EIGHT + 2 * MINUTE) == ""
    village.county.respond(
        episode, lambda rules, alert, _memory, log: rules.acknowledge(alert, OFFICE, EIGHT, log), EIGHT, village.changes
    )
    assert village.county.no_longer_owed(owed, EIGHT + 2 * MINUTE) != ""


def test_a_text_that_no_provider_took_fills_nobodys_budget(village: Village) -> None:
    village.fill()
    owed = text(village)
    before = village.county.boxes[owed.phone]
    village.county.forget_text("13900009999", owed.key, EIGHT + HOUR, village.changes)
    assert village.county.boxes[owed.phone] is before
    village.county.forget_text(owed.phone, owed.key, EIGHT + HOUR, village.changes)
    assert village.county.boxes[owed.phone] != before
    assert village.changes.boxes[owed.phone] == village.county.boxes[owed.phone]


# --- the house and the village about itself


def test_a_part_of_the_house_that_needs_a_person_is_an_episode_until_it_works(village: Village) -> None:
    village.county.watch(Trouble("series_paused", "series", "the token is not known"), EIGHT, village.changes)
    episode = village.episode("series_paused", "series")
    village.county.watch(Trouble("series_paused", "series"), EIGHT + MINUTE, village.changes)
    assert village.changes.alerts[episode].closed_ms == EIGHT + MINUTE


def test_how_warm_it_is_beside_a_bin_is_what_the_others_of_its_area_said_lately(village: Village) -> None:
    for device, warmth in (("s-pool", 61.0), ("s-road", 21.0), ("s-round", 22.0), ("s-far", 23.0)):
        village.say(device, Values(distance_mm=900.0, temperature_c=warmth), EIGHT)
    pool = COUNTY.assets["pool"]
    assert sorted(village.county.temperatures_c(pool, EIGHT + MINUTE, HOUR)) == [21.0, 22.0]
    assert village.county.temperatures_c(pool, EIGHT + 2 * HOUR, HOUR) == []
    assert village.county.memory("pool") is village.county.states["pool"].memory
    assert village.county.memory("nowhere") is None


# --- a start


def test_a_county_goes_on_from_what_was_remembered_and_ends_what_nothing_watches(village: Village) -> None:
    village.fill()
    known = list(village.county.alerts.values())
    stray = replace(known[0], episode="overflow/gone/1", asset="gone")
    again = Village(hears=False)
    again.county.restore(village.county.states, [*known, stray], village.county.boxes.values())
    again.county.listen(EIGHT + HOUR, EIGHT + HOUR, again.changes, started=True)
    assert [event.episode for event in again.events("retired", "cleared")] == ["overflow/gone/1"]
    assert set(again.county.alerts) >= {each.episode for each in known}
    assert [owed for owed in again.told() if owed.episode != stray.episode] == [], "a start tells nobody (law L6)"
    again.county.advance(EIGHT + 2 * HOUR + MINUTE, again.changes)
    assert [owed.kind for owed in again.told("overflow") if owed.episode == known[0].episode] == [
        MessageKind.ESCALATION
    ]


def test_a_radio_gateway_and_an_area_are_watched_and_a_place_that_is_gone_is_not(village: Village) -> None:
    kept = {"gateway_offline": "g1", "area_outage": "liutan", "series_paused": "xia"}
    village.fill()
    (known, *_) = village.county.alerts.values()
    alerts = [replace(known, episode=f"{rule}/x/1", rule=rule, asset=asset, device="") for rule, asset in kept.items()]
    gone = replace(known, episode="area_outage/gone/1", rule="area_outage", asset="gone", device="")
    again = Village(hears=False)
    again.county.restore(again.county.states, [*alerts, gone])
    again.county.listen(EIGHT + HOUR, EIGHT + HOUR, again.changes, started=True)
    assert all(again.county.is_open(each.episode) for each in alerts)
    assert not again.county.is_open(gone.episode)


def test_other_parameters_judge_what_was_measured_last_again() -> None:
    village = Village()
    for number in range(2):
        village.say("s-pool", OVER, EIGHT + number * MINUTE)
    episode = village.episode("over_two_thirds", "pool")
    drawn = "raise_pct: 66.7\n    clear_pct: 55.0"
    assert drawn in QUIET.rules
    higher = replace(QUIET, rules=QUIET.rules.replace(drawn, "raise_pct: 80\n    clear_pct: 75"))
    for changed in (False, True):
        again = Village(policy_files=higher, hears=False)
        again.county.restore(village.county.states, village.county.alerts.values(), parameters_changed=changed)
        again.county.listen(EIGHT + HOUR, EIGHT + HOUR, again.changes, started=True)
        assert again.county.alerts[episode].recovering is changed
