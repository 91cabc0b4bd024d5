"""Work that people declare, and planned power cuts: a window opened, ended, or looked up.

Who may declare what, and what becomes of it, is ``alerts.episodes.maintenance``.
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Self

from alerts.calendars import iso
from alerts.episodes import maintenance
from alerts.episodes.maintenance import Declared, Wish
from alerts.model import Refused
from alerts.windows import Window, Work
from gateway.commands.command import Context, Done, PersonalCommand, SignedCommand
from gateway.commands.fields import PERSON, PRINTED, ChoiceField, CommandRoute, CommandWords, MomentField, TextField
from gateway.pipeline import Pipeline
from telemetry.reading import Millis


class WindowDone(Done, frozen=True):
    """It is declared, or taken back; the assets that it covers."""

    window: Window
    assets: tuple[str, ...]


class DeclareWindow(SignedCommand[WindowDone], frozen=True, kw_only=True):
    """A person says that something is worked on, or that its power will be cut."""

    subject: str
    until_ms: Millis
    reason: str
    work: Work = Work.MAINTENANCE
    from_ms: Millis = 0

    def carry_out(self, context: Context, now_ms: Millis) -> WindowDone | Refused:
        """See ``maintenance.declare``."""
        pipeline = context.pipeline
        wish = Wish(self.work, self.subject, self.from_ms, self.until_ms, self.reason)
        said = maintenance.declare(pipeline.county, wish, self.actor, now_ms, pipeline.changes)
        return _settle(said, "work_declared", pipeline, now_ms)


class EndWindow(SignedCommand[WindowDone], frozen=True, kw_only=True):
    """A person ends such a window, or takes it back before it began; answered with what it was."""

    window: str

    def carry_out(self, context: Context, now_ms: Millis) -> WindowDone | Refused:
        """See ``maintenance.withdraw``."""
        pipeline = context.pipeline
        said = maintenance.withdraw(pipeline.county, self.window, self.actor, now_ms, pipeline.changes)
        return _settle(said, "work_withdrawn", pipeline, now_ms)


class ListWindows(PersonalCommand[tuple[Declared, ...]], frozen=True):
    """Which windows stand? Answered with a tuple of ``Declared``."""

    def act(self, context: Context, now_ms: Millis) -> tuple[Declared, ...]:  # noqa: ARG002 -- what stands, stands now
        """Nothing is changed by it."""
        return tuple(maintenance.standing(context.pipeline.county).values())


def _settle(said: Declared | Refused, event: str, pipeline: Pipeline, now_ms: Millis) -> WindowDone | Refused:
    """The county has written its row; what waits for it is looked at."""
    pipeline.follow()
    return said if isinstance(said, Refused) else WindowDone(now_ms, event, said.window, said.assets)


@dataclass(frozen=True)
class WindowBody:
    """A window; times in ISO 8601 UTC."""

    window: str
    work: str
    subject: str
    since: str
    until: str
    reason: str
    by: str
    begun: bool
    assets: list[str]

    @classmethod
    def of(cls, said: WindowDone | Declared) -> Self:
        """One that stands, or what was declared or taken back."""
        kept = said.window
        since, until = iso(kept.from_ms), iso(kept.until_ms)
        return cls(
            kept.id, str(kept.work), kept.subject, since, until, kept.reason, kept.by, kept.begun, [*said.assets]
        )


@dataclass(frozen=True)
class WindowList:
    """Those that are not over, by when they begin."""

    windows: list[WindowBody]

    @classmethod
    def of(cls, said: tuple[Declared, ...]) -> Self:
        """As they stand, in their order."""
        ordered = sorted(said, key=lambda each: (each.window.from_ms, each.window.id))
        return cls([WindowBody.of(each) for each in ordered])


COMMANDS: Final = (
    CommandRoute(
        ListWindows,
        "/api/v1/maintenance",
        "standing",
        "Every window of work that is not over.",
        method="GET",
        place=1,
        answer=WindowList,
    ),
    CommandRoute(
        DeclareWindow,
        "/api/v1/maintenance",
        "declare",
        "Declares one; answers when it is durable.",
        "DeclareBody",
        "``subject`` is an asset or an area, for a planned cut a feeder; without ``since`` it begins now.",
        {
            "work": ChoiceField(Work),
            "subject": PERSON,
            "since": MomentField("from_ms"),
            "until": MomentField("until_ms"),
            "reason": TextField(60, 1, PRINTED, strip=True),
            "by": PERSON,
        },
        status=HTTPStatus.CREATED,
        place=1,
        answer=WindowBody,
    ),
    CommandRoute(
        EndWindow,
        "/api/v1/maintenance/end",
        "end",
        "Ends one, or takes it back before it begins; answers when it is durable.",
        "WithdrawBody",
        "Which window is over, or does not come; ``by`` says so.",
        {"window": TextField(200, 1, PRINTED), "by": PERSON},
        place=1,
        answer=WindowBody,
    ),
)

_WORK: Final = ("work", "检修停电")
"""How the audit of the desk calls both."""
WORDS: Final = (
    CommandWords(DeclareWindow, _WORK, {"work_declared": ("报了检修或停电", "已报上，期间照规矩少发短信")}),
    CommandWords(EndWindow, _WORK, {"work_withdrawn": ("提前结束检修或停电", "已结束，从现在起照常发短信")}),
)
