"""What some inputs have changed in a county, for whoever makes it durable. It decides nothing; it fills in order."""

from dataclasses import dataclass, field
from typing import Self

from alerts.alert import Alert
from alerts.model import Event, Owed
from alerts.notify.mailbox import Mailbox
from alerts.undo import UndoDict, UndoList, UndoLog


@dataclass(slots=True)
class Changes:
    """What some inputs have changed: assets whose machines moved, alerts, and everything said, in order."""

    moved: dict[str, None] = field(default_factory=dict)
    alerts: dict[str, Alert] = field(default_factory=dict)
    boxes: dict[str, Mailbox] = field(default_factory=dict)
    log: list[Event | Owed] = field(default_factory=list)

    @classmethod
    def under(cls, undo: UndoLog) -> Self:
        """None yet; what is filled in is taken back with all else that an input changes."""
        return cls(UndoDict(undo), UndoDict(undo), UndoDict(undo), UndoList(undo))

    @property
    def is_empty(self) -> bool:
        """Whether nothing is another than before."""
        return not (self.log or self.moved or self.alerts or self.boxes)

    def take(self) -> "Changes":
        """What there is, handed over; whoever changes something goes on with this one, which is empty again."""
        taken = Changes()
        for name in ("moved", "alerts", "boxes", "log"):
            if part := getattr(self, name):
                setattr(taken, name, part.take())
        return taken
