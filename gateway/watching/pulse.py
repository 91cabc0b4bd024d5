"""Whether the house works: a pure judgement from how its parts are and how long ago they last moved.

Only what is true now is judged; how long that is borne, and who is told, is decided elsewhere.
"""

from typing import Final

from gateway.health import Health

LOOP_S: Final = 30.0
COMMIT_S: Final = 60.0
"""While it hears the devices the loop commits a heartbeat every five seconds."""
COURIER_S: Final = 300.0
"""A provider may take a minute for one text, and the journal half of one."""


def faltering(health: Health) -> str:
    """Why the house does not work, in a sentence; empty while it does."""
    ages = (
        ("the loop has not turned", health.loop_age_s, LOOP_S),
        ("nothing was committed", health.commit_age_s, COMMIT_S),
        ("the courier has not looked", health.courier_age_s, COURIER_S),
    )
    slow = (f"{said} for {age_s:.0f} s" for said, age_s, most_s in ages if age_s > most_s)
    parts = ((name, health.parts[name]) for name in health.needed)
    away = (f"{name} is not ready: {part.state}" for name, part in parts if not part.ready)
    return "; ".join((*slow, *away))
