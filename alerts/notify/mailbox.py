"""What waits for one telephone number, and when it may leave: folding, budget, the day's cap and storms.

A question to a crew has a two-digit code here for as long as a digit may answer it. Frozen values and instants only.
What the texts say when they leave together is ``digest``; P1 never comes here.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from alerts.answers import WITHIN_MS
from alerts.calendars import DAY_MS, MINUTE_MS, Calendar
from alerts.model import BEGUN, MessageKind, Owed, Severity
from alerts.notify.holds import QUIET, Release
from alerts.notify.lists import LIST
from alerts.notify.texts import CODE, Texts
from alerts.policy import Policies
from alerts.topology import OUTAGE
from telemetry.phone import dialled
from telemetry.reading import Millis
from telemetry.segments import fits

_MOST: Final = 99


class Question(Struct, frozen=True, array_like=True):
    """What a number was asked: its code, when it was asked last, and the episodes that it is about."""

    code: int
    at_ms: Millis
    episodes: tuple[str, ...]


def coded(
    leaving: Sequence[Owed],
    questions: tuple[Question, ...],
    is_open: Callable[[str], bool],
    catalogue: Texts,
    at_ms: Millis,
) -> tuple[list[Owed], tuple[Question, ...]]:
    """The texts as they leave, and the questions of the number after them, the one asked last at the end."""
    kept = [each for each in questions if each.at_ms > at_ms - WITHIN_MS]
    given: dict[str, int] = {}
    for text in leaving:
        if catalogue.asks(text.template):
            episodes = text.covers or (text.episode,)
            given[text.key] = code = _code(episodes, kept)
            kept = [*(each for each in kept if each.code != code), Question(code, at_ms, episodes)]
    several = sum(any(map(is_open, each.episodes)) for each in kept) > 1
    return [_printed(text, given.get(text.key, 0) if several else 0, catalogue) for text in leaving], tuple(kept)


def _code(episodes: tuple[str, ...], kept: Sequence[Question]) -> int:
    """The one that it has; else the next in the ring that no other has; else that of who was asked longest ago."""
    own = next((each.code for each in kept if each.episodes == episodes), 0)
    if own or not kept:
        return own or 1
    taken = {each.code for each in kept}
    ring = ((kept[-1].code + step) % _MOST + 1 for step in range(_MOST))
    return next((code for code in ring if code not in taken), kept[0].code)


def _printed(text: Owed, code: int, catalogue: Texts) -> Owed:
    if not code:
        return text
    variables = {**text.variables, CODE: f"{code:02d}"}
    segments = 1 if fits(text.text) and not text.covers else 2
    return replace(text, text=catalogue.compose(text.template, variables, segments=segments), variables=variables)


GROUPED: Final = "grouped"
BUDGET: Final = "budget"
DAILY_CAP: Final = "daily_cap"
STORM: Final = "storm"
_LEAST_SHARE: Final = 2
_MOST_LEFT: Final = 200
"""So many texts of the last day are remembered."""


class Left(Struct, frozen=True, array_like=True):
    """One text that left: when, about which assets, and whether it counts for the share of the one that it is about."""

    at_ms: Millis
    assets: tuple[str, ...]
    counts: bool = True
    tells: bool = True
    """Whether its assets are told of with it: in a list they only stand, and a closing word speaks of what was."""
    key: str = ""
    """Its own (law L7); empty where an older program sent it."""


class Mailbox(Struct, frozen=True, array_like=True):
    """Everything about one number that outlasts an input. Instants are receive time."""

    phone: str
    """The number as it is dialled (``telemetry.phone``): two spellings have one mailbox and one budget."""
    pending: tuple[Owed, ...] = ()
    due_ms: Millis = 0
    """When what is pending is looked at again; 0 when nothing is."""
    reason: str = ""
    """Why it has to wait until then."""
    left_ms: tuple[Millis, ...] = ()
    """When texts left during the last day, oldest first; P1 is not counted."""
    cried_ms: tuple[Millis, ...] = ()
    """When something was to be told during the last storm window, oldest first."""
    storm_ms: Millis = 0
    """Since when there is a storm; 0 when there is none."""
    listed: dict[str, Millis] = {}
    """When each daily list was last dealt with."""
    outages: tuple[str, ...] = ()
    """The outages of whole areas that were to be told and are not over: as long as there is one, there is a storm."""
    questions: tuple[Question, ...] = ()
    """What a crew's number was asked during the last day, with the code of each."""
    left: tuple[Left, ...] = ()
    """The texts of ``left_ms``, as far as it is known what they were about."""
    over_ms: tuple[Millis, ...] = ()
    """When a P2 left today above what the number may get, oldest first."""


def by_number(boxes: Iterable[Mailbox]) -> list[Mailbox]:
    """The boxes of before, each by its number as it is dialled: of two spellings of one number they become one."""
    found: dict[str, Mailbox] = {}
    for box in boxes:
        key = dialled(box.phone)
        found[key] = _joined(found[key], box) if key in found else replace(box, phone=key)
    return list(found.values())


def _joined(one: Mailbox, other: Mailbox) -> Mailbox:
    """What waits in two boxes and what left by them; what of it may leave first says when it is looked at again."""
    due = min((box for box in (one, other) if box.due_ms), key=lambda box: box.due_ms, default=one)
    left = sorted((*_left(one), *_left(other)), key=lambda each: each.at_ms)[-_MOST_LEFT:]
    storms = [box.storm_ms for box in (one, other) if box.storm_ms]
    return replace(
        one,
        pending=tuple(sorted((*one.pending, *other.pending), key=lambda each: each.at_ms)),
        due_ms=due.due_ms,
        reason=due.reason,
        left=tuple(left),
        left_ms=tuple(each.at_ms for each in left),
        cried_ms=tuple(sorted((*one.cried_ms, *other.cried_ms))),
        storm_ms=min(storms, default=0),
        listed={**one.listed, **other.listed},
        outages=tuple(dict.fromkeys((*one.outages, *other.outages))),
        questions=one.questions or other.questions,
        over_ms=tuple(sorted((*one.over_ms, *other.over_ms))),
    )


@dataclass(frozen=True, slots=True)
class MailboxRules:
    """The rules by which the numbers of one county are told."""

    policies: Policies
    calendar: Calendar

    def taken(self, box: Mailbox, owed: Owed, *, capped: bool) -> Mailbox:
        """The box with one more message; a closing word meets the first word that never left, and both are gone.

        But one that asks for something all the same leaves in its place.
        """
        now_ms, telling = owed.at_ms, self.policies.telling
        if owed.kind is MessageKind.CLEARED:
            unsaid = tuple(each for each in box.pending if each.episode == owed.episode and each.to == owed.to)
            if any(each.kind in BEGUN for each in unsaid):
                box = replace(box, pending=tuple(each for each in box.pending if each not in unsaid))
                if not owed.covers:
                    return replace(box, due_ms=box.due_ms if box.pending else 0)
        cried = (*self._recent(box, now_ms), now_ms)
        if owed.rule == OUTAGE and owed.kind in BEGUN and owed.episode not in box.outages:
            box = replace(box, outages=(*box.outages, owed.episode))
        if len(cried) > telling.storm_begins or box.outages:
            storm_ms = box.storm_ms or now_ms
        else:
            storm_ms = box.storm_ms if len(cried) > telling.storm_ends or box.pending else 0
        pending = (*box.pending, owed)
        box = replace(box, pending=pending, cried_ms=cried[-(telling.storm_begins + 1) :], storm_ms=storm_ms)
        return self.filed(box, now_ms, capped=capped)

    @staticmethod
    def has(box: Mailbox, owed: Owed) -> bool:
        """Whether this very message waits in the box, or left it within a day."""
        return owed.key in {*(each.key for each in box.pending), *(each.key for each in box.left)}

    def is_night(self, at_ms: Millis) -> bool:
        """Whether a message of then wakes people."""
        return self.calendar.is_within(at_ms, self.policies.quiet)

    def filed(self, box: Mailbox, now_ms: Millis, *, capped: bool) -> Mailbox:
        """The box with the instant at which the first of what is pending may leave, and why not before."""
        if not box.pending:
            return replace(box, due_ms=0, reason="")
        release = min(self.releases(box, now_ms, capped=capped), key=lambda release: release.at_ms)
        return replace(box, due_ms=release.at_ms, reason=release.reason)

    def emptied(
        self, box: Mailbox, now_ms: Millis, texts: Sequence[Owed], about: Mapping[str, str], *, capped: bool
    ) -> Mailbox:
        """The box after all that is pending in it left in these texts; ``about`` has the asset of each episode.

        There may be none, if nothing of it was worth a text any more.
        """
        over = list(self._over_today(box, now_ms))
        for text in texts:
            assets = tuple(dict.fromkeys(about.get(each, "") for each in text.covers or (text.episode,)))
            if self._rationed(box, text, now_ms, capped=capped).at_ms > now_ms:
                over.append(now_ms)
            left = (
                *(each for each in _left(box) if each.at_ms > now_ms - DAY_MS),
                Left(now_ms, assets, _counts(text), _tells(text), text.key),
            )
            box = replace(box, left=left[-_MOST_LEFT:], left_ms=tuple(each.at_ms for each in left[-_MOST_LEFT:]))
        storm_ms = 0 if self._is_calm(box, now_ms) else box.storm_ms
        return replace(box, pending=(), due_ms=0, reason="", over_ms=tuple(over), storm_ms=storm_ms)

    def calmed(self, box: Mailbox, outage: str, now_ms: Millis, *, capped: bool) -> Mailbox:
        """The box after the end of an outage, which may be the end of its storm."""
        box = replace(box, outages=tuple(each for each in box.outages if each != outage))
        return self.filed(replace(box, storm_ms=0) if self._is_calm(box, now_ms) else box, now_ms, capped=capped)

    def _is_calm(self, box: Mailbox, now_ms: Millis) -> bool:
        return not box.outages and len(self._recent(box, now_ms)) < self.policies.telling.storm_ends

    def _recent(self, box: Mailbox, now_ms: Millis) -> tuple[Millis, ...]:
        return tuple(at for at in box.cried_ms if at > now_ms - self.policies.telling.storm_window)

    def releases(self, box: Mailbox, now_ms: Millis, *, capped: bool) -> list[Release]:
        """When each of what is pending may leave: the latest of all that holds it back, with its reason."""
        waits = [Release(now_ms), self._gathered(box), self._folded(box), self._storming(box)]
        together = max(waits, key=lambda release: release.at_ms)
        wakes = any(self.is_night(each.at_ms) for each in box.pending)  # it was let through the night
        rationed = [self._rationed(box, each, now_ms, capped=capped) for each in box.pending]
        over = [each for each, room in zip(box.pending, rationed, strict=True) if self._passes(box, each, room, now_ms)]
        found = []
        for each, room in zip(box.pending, rationed, strict=True):
            afforded = self._above(box, room, over, now_ms) if each in over else room
            latest = max(together, afforded, key=lambda release: release.at_ms)
            found.append(latest if wakes else self._by_day(each, latest, now_ms))
        return found

    def _by_day(self, owed: Owed, release: Release, now_ms: Millis) -> Release:
        """What may leave only in the night waits for the morning; a P2 that was owed by day leaves before the night."""
        if not self.is_night(release.at_ms):
            return release
        evening_ms = self.calendar.next_time(now_ms, self.policies.quiet.start) - MINUTE_MS  # as ``Holds.before_night``
        if _begins_urgent(owed) and not self.is_night(now_ms):
            return Release(max(now_ms, evening_ms), release.reason)
        return Release(self.calendar.next_time(release.at_ms, self.policies.morning), QUIET)

    def _gathered(self, box: Mailbox) -> Release:
        """Some rules let their like come together before the first text."""
        waits = (self.policies.of(each.rule).gather if each.kind in BEGUN else 0 for each in box.pending)
        return Release(min(each.at_ms + wait for each, wait in zip(box.pending, waits, strict=True)), GROUPED)

    def _folded(self, box: Mailbox) -> Release:
        """After a text the next waits: less for what matters more, and a closing word hurries nobody."""
        if not box.left_ms:
            return Release(0)
        telling = self.policies.telling
        matters = (each for each in box.pending if each.kind is not MessageKind.CLEARED)
        urgent = box.storm_ms or any(each.severity == Severity.P2 for each in matters)
        return Release(box.left_ms[-1] + (telling.fold_p2 if urgent else telling.fold_p3), GROUPED)

    def _storming(self, box: Mailbox) -> Release:
        """In a storm one text tells of all that came: the first soon, then one each window, and few in half an hour."""
        if not box.storm_ms:
            return Release(0)
        telling = self.policies.telling
        since = [at for at in box.left_ms if at >= box.storm_ms]
        due = since[-1] + telling.storm_window if since else box.storm_ms + telling.storm_first
        span, most = telling.storm_budget
        if len(box.left_ms) >= most:
            due = max(due, box.left_ms[-most] + span)
        return Release(due, STORM)

    def _passes(self, box: Mailbox, owed: Owed, room: Release, now_ms: Millis) -> bool:
        """Whether it is a P2 of an asset that is not told today: it leaves soon, above what the number may get."""
        return room.at_ms > now_ms and _begins_urgent(owed) and not self._is_told_today(box, (owed.asset,), now_ms)

    def _above(self, box: Mailbox, room: Release, over: Sequence[Owed], now_ms: Millis) -> Release:
        """When those leave: the first of a day at once, the others as one, within so long of the oldest of them."""
        telling, oldest_ms = self.policies.telling, min(each.at_ms for each in over)
        wait_ms = 0 if len(self._over_today(box, now_ms)) < telling.over_a_day else telling.over_within
        return min(room, Release(oldest_ms + wait_ms, room.reason), key=lambda release: release.at_ms)

    def _rationed(self, box: Mailbox, owed: Owed, now_ms: Millis, *, capped: bool) -> Release:
        """When the budget of the number, and the share of the asset in it, have room for one more text."""
        telling, left = self.policies.telling, _left(box)
        waits = [Release(_free_ms(left, owed, now_ms, span, most), BUDGET) for span, most in telling.budget.items()]
        if capped:  # who carries the bins gets few texts a day; what is more waits for the morning
            midnight = self.calendar.midnight(now_ms)
            today = [each for each in left if each.at_ms >= midnight]
            if _free_ms(today, owed, now_ms, DAY_MS, telling.cap_a_day) > now_ms:
                waits.append(Release(self.calendar.next_time(midnight + DAY_MS, self.policies.morning), DAILY_CAP))
        return max(waits, key=lambda release: release.at_ms)

    def _is_told_today(self, box: Mailbox, assets: Iterable[str], now_ms: Millis) -> bool:
        midnight = self.calendar.midnight(now_ms)
        told = {asset for each in box.left if each.tells and each.at_ms >= midnight for asset in each.assets}
        return not told.isdisjoint(assets)

    def _over_today(self, box: Mailbox, now_ms: Millis) -> tuple[Millis, ...]:
        midnight = self.calendar.midnight(now_ms)
        return tuple(at for at in box.over_ms if at >= midnight)


def _left(box: Mailbox) -> tuple[Left, ...]:
    """Every text of the last day; of what an older program sent it is not known what it was about."""
    unknown = box.left_ms[: len(box.left_ms) - len(box.left)]
    return (*(Left(at, ()) for at in unknown), *box.left)


def _begins_urgent(owed: Owed) -> bool:
    return owed.severity == Severity.P2 and owed.kind in BEGUN


def _counts(owed: Owed) -> bool:
    """Whether a text counts for the share of its asset: escalations, closing words and answers do not."""
    return owed.kind not in (MessageKind.ESCALATION, MessageKind.CLEARED, MessageKind.NOTICE)


def _tells(owed: Owed) -> bool:
    """Whether a text tells of what stands: a list, a closing word and an answer are no word of a P2 of that day."""
    return owed.rule != LIST and owed.kind not in (MessageKind.CLEARED, MessageKind.NOTICE)


def _free_ms(left: Sequence[Left], owed: Owed, now_ms: Millis, span: Millis, most: int) -> Millis:
    """From when on fewer than ``most`` texts have left within ``span``, and fewer than half about this asset.

    Texts about one asset fill no more than that half for the others, however many they were.
    """
    if not left:
        return now_ms
    share = max(_LEAST_SHARE, most // 2)
    for at_ms in sorted({now_ms, *(each.at_ms + span for each in left if each.at_ms + span > now_ms)}):
        within = [each for each in left if at_ms - span < each.at_ms]
        own = Counter(each.assets[0] for each in within if each.counts and len(each.assets) == 1)
        beside = len(within) - own.total()
        if beside + sum(min(count, share) for count in own.values()) >= most:
            continue
        if not _counts(owed) or own[owed.asset] < share:
            return at_ms
    return now_ms


_ENCODE: Final = msgspec.msgpack.Encoder().encode
_KEPT: Final = msgspec.msgpack.Decoder(Mailbox)


def pack_box(box: Mailbox) -> bytes:
    """A number's mailbox as bytes."""
    return _ENCODE(box)


def unpack_box(kept: bytes) -> Mailbox:
    """A number's mailbox from bytes."""
    return _KEPT.decode(kept)
