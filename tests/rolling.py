"""The roller over a real journal file on a virtual clock, without a loop: what it posts is committed at once.

A test says when readings are committed and what time it is; a crash is a post that ends the process, before or after
it became durable.
"""

from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from alerts.rollups.rows import ROWS, Row
from gateway.journal.entry import Entry, Rolled, Snapshot
from gateway.journal.rollups import RollupReader
from gateway.journal.writer import Journal
from gateway.metrics import Metrics
from gateway.rollups.roller import BOUNDS, Roller, StepBounds
from gateway.rollups.scope import ROLLUPS, RollupScope
from telemetry.reading import Millis, Reading
from telemetry.series import Measurement
from tests.fakes import Crash
from tests.gateway.journal.entries import contents

Tables = dict[Measurement, dict[tuple[int, str], Row]]


class Rolling:
    """One roller after the other on the same journal."""

    def __init__(self, path: Path, scope: RollupScope, bounds: StepBounds = BOUNDS) -> None:
        self.path = path
        self.scope = scope
        self.metrics = Metrics()
        self.posts: list[Rolled] = []
        self.dies_after = -1
        """In how many posts the process dies; the post is durable if ``dies_durably``."""
        self.dies_durably = False
        self._bounds = bounds
        self._open()

    def commit(self, readings: Iterable[Reading]) -> None:
        """Readings become durable."""
        self.journal.commit(Entry(readings=list(readings)))

    def turn(self, now_ms: Millis) -> bool:
        """One piece of work; a crash in it starts the roller again."""
        try:
            return self._roller.turn(now_ms)
        except Crash:
            self.restart()
            return True

    def until_idle(self, now_ms: Millis) -> None:
        """Everything that there is to do at that instant."""
        while self.turn(now_ms):
            pass

    def restart(self, scope: RollupScope | None = None, bounds: StepBounds | None = None) -> None:
        """Gone and back, maybe under another inventory or with less room."""
        self.close()
        self.scope = scope or self.scope
        self._bounds = bounds or self._bounds
        self._open()

    def expire(self, now_ms: Millis, keep_days: int) -> None:
        """Retention, until there is nothing to let go."""
        self.journal.commit(Entry(snapshot=Snapshot({}, {})))
        while self.journal.expire(now_ms, keep_days).rows:
            pass

    def close(self) -> None:
        """Lets go of the file."""
        self.reader.close()
        self.journal.close()

    def tables(self) -> Tables:
        """Every row of every rollup."""
        return {
            measurement: {
                (each.start_ms, each.subject): each.row
                for each in self.reader.all_rollups(measurement, -(2**62), 2**62)
            }
            for measurement in ROWS
        }

    def standing(self) -> dict[str, Any]:
        """Where each asset stands, by name; what is dirty must be nothing."""
        tables = contents(self.path)
        names: dict[int, str] = dict(tables["asset"])
        assert tables["rollup_dirty"] == []
        carries = {names[asset]: (at_ms, blob) for asset, at_ms, blob in tables["rollup_carry"]}
        days = {(day_ms, names[asset]): blob for day_ms, asset, _, blob in tables["rollup_day_carry"]}
        return {"carries": carries, "days": days}

    def _open(self) -> None:
        self.journal = Journal.open(self.path)
        self.journal._connection.execute("PRAGMA synchronous = OFF")  # the process dies here, not the machine
        self.journal.admit([ROLLUPS])
        self.reader = RollupReader.open(self.path)
        self._roller = Roller(
            self.scope, self.reader, self._keep, self.metrics, breathe=lambda _work: None, bounds=self._bounds
        )

    def _keep(self, rolled: Rolled) -> None:
        self.dies_after -= 1
        dies = self.dies_after == 0
        if dies and not self.dies_durably:
            raise Crash
        self.posts.append(rolled)
        self.journal.commit(Entry(rolled=[rolled]))
        if dies:
            raise Crash


def rolled(path: Path, scope: RollupScope, readings: Iterable[Reading], from_ms: Millis, to_ms: Millis) -> Tables:
    """The rows of readings that were all there before the first hour was closed."""
    with closing(Rolling(path, scope)) as rolling:
        rolling.turn(from_ms)
        rolling.commit(readings)
        rolling.until_idle(to_ms)
        return rolling.tables()


def columns(tables: Tables, measurement: Measurement, subject: str) -> list[Mapping[str, Any]]:
    """The rows of one subject in order, as mappings."""
    return [
        {name: getattr(row, name) for name in row.__struct_fields__}
        for (_, name_of), row in sorted(tables[measurement].items(), key=lambda one: one[0])
        if name_of == subject
    ]
