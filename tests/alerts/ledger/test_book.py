"""The ledger alone: which step is possible, what a sensor verifies, and the laws that no sequence breaks."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from alerts import policy
from alerts.calendars import Calendar
from alerts.ledger.book import Ledger
from alerts.ledger.case import (
    Case,
    CaseCommand,
    CaseVerb,
    Deed,
    LedgerRefusal,
    Origin,
    Refusal,
    Register,
    State,
    pack_case,
    unpack_case,
)
from alerts.ledger.opening import numbered
from alerts.model import Event, Log, MessageKind, Owed
from alerts.notify import texts
from gateway import imports, shipped

COUNTY: Final = imports.checked(Path(__file__).parents[2] / "golden" / "inventory" / "county.yaml")
POLICY_FILES: Final = shipped.policy_files()
POLICIES: Final = policy.load(POLICY_FILES.escalation, POLICY_FILES.escalation_name)
TEXTS: Final = texts.load(POLICY_FILES.texts, POLICY_FILES.texts_name, COUNTY.county.signature)
CALENDAR: Final = Calendar.of(COUNTY.county)
NOON: Final = 1_795_320_000_000  # 2026-11-22 12:00 in Shanghai
MINUTE: Final = 60_000
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
POOL: Final = "ytan-03"
EPISODE: Final = f"overflow/{POOL}/20261122T040000Z"


def empty(*, hears: Callable[[str], bool] = lambda _: True) -> Ledger:
    return Ledger(COUNTY, POLICIES, CALENDAR, TEXTS, hears)


def registered(ledger: Ledger, at_ms: int = NOON, **more: str) -> Case:
    where = {} if "asset" in more else {"area": "ytan", "place": "桥头"}
    case = ledger.register(Register(what="路边有垃圾", by="dispatch-wu", **where, **more), at_ms)  # type: ignore[arg-type] # texts alone
    assert isinstance(case, Case)
    return case


def ask(ledger: Ledger, case: str, verb: CaseVerb, at_ms: int = NOON, by: str = "dispatch-wu", **more: object) -> Case:
    after = ledger.act(CaseCommand(verb=verb, case=case, by=by, **more), at_ms)  # type: ignore[arg-type] # as given
    assert isinstance(after, Case), after
    return after


def refused(ledger: Ledger, case: str, verb: CaseVerb, at_ms: int = NOON, **more: object) -> LedgerRefusal:
    after = ledger.act(CaseCommand(verb=verb, case=case, by="dispatch-wu", **more), at_ms)  # type: ignore[arg-type] # as given
    assert isinstance(after, Refusal), after
    assert len(after.sentence.split()) > 6, "it says what to do"
    return after.why


def raised(at_ms: int = NOON, episode: str = EPISODE, severity: str = "P2") -> Event:
    rule, asset, _ = episode.split("/")
    return Event(at_ms=at_ms, event="raised", rule=rule, asset=asset, episode=episode, severity=severity)


def ended(at_ms: int, episode: str = EPISODE) -> Event:
    rule, asset, _ = episode.split("/")
    return Event(at_ms=at_ms, event="cleared", rule=rule, asset=asset, episode=episode, severity="P2")


def told(at_ms: int, to: str = "cleaner-li") -> Owed:
    return Owed(
        at_ms=at_ms,
        rule="overflow",
        asset=POOL,
        episode=EPISODE,
        severity="P2",
        kind=MessageKind.FIRST,
        step=0,
        repeat=0,
        to=to,
        phone="13900000001",
        channel="sms",
        text="",
    )


def advanced(ledger: Ledger, now_ms: int) -> Log:
    log: Log = []
    ledger.advance(now_ms, log)
    return log


def test_a_case_goes_from_the_telephone_to_its_end() -> None:
    ledger = empty()
    case = registered(ledger, caller_name="周师傅")
    assert (case.id, case.state, case.rule) == ("20261122-wushi-001", State.OPEN, "reported")
    assert case.deadline_ms == NOON + DAY
    assert ask(ledger, case.id, CaseVerb.ASSIGN, to="cleaner-li").owner == "cleaner-li"
    assert ask(ledger, case.id, CaseVerb.START, by="cleaner-li").state is State.DOING
    assert ask(ledger, case.id, CaseVerb.FIX, by="cleaner-li").state is State.FIXED
    assert refused(ledger, case.id, CaseVerb.CLOSE) is LedgerRefusal.NOT_VERIFIED
    assert refused(ledger, case.id, CaseVerb.VERIFY) is LedgerRefusal.PROOF_MISSING
    assert ask(ledger, case.id, CaseVerb.VERIFY, proof="照片已看").proof == "照片已看"
    assert ask(ledger, case.id, CaseVerb.CLOSE).state is State.CLOSED
    assert [deed.deed for deed in ledger.take().deeds] == [
        "registered",
        "assign",
        "start",
        "fix",
        "verify",
        "close",
    ]


@pytest.mark.parametrize(
    ("verb", "more", "why"),
    [
        (CaseVerb.ASSIGN, {}, LedgerRefusal.OWNER_MISSING),
        (CaseVerb.ASSIGN, {"to": "nobody"}, LedgerRefusal.UNKNOWN_OWNER),
        (CaseVerb.ASSIGN, {"to": "cleaner-li", "rule": "whim"}, LedgerRefusal.UNKNOWN_RULE),
        (CaseVerb.ASSIGN, {"to": "cleaner-li", "deadline_ms": NOON}, LedgerRefusal.BAD_TIME),
        (CaseVerb.DEFER, {"until_ms": NOON + DAY}, LedgerRefusal.REASON_MISSING),
        (CaseVerb.DEFER, {"reason": "等配件"}, LedgerRefusal.BAD_TIME),
        (CaseVerb.DEFER, {"reason": "等配件", "until_ms": NOON + 91 * DAY}, LedgerRefusal.BAD_TIME),
        (CaseVerb.VERIFY, {"proof": "看过"}, LedgerRefusal.WRONG_STATE),
        (CaseVerb.CLOSE, {}, LedgerRefusal.NOT_VERIFIED),
        (CaseVerb.REOPEN, {"reason": "还有"}, LedgerRefusal.WRONG_STATE),
        (CaseVerb.NOTE, {}, LedgerRefusal.NOTE_MISSING),
    ],
)
def test_what_is_impossible_is_a_named_refusal_and_changes_nothing(
    verb: CaseVerb, more: dict[str, Any], why: LedgerRefusal
) -> None:
    ledger = empty()
    case = registered(ledger)
    ledger.take()
    assert refused(ledger, case.id, verb, **more) is why
    assert ledger.cases[case.id] == case
    assert ledger.take().cases == {}


@pytest.mark.parametrize("wish", [{"asset": "no-such"}, {"area": "no-such"}, {}, {"area": "ytan", "rule": "whim"}])
def test_a_case_needs_a_place_that_is_known(wish: dict[str, str]) -> None:
    ledger = empty()
    assert isinstance(ledger.register(Register(what="垃圾", by="dispatch-wu", **wish), NOON), Refusal)  # type: ignore[arg-type] # texts alone
    assert not ledger.cases


def test_an_episode_opens_a_case_that_belongs_to_who_is_told_and_is_verified_by_its_end() -> None:
    ledger = empty()
    ledger.hear(raised())
    (case,) = ledger.cases.values()
    assert (case.origin, case.rule, case.state, case.deadline_ms) == (
        Origin.TELEMETRY,
        "overflow",
        State.OPEN,
        NOON + 2 * HOUR,
    )
    ledger.hear(told(NOON + MINUTE))
    assert ledger.cases[case.id].owner == "cleaner-li"
    ledger.hear(told(NOON + 2 * MINUTE, "sec-yang"))
    assert ledger.cases[case.id].owner == "cleaner-li"
    acked = Event(at_ms=NOON, event="acked", episode=EPISODE, detail={"by": "driver-tang", "channel": "sms"})
    ledger.hear(acked)
    assert ledger.cases[case.id].owner == "driver-tang"
    ask(ledger, case.id, CaseVerb.FIX, by="driver-tang")
    assert refused(ledger, case.id, CaseVerb.VERIFY, proof="看过") is LedgerRefusal.SENSOR_DECIDES
    ledger.hear(ended(NOON + HOUR))
    assert ledger.cases[case.id].state is State.VERIFIED
    advanced(ledger, NOON + HOUR + 7 * DAY - 1)
    assert ledger.cases[case.id].state is State.VERIFIED
    advanced(ledger, NOON + HOUR + 7 * DAY)
    assert ledger.cases[case.id].state is State.CLOSED


def test_what_nobody_had_to_act_on_closes_with_its_episode() -> None:
    ledger = empty()
    ledger.hear(raised())
    (case,) = ledger.cases
    ledger.hear(ended(NOON + HOUR))
    assert ledger.cases == {}
    written = ledger.take()
    assert [deed.deed for deed in written.deeds] == ["raised", "verified", "closed"]
    assert written.cases[case].settled


def test_p4_and_notices_of_the_house_are_no_cases() -> None:
    ledger = empty()
    ledger.hear(raised(episode=f"battery_low/{POOL}/1", severity="P4"))
    ledger.hear(raised(episode="series_paused/xiang/1", severity="P3"))
    assert not ledger.cases


def test_an_emptying_verifies_what_was_said_to_be_fixed_and_proves_what_is_said_later() -> None:
    emptied = Event(at_ms=NOON + HOUR, event="emptied", asset=POOL)
    ledger = empty()
    before, after = (registered(ledger, asset=POOL, rule="overflow") for _ in range(2))
    ask(ledger, before.id, CaseVerb.FIX)
    assert refused(ledger, before.id, CaseVerb.VERIFY, proof="看过") is LedgerRefusal.SENSOR_DECIDES
    ledger.hear(emptied)
    assert ledger.cases[before.id].state is State.VERIFIED
    assert ledger.cases[after.id].state is State.OPEN
    assert ask(ledger, after.id, CaseVerb.FIX, NOON + 2 * HOUR).state is State.VERIFIED


def test_what_was_seen_done_counts_no_more_once_it_is_wrong_again() -> None:
    ledger = empty()
    case = registered(ledger, asset=POOL, rule="overflow")
    ledger.hear(Event(at_ms=NOON + HOUR, event="emptied", asset=POOL))
    ledger.hear(raised(NOON + 2 * HOUR))
    assert ask(ledger, case.id, CaseVerb.FIX, NOON + 3 * HOUR).state is State.FIXED


def test_a_silent_sensor_decides_nothing() -> None:
    ledger = empty(hears=lambda _: False)
    ledger.hear(raised())
    (case,) = ledger.cases
    ask(ledger, case, CaseVerb.FIX)
    assert ask(ledger, case, CaseVerb.VERIFY, proof="现场看过").state is State.VERIFIED


def test_only_data_end_a_silence() -> None:
    ledger = empty(hears=lambda _: False)
    ledger.hear(raised(episode="offline/chetian-plant/1", severity="P3"))
    (case,) = ledger.cases
    ask(ledger, case, CaseVerb.FIX)
    assert refused(ledger, case, CaseVerb.VERIFY, proof="看过") is LedgerRefusal.SENSOR_DECIDES


def test_an_overdue_case_climbs_a_level_a_day_and_is_told_by_day() -> None:
    ledger = empty()
    case = registered(ledger)
    ask(ledger, case.id, CaseVerb.ASSIGN, to="cleaner-li")
    advanced(ledger, NOON)
    assert advanced(ledger, NOON + DAY - 1) == []
    for level, to in enumerate(("sec-yang", "town-he", "dispatch-wu"), start=1):
        due_ms = NOON + level * DAY
        event, owed = advanced(ledger, due_ms)
        assert isinstance(event, Event)
        assert isinstance(owed, Owed)
        assert (event.event, event.at_ms, (event.detail or {})["level"]) == ("case_overdue", due_ms, level)
        assert (owed.to, owed.at_ms, owed.kind) == (to, due_ms, MessageKind.NOTICE)
        assert owed.text == "【湘阳环卫】柳潭村桥头：路边有垃圾，限23日12点，还没办完，已交李大姐。请督办。"
    assert advanced(ledger, NOON + 99 * DAY) == []


def test_the_owner_of_a_registered_case_is_told_by_day_unless_it_is_nobodys_any_more() -> None:
    night = NOON + 10 * HOUR
    ledger = empty()
    kept, taken = (registered(ledger, night) for _ in range(2))
    for case in (kept, taken):
        ask(ledger, case.id, CaseVerb.ASSIGN, night, to="cleaner-li")
    ask(ledger, taken.id, CaseVerb.FIX, night)
    assert advanced(ledger, NOON + 19 * HOUR - 1) == []
    owed, dropped = advanced(ledger, NOON + 19 * HOUR)
    assert isinstance(owed, Owed)
    assert (owed.to, owed.text) == ("cleaner-li", "【湘阳环卫】柳潭村桥头：路边有垃圾。请23日22点前办好，办好回1。")
    assert isinstance(dropped, Event)
    assert dropped.event == "dropped"


def test_an_overdue_episode_is_recorded_and_left_to_its_own_chain() -> None:
    ledger = empty()
    ledger.hear(raised())
    (event,) = advanced(ledger, NOON + 2 * HOUR)
    assert isinstance(event, Event)
    assert event.event == "case_overdue"
    assert advanced(ledger, NOON + 3 * HOUR) == []


def test_a_deferred_case_is_left_alone_until_its_day_and_is_overdue_then() -> None:
    ledger = empty()
    case = registered(ledger)
    ask(ledger, case.id, CaseVerb.START, by="crew-chen")
    until = NOON + 3 * DAY
    ask(ledger, case.id, CaseVerb.DEFER, by="crew-chen", reason="等水泵配件", until_ms=until)
    (owed,) = advanced(ledger, NOON)
    assert isinstance(owed, Owed)
    assert owed.text == "【湘阳环卫】柳潭村桥头路边有垃圾：等水泵配件，预计25日办好，已备案。期间不再催。"
    assert advanced(ledger, until - 1) == []
    event, *_ = advanced(ledger, until)
    assert isinstance(event, Event)
    assert event.event == "case_overdue"
    assert ledger.cases[case.id].state is State.DOING


def test_the_same_matter_soon_again_is_a_recurrence() -> None:
    ledger = empty()
    ledger.hear(raised())
    (first,) = ledger.cases
    ledger.hear(told(NOON))
    ledger.hear(ended(NOON + HOUR))
    ledger.hear(raised(NOON + 7 * DAY + HOUR, f"overflow/{POOL}/2"))
    ledger.hear(raised(NOON + 7 * DAY + HOUR, "overflow/ytan-04/2"))
    found = {case.episode: case.recurs for case in ledger.cases.values()}
    assert found[f"overflow/{POOL}/2"] == first
    assert found["overflow/ytan-04/2"] == ""


def test_whatever_people_write_a_text_fits_one_segment() -> None:
    ledger = empty()
    wish = Register(what="垃圾" * 100, by="dispatch-wu", area="ytan", place="【桥】头" * 15)
    case = ledger.register(wish, NOON)
    assert isinstance(case, Case)
    ask(ledger, case.id, CaseVerb.ASSIGN, to="cleaner-li")
    ask(ledger, case.id, CaseVerb.DEFER, reason="等" * 500, until_ms=NOON + 40 * DAY)
    sent = [said.text for said in advanced(ledger, NOON + 99 * DAY) if isinstance(said, Owed)]
    assert len(sent) >= 3
    assert max(len(text.encode("utf-16-be")) // 2 for text in sent) <= 70
    assert all(text.count("【") == 1 for text in sent)


verbs = st.fixed_dictionaries(
    {
        "verb": st.sampled_from(CaseVerb),
        "to": st.sampled_from(("", "cleaner-li", "sec-yang", "nobody")),
        "rule": st.sampled_from(("", "litter", "overflow", "whim")),
        "until": st.sampled_from((0, HOUR, 3 * DAY)),
        "reason": st.sampled_from(("", "等配件")),
        "proof": st.sampled_from(("", "看过")),
    }
)
steps = st.lists(
    st.tuples(
        st.sampled_from((0, 1, HOUR, 5 * HOUR, DAY, 8 * DAY)),
        st.integers(0, 2),
        st.one_of(verbs, verbs, verbs, st.sampled_from(("raise", "tell", "clear", "empty", "restart", "register"))),
    ),
    min_size=12,
    max_size=40,
)


def restarted(ledger: Ledger) -> Ledger:
    again = empty()
    numbers: dict[tuple[str, str], int] = {}
    for case in ledger.cases:
        key, number = numbered(case)
        numbers[key] = max(number, numbers.get(key, 0))
    again.restore((unpack_case(pack_case(case)) for case in ledger.cases.values()), numbers | ledger._numbers._highest)
    return again


def happen(ledger: Ledger, step: object, which: int, at_ms: int, episode: str) -> None:
    cases = list(ledger.cases)
    match step:
        case "raise":
            ledger.hear(raised(at_ms, episode))
        case "tell":
            ledger.hear(replace(told(at_ms), episode=episode))
        case "clear":
            ledger.hear(ended(at_ms, episode))
        case "empty":
            ledger.hear(Event(at_ms=at_ms, event="emptied", asset=POOL))
        case "register":
            asset = POOL if which % 2 else ""
            ledger.register(Register(what="垃圾", by="dispatch-wu", asset=asset, area="ytan", rule="overflow"), at_ms)
        case dict() if cases:
            until_ms = step["until"] and at_ms + step["until"]
            wish = {name: value for name, value in step.items() if name != "until"}
            ledger.act(CaseCommand(**wish, case=cases[which % len(cases)], by="dispatch-wu", until_ms=until_ms), at_ms)
        case _:
            pass


def lived(
    script: list[tuple[int, int, object]], *, ticks: bool = False, restarts: bool = False
) -> tuple[list[Deed], Log, dict[str, Case]]:
    ledger, at_ms, episode = empty(), NOON, 0
    for place in ("", "桥头"):
        ledger.register(Register(what="垃圾", by="dispatch-wu", area="ytan", place=place), at_ms)
    deeds: list[Deed] = []
    kept: dict[str, Case] = {}
    log: Log = []

    def keep() -> None:
        written = ledger.take()
        deeds.extend(written.deeds)
        kept.update(written.cases)

    for gap, which, step in script:
        if ticks:
            ledger.advance(at_ms + gap // 2, log)
        at_ms += gap
        ledger.advance(at_ms, log)
        episode += step == "raise"
        happen(ledger, step, which, at_ms, f"overflow/{POOL}/{episode}")
        keep()
        if restarts or step == "restart":
            ledger = restarted(ledger)
    ledger.advance(at_ms + 30 * DAY, log)
    keep()
    return deeds, log, kept


@settings(max_examples=300, deadline=None)
@given(steps)
def test_no_sequence_closes_what_was_not_verified_and_whoever_has_it_has_rule_and_deadline(
    script: list[tuple[int, int, object]],
) -> None:
    deeds, _, kept = lived(script)
    state: dict[str, str] = {}
    for deed in deeds:
        assert deed.was in ("", state.get(deed.case, "")), "the history is a chain"
        if deed.now == State.CLOSED and deed.was != State.CLOSED:
            assert state[deed.case] == State.VERIFIED
        state[deed.case] = deed.now
    for case in kept.values():
        assert state[case.id] == case.state
        if case.state is not State.OPEN:
            assert case.rule
            assert case.deadline_ms
            assert case.owner or (case.origin is Origin.TELEMETRY and case.settled)


@settings(max_examples=60, deadline=None)
@given(steps)
def test_ticks_and_restarts_change_nothing(script: list[tuple[int, int, object]]) -> None:
    plain = lived(script)
    assert lived(script, ticks=True) == plain
    assert lived(script, restarts=True) == plain


def texts_of(log: Log) -> list[tuple[str, str]]:
    return [(each.to, each.text.removeprefix("【湘阳环卫】")) for each in log if isinstance(each, Owed)]


def relief(log: Log) -> list[str]:
    return [each.to for each in log if isinstance(each, Owed) and each.template == "relieved"]


def dispatched(at_ms: int, to: str = "", by: str = "dispatch-wu") -> Event:
    return replace(raised(at_ms), event="dispatched", detail={"by": by, "channel": "desk"} | ({"to": to} if to else {}))


def test_whoever_had_a_case_before_it_was_given_on_is_relieved_once() -> None:
    ledger = empty()
    case = registered(ledger)
    ask(ledger, case.id, CaseVerb.ASSIGN, to="cleaner-li")
    assert [to for to, _ in texts_of(advanced(ledger, NOON))] == ["cleaner-li"]
    ask(ledger, case.id, CaseVerb.ASSIGN, NOON + HOUR, to="cleaner-zhou")
    assert texts_of(advanced(ledger, NOON + HOUR)) == [
        ("cleaner-zhou", "柳潭村桥头：路边有垃圾。请23日12点前办好，办好回1。"),
        ("cleaner-li", "22日柳潭村桥头这件事已转给周师傅，您不用管了。"),
    ]
    ask(ledger, case.id, CaseVerb.ASSIGN, NOON + 2 * HOUR, to="driver-tang")
    assert relief(advanced(ledger, NOON + 2 * HOUR)) == ["cleaner-zhou"], "who was relieved is not relieved again"
    ask(ledger, case.id, CaseVerb.ASSIGN, NOON + 3 * HOUR, to="driver-tang", deadline_ms=NOON + 9 * HOUR)
    assert relief(advanced(ledger, NOON + 3 * HOUR)) == [], "the same person with more time"


def test_an_episode_that_is_given_on_relieves_who_was_told_but_not_who_declined_or_gave_it() -> None:
    ledger = empty()
    ledger.hear(raised())
    for to in ("cleaner-li", "driver-tang", "dispatch-wu"):
        ledger.hear(told(NOON, to))
    ledger.hear(replace(raised(NOON + MINUTE), event="declined", detail={"by": "driver-tang", "channel": "sms"}))
    ledger.hear(dispatched(NOON + HOUR))
    assert relief(advanced(ledger, NOON + HOUR)) == [], "told once more by the list, and given to nobody else"
    ledger.hear(dispatched(NOON + HOUR, "cleaner-zhou"))
    ledger.hear(told(NOON + HOUR, "cleaner-zhou"))
    (case,) = ledger.cases.values()
    assert (case.owner, case.state) == ("cleaner-zhou", State.ASSIGNED)
    assert texts_of(advanced(ledger, NOON + HOUR)) == [
        ("cleaner-li", "22日柳潭3号池这件事已转给周师傅，您不用管了。"),
    ]
    ledger.hear(dispatched(NOON + 90 * MINUTE, "cleaner-li"))
    assert relief(advanced(ledger, NOON + 90 * MINUTE)) == ["cleaner-zhou"]
    assert unpack_case(pack_case(ledger.cases[case.id])) == ledger.cases[case.id]


def test_the_case_of_an_episode_that_is_given_on_in_the_ledger_is_told_to_its_new_owner_at_once() -> None:
    night = NOON + 8 * HOUR
    ledger = empty()
    ledger.hear(raised(night))
    ledger.hear(told(night))
    (case,) = ledger.cases.values()
    ask(ledger, case.id, CaseVerb.ASSIGN, night + MINUTE, to="cleaner-zhou")
    assert [to for to, _ in texts_of(advanced(ledger, night + MINUTE))] == ["cleaner-zhou", "cleaner-li"]


def test_nobody_is_sent_home_from_a_fire() -> None:
    ledger = empty()
    fire = f"fire/{POOL}/20261122T040000Z"
    ledger.hear(raised(episode=fire, severity="P1"))
    ledger.hear(replace(told(NOON), episode=fire))
    ledger.hear(replace(dispatched(NOON + HOUR, "cleaner-zhou"), episode=fire, rule="fire"))
    assert relief(advanced(ledger, NOON + HOUR)) == []


def test_a_relief_is_not_said_once_it_is_not_so() -> None:
    night = NOON + 8 * HOUR
    ledger = empty()
    case = registered(ledger)
    ask(ledger, case.id, CaseVerb.ASSIGN, to="cleaner-li")
    advanced(ledger, NOON)
    ask(ledger, case.id, CaseVerb.ASSIGN, night, to="cleaner-zhou")
    ask(ledger, case.id, CaseVerb.ASSIGN, night + MINUTE, to="cleaner-li")
    assert texts_of(advanced(ledger, NOON + 20 * HOUR)) == [
        ("cleaner-li", "柳潭村桥头：路边有垃圾。请23日12点前办好，办好回1。")
    ]


@pytest.mark.parametrize(
    ("at_ms", "rule", "asked_ms"),
    [
        (NOON, "burning", NOON + 30 * MINUTE),
        (NOON + 8 * HOUR, "burning", NOON + 8 * HOUR + 30 * MINUTE),
        (NOON + 10 * HOUR, "burning", NOON + 19 * HOUR),
        (NOON, "reported", NOON + 4 * HOUR),
        (NOON + 4 * HOUR, "reported", NOON + 19 * HOUR),
    ],
    ids=["within the hour", "before it is night", "nobody is woken", "of a day the same day", "else in the morning"],
)
def test_what_is_nobodys_is_told_to_the_dispatcher_before_its_deadline(at_ms: int, rule: str, asked_ms: int) -> None:
    ledger = empty()
    case = registered(ledger, at_ms, rule=rule)
    assert advanced(ledger, asked_ms - 1) == [] or rule == "burning"
    log = [each for each in advanced(ledger, asked_ms) if isinstance(each, Owed) and each.at_ms == asked_ms]
    asked = [each for each in log if each.template == "case_unassigned"]
    assert [each.to for each in asked] == ["dispatch-wu"]
    assert "还没派人。请派人去办。" in asked[0].text
    assert asked_ms < case.deadline_ms or at_ms == NOON + 10 * HOUR


def test_what_was_given_to_somebody_is_not_asked_for_again() -> None:
    ledger = empty()
    case = registered(ledger)
    ask(ledger, case.id, CaseVerb.ASSIGN, to="cleaner-li")
    assert [to for to, _ in texts_of(advanced(ledger, NOON + 23 * HOUR))] == ["cleaner-li"]


def test_a_text_of_the_ledger_that_waits_for_its_channel_is_not_wanted_once_it_is_not_so() -> None:
    ledger = empty()
    case = registered(ledger)
    ask(ledger, case.id, CaseVerb.ASSIGN, to="cleaner-li")
    (assigned,) = advanced(ledger, NOON)
    assert isinstance(assigned, Owed)
    assert ledger.is_wanted(assigned) is True
    ask(ledger, case.id, CaseVerb.ASSIGN, to="cleaner-zhou")
    assert ledger.is_wanted(assigned) is False


def test_a_rule_that_the_ledger_does_not_name_gives_a_day() -> None:
    asked = POLICIES.ledger.of("of_nobodys_making")
    assert (asked.says, asked.within) == ("of_nobodys_mak", 24 * HOUR)
