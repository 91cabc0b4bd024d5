"""What comes out of the inbox, done on the loop's thread and inside its transaction; the answer waits for the commit.

What each command means stands with it.
"""

from functools import partial

from gateway.commands.command import A, Command, Context, NotDurable
from telemetry.reading import Millis


class CommandDispatcher:
    """Not thread-safe: the loop owns it. ``now_ms`` is the instant of the turn, however long that takes."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._attempt = context.pipeline.barrier.attempt
        self.watchman = context.watchman

    def do(self, item: Command[A], now_ms: Millis) -> A | NotDurable:
        """What is asked for, as a whole or not at all, and the answer to it."""

        def act() -> A | NotDurable:
            return item.do(self._context, now_ms)

        return self._attempt(act, self.failed, type(item).__name__)

    def look_around(self, now_ms: Millis, *, heard: bool, live: bool) -> None:
        """The end of a turn: the watchman hears whether a device spoke in it, and whether we are subscribed."""
        watch = partial(self.watchman.turn, now_ms, heard=heard, live=live)
        self._attempt(watch, lambda _: None, "the watchman")

    @staticmethod
    def failed(bug: Exception) -> NotDurable:
        """The answer to what failed by our own mistake; nothing came of it."""
        return NotDurable(
            f"a mistake of the program stopped this ({type(bug).__name__}); nothing happened, see its log"
        )
