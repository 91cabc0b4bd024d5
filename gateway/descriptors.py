"""How many files and sockets this process may have open, and how many of them strangers may take (law L10).

The gateway's own are kept back: a fire must find one, however many browsers stand at the desk.
"""

import resource
from contextlib import suppress
from typing import Final

OWN: Final = 400
"""Kept for journal, broker, courier, InfluxDB and whatever a page reads while it is made."""
ENOUGH: Final = 65_536
LEAST: Final = 8


def raise_limit() -> int:
    """The soft limit, raised as far as the hard one lets anybody use it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = ENOUGH if hard == resource.RLIM_INFINITY else min(hard, ENOUGH)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):  # a sandbox may forbid it; then it is as it was
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            return wanted
    return ENOUGH if soft == resource.RLIM_INFINITY else soft


def for_strangers(limit: int, most: int) -> int:
    """How many of ``limit`` the desk's connections may take: never what is the gateway's own, and ``most`` at most."""
    return max(LEAST, min(most, limit - OWN))
