"""A command done where only the line is there: no loop, no journal, and nobody who waits for the answer."""

from typing import Any, cast

from gateway.commands.command import A, Command, Context
from gateway.pipeline import Pipeline
from telemetry.reading import Millis


class _Forgetful:
    """A journal that has never heard of anything."""

    def knows(self, episode: str) -> bool:
        return episode == ""

    def knows_case(self, case: str) -> bool:
        return case == ""


def do(command: Command[A], pipeline: Pipeline, now_ms: Millis) -> A:
    """The answer."""
    return command.do(context(pipeline), now_ms)


def context(pipeline: Pipeline) -> Context:
    """What a command acts on where nothing but the pipeline matters."""
    none = cast("Any", None)
    return Context(pipeline, cast("Any", _Forgetful()), none, none, none, 0, ())
