"""One episode as stage two sees it: what is wrong, who has been told, and what is due next. A frozen value.

Beside it the rows that say what became of it.
"""

from collections.abc import Callable
from typing import Final

import msgspec
from msgspec import Struct

from alerts.model import URGENT, Detail, Event, Severity
from telemetry.reading import Millis


class WaitingStep(Struct, frozen=True):
    """The text of a step that waits for one person until they are on duty, at ``at_ms``."""

    person: str
    step: int
    at_ms: Millis
    fresh: bool = False
    """Whether it is for somebody who came into the role since the step left."""


class Doubt(Struct, frozen=True):
    """What somebody answered who says that it is not so: 没满."""

    person: str
    said: str


class Alert(Struct, frozen=True, kw_only=True):
    """An open episode. All times are receive time, but ``since`` is event time; 0 is none."""

    episode: str
    rule: str
    asset: str
    device: str
    severity: Severity
    raised_ms: Millis
    since_ms: Millis
    detail: Detail
    owes: bool = True
    """False while only late samples have raised it: nobody is told of the past."""
    recovering: bool = False
    latched: bool = False
    acked_ms: Millis = 0
    acked_by: str = ""
    ack_until_ms: Millis = 0
    """When the acknowledgement lapses if it still stands then (T10)."""
    shelved_until_ms: Millis = 0
    """Until when nothing is sent about it, because somebody wanted so (T13)."""
    parent: str = ""
    """The episode that explains this one and keeps it quiet."""
    fresh_ms: Millis = 0
    """When an explained episode whose cause is gone is told after all, if it still stands."""
    step: int = 0
    """The next step to tell."""
    due_ms: Millis = 0
    reason: str = ""
    """Why the next step waits beyond its own time."""
    left_ms: Millis = 0
    """When step 0 left; every offset counts from here."""
    repeat: int = 0
    repeat_ms: Millis = 0
    round_ms: Millis = 0
    """When the next round of its own counts as missed."""
    missed: int = 0
    flap_ms: Millis = 0
    """When the crew is told that its data flap (T15)."""
    flapped: int = 0
    """How often they were."""
    told: tuple[str, ...] = ()
    emptied_by: str = ""
    closed_ms: Millis = 0
    """It is over; only the word of it is still due."""
    kept: tuple[WaitingStep, ...] = ()
    """What waits for people who were off duty when its step left."""
    ended: str = ""
    """How it ended: emptied, recovered, reset."""
    again_ms: Millis = 0
    """When it flared up again, since (event time)."""
    lapsed_ms: Millis = 0
    """When the time of its last acknowledgement was over."""
    told_ms: dict[str, Millis] = {}
    """When each person was told of it last."""
    held: tuple[str, ...] = ()
    """Who answered for the roles of step 0 when it left, on duty or not; who does so since then is new to it."""
    beside: tuple[str, ...] = ()
    """The rules that stood on its asset before it and that it explains: it is not all that is wrong there."""
    doubts: tuple[Doubt, ...] = ()
    """Who says otherwise, the last of them at the end; whoever is told next hears of it."""
    unreached: tuple[str, ...] = ()
    """Who was told, and no provider took the text; the next text to them gives them another chance."""

    @property
    def subject(self) -> str:
        """What the episode is about: an asset, a device of it, or a radio gateway."""
        return self.episode.split("/")[1]

    @property
    def is_seen_to(self) -> bool:
        """Whether somebody acknowledged it and the time of that is not over; past it, telling again has a reason."""
        return bool(self.acked_ms) and not self.reason

    @property
    def lasting_ms(self) -> Millis:
        """Since when people would say that it lasts: what was seen last, not when we decided."""
        if self.again_ms:
            return self.again_ms
        seen = self.detail.get("seen_ms")
        return seen if isinstance(seen, int) else self.since_ms

    @property
    def tell_ms(self) -> Millis:
        """The earliest instant at which somebody may have to be told, or 0."""
        waits = self.recovering and self.severity is not Severity.P1
        kept = () if waits else (each.at_ms for each in self.kept)
        return _earliest(self.due_ms, self.repeat_ms, self.round_ms, self.fresh_ms, *kept)

    @property
    def lapse_ms(self) -> Millis:
        """The earliest instant at which the time of a shelf or of an acknowledgement is over, or 0."""
        return _earliest(self.shelved_until_ms, self.ack_until_ms)

    @property
    def wake_ms(self) -> Millis:
        """The earliest instant at which anything about it is due, or 0."""
        return _earliest(self.tell_ms, self.lapse_ms, self.flap_ms)


def _earliest(*dues: Millis) -> Millis:
    """The first of these instants, of which 0 is none."""
    return min(filter(None, dues), default=0)


def why(event: str, alert: Alert, at_ms: Millis, reason: str, *, until_ms: Millis = 0, person: str = "") -> Event:
    """A row that says why somebody was not told, or not yet (law L9)."""
    detail: Detail = {"reason": reason, "step": alert.step}
    if until_ms:
        detail["until_ms"] = until_ms
    if person:
        detail["person"] = person
    return record(event, alert, at_ms, detail)


def unsaid(alert: Alert, at_ms: Millis, reason: str, *, person: str = "") -> Event:
    """A row that says why a message will never be: of what is urgent and stands, something else has taken its place."""
    stands = alert.severity in URGENT and not alert.closed_ms
    return why("superseded" if stands else "dropped", alert, at_ms, reason, person=person)


def record(event: str, alert: Alert, at_ms: Millis, detail: Detail) -> Event:
    """A row about an episode."""
    return Event(
        at_ms=at_ms,
        event=event,
        rule=alert.rule,
        asset=alert.asset,
        device=alert.device,
        episode=alert.episode,
        severity=alert.severity,
        detail=detail,
    )


pack_alert: Final[Callable[[Alert], bytes]] = msgspec.msgpack.Encoder().encode
"""An episode as bytes."""
unpack_alert: Final[Callable[[bytes], Alert]] = msgspec.msgpack.Decoder(Alert).decode
"""An episode from bytes."""
