"""A window: an asset is being worked on, or its power is cut as planned. Which alerts are quiet then, and until when.

Each asset that a window covers has it in its own state, so that a start finds it. Values only; steps are ``works``.
"""

from enum import StrEnum
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from telemetry.reading import Millis


class Work(StrEnum):
    """What is declared."""

    MAINTENANCE = "maintenance"
    PLANNED_CUT = "planned_cut"


class Window(Struct, frozen=True, gc=False, array_like=True):
    """One of them. Its id has an episode's shape (``maintenance/ytan-03/…``), for it explains alerts as one does."""

    id: str
    from_ms: Millis
    until_ms: Millis
    reason: str
    by: str
    begun: bool = False

    @property
    def work(self) -> Work:
        """What it is."""
        return Work(self.id.partition("/")[0])

    @property
    def subject(self) -> str:
        """What it was declared for: an asset, an area or a feeder."""
        return self.id.split("/")[1]

    @property
    def due_ms(self) -> Millis:
        """When it begins, or is over."""
        return self.until_ms if self.begun else self.from_ms


_WORKS: Final = frozenset(work.value for work in Work)


def is_window(cause: str) -> bool:
    """Whether what explains an alert is work, not another episode."""
    return cause.partition("/")[0] in _WORKS


def running(windows: tuple[Window, ...]) -> str:
    """The window of work that runs; empty where none does."""
    return next((window.id for window in windows if window.begun), "")


def turned(windows: tuple[Window, ...], at_ms: Millis) -> tuple[tuple[Window, ...], list[Window]]:
    """What is left of them at ``at_ms``, and those that have just begun or, having begun before, are over."""
    due = [window for window in windows if window.due_ms <= at_ms]
    staying = (window for window in windows if window not in due or not window.begun)
    return tuple(replace(window, begun=True) if window in due else window for window in staying), due
