"""Work that people declare, and planned power cuts: a window opened, ended, or looked up.

Who may declare what, and what becomes of it, is ``alerts.episodes.maintenance``.
"""

from collections.abc import Callable
from typing import TypeAlias

from alerts.episodes import maintenance
from alerts.episodes.maintenance import Declared, Wish
from alerts.refusals import Refused
from gateway.commands.command import Context, NotPossible, PersonalCommand, SignedCommand, UnknownPerson
from telemetry.reading import Millis

WindowVerdict: TypeAlias = Declared | UnknownPerson | NotPossible


class DeclareWindow(SignedCommand[WindowVerdict], frozen=True, kw_only=True):
    """A person says that something is worked on, or that its power will be cut; answered with ``Declared``."""

    wish: Wish

    def act(self, context: Context, now_ms: Millis) -> WindowVerdict:
        """See ``maintenance.declare``."""
        county, changes = context.pipeline.county, context.pipeline.changes
        return _settle(context, self.by, lambda: maintenance.declare(county, self.wish, self.actor, now_ms, changes))


class EndWindow(SignedCommand[WindowVerdict], frozen=True, kw_only=True):
    """A person ends such a window, or takes it back before it began; answered with what it was."""

    window: str

    def act(self, context: Context, now_ms: Millis) -> WindowVerdict:
        """See ``maintenance.withdraw``."""
        county, changes = context.pipeline.county, context.pipeline.changes
        return _settle(context, self.by, lambda: maintenance.withdraw(county, self.window, self.actor, now_ms, changes))


class ListWindows(PersonalCommand[tuple[Declared, ...]], frozen=True):
    """Which windows stand? Answered with a tuple of ``Declared``."""

    def act(self, context: Context, now_ms: Millis) -> tuple[Declared, ...]:  # noqa: ARG002 -- what stands, stands now
        """Nothing is changed by it."""
        return tuple(maintenance.standing(context.pipeline.county).values())


def _settle(context: Context, by: str, act: Callable[[], Declared | Refused]) -> WindowVerdict:
    pipeline = context.pipeline
    if by not in pipeline.county.inventory.people:
        return UnknownPerson()
    said = act()
    pipeline.follow()
    return NotPossible(said.sentence, said.why) if isinstance(said, Refused) else said
