"""The one barrier of the rollups: our mistake about one asset must not stop the others, and none may end the thread.

What the world does to the journal is no mistake of ours: who reads or writes it sees to that inside.
"""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from gateway.logs import logger
from gateway.metrics import Metrics

P = ParamSpec("P")
T = TypeVar("T")

_log = logger(__name__)


class Barrier:
    """Calls what may fail by our mistake, logs that it did, counts it, and goes on."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def attempt(self, subject: str, act: Callable[P, T], *given: P.args, **named: P.kwargs) -> T | None:
        """What ``act`` answers, or ``None`` when it failed."""
        try:
            return act(*given, **named)
        except Exception:  # noqa: BLE001 -- the one barrier of the rollups
            _log.exception("rollup_failed_by_our_mistake", subject=subject)
            self._metrics.rollup_bugs.inc()
            return None
