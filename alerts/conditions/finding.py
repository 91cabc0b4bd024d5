"""What stage one tells stage two: findings of one input, and the step that they belong to. Values only."""

from enum import StrEnum

from msgspec import Struct

from alerts.conditions.state import AssetState
from alerts.model import Detail
from telemetry.reading import Millis


class Found(StrEnum):
    """What one input brought to light."""

    RAISED = "raised"
    CONFIRMED = "confirmed"
    REIGNITED = "reignited"
    RECOVERING = "recovering"
    RELAPSED = "relapsed"
    CLEARED = "cleared"
    LATCHED = "latched"
    STALE = "stale"
    FRESH = "fresh"
    EMPTIED = "emptied"
    PARTLY_EMPTIED = "partly_emptied"
    RUN_STATE = "run_state"
    STEADY = "steady"
    WORK_BEGUN = "work_begun"
    WORK_OVER = "work_over"


class Finding(Struct, frozen=True, gc=False):
    """What stage two hears: an episode moved, a device fell silent or spoke, a bin was emptied, a plant changed."""

    kind: Found
    at_ms: Millis
    asset: str
    rule: str = ""
    device: str = ""
    episode: str = ""
    severity: str = ""
    since_ms: Millis = 0
    late: bool = False
    reason: str = ""
    detail: Detail | None = None
    flapping: bool = False
    """With this it moved once too often (T15)."""


class EngineStep(Struct, frozen=True, gc=False):
    """The answer to one input: the next state, what was found, whether any machine moved, and a bin sample's level."""

    state: AssetState
    findings: tuple[Finding, ...]
    moved: bool
    judged_pct: float | None = None
