"""County-days of the storm as tests run them: seed by seed, in a folder of its own, with nothing written to the log.

A run below the floor has drawn too little to show anything, and fails.
"""

import importlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import structlog

from tests.storm.line import StormLine
from tests.storm.steps import FAULTS_A_DAY, Seeded, expand
from tests.storm.storm import Storm

DAYS: Final = 4
"""Of faults, a seed; a calm one follows."""
TEXTS_A_DAY: Final = 15
COMMANDS_A_DAY: Final = 10


def variant(name: str) -> type[StormLine]:
    """The gateway with a fault of ``faults/``; without a name the one that has none."""
    if not name:
        return StormLine
    found: type[StormLine] = importlib.import_module(f"tests.storm.faults.{name}").Line
    return found


def live(seeded: Seeded) -> Storm:
    """The run of these steps, by the gateway that they name. Raises ``Violation``."""
    with TemporaryDirectory() as folder, _unlogged():
        return Storm(Path(folder), seeded, variant(seeded.variant)).run()


def hold(seed: int) -> None:
    """The laws hold on all days of a seed, and enough has happened on them."""
    storm = live(expand(seed, DAYS))
    assert storm.counts["faults"] >= FAULTS_A_DAY * DAYS, storm.printed[-1]
    assert storm.counts["texts"] >= TEXTS_A_DAY * DAYS, storm.printed[-1]
    assert storm.counts["commands"] >= COMMANDS_A_DAY * DAYS, storm.printed[-1]


@contextmanager
def _unlogged() -> Iterator[None]:
    """Every text and every refusal is a line of the log; nobody reads millions of them."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        structlog.configure(**before)
