"""Whatever happens, each raised P1 and P2 reaches somebody, or a row says why not and until when.

A machine drives the real loop, engine, mailboxes, ear and courier with samples, hands, answers, receipts, deaths and
clock steps, over providers that refuse, throttle, take and say nothing. Beside it stands a simple model: what the
journal said, what the providers took. Nothing of the house is asked whether it is right.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Final

import pytest
import structlog
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from alerts.answers import receipt, reply
from alerts.channels import Message
from alerts.episodes.county import County
from alerts.model import MessageKind
from gateway.commands.episodes import EpisodeCommand, EpisodeVerb
from telemetry.reading import Millis, Sample, Values
from telemetry.wire import Uplink
from tests.strategies import wire_bytes, wire_form
from tests.telling_county import COUNTY, DAY, HOUR, MINUTE, PEOPLE, PHONES, POLICY_FILES, SECOND, START_MS
from tests.telling_line import MOODS, Hand, TellingLine
from tests.telling_model import URGENT, Model, account

BINS = ("s-pool", "s-pool", "s-road", "s-round", "s-far", "s-new")
PLANTS = ("m-plant", "m-works")
FULL, LOW, HOT, COOL = Values(distance_mm=230.0), Values(distance_mm=1_190.0), 75.0, 20.0
BIN_SAYS = (
    FULL,
    FULL,
    Values(distance_mm=480.0),
    LOW,
    Values(distance_mm=900.0, temperature_c=COOL),
    Values(distance_mm=900.0, temperature_c=HOT),
    Values(fire_flag=1.0),
    Values(temperature_c=52.0),
    Values(distance_mm=65_535.0),
    Values(full_flag=1.0),
)
PLANT_SAYS = (
    Values(level_mm=1_450.0),
    Values(level_mm=1_450.0, pump_current_a=0.0),
    Values(level_mm=500.0, flow_m3h=3.0),
    Values(mains_on=0.0),
    Values(mains_on=1.0),
    Values(float_high=1.0),
    Values(float_high=0.0),
)
GAPS = (0, SECOND, MINUTE, 3 * MINUTE, 20 * MINUTE, 20 * MINUTE, HOUR, 5 * HOUR)
LEAPS = (2 * MINUTE, HOUR, 9 * HOUR, 26 * HOUR)
CLOCKS = ("right", "right", "right", "none", "1970", "behind", "ahead")
BUDGET = ((15 * MINUTE, 5), (HOUR, 11), (DAY, 30))
CAP = 4
CHAIN = frozenset({MessageKind.FIRST, MessageKind.REPEAT, MessageKind.ESCALATION, MessageKind.FRESH})
"""Kinds that an acknowledgement silences."""


class Telling(RuleBasedStateMachine):
    """One county's working days."""

    steps = 0
    """Made by all machines of this process."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = mkdtemp()
        self.model = Model(large=frozenset({"works"}))
        self.hand = Hand(START_MS)
        self.line = TellingLine(
            Path(self.folder) / "journal.db", COUNTY, POLICY_FILES, self.hand, self.model.hear, self.asked_of_a_provider
        )
        self.seq: Counter[str] = Counter()
        self.replies = 0
        self.deaf = False

    # --- what a provider sees at the moment of being asked

    def asked_of_a_provider(self, message: Message) -> None:
        """Only written down: what is raised here would be taken for the provider's own mistake."""
        owed, now_ms = self.model.owed[message.key], self.hand.at_ms
        if owed.kind in CHAIN and not owed.covers:
            if owed.at_ms < self.model.quiet_until.get(owed.episode, 0) > now_ms:
                self.model.wrongs.append(f"{message.key} although it is acknowledged")
            if owed.episode in self.model.over_ms:
                self.model.wrongs.append(f"{message.key} although it is over")

    # --- what happens

    @rule(
        device=st.sampled_from(BINS), says=st.sampled_from(BIN_SAYS), clock=st.sampled_from(CLOCKS), again=st.booleans()
    )
    def a_bin_speaks(self, device: str, says: Values, clock: str, again: bool) -> None:  # noqa: FBT001 -- drawn
        self._speak(device, says, clock)
        if again:
            self.line.live(self.hand.at_ms + 20 * MINUTE)
            self._speak(device, says, clock)

    @rule(device=st.sampled_from(PLANTS), says=st.sampled_from(PLANT_SAYS), clock=st.sampled_from(CLOCKS))
    def a_plant_speaks(self, device: str, says: Values, clock: str) -> None:
        self._speak(device, says, clock)
        self.line.live(self.hand.at_ms + 10 * MINUTE)
        self._speak(device, says, clock)

    @rule(says=st.sampled_from((FULL, LOW, Values(distance_mm=480.0))))
    def all_bins_speak(self, says: Values) -> None:
        for _ in range(2):
            for device in dict.fromkeys(BINS):
                self._speak(device, says, "right")
            self.line.live(self.hand.at_ms + 20 * MINUTE)

    @rule(gap=st.sampled_from(GAPS))
    def time_passes(self, gap: Millis) -> None:
        self.line.live(self.hand.at_ms + gap)

    @rule(leap=st.sampled_from(LEAPS))
    def the_clock_is_set_forward(self, leap: Millis) -> None:
        self.line.leap(self.hand.at_ms + leap)

    @rule(
        verb=st.sampled_from(EpisodeVerb), by=st.sampled_from(PEOPLE), to=st.sampled_from(("", *PEOPLE)), data=st.data()
    )
    @precondition(lambda self: self.model.raised)
    def a_person_acts(self, verb: EpisodeVerb, by: str, to: str, data: st.DataObject) -> None:
        episode = self._episode(data)
        until_ms = self.hand.at_ms + data.draw(st.sampled_from((0, 30 * MINUTE, 7 * HOUR, 40 * HOUR)))
        self.line.order(EpisodeCommand(verb=verb, episode=episode, by=by, to=to, reason="等车", until_ms=until_ms))
        self.line.leap(self.hand.at_ms)

    @rule(
        phone=st.sampled_from(PHONES), text=st.sampled_from(("1", "1", "2", "3", "0", "１。", "清了", "在吗", "1 07"))
    )
    def somebody_answers(self, phone: str, text: str) -> None:
        self.replies += 1
        said = reply("one", str(self.replies), phone, text, self.hand.at_ms)
        self.line.hear(replies=(said, said) if self.replies % 3 == 0 else (said,))
        self.line.leap(self.hand.at_ms)

    @rule(delivered=st.booleans(), twice=st.booleans(), data=st.data())
    def a_receipt_comes(self, delivered: bool, twice: bool, data: st.DataObject) -> None:  # noqa: FBT001 -- drawn
        taken = [each for provider in self.line.providers.values() for each in provider.taken][-12:]
        known = [(each.via, each.reference) for each in taken]
        via, reference = data.draw(st.sampled_from([*reversed(known), ("one", "forged")]))
        said = receipt(via, reference, delivered=delivered, at_ms=self.hand.at_ms, reason="UNDELIV")
        other = receipt(via, reference, delivered=not delivered, at_ms=self.hand.at_ms - MINUTE, reason="UNDELIV")
        self.line.hear(receipts=(said, other, said) if twice else (said,))
        self.line.leap(self.hand.at_ms)

    @rule()
    def all_receipts_come(self) -> None:
        taken = [each for provider in self.line.providers.values() for each in provider.taken][-30:]
        self.line.hear(
            receipts=[receipt(each.via, each.reference, delivered=True, at_ms=self.hand.at_ms) for each in taken]
        )

    @initialize(one=st.booleans(), two=st.booleans())
    def providers_are_as_they_are(self, one: bool, two: bool) -> None:  # noqa: FBT001 -- drawn
        self.line.providers["one"].knows, self.line.providers["two"].knows = one, two

    @rule(names=st.sampled_from((("one",), ("one", "two"))), mood=st.sampled_from(MOODS))
    def providers_change_their_mood(self, names: tuple[str, ...], mood: str) -> None:
        for name in names:
            self.line.providers[name].mood = mood

    @rule()
    def all_is_well_with_the_providers(self) -> None:
        for provider in self.line.providers.values():
            provider.mood = "well"
        self.line.leap(self.hand.at_ms)

    @rule(by=st.sampled_from(PEOPLE), mood=st.sampled_from(("well", "is away", "throttles")), emptied=st.booleans())
    def it_is_seen_to_before_it_is_told(self, by: str, mood: str, emptied: bool) -> None:  # noqa: FBT001 -- drawn
        self.providers_change_their_mood(("one", "two"), mood)
        for device in ("s-pool", "s-road", "s-far") * 2:
            self._speak(device, Values(full_flag=1.0), "right")
        if emptied:
            for device in ("s-pool", "s-road", "s-far") * 2:
                self._speak(device, Values(distance_mm=1_190.0, full_flag=0.0), "right")
        else:
            self.somebody_sees_to_all_that_stands(by, EpisodeVerb.ACK)
        self.all_is_well_with_the_providers()
        self.line.live(self.hand.at_ms + 10 * MINUTE)

    @rule(commits=st.integers(2, 12), device=st.sampled_from(("s-pool", "s-road", "s-far")), durable=st.booleans())
    def it_dies_while_it_tells(self, commits: int, device: str, durable: bool) -> None:  # noqa: FBT001 -- drawn
        self.all_is_well_with_the_providers()
        self.the_process_is_about_to_die(commits, durable)
        for says in (Values(full_flag=1.0), Values(full_flag=1.0), Values(distance_mm=900.0, temperature_c=HOT)):
            self._speak(device, says, "right")

    @rule(turns=st.integers(6, 9))
    def floats_dance(self, turns: int) -> None:
        """One thing after the other for one number, each just late enough to be told apart."""
        for turn in range(turns):
            for _ in range(2):
                self._speak(PLANTS[turn % 2], Values(float_high=float(turn // 2 % 2 == 0)), "right")
            self.line.live(self.hand.at_ms + 2 * MINUTE + SECOND)

    @rule(by=st.sampled_from(PEOPLE), verb=st.sampled_from((EpisodeVerb.ACK, EpisodeVerb.ACK, EpisodeVerb.SHELVE)))
    def somebody_sees_to_all_that_stands(self, by: str, verb: EpisodeVerb) -> None:
        for episode in [each for each in self.model.raised if each not in self.model.over_ms]:
            self.line.order(EpisodeCommand(verb=verb, episode=episode, by=by, reason="等车"))
        self.line.leap(self.hand.at_ms)

    @rule(commits=st.integers(1, 4), durable=st.booleans())
    def the_process_is_about_to_die(self, commits: int, durable: bool) -> None:  # noqa: FBT001 -- drawn
        self.hand.commits_left, self.hand.dies_durable = commits, durable

    @rule(away=st.sampled_from((0, MINUTE, 2 * HOUR)))
    def the_process_is_restarted(self, away: Millis) -> None:
        self.line.end(away)
        self.line.leap(self.hand.at_ms)

    @rule()
    def the_broker_comes_and_goes(self) -> None:
        self.deaf = not self.deaf
        if self.deaf:
            self.line.deafen()
        else:
            self.line.listen()

    # --- what holds whatever happens

    @invariant()
    def a_step_was_made(self) -> None:
        Telling.steps += 1

    @invariant()
    def nobody_is_told_of_what_is_seen_to_or_over(self) -> None:
        assert self.model.wrongs == []

    @invariant()
    def no_p1_waits_in_a_mailbox(self) -> None:
        waiting = [each for box in self._county.boxes.values() for each in box.pending]
        assert [each.key for each in waiting if each.severity == "P1"] == []

    @invariant()
    def what_waits_in_a_mailbox_has_its_time(self) -> None:
        for box in self._county.boxes.values():
            assert bool(box.pending) == bool(box.due_ms), box.phone

    @invariant()
    def what_was_said_to_wait_does_wait(self) -> None:
        boxed = {(each.episode, each.to) for box in self._county.boxes.values() for each in box.pending}
        assert self.model.waiting.keys() - boxed == set(), "it was to be told later, and is nowhere"

    @invariant()
    def nothing_is_taken_twice_without_a_cause(self) -> None:
        """Where a provider can be asked whether it took a text, not even a death between take and commit doubles it."""
        providers = self.line.providers.values()
        taken = Counter(each.key for provider in providers for each in provider.taken)
        unasked = Counter(each.key for provider in providers if not provider.knows for each in provider.taken)
        twice = {key for key, count in taken.items() if count > 1 + self.model.excused[key] + unasked[key]}
        assert twice == set(), "law L7"

    @invariant()
    def each_urgent_episode_is_told_or_accounted_for(self) -> None:
        for episode, event in self.model.raised.items():
            if event.severity in URGENT:
                assert account(self.model, self.line, episode), (
                    f"{episode}: nobody was told, and no row says why: {self._shown(episode)}"
                )

    @invariant()
    def budgets_hold(self) -> None:
        """Before each text fewer than so many had left; two that share a telephone are told at one instant.

        A P2 of an asset not told to that number on that day leaves all the same.
        """
        for phone, at in self._left().items():
            for span, most in BUDGET:
                over = [one for one in at if sum(one - span < other < one for other in at) >= most]
                over = [one for one in over if one not in self._first_words(phone)]
                assert over == [], f"{phone}: more than {most} texts within {span // MINUTE} min"

    @invariant()
    def who_carries_the_bins_gets_few_texts_a_day(self) -> None:
        at = self._left()[COUNTY.people["shared"].phone]
        over = [one for one in at if sum(_midnight(one) <= other < one for other in at) >= CAP]
        over = [one for one in over if one not in self._first_words(COUNTY.people["shared"].phone)]
        assert over == [], f"more than {CAP} texts on one day"

    @invariant()
    def nothing_was_our_mistake(self) -> None:
        (bugs,) = self.line._journal._connection.execute(
            "SELECT count(*) FROM quarantine WHERE reason = 'bug'"
        ).fetchone()
        assert bugs == 0

    def teardown(self) -> None:
        """Afterwards all is well again for two days: whatever still stands has been told by then."""
        try:
            self._calm()
        finally:
            self.line.close()
            rmtree(self.folder)

    def _calm(self) -> None:
        self.hand.commits_left = -1
        for provider in self.line.providers.values():
            provider.mood = "well"
        if self.deaf:
            self.line.listen()
        for _ in range(4):
            self.line.live(self.hand.at_ms + 12 * HOUR)
            self.all_receipts_come()
        for check in (
            self.nobody_is_told_of_what_is_seen_to_or_over,
            self.budgets_hold,
            self.nothing_is_taken_twice_without_a_cause,
            self.no_p1_waits_in_a_mailbox,
        ):
            check()
        for episode, event in self.model.raised.items():
            if event.severity in URGENT:
                stands = account(self.model, self.line, episode)
                assert stands not in {"", "on its way", "due", "mailbox"}, (
                    f"{episode} is {stands or 'nowhere'}: {self._shown(episode)}"
                )

    # --- words

    def _shown(self, episode: str) -> str:
        """What somebody who looks for the fault needs first."""
        rows = [(row.at_ms - START_MS, row.event, row.detail) for row in self.model.rows[episode]]
        return f"{rows}\n{self._county.alerts.get(episode)}"

    def _left(self) -> dict[str, list[Millis]]:
        """When texts left for each number, P1 and what follows from an answer apart."""
        left: dict[str, list[Millis]] = defaultdict(list)
        for owed in self.model.owed.values():
            if owed.severity != "P1" and owed.kind is not MessageKind.NOTICE:
                left[owed.phone].append(owed.at_ms)
        return left

    def _first_words(self, phone: str) -> set[Millis]:
        """When a text brought the first word of the day about an asset with a P2 to a number."""
        first, told = set[Millis](), set[tuple[Millis, str]]()
        for owed in self.model.owed.values():
            if (
                owed.phone == phone and owed.severity == "P2" and owed.kind in CHAIN
            ):  # two thirds is not yet a word of it
                about = {episode.split("/")[1] for episode in owed.covers or (owed.episode,) if "/" in episode}
                today = {(_midnight(owed.at_ms), asset) for asset in about}
                if not today <= told:
                    first.add(owed.at_ms)
                told |= today
        return first

    @property
    def _county(self) -> County:
        return self.line.pipeline.county

    def _speak(self, device: str, says: Values, clock: str) -> None:
        self.seq[device] += 1
        now_ms = self.hand.at_ms
        at = {"right": now_ms, "1970": 1_000, "behind": now_ms - 3 * HOUR, "ahead": now_ms + 4 * MINUTE}
        sample = Sample(1, self.seq[device], says, at.get(clock), float(self.seq[device]))
        topic = f"cunjing/v1/xia/{device}/telemetry"
        self.line.bring([Uplink(now_ms, topic, wire_bytes(wire_form(sample)))])
        self.line.leap(now_ms)

    def _episode(self, data: st.DataObject) -> str:
        known = [*reversed(self.model.raised)][:8]
        return data.draw(st.sampled_from(known))


def _midnight(at_ms: Millis) -> Millis:
    return (at_ms + 8 * HOUR) // DAY * DAY - 8 * HOUR


QUICK: Final = settings(
    max_examples=40,
    stateful_step_count=55,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


DEEP_STEPS: Final = 1_000_000
PARTS: Final = 4


@pytest.fixture
def unlogged() -> Iterator[None]:
    """Thousands of refusals and lapses are asked for here; writing each down takes longer than all the rest."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.configure(**before)


@pytest.mark.usefixtures("unlogged")
def test_whatever_happens_each_urgent_episode_reaches_somebody_or_a_row_says_why_not() -> None:
    run_state_machine_as_test(Telling, settings=QUICK)


@pytest.mark.deep
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.usefixtures("unlogged")
def test_whatever_happens_in_a_million_steps(part: int) -> None:
    """Counts the steps that were really made: an example may end before its last.

    In parts, which ``-n`` lets run side by side.
    """
    Telling.steps = 0
    while Telling.steps < DEEP_STEPS // PARTS:
        run_state_machine_as_test(
            Telling,
            settings=settings(
                QUICK,
                max_examples=100,
                stateful_step_count=100,
                derandomize=False,
                phases=[Phase.generate],  # looking for the shortest of a hundred steps takes longer than reading them
            ),
        )
        print(f"part {part}: {Telling.steps} steps", flush=True)  # noqa: T201 -- an hour's run shows that it lives
