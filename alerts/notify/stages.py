"""In which order a text may be dropped, held back or readdressed before it leaves: the stages of telling, as one tuple.

A stage is asked what is to be told, and what those before it made of that. It passes their answer on, or answers with
a later instant and its own reason (law L9). No stage writes a row or keeps anything: what follows from an answer is
``escalation``'s and ``pending``'s, and in which words several leave together is ``digest``'s.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, Literal, TypeAlias, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from alerts.alert import Alert
from alerts.calendars import DAY_MS, MINUTE_MS, Calendar
from alerts.model import BEGUN, MessageKind, Owed, Severity
from alerts.notify.holds import Holds
from alerts.notify.mailbox import Mailbox
from alerts.notify.texts import ANSWERED_OVER, FOLLOWED_AT
from alerts.operations.absences import ABSENCE
from alerts.people import Holder
from alerts.timers import NEVER
from telemetry.reading import Millis
from telemetry.terms import Hours

Reason: TypeAlias = Literal[
    "weekly_list",
    "late",
    "cleared",
    "shelved",
    "acknowledged",
    "inhibited",
    "recovering",
    "round_pending",
    "off_duty",
    "trial",
    "quiet",
    "hours",
    "absent",
    "told_already",
    "outdated",
    "grouped",
    "storm",
    "budget",
    "daily_cap",
]
"""Every word with which a stage says why something is not told, not yet or not to this person; rows keep them."""
RECOVERING: Final = "recovering"
ROUND_PENDING: Final = "round_pending"
TRIAL: Final = "trial"
QUIET: Final = "quiet"
_MOST_TURNS: Final = 14
"""Duty by night and texts by day never meet: then the text leaves on the first day."""


class Release(Struct, frozen=True):
    """When something may leave, and what it waits for until then; no reason means that nothing holds it.

    At ``NEVER`` no clock ends the wait: it is dropped, or something else than an hour has to come.
    """

    at_ms: Millis
    reason: Reason | Literal[""] = ""
    to: str = ""
    """Who is told in the place of the one who was to be."""


class DueStep(Struct, frozen=True):
    """A step of an episode, or another word about it, that is to be told ``at_ms``; ``hours`` is its own window."""

    alert: Alert
    at_ms: Millis
    hours: Hours | None = None
    emptied_ms: Millis = 0
    """When its bin was last seen to be emptied."""
    holder: Holder | None = None
    """The one person whom it is for, where their duty is asked as well."""


class WaitingMessage(Struct, frozen=True):
    """A message on its way to a number whose mailbox is ``box``, looked at ``now_ms``."""

    owed: Owed
    now_ms: Millis
    box: Mailbox = Mailbox("")
    alerts: Mapping[str, Alert] = {}
    """The open episodes."""
    room: Release = Release(0)
    """When the budget of the number, and the share of its asset in it, have room for it."""
    oldest_ms: Millis = 0
    """When the oldest was owed of those that may leave above the budget; 0 where it is none of them."""
    wakes: bool = False
    """Whether the number is told something by night anyway."""


T = TypeVar("T")
Stage: TypeAlias = Callable[[Holds, T, Release], Release]
"""One place where a text may be stopped: the answer so far in; out comes the same or a later one, with its reason."""


def walk(stages: Iterable[Stage[T]], holds: Holds, told: T, release: Release) -> Release:
    """What these make of it, one after the other; after one that waits for no clock nobody is asked any more."""
    for stage in stages:
        release = stage(holds, told, release)
        if release.at_ms == NEVER:
            break
    return release


def leave_to_list(holds: Holds, told: DueStep, release: Release) -> Release:
    """What matters little, or has no steps, stands in a list alone."""
    tells = holds.policies.of(told.alert.rule).tells(told.alert.severity)
    return release if tells else Release(NEVER, "weekly_list")


def skip_past(_: Holds, told: DueStep, release: Release) -> Release:
    """Nobody is told of the past: only late samples have said so."""
    return release if told.alert.owes else Release(NEVER, "late")


def suppress(_: Holds, told: DueStep, release: Release) -> Release:
    """It is over, a person keeps it quiet or has seen to it, or its cause is told."""
    alert = told.alert
    if alert.closed_ms:
        return Release(NEVER, "cleared")
    if alert.shelved_until_ms:
        return Release(NEVER, "shelved")
    if alert.is_seen_to:
        return Release(NEVER, "acknowledged")
    return Release(NEVER, "inhibited") if alert.parent else release


def await_recovery(_: Holds, told: DueStep, release: Release) -> Release:
    """It is getting better: a step, or the word after an inhibition, waits for what comes of that."""
    waits = told.alert.recovering and told.alert.severity is not Severity.P1
    return Release(NEVER, RECOVERING) if waits else release


def await_own_round(holds: Holds, told: DueStep, release: Release) -> Release:
    """Nobody has been told yet because a round of its own may still do it; that ends with the round."""
    alert, asset = told.alert, holds.inventory.assets.get(told.alert.asset)
    untold = alert.step == 0 and alert.missed == 0 and holds.policies.of(alert.rule).rounds
    if not untold or asset is None or not holds.has_rounds(alert):
        return release
    return release if holds.between_rounds(asset, told.at_ms) == told.at_ms else Release(NEVER, ROUND_PENDING)


def await_duty(holds: Holds, told: DueStep, release: Release) -> Release:
    """Whoever it is for comes on duty; what burns asks for no duty."""
    holder = told.holder
    if holder is None or told.alert.severity is Severity.P1:
        return release
    return _later(release, on_duty_ms(holds.calendar, holder, release.at_ms), "off_duty")


def await_trial(holds: Holds, told: DueStep, release: Release) -> Release:
    """What is new or not accepted yet tells nobody but the desk."""
    return release if holds.is_free(told.alert) else _later(release, holds.trials.of_alert(told.alert), TRIAL)


def await_day(holds: Holds, told: DueStep, release: Release) -> Release:
    """The night is for what cannot wait."""
    if holds.passes_night(told.alert) or not holds.is_night(release.at_ms):
        return release
    return Release(holds.calendar.next_time(release.at_ms, holds.policies.morning), QUIET)


def await_hours(holds: Holds, told: DueStep, release: Release) -> Release:
    """Its step has hours of its own."""
    hours = told.hours
    if hours is None or holds.passes_night(told.alert) or holds.calendar.is_within(release.at_ms, hours):
        return release
    return Release(holds.calendar.next_time(release.at_ms, max(hours.start, holds.policies.morning)), "hours")


def hold(holds: Holds, told: DueStep, release: Release) -> Release:
    """The first instant at which nobody's duty, no trial, no night and no hours hold it: one may lead into another."""
    first = later = walk(HOLDS, holds, told, release)
    for _ in range(_MOST_TURNS):
        release, later = later, walk(HOLDS, holds, told, later)
        if later.at_ms == release.at_ms:
            return release
    return first


def await_near_round(holds: Holds, told: DueStep, release: Release) -> Release:
    """What could leave now is left to a round that runs or is near.

    It waits for one round, not for the next as well, nor for one that has emptied the bin already. Beside a road, or
    where a bin has priority, it is told while the truck is still out.
    """
    alert, policies = told.alert, holds.policies
    asset, policy = holds.inventory.assets.get(alert.asset), policies.of(alert.rule)
    if release.reason or asset is None or not policy.waits_for_round or alert.reason == ROUND_PENDING:
        return release
    slot = next(holds.calendar.slots(asset, told.at_ms), None)
    if slot is None or slot.start_ms > told.at_ms + policies.round_notice or told.emptied_ms >= slot.start_ms:
        return release
    beside = asset.priority or asset.roadside
    return _later(release, slot.end_ms + (-policy.round_last if beside else policies.round_grace), ROUND_PENDING)


def hand_to_stand_in(holds: Holds, told: WaitingMessage, release: Release) -> Release:
    """Who is away is told by whoever stands in for them."""
    there = holds.absences.instead(told.owed.to, told.now_ms)
    return release if there == told.owed.to else replace(release, reason="absent", to=there)


def drop_known(_: Holds, told: WaitingMessage, release: Release) -> Release:
    """This very message waits for the number, or left to it within a day: who stands in had it for themselves."""
    keys = {*(each.key for each in told.box.pending), *(each.key for each in told.box.left)}
    return Release(NEVER, "told_already") if told.owed.key in keys else release


def drop_unwanted(holds: Holds, told: WaitingMessage, release: Release) -> Release:
    """Everything that it speaks of has become quiet since; what says that something is over always leaves."""
    owed = told.owed
    is_list = owed.kind is MessageKind.DIGEST and not owed.covers
    is_end = owed.kind is MessageKind.CLEARED or owed.template == ANSWERED_OVER
    if is_end or not owed.episode or is_list:
        return release
    if owed.rule == ABSENCE:  # who is back needs nobody in their place
        absence = holds.absences.get(owed.episode)
        is_over = absence is not None and absence.until_ms <= told.now_ms
        return Release(NEVER, "cleared") if is_over else release
    alerts = (told.alerts.get(episode) for episode in owed.covers or (owed.episode,))
    gone = Release(NEVER, "cleared")
    found = [gone if one is None else suppress(holds, DueStep(one, told.now_ms), release) for one in alerts]
    if owed.kind is MessageKind.NOTICE:  # it says how things stand, also to who acknowledged them
        found = [one if one == gone else release for one in found]
    return found[0] if all(one.at_ms == NEVER for one in found) else release


def drop_outdated(holds: Holds, told: WaitingMessage, release: Release) -> Release:
    """A list is of no use on another day, nor once the next of its kind is due, which says what still stands."""
    calendar, lists, owed = holds.calendar, holds.policies.lists, told.owed
    hours = FOLLOWED_AT.get(owed.template)
    if hours is None:
        return release
    nexts_ms = [calendar.next_time(owed.at_ms + 1, lists[hour]) for hour in hours if hour in lists]
    ends_ms = min([calendar.midnight(owed.at_ms) + DAY_MS, *nexts_ms])
    return Release(NEVER, "outdated") if told.now_ms >= ends_ms else release


def gather(holds: Holds, told: WaitingMessage, release: Release) -> Release:
    """Some rules let their like come together before the first text."""
    waits = ((each, holds.policies.of(each.rule).gather if each.kind in BEGUN else 0) for each in told.box.pending)
    return _later(release, min(each.at_ms + wait for each, wait in waits), "grouped")


def fold(holds: Holds, told: WaitingMessage, release: Release) -> Release:
    """After a text the next waits: less for what matters more, and a closing word hurries nobody."""
    box, telling = told.box, holds.policies.telling
    if not box.left_ms:
        return release
    matters = (each for each in box.pending if each.kind is not MessageKind.CLEARED)
    urgent = box.storm_ms or any(each.severity == Severity.P2 for each in matters)
    return _later(release, box.left_ms[-1] + (telling.fold_p2 if urgent else telling.fold_p3), "grouped")


def slow_storm(holds: Holds, told: WaitingMessage, release: Release) -> Release:
    """In a storm one text tells of all that came: the first soon, then one each window, and few in half an hour."""
    box, telling = told.box, holds.policies.telling
    if not box.storm_ms:
        return release
    since = [at for at in box.left_ms if at >= box.storm_ms]
    due_ms = since[-1] + telling.storm_window if since else box.storm_ms + telling.storm_first
    span, most = telling.storm_budget
    if len(box.left_ms) >= most:
        due_ms = max(due_ms, box.left_ms[-most] + span)
    return _later(release, due_ms, "storm")


def ration(holds: Holds, told: WaitingMessage, release: Release) -> Release:
    """The number has had all it may get. A P2 of an asset not told of today leaves soon all the same.

    The first of a day at once, the others as one, within so long of the oldest of them.
    """
    telling, room = holds.policies.telling, told.room
    at_ms = room.at_ms
    if told.oldest_ms:
        over = len(told.box.over_since(holds.calendar.midnight(told.now_ms)))
        at_ms = min(at_ms, told.oldest_ms + (0 if over < telling.over_a_day else telling.over_within))
    return _later(release, at_ms, room.reason)


def await_morning(holds: Holds, told: WaitingMessage, release: Release) -> Release:
    """What may leave only in the night waits for the morning; a P2 that was owed by day leaves before the night."""
    if told.wakes or not holds.is_night(release.at_ms):
        return release
    evening_ms = holds.calendar.next_time(told.now_ms, holds.policies.quiet.start) - MINUTE_MS  # as ``before_night``
    if begins_urgent(told.owed) and not holds.is_night(told.now_ms):
        return replace(release, at_ms=max(told.now_ms, evening_ms))
    return Release(holds.calendar.next_time(release.at_ms, holds.policies.morning), QUIET)


def find_release(holds: Holds, told: DueStep) -> Release:
    """When something may leave as far as nobody's duty, no trial and no hour holds it, and why not before."""
    return hold(holds, told, Release(told.at_ms))


def _later(release: Release, at_ms: Millis, reason: Reason | Literal[""]) -> Release:
    return Release(at_ms, reason) if at_ms > release.at_ms else release


def on_duty_ms(calendar: Calendar, holder: Holder, at_ms: Millis) -> Millis:
    """When somebody has duty, from an instant on."""
    spans = (duty.hours for duty in holder.duties)
    return min(at_ms if hours is None else calendar.opening(at_ms, hours) for hours in spans)


def begins_urgent(owed: Owed) -> bool:
    """Whether it tells of a P2 for the first time, or as if it were."""
    return owed.severity == Severity.P2 and owed.kind in BEGUN


BEGUN_FOR: Final[tuple[Stage[DueStep], ...]] = (leave_to_list, skip_past, suppress)
"""Asked when an episode begins, or begins anew; the last two also of the word that data flap (T15)."""
HOLDS: Final[tuple[Stage[DueStep], ...]] = (await_duty, await_trial, await_day, await_hours)
DUE: Final[tuple[Stage[DueStep], ...]] = (await_recovery, await_own_round, hold, await_near_round)
"""Asked when a step is due; ``hold`` alone whenever an instant for one is looked for."""
AFRESH: Final[tuple[Stage[DueStep], ...]] = (await_recovery, hold)
"""Asked when what was known before is told afresh, whatever round comes."""
AGAIN: Final[tuple[Stage[DueStep], ...]] = (hold, await_near_round)
"""Asked when the time of an acknowledgement is over (T10)."""
WANTED: Final[tuple[Stage[WaitingMessage], ...]] = (drop_unwanted, drop_outdated)
"""Asked whenever a mailbox is looked at, and once more before a provider is asked."""
TOGETHER: Final[tuple[Stage[WaitingMessage], ...]] = (gather, fold, slow_storm)
"""Asked for all that waits for a number at once."""
APART: Final[tuple[Stage[WaitingMessage], ...]] = (ration, await_morning)
"""Asked for each of it."""
STAGES: Final = (
    *BEGUN_FOR,
    *(await_recovery, await_own_round),
    *HOLDS,
    await_near_round,
    *(hand_to_stand_in, drop_known),
    *WANTED,
    *TOGETHER,
    *APART,
)
"""The order of telling (docs/telling.md). What an episode owes passes down to its round; then messages go on alone."""
