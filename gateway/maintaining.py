"""Work that people declare, done on the loop's thread: a verdict to hand back once it is durable.

Wiring only: who may declare what, and what becomes of it, is ``alerts.episodes.maintenance``.
"""

from alerts.episodes import maintenance
from alerts.model import Actor
from alerts.refusals import Refused
from gateway.commands import Declare, NotPossible, UnknownPerson, WhichWindows, WindowVerdict, Withdraw
from gateway.pipeline import Pipeline
from telemetry.reading import Millis


def done(asked: Declare | Withdraw | WhichWindows, pipeline: Pipeline, now_ms: Millis) -> WindowVerdict:
    """A window declared or ended, or which ones stand."""
    county = pipeline.county
    if isinstance(asked, WhichWindows):
        return tuple(maintenance.standing(county).values())
    if asked.by not in county.inventory.people:
        return UnknownPerson()
    by = Actor(asked.by, asked.channel, asked.origin)
    if isinstance(asked, Declare):
        said = maintenance.declare(county, asked.wish, by, now_ms, pipeline.changes)
    else:
        said = maintenance.withdraw(county, asked.window, by, now_ms, pipeline.changes)
    pipeline.follow()
    return NotPossible(said.sentence, said.why) if isinstance(said, Refused) else said
