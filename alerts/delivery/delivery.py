"""What becomes of a notification after a try, or when no receipt comes: a pure decision from an answer and the time.

Also which limit of a provider on texts of one template to one number was met, and when it opens again. Nothing here
sends, waits or stores; the courier does what is decided here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta, timezone
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

from alerts.calendars import DAY_MS, HOUR_MS, MINUTE_MS, Calendar
from alerts.channels import Accepted, Caps, Failed, Outcome, SendRefused
from alerts.model import URGENT, Detail, Event, Owed, Severity
from telemetry.reading import Millis
from telemetry.terms import Hours

_CHINA: Final = timezone(timedelta(hours=8))
_A_MONTH_MOST: Final = timedelta(days=32)


class Limited(NamedTuple):
    """A text to a number that a provider did not take, since it had had enough of its like; ``at_ms`` is when."""

    via: str
    template: str
    reason: str
    at_ms: Millis

    @property
    def opens_ms(self) -> Millis:
        """When the provider may take one again."""
        return LIMITS[self.reason](self.at_ms)


def _next_day(at_ms: Millis) -> Millis:
    local = datetime.fromtimestamp(at_ms / 1_000, _CHINA)
    return _to_ms(datetime(local.year, local.month, local.day, tzinfo=_CHINA) + timedelta(days=1))


def _next_month(at_ms: Millis) -> Millis:
    local = datetime.fromtimestamp(at_ms / 1_000, _CHINA)
    return _to_ms((datetime(local.year, local.month, 1, tzinfo=_CHINA) + _A_MONTH_MOST).replace(day=1))


def _to_ms(moment: datetime) -> Millis:
    return int(moment.timestamp()) * 1_000


LIMITS: Final[Mapping[str, Callable[[Millis], Millis]]] = MappingProxyType(
    {
        "limit_minute": lambda at_ms: at_ms + 60_000,
        "limit_hour": lambda at_ms: at_ms + 3_600_000,
        "limit_day": _next_day,
        "limit_month": _next_month,
    }
)
"""By the reason that a channel gives: when a limit that was met at an instant opens. Days and months are China's."""


class DueState(StrEnum):
    """How a due notification was found: never handed over, in a try that nobody saw end, or without its receipt."""

    OWED = "owed"
    SENDING = "sending"
    ACCEPTED = "accepted"


class Taken(NamedTuple):
    """A text that a channel took for the same number lately."""

    via: str
    template: str
    at_ms: Millis


@dataclass(frozen=True, slots=True)
class Due:
    """A notification whose time has come. ``attempts`` counts the tries begun so far.

    ``via`` is the channel that has it, or is to have it next; empty is the first of its route. ``refused`` are those
    that will never take it. ``reason`` is what a receipt said, empty when none came.
    """

    notification_id: int
    owed: Owed
    standing: DueState
    attempts: int
    via: str = ""
    refused: frozenset[str] = frozenset()
    accepted_ms: Millis = 0
    reason: str = ""
    unsure: str = ""
    """The channel that did not answer the last try in time: it may have taken it."""
    taken: tuple[Taken, ...] = ()
    """What the number got in the last 24 hours."""
    limited: tuple[Limited, ...] = ()
    """What a provider's limits kept from the number in the last month."""


@dataclass(frozen=True, slots=True)
class Routes:
    """The channels in the order in which they are tried, for texts and for calls."""

    text: tuple[str, ...]
    voice: tuple[str, ...] = ()

    def of(self, due: Due) -> tuple[str, ...]:
        """The channels for a notification, but for those that refused it. A call that cannot be made becomes a text.

        Unless it is one of the calls beside a text.
        """
        owed = due.owed
        spoken = self.voice if owed.call else (*self.voice, *self.text)
        named = spoken if owed.channel == VOICE else self.text
        return tuple(name for name in named if name not in due.refused)


VOICE: Final = "voice"


class TryVerdict(StrEnum):
    """What happens next: nothing more, another try, or nothing because it is of no use."""

    SETTLED = "settled"
    AGAIN = "again"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True)
class NextTry:
    """The verdict; when and by which channel to try again, if that is the verdict; by when its receipt should be here.

    An empty ``via`` begins at the first channel of the route.
    """

    verdict: TryVerdict
    next_attempt_ms: Millis | None = None
    via: str = ""
    receipt_due_ms: Millis | None = None


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds to wait after the first, second, … try, the last for all that follow, and how many tries at most."""

    waits_s: tuple[int, ...]
    tries: int


PACES: Final[Mapping[str, Pace]] = MappingProxyType(
    {
        Severity.P1: Pace((5, 10, 20, 30, 60, 90), tries=965),  # a day: what burned yesterday wakes nobody
        Severity.P2: Pace((30, 60, 120, 300, 900), tries=290),  # three days, a provider's long weekend
        Severity.P3: Pace((60, 300, 900, 3600), tries=74),
        Severity.P4: Pace((60, 300, 900, 3600), tries=74),
    }
)
"""How patiently each severity is tried, so that a provider that is wrong for days loses nothing that still matters.

The longest wait lies within the bound of alerting.md §4 (a fire's two minutes): once a provider is well, it is kept.
"""


@dataclass(frozen=True, slots=True)
class Bound:
    """What a reason changes about the pace: the shortest wait in seconds, and how many tries at most.

    What is urgent is tried on at its own pace after so many; then somebody else is told as well.
    """

    wait_s: int
    tries: int | None = None


REASONS: Final[Mapping[str, Bound]] = MappingProxyType(
    {
        "bug": Bound(wait_s=60, tries=3),  # seldom heals by itself, but where a provider's answer leads to it
        "no_channel": Bound(wait_s=600),  # healed by a person who corrects the configuration
        "rate_limited": Bound(wait_s=60),
        "cap_number_day": Bound(wait_s=3_600),  # what is over a cap is looked at again, not sent
        "cap_number_hour": Bound(wait_s=600),
        "cap_template_day": Bound(wait_s=3_600),
    }
)
_ORDINARY: Final = Bound(wait_s=0)
TIMEOUT: Final = "timeout"
"""A channel did not answer in time, and may have taken it."""
STILL_LIMITED: Final = "still_limited"
"""Not even asked again: what a provider said of its limit still holds."""
PATIENCE_MS: Final[Mapping[str, Millis]] = MappingProxyType(
    {Severity.P1: 86_400_000, Severity.P2: 259_200_000, Severity.P3: 259_200_000, Severity.P4: 259_200_000}
)
"""What a limit keeps for longer than that since it was owed is given up: it would be news of another week."""
_LONGEST_WAIT_S: Final = 86_400
"""A provider that asks for more patience than a day is not obeyed."""


RECEIPT_WITHIN_MS: Final[Mapping[str, Millis]] = MappingProxyType(
    {Severity.P1: 120_000, Severity.P2: 900_000, Severity.P3: 86_400_000, Severity.P4: 86_400_000}
)
"""How long a receipt is waited for before something is done about it (alerting.md §4)."""


def next_step(
    outcome: Outcome,
    attempts: int,
    severity: str,
    now_ms: Millis,
    route: Sequence[str] = ("",),
    opens_ms: Millis = 0,
) -> NextTry:
    """What happens after try number ``attempts`` (from 1) ended with ``outcome`` at ``now_ms``.

    ``route`` are the channels that may take it, the one that was tried first, the others in their order after it.
    ``opens_ms`` is when the first of them may take it again where limits of theirs close them all, else 0.
    """
    match outcome:
        case Accepted(delivered=delivered, receipted=receipted):
            awaited = receipted and not delivered
            within_ms = RECEIPT_WITHIN_MS.get(severity, DAY_MS)
            return NextTry(TryVerdict.SETTLED, receipt_due_ms=now_ms + within_ms if awaited else None)
        case SendRefused():
            return NextTry(TryVerdict.AGAIN, now_ms, route[1]) if len(route) > 1 else NextTry(TryVerdict.GIVEN_UP)
        case Failed(reason, retry_after_s):
            pace = PACES.get(severity, PACES[Severity.P3])
            bound = REASONS.get(reason, _ORDINARY)
            ways = max(1, len(route))
            most = pace.tries if severity in URGENT else min(pace.tries, bound.tries or pace.tries)
            if attempts >= ways * most:
                return NextTry(TryVerdict.GIVEN_UP)
            if opens_ms:
                return NextTry(TryVerdict.AGAIN, opens_ms)
            if attempts % ways:
                return NextTry(TryVerdict.AGAIN, now_ms, route[1])
            onward = route[1] if ways > 1 else ""
            paced_s = pace.waits_s[min(max(attempts // ways, 1), len(pace.waits_s)) - 1]
            wait_s = max(paced_s, bound.wait_s, min(retry_after_s or 0.0, _LONGEST_WAIT_S))
            return NextTry(TryVerdict.AGAIN, now_ms + int(wait_s * 1_000), onward)


def resume(attempts: int, severity: str, now_ms: Millis, via: str = "") -> NextTry:
    """What happens after a try that nobody saw end and the provider never got: again at once, within the same bound."""
    if attempts >= PACES.get(severity, PACES[Severity.P3]).tries:
        return NextTry(TryVerdict.GIVEN_UP)
    return NextTry(TryVerdict.AGAIN, now_ms, via)


def around(route: Sequence[str], via: str) -> tuple[str, ...]:
    """The route as seen from one of its channels: that one, those after it, then those before."""
    if via not in route:
        return tuple(route)
    at = route.index(via)
    return (*route[at:], *route[:at])


def over_cap(caps: Caps, due: Due, via: str, now_ms: Millis) -> Failed | None:
    """Why the provider would not take it today; decided before it is asked, since each refusal counts with it too."""
    theirs = [taken for taken in due.taken if taken.via == via]
    bounds = (
        ("cap_number_hour", caps.number_hour, [taken for taken in theirs if taken.at_ms > now_ms - HOUR_MS]),
        ("cap_number_day", caps.number_day, theirs),
        ("cap_template_day", caps.template_day, [taken for taken in theirs if taken.template == due.owed.template]),
    )
    return next((Failed(reason) for reason, most, found in bounds if most is not None and len(found) >= most), None)


def shut(due: Due, via: str, now_ms: Millis) -> Failed | None:
    """Why a channel need not be asked: what it said of its limit still holds."""
    return Failed(STILL_LIMITED) if _opening_ms(due, via) > now_ms else None


def opens_ms(due: Due, via: str, outcome: Outcome, route: Sequence[str], now_ms: Millis) -> Millis:
    """When the first of its channels opens, if limits close them all now; 0 if one may take it.

    ``outcome`` is what ``via`` has just answered.
    """
    if isinstance(outcome, Failed) and outcome.reason in LIMITS:
        due = replace(due, limited=(*due.limited, Limited(via, due.owed.template, outcome.reason, now_ms)))
    openings = [_opening_ms(due, each) for each in route]
    return min(openings, default=0) if all(opening > now_ms for opening in openings) else 0


def _opening_ms(due: Due, via: str) -> Millis:
    """When the channel's limits on its like are open, as far as is known; whatever it took since opened them."""
    like = (via, due.owed.template)
    took_ms = max((taken.at_ms for taken in due.taken if (taken.via, taken.template) == like), default=0)
    met = (limit for limit in due.limited if (limit.via, limit.template) == like and limit.at_ms >= took_ms)
    return max((limit.opens_ms for limit in met), default=0)


@dataclass(frozen=True, slots=True)
class Nights:
    """When the county sleeps, and when what was kept through the night leaves."""

    calendar: Calendar
    quiet: Hours
    morning: time

    def wake_ms(self, due: Due, now_ms: Millis) -> Millis:
        """When a text may leave that was owed by day and has not left until now, by night; 0 if nobody need wait.

        A P1 or P2 goes on by its own rules. Who has just written by night is awake and gets an answer.
        """
        owed = due.owed
        if owed.severity in URGENT or not self.calendar.is_within(now_ms, self.quiet):
            return 0
        if self.calendar.is_within(owed.at_ms, self.quiet) and now_ms - owed.at_ms < AWAKE_MS:
            return 0
        return self.calendar.next_time(now_ms, self.morning)


AWAKE_MS: Final[Millis] = 15 * MINUTE_MS
"""So long after a text by night its reader is taken for awake."""


def is_too_late(due: Due, at_ms: Millis) -> bool:
    """Whether it would be no news any more by then."""
    return at_ms - due.owed.at_ms > PATIENCE_MS.get(due.owed.severity, DAY_MS)


def is_long(due: Due, wait_ms: Millis) -> bool:
    """Whether somebody else has to hear of it meanwhile: longer than one would wait for its receipt."""
    return wait_ms > RECEIPT_WITHIN_MS.get(due.owed.severity, DAY_MS)


def is_vain(due: Due, reason: str, route: Sequence[str]) -> bool:
    """Whether anything less urgent would be given up with this try: somebody else has to hear of it meanwhile."""
    tries = REASONS.get(reason, _ORDINARY).tries
    return due.owed.severity in URGENT and tries is not None and due.attempts == max(1, len(route)) * tries


def event_of(name: str, due: Due, reason: str, now_ms: Millis, **more: str | int) -> Event:
    """What became of a text, as a row about its episode: nothing of it is passed over in silence (law L9).

    Of a text for several it names them all; a call beside a text has its number.
    """
    owed = due.owed
    about: Detail = {"covers": list(owed.covers)} if owed.covers else {}
    beside: Detail = {"call": owed.call} if owed.call else {}
    return Event(
        at_ms=now_ms,
        event=name,
        rule=owed.rule,
        asset=owed.asset,
        episode=owed.episode,
        severity=owed.severity,
        detail={"to": owed.to, "phone": owed.phone, "key": owed.key, "reason": reason, **more, **about, **beside},
    )


NO_RECEIPT: Final = "no_receipt"
TICKET: Final = "data_ticket"
_NOT_THE_NUMBERS: Final = ("sending_error", "CONTENT_", "SIGNATURE_", "AMOUNT_", "MOBILE_SEND_LIMIT", "NO_ROUTE", "SP_")
"""Beginnings of what a receipt says that speaks of the line or of the text, and not of the number."""
_TICKET_MS: Final = DAY_MS
"""A number that gave no receipt for so long is looked into."""


@dataclass(frozen=True, slots=True)
class Lapse:
    """What is done: sent on ``via`` another channel, waited for until ``receipt_due_ms``, or nothing more.

    ``hurry`` calls the next person too. ``events`` say why.
    """

    events: tuple[Event, ...]
    via: str = ""
    receipt_due_ms: Millis | None = None
    hurry: bool = False


def lapse(due: Due, route: tuple[str, ...], now_ms: Millis) -> Lapse:
    """What becomes of an accepted notification whose receipt is due at ``now_ms``."""
    urgent = due.owed.severity in URGENT
    reason = due.reason or NO_RECEIPT
    waited_ms = now_ms - due.accepted_ms
    in_time = urgent and waited_ms < _TICKET_MS
    onward = _after(route, due.via) if due.reason or in_time else ""
    hurry = due.owed.severity == Severity.P1 and (bool(due.reason) or in_time)
    hurry = hurry or (urgent and bool(due.reason) and not onward)  # it will not arrive any more
    if onward:
        return Lapse((_event("unreceipted", due, reason, now_ms, onward),), via=onward, hurry=hurry)
    if due.reason or not in_time:
        return Lapse((_event(TICKET, due, reason, now_ms),), hurry=hurry)
    until_ms = due.accepted_ms + _TICKET_MS
    return Lapse((_event("unreceipted", due, reason, now_ms),), receipt_due_ms=until_ms, hurry=hurry)


def is_lost(due: Due, decided: Lapse) -> bool:
    """Whether a text was given up and its number may be why. An unanswered call says nothing about a number."""
    is_text = due.owed.channel != VOICE and not due.owed.call
    given_up = any(event.event == TICKET for event in decided.events)
    return given_up and is_text and not due.reason.startswith(_NOT_THE_NUMBERS)


def _after(route: tuple[str, ...], via: str) -> str:
    """The channel that comes next, and none that was tried before: each way is gone once."""
    if via not in route:
        return ""
    return next(iter(route[route.index(via) + 1 :]), "")


def _event(name: str, due: Due, reason: str, now_ms: Millis, onward: str = "") -> Event:
    return event_of(name, due, reason, now_ms, via=due.via, **({"onward": onward} if onward else {}))
