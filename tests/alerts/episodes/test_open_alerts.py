"""What stage two sees while one input is decided: who is silent, the findings at hand included, and what stands."""

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from alerts.alert import Alert
from alerts.build import assemble
from alerts.conditions import engine
from alerts.conditions.finding import Finding, Found
from alerts.conditions.state import AssetState
from alerts.episodes.open_alerts import OpenAlerts, Silence
from alerts.model import Severity
from alerts.undo import UndoLog
from telemetry.reading import Millis
from tests.telling_county import COUNTY, DAY, HOUR, MINUTE, POLICY_FILES, START_MS

PLACES: Final = {"a": ("v1", "t"), "b": ("v1", "t"), "c": ("v2", "t")}
"""Three witnesses in two villages of a town; a device that is in no place is none."""


def finding(device: str, kind: Found = Found.STALE) -> Finding:
    return Finding(kind, START_MS, "an-asset", device=device)


def stale(*devices: str) -> list[Finding]:
    return [finding(device) for device in devices]


def fresh(*devices: str) -> list[Finding]:
    return [finding(device, Found.FRESH) for device in devices]


def counts(silence: Silence, findings: Iterable[Finding] = ()) -> tuple[int, int, int]:
    hush = silence.after(findings)
    return hush.in_area("v1"), hush.in_area("v2"), hush.in_area("t")


# --- who is silent


def test_nobody_is_silent_at_first() -> None:
    silence = Silence(PLACES)
    assert counts(silence) == (0, 0, 0)
    assert "a" not in silence
    assert silence.after(()).in_area("an area without a witness") == 0


def test_what_is_only_looked_at_is_not_kept() -> None:
    silence = Silence(PLACES)
    hush = silence.after(stale("a", "c"))
    assert [device in hush for device in "abc"] == [True, False, True]
    assert counts(silence, stale("a", "c")) == (1, 1, 2)
    assert counts(silence) == (0, 0, 0)
    assert "a" not in silence


def test_what_is_kept_is_counted_until_it_speaks() -> None:
    silence = Silence(PLACES)
    silence.keep(stale("a", "b"))
    assert (counts(silence), "a" in silence, "c" in silence) == ((2, 0, 2), True, False)
    hush = silence.after(fresh("a"))
    assert [device in hush for device in "abc"] == [False, True, False]
    assert counts(silence, [*fresh("a"), *stale("c")]) == (1, 1, 2)
    silence.keep([*fresh("a"), *stale("c")])
    assert (counts(silence), "a" in silence, "c" in silence) == ((1, 1, 2), False, True)


def test_a_device_that_is_silent_already_and_one_that_speaks_already_count_once() -> None:
    silence = Silence(PLACES)
    silence.keep(stale("a"))
    silence.keep(stale("a"))
    assert counts(silence) == (1, 0, 1)
    silence.keep(fresh("b"))
    assert counts(silence) == (1, 0, 1)
    silence.keep([*fresh("a"), *fresh("a")])
    assert counts(silence) == (0, 0, 0)


def test_a_device_that_is_no_witness_is_silent_all_the_same() -> None:
    silence = Silence(PLACES)
    silence.keep(stale("lonely"))
    assert "lonely" in silence
    assert "lonely" in silence.after(())
    assert counts(silence) == (0, 0, 0)


def test_other_findings_say_nothing_of_it() -> None:
    silence = Silence(PLACES)
    silence.keep([finding("a", Found.RAISED), finding("b", Found.CLEARED)])
    assert counts(silence) == (0, 0, 0)


def test_a_silence_that_is_taken_back_was_none() -> None:
    undo = UndoLog()
    silence = Silence(PLACES, undo)
    silence.keep(stale("c"))
    savepoint = undo.savepoint()
    silence.keep([*stale("a"), *fresh("c")])
    undo.rollback(savepoint)
    undo.release()
    assert (counts(silence), "a" in silence, "c" in silence) == ((0, 1, 1), False, True)


def test_the_silence_comes_back_from_what_was_remembered() -> None:
    county = assemble(COUNTY, POLICY_FILES)[0]
    known = dict.fromkeys(COUNTY.devices, START_MS - 2 * DAY) | dict.fromkeys(("s-far", "s-new"), START_MS)
    states: dict[str, AssetState] = {}
    for asset, plan in county.plans.items():
        state = plan.born(known)
        while engine.deadline_ms(plan, state) <= START_MS:
            state = engine.expire(plan, state, engine.deadline_ms(plan, state)).state
        states[asset] = state
    silence = Silence(dict.fromkeys(COUNTY.devices, ("everywhere",)))
    silence.keep(stale("s-new"))
    silence.restore(county.plans, states)
    silent = {device for device in COUNTY.devices if device in silence}
    assert silent == {"s-pool", "s-road", "s-round", "m-plant", "m-works"}, "and of before nothing is left"
    assert silence.after(()).in_area("everywhere") == 5


# --- what stands


def alert(episode: str, rule: str = "overflow", asset: str = "pool", **more: Millis) -> Alert:
    made = Alert(
        episode=episode,
        rule=rule,
        asset=asset,
        device="s-pool",
        severity=Severity.P2,
        raised_ms=START_MS,
        since_ms=START_MS,
        detail={},
    )
    return replace(made, **more)


POOL, ROAD, FIRE = alert("o/pool"), alert("o/road", asset="road"), alert("f/pool", "fire")
OVER: Final = alert("s/pool", "over_two_thirds", closed_ms=START_MS + 1)


def open_alerts(*known: Alert, states: dict[str, AssetState] | None = None, **more: Millis) -> OpenAlerts:
    by_name = {each.episode: each for each in known}
    causes = {name: each for name, each in by_name.items() if each.rule in ("fire", "overflow")}
    remembered = states or {}
    made = OpenAlerts(by_name, causes, Silence(PLACES).after(()), remembered.get, lambda _device: 0)
    for name, value in more.items():
        setattr(made, name, value)
    return made


def names(alerts: Iterable[Alert]) -> list[str]:
    return [each.episode for each in alerts]


def test_an_alert_is_seen_as_it_was_left_last() -> None:
    view = open_alerts(POOL)
    later = replace(POOL, step=1)
    assert (view.get("o/pool"), view.get("o/road")) == (POOL, None)
    view.enter(later)
    assert view.get("o/pool") is later
    assert view.changed == {"o/pool": later}
    assert view.known == {"o/pool": POOL}, "who keeps it is somebody else"


def test_what_stands_is_what_is_not_over_oldest_first() -> None:
    view = open_alerts(POOL, OVER, ROAD)
    view.enter(FIRE)
    view.enter(replace(POOL, step=1))
    assert names(view.standing()) == ["o/pool", "o/road", "f/pool"]
    assert next(iter(view.standing())).step == 1
    view.enter(replace(ROAD, closed_ms=START_MS))
    assert names(view.standing()) == ["o/pool", "f/pool"]


def test_what_stands_on_one_asset_is_all_that_does_and_nothing_twice() -> None:
    view = open_alerts(POOL, OVER, ROAD)
    assert names(view.on("pool")) == ["o/pool"]
    view.enter(FIRE)
    view.enter(replace(POOL, step=1))
    assert [(each.episode, each.step) for each in view.on("pool")] == [("f/pool", 0), ("o/pool", 1)]
    assert names(view.on("road")) == ["o/road"]
    view.enter(replace(POOL, closed_ms=START_MS))
    assert names(view.on("pool")) == ["f/pool"]
    assert view.on("far") == []


def test_what_may_explain_is_found_without_a_look_at_the_rest() -> None:
    view = open_alerts(POOL, alert("b/pool", "battery_low"))
    assert names(view.explaining()) == ["o/pool"]
    view.enter(FIRE)
    view.enter(alert("t/road", "over_two_thirds", "road"))
    assert names(view.explaining()) == ["o/pool", "f/pool"]
    view.enter(replace(POOL, closed_ms=START_MS))
    assert names(view.explaining()) == ["f/pool"]


def test_what_fell_due_while_nobody_could_hear_waits_for_the_grace() -> None:
    view = open_alerts(listening_ms=START_MS, not_before_ms=START_MS + 10 * MINUTE)
    due, later = alert("a", due_ms=START_MS - 1), alert("b", due_ms=START_MS)
    assert view.is_held(due, START_MS + 10 * MINUTE - 1)
    assert not view.is_held(due, START_MS + 10 * MINUTE)
    assert not view.is_held(later, START_MS + MINUTE), "it fell due while we listened"


def test_what_is_remembered_is_that_of_the_state() -> None:
    county = assemble(COUNTY, POLICY_FILES)[0]
    state = county.plans["pool"].born(dict.fromkeys(COUNTY.devices, START_MS - HOUR))
    view = open_alerts(states={"pool": state})
    assert view.memory("pool") is state.memory
    assert view.memory("a county") is None
