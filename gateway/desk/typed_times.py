"""What a person has typed into a form as a moment, by the county's clock. Pure; it refuses nothing and says nothing."""

from datetime import datetime

from alerts.calendars import Calendar
from telemetry.reading import Millis


def moment(calendar: Calendar, typed: str) -> Millis | None:
    """The instant of ``2026-11-24T17:00`` in the county; ``None`` for what is no moment."""
    try:
        at = datetime.fromisoformat(typed)
    except ValueError:
        return None
    return round((at if at.tzinfo is not None else at.replace(tzinfo=calendar.zone)).timestamp() * 1000)
