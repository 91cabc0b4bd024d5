"""A thread of its own beside the loop: started once, told to end, and waited for no longer than it may take.

What it does there is its own file's; nothing is logged, caught or decided here.
"""

import threading
from abc import ABC, abstractmethod
from typing import ClassVar


class Worker(ABC):
    """``start`` runs it, ``stop`` ends it. Whatever waits in it waits on ``_stopping``."""

    ends_within_s: ClassVar[float] = 5.0
    """So long what is in hand may take to come to its end; then it is left behind."""

    def __init__(self, name: str) -> None:
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Starts the thread; once."""
        self._thread.start()

    def stop(self, within_s: float | None = None) -> None:
        """Lets what is in hand come to its end, and nothing else begin."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(self.ends_within_s if within_s is None else within_s)

    @abstractmethod
    def _run(self) -> None:
        """The thread, until ``_stopping`` is set."""
