"""Cuts a failing run down: fewer days, fewer steps, as long as the same law is broken by what is left."""

from itertools import count

from msgspec.structs import replace

from tests.storm.county import DAY
from tests.storm.days import live
from tests.storm.steps import CALM, Seeded, Step
from tests.storm.storm import Violation


def shrunk(seeded: Seeded, law: str) -> Seeded:
    """The smallest that was found: no chunk of its steps can be left out."""
    broken_ms = _broken_ms(seeded, law)
    days = min(seeded.days, (broken_ms or 0) // DAY + 1)
    steps = [step for step in seeded.steps if step.at_ms <= (broken_ms or 0) and step.what != CALM]
    small = _with(seeded, steps, days)
    if _broken_ms(small, law) is None:
        small, steps = seeded, [step for step in seeded.steps if step.what != CALM]
    for size in (max(1, len(steps) >> power) for power in count(1)):
        at = 0
        while at < len(steps):
            fewer = steps[:at] + steps[at + size :]
            if _broken_ms(_with(small, fewer, small.days), law) is None:
                at += size
            else:
                steps = fewer
        if size == 1:
            break
    return _with(small, steps, small.days)


def _with(seeded: Seeded, steps: list[Step], days: int) -> Seeded:
    return replace(seeded, steps=(*steps, Step(days * DAY, CALM)), days=days)


def _broken_ms(seeded: Seeded, law: str) -> int | None:
    """When the law was broken; nothing where it was not."""
    try:
        live(seeded)
    except Violation as found:
        return found.step.at_ms if found.law == law else None
    return None
