"""How the gateway logs: one line an event, for people on a terminal, as JSON for machines. Configured only here.

Lines of one kind are bounded: the first stand whole, the rest is counted and summed up each minute, with the newest of
them, so that a flood fills no disk and hides nothing. What libraries say through ``logging`` comes the same way.
"""

import atexit
import logging
import re
import sys
import threading
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, TypeAlias

import structlog

from gateway.clock import monotonic_s

FIRST: Final = 20
"""So many lines of a kind stand whole."""
SUMMED_EVERY_S: Final = 60.0
FORGOTTEN_AFTER_S: Final = 600.0
"""A kind that was silent for so long begins anew."""
MOST_KINDS: Final = 1_000
LONGEST: Final = 8_000
"""Characters of one value; of a longer one its beginning and its end stay."""
SUMMED_UP: Final = "log_lines_summed_up"
_TOLD_APART: Final = ("problem", "reason", "state", "channel", "trouble")
"""What tells two lines of one event apart; what else they say may be another each time."""
_NUMBERS: Final = re.compile(r"[0-9a-f]*\d[0-9a-f]*")

Fields: TypeAlias = MutableMapping[str, Any]
Kind: TypeAlias = tuple[str, ...]


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """The log of one module."""
    found: structlog.stdlib.BoundLogger = structlog.get_logger(name)
    return found


def configure(*, machine: bool | None = None, level: int = logging.INFO, bounded: bool = True) -> None:
    """To standard error; as JSON when it is no terminal, or as ``machine`` says. Tests alone are not ``bounded``."""
    as_json = not sys.stderr.isatty() if machine is None else machine
    renderer = structlog.processors.JSONRenderer(ensure_ascii=False) if as_json else structlog.dev.ConsoleRenderer()
    _forget()
    limiter = Limiter(monotonic_s, _later, _tell)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            *((limiter,) if bounded else ()),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _cut,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),  # whatever it is by then: a runner swaps it
        cache_logger_on_first_use=False,
    )
    logging.getLogger().addHandler(_Libraries(limiter))
    atexit.register(limiter.sum_up)


@dataclass(slots=True)
class _Count:
    """One kind: how many lines there were in a row, and what was hidden since it was last summed up."""

    lines: int = 0
    latest_s: float = 0.0
    hidden: int = 0
    since_s: float = 0.0
    newest: Mapping[str, Any] | None = None


class Limiter:
    """A processor of structlog that lets the first lines of a kind pass and counts the rest.

    ``later`` calls back after so many seconds, ``tell`` logs a sum: its level and its fields. Called by any thread.
    """

    def __init__(
        self,
        now_s: Callable[[], float],
        later: Callable[[float, Callable[[], None]], object],
        tell: Callable[[str, Mapping[str, Any]], None],
    ) -> None:
        self._now_s = now_s
        self._later = later
        self._tell = tell
        self._counting = threading.Lock()
        self._counts: dict[Kind, _Count] = {}
        self._is_to_sum_up = False

    def __call__(self, _logger: object, _method: str, fields: Fields) -> Fields:
        """The line as it is, or ``DropEvent`` when enough of its kind stand whole."""
        if fields.get("event") == SUMMED_UP:
            return fields
        with self._counting:
            passes, waits = self._count(fields)
        if waits:
            self._later(SUMMED_EVERY_S, self.sum_up)
        if not passes:
            raise structlog.DropEvent
        return fields

    def sum_up(self) -> None:
        """Tells of each kind how many lines were hidden since the last time, and what the newest of them said."""
        now_s = self._now_s()
        with self._counting:
            self._is_to_sum_up = False
            told = [
                (kind, count.hidden, count.since_s, count.newest)
                for kind, count in self._counts.items()
                if count.hidden
            ]
            for count in self._counts.values():
                count.hidden, count.newest = 0, None
            for kind in [each for each, count in self._counts.items() if now_s - count.latest_s >= FORGOTTEN_AFTER_S]:
                del self._counts[kind]
        for kind, lines, since_s, newest in told:
            self._tell(kind[0], {"of": kind[1], "lines": lines, "seconds": round(now_s - since_s), "newest": newest})

    def close(self) -> None:
        """Nothing is told any more; another has taken its place."""
        with self._counting:
            self._counts.clear()

    def _count(self, fields: Fields) -> tuple[bool, bool]:
        """Whether the line passes, and whether somebody has to be asked to sum up."""
        now_s, kind = self._now_s(), _kind(fields)
        if kind not in self._counts and len(self._counts) >= MOST_KINDS:
            kind = (kind[0], "anything")
        count = self._counts.setdefault(kind, _Count())
        if now_s - count.latest_s >= FORGOTTEN_AFTER_S and not count.hidden:
            count.lines = 0
        count.lines, count.latest_s = count.lines + 1, now_s
        if count.lines <= FIRST:
            return True, False
        if not count.hidden:
            count.since_s = now_s
        count.hidden += 1
        count.newest = _plain(fields)
        waits, self._is_to_sum_up = not self._is_to_sum_up, True
        return False, waits


class _Libraries(logging.Handler):
    """What libraries log goes the way of our own lines; ``limiter`` is whose sums are due when it is taken down."""

    def __init__(self, limiter: Limiter) -> None:
        super().__init__(logging.WARNING)
        self.limiter = limiter

    def emit(self, record: logging.LogRecord) -> None:
        """One record; its template is its kind, and what was filled in stands beside it."""
        said = record.getMessage()
        template = str(record.msg)
        more = {} if said == template else {"said": said}
        log = structlog.get_logger(record.name)
        log.log(record.levelno, template, library=record.name, exc_info=record.exc_info or None, **more)


def _kind(fields: Fields) -> Kind:
    """Level, event, what tells it apart, and where what failed has failed; numbers are no difference."""
    apart = (_NUMBERS.sub("#", str(fields[name]))[:120] for name in _TOLD_APART if name in fields)
    return (str(fields.get("level", "")), str(fields.get("event", ""))[:120], *apart, *_failure(fields.get("exc_info")))


def _failure(exc_info: object) -> tuple[str, ...]:
    error = exc_info if isinstance(exc_info, BaseException) else None
    if exc_info is True:
        error = sys.exc_info()[1]
    elif isinstance(exc_info, tuple):
        error = exc_info[1]
    if error is None:
        return ()
    return type(error).__name__, _place(error.__traceback__)


def _place(at: TracebackType | None) -> str:
    """The innermost file and line."""
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    return "" if at is None else f"{at.tb_frame.f_code.co_filename}:{at.tb_lineno}"


def _plain(fields: Fields) -> Mapping[str, Any]:
    """The line as it can be kept until it is told: its failure by name, nothing that holds on to a frame."""
    kept = {name: str(value)[:400] for name, value in fields.items() if name not in ("exc_info", "level", "event")}
    failure = fields.get("exc_info")
    error = sys.exc_info()[1] if failure is True else failure[1] if isinstance(failure, tuple) else failure
    return kept | ({"failed": f"{type(error).__name__}: {error}"[:400]} if isinstance(error, BaseException) else {})


def _cut(_logger: object, _method: str, fields: Fields) -> Fields:
    """No value is longer than a page."""
    for name, value in fields.items():
        if isinstance(value, str) and len(value) > LONGEST:
            half = LONGEST // 2
            fields[name] = f"{value[:half]} … {len(value) - LONGEST} characters left out … {value[-half:]}"
    return fields


def _forget() -> None:
    """What an earlier configuration left behind."""
    root = logging.getLogger()
    for handler in [each for each in root.handlers if isinstance(each, _Libraries)]:
        handler.limiter.close()
        atexit.unregister(handler.limiter.sum_up)
        root.removeHandler(handler)


def _later(seconds: float, callback: Callable[[], None]) -> None:
    timer = threading.Timer(seconds, callback)
    timer.daemon = True
    timer.start()


def _tell(level: str, fields: Mapping[str, Any]) -> None:
    numbers = {"critical": logging.CRITICAL, "error": logging.ERROR, "warning": logging.WARNING}
    logger(__name__).log(numbers.get(level, logging.INFO), SUMMED_UP, **fields)
