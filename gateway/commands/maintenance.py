"""Work that people declare, and planned power cuts: a window opened, ended, or looked up.

Who may declare what, and what becomes of it, is ``alerts.episodes.maintenance``.
"""

from alerts.episodes import maintenance
from alerts.episodes.maintenance import Declared, Wish
from alerts.refusals import Refused
from alerts.windows import Window
from gateway.commands.command import Context, Done, PersonalCommand, SignedCommand
from gateway.pipeline import Pipeline
from telemetry.reading import Millis


class WindowDone(Done, frozen=True):
    """It is declared, or taken back; the assets that it covers."""

    window: Window
    assets: tuple[str, ...]


class DeclareWindow(SignedCommand[WindowDone], frozen=True, kw_only=True):
    """A person says that something is worked on, or that its power will be cut."""

    wish: Wish

    def carry_out(self, context: Context, now_ms: Millis) -> WindowDone | Refused:
        """See ``maintenance.declare``."""
        pipeline = context.pipeline
        said = maintenance.declare(pipeline.county, self.wish, self.actor, now_ms, pipeline.changes)
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
