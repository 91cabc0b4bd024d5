"""The steps of a window on one asset: declared, begun, over, withdrawn; and the plant's run state with them.

One asset and one instant at a time, as in ``engine``; who may declare what is ``maintenance``.
"""

from msgspec.structs import replace

from alerts.conditions.finding import Finding, Found, Step
from alerts.conditions.run_state import followed
from alerts.conditions.state import AssetState, Plan
from alerts.windows import Window, turned
from telemetry.reading import Millis


def declared(state: AssetState, window: Window) -> Step:
    """The asset has one more window, which begins by its own time."""
    return Step(replace(state, windows=(*state.windows, window)), (), moved=True)


def due(plan: Plan, state: AssetState, at_ms: Millis) -> tuple[AssetState, list[Finding]]:
    """What begins or is over by ``at_ms``."""
    if not state.windows:
        return state, []
    windows, changed = turned(state.windows, at_ms)
    findings = [
        _finding(plan, window, Found.WORK_OVER if window.begun else Found.WORK_BEGUN, at_ms) for window in changed
    ]
    return replace(state, windows=windows), findings


def withdrawn(plan: Plan, state: AssetState, name: str, at_ms: Millis) -> Step:
    """The asset without a window, as if it had ended by itself."""
    gone = [window for window in state.windows if window.id == name]
    left = replace(state, windows=tuple(window for window in state.windows if window.id != name))
    findings = [_finding(plan, window, Found.WORK_OVER, at_ms) for window in gone if window.begun]
    return followed(plan, left, findings, at_ms, moved=bool(gone))


def _finding(plan: Plan, window: Window, kind: Found, at_ms: Millis) -> Finding:
    detail = {"reason": window.reason, "work": window.work.value, "window": window.id}
    until = {"until_ms": window.until_ms} if kind is Found.WORK_BEGUN else {}
    return Finding(kind, at_ms, plan.asset.id, reason=window.id, detail={**detail, **until})
