"""Dialling on a thread of its own: a name server or a dead host may hold it for seconds, and the loop has timers.

The link belongs to this thread until it is finished, then to whoever asked; nothing is read or decided here.
"""

import threading
from collections.abc import Callable

from gateway.mqtt.link import Link


class Dial:
    """One link being dialled; ``done`` is called from the thread when ``finished`` is true, unless it was abandoned."""

    def __init__(self, link: Link, done: Callable[[], None]) -> None:
        self.link = link
        self.failure: OSError | ValueError | None = None
        self._done = done
        self._handing_over = threading.Lock()
        self._abandoned = self.finished = False
        threading.Thread(target=self._run, name="mqtt dial", daemon=True).start()

    def abandon(self) -> None:
        """Nobody wants it any more: it is closed now, or as soon as it stands."""
        with self._handing_over:
            self._abandoned = True
            if self.finished:
                self.link.close()

    def _run(self) -> None:
        try:
            self.link.dial()
        except (OSError, ValueError) as failure:  # ValueError: a host name that no resolver takes
            self.failure = failure
        with self._handing_over:
            self.finished = True
            if self._abandoned:
                self.link.close()
                return
        self._done()
