"""What some inputs have changed in a county, for whoever makes it durable. It decides nothing; it fills in order."""

from dataclasses import dataclass, field

from alerts.alert import Alert
from alerts.mailbox import Mailbox
from alerts.model import Event, Owed


@dataclass(slots=True)
class Changes:
    """What some inputs have changed: assets whose machines moved, alerts, and everything said, in order."""

    moved: dict[str, None] = field(default_factory=dict)
    alerts: dict[str, Alert] = field(default_factory=dict)
    boxes: dict[str, Mailbox] = field(default_factory=dict)
    log: list[Event | Owed] = field(default_factory=list)
