"""When the gateway's silence is an alarm, and when it is over: a pure judgement of seconds, for another machine.

One alarm and one all-clear an outage, with a bounded number of repeats between. Who is told and how is ``herald``.
"""

from enum import Enum
from typing import NamedTuple


class Word(Enum):
    """What is to be said."""

    ALARM = "alarm"
    REPEAT = "repeat"
    CLEAR = "clear"


class Patience(NamedTuple):
    """After how many seconds of silence, how often again, and how many times at most."""

    after_s: float
    repeat_s: float
    repeats: int


class Absence(NamedTuple):
    """When the gateway last gave a sign of life, and what was said about its silence since."""

    seen_s: float
    said: int = 0
    """How many alarms of this outage, repeats included; 0 while there is none."""
    said_s: float = 0.0


def heard(absence: Absence, at_s: float) -> tuple[Absence, Word | None]:
    """A sign of life."""
    return Absence(max(absence.seen_s, at_s)), Word.CLEAR if absence.said else None


def waited(absence: Absence, at_s: float, patience: Patience) -> tuple[Absence, Word | None]:
    """No sign of life by now."""
    if not absence.said:
        if at_s - absence.seen_s < patience.after_s:
            return absence, None
        return absence._replace(said=1, said_s=at_s), Word.ALARM
    if absence.said > patience.repeats or at_s - absence.said_s < patience.repeat_s:
        return absence, None
    return absence._replace(said=absence.said + 1, said_s=at_s), Word.REPEAT
