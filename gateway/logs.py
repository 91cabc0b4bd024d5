"""How the gateway logs: one line an event, for people on a terminal, as JSON for machines. Configured only here."""

import logging
import sys

import structlog


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """The log of one module."""
    found: structlog.stdlib.BoundLogger = structlog.get_logger(name)
    return found


def configure(*, machine: bool | None = None, level: int = logging.INFO) -> None:
    """Logs to standard error; as JSON when it is no terminal, or as ``machine`` says."""
    as_json = not sys.stderr.isatty() if machine is None else machine
    renderer = structlog.processors.JSONRenderer(ensure_ascii=False) if as_json else structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),  # whatever it is by then: a runner swaps it
        cache_logger_on_first_use=False,
    )
