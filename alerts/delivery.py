"""What becomes of a notification after a try: a pure decision from the channel's answer, a table and the time.

Nothing here sends, waits or stores; the courier does what is decided here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from alerts.channels import Accepted, Failed, Outcome, Refused
from alerts.model import Event, Owed, Severity
from telemetry.reading import Millis


class Standing(StrEnum):
    """How a due notification was found: never handed over, or in the middle of a try that nobody saw end."""

    OWED = "owed"
    SENDING = "sending"


@dataclass(frozen=True, slots=True)
class Due:
    """A notification whose time has come. ``attempts`` counts the tries begun so far."""

    notification_id: int
    owed: Owed
    standing: Standing
    attempts: int


class Verdict(StrEnum):
    """What happens next: nothing more, another try, or nothing because it is of no use."""

    SETTLED = "settled"
    AGAIN = "again"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True)
class Step:
    """The verdict, and when to try again if that is the verdict."""

    verdict: Verdict
    next_attempt_ms: Millis | None = None


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds to wait after the first, second, … try, the last for all that follow, and how many tries at most."""

    waits_s: tuple[int, ...]
    tries: int


PACES: Final[Mapping[str, Pace]] = MappingProxyType(
    {
        Severity.P1: Pace((5, 10, 20, 30, 60, 120, 300), tries=294),  # a day: what burned yesterday wakes nobody
        Severity.P2: Pace((30, 60, 120, 300, 900), tries=290),  # three days, a provider's long weekend
        Severity.P3: Pace((60, 300, 900, 3600), tries=74),
        Severity.P4: Pace((60, 300, 900, 3600), tries=74),
    }
)
"""How patiently each severity is tried, so that a provider that is wrong for days loses nothing that still matters."""


@dataclass(frozen=True, slots=True)
class Bound:
    """What a reason changes about the pace: the shortest wait in seconds, and how many tries at most."""

    wait_s: int
    tries: int | None = None


REASONS: Final[Mapping[str, Bound]] = MappingProxyType(
    {
        "bug": Bound(wait_s=60, tries=3),  # our own mistake does not heal by itself
        "no_channel": Bound(wait_s=600),  # healed by a person who corrects the configuration
        "rate_limited": Bound(wait_s=60),
    }
)
_ORDINARY: Final = Bound(wait_s=0)
_LONGEST_WAIT_S: Final = 86_400
"""A provider that asks for more patience than a day is not obeyed."""


def next_step(outcome: Outcome, attempts: int, severity: str, now_ms: Millis) -> Step:
    """What happens after try number ``attempts`` (from 1) ended with ``outcome`` at ``now_ms``."""
    match outcome:
        case Accepted():
            return Step(Verdict.SETTLED)
        case Refused():
            return Step(Verdict.GIVEN_UP)
        case Failed(reason, retry_after_s):
            pace = PACES.get(severity, PACES[Severity.P3])
            bound = REASONS.get(reason, _ORDINARY)
            if attempts >= min(pace.tries, bound.tries or pace.tries):
                return Step(Verdict.GIVEN_UP)
            paced_s = pace.waits_s[min(max(attempts, 1), len(pace.waits_s)) - 1]
            wait_s = max(paced_s, bound.wait_s, min(retry_after_s or 0.0, _LONGEST_WAIT_S))
            return Step(Verdict.AGAIN, now_ms + int(wait_s * 1_000))


def resume(attempts: int, severity: str, now_ms: Millis) -> Step:
    """What happens after a try that nobody saw end and the provider never got: again at once, within the same bound."""
    if attempts >= PACES.get(severity, PACES[Severity.P3]).tries:
        return Step(Verdict.GIVEN_UP)
    return Step(Verdict.AGAIN, now_ms)


def undelivered(due: Due, reason: str, now_ms: Millis) -> Event:
    """The event that makes a notification given up visible (law L9)."""
    owed = due.owed
    return Event(
        at_ms=now_ms,
        event="undelivered",
        rule=owed.rule,
        asset=owed.asset,
        episode=owed.episode,
        severity=owed.severity,
        detail={"to": owed.to, "key": owed.key, "reason": reason, "attempts": due.attempts},
    )
