"""The thread that carries the journal's streams to InfluxDB: take a portion, write it until it is dealt with, move on.

A position moves only after a 2xx for every line that was not filed, and the move is durable before more is taken (L1).
It never touches the loop's state; alerts neither wait for it nor notice it (L3).
"""

import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from types import MappingProxyType
from typing import Final, Protocol

from gateway.barrier import WORLD
from gateway.health import Part
from gateway.influx.answers import WriteAnswer, WriteVerdict, verdict
from gateway.influx.delivery import Delivery, Filed
from gateway.influx.points import Point
from gateway.influx.streams import Outflow, Portion
from gateway.journal.entry import Consumer
from gateway.journal.rollups import RollupReader
from gateway.logs import logger
from gateway.worker import Worker
from telemetry.reading import Millis

_log = logger(__name__)

IDLE_S: Final = 1.0
PAUSE_S: Final = 10.0
"""How often a server that refuses us is asked again, for the moment at which a person has mended it."""
FIRST_WAIT_S: Final = 1.0
LONGEST_WAIT_S: Final = 60.0
LONGEST_WISH_S: Final = 3_600.0
"""A server that asks for more patience than an hour is not obeyed."""


class Ending(Exception):  # noqa: N818 -- the end, not an error
    """The gateway is to end; what was not dealt with goes again at the next start."""


class Outlet(Protocol):
    """The server, whatever stands in front of it (``server.InfluxOutlet``)."""

    def write(self, bucket: str, lines: Sequence[bytes]) -> WriteAnswer:
        """Writes them in one request."""

    def renew(self) -> None:
        """Forgets connection and token: a person may have replaced what was wrong."""

    def oldest_ms(self, bucket: str) -> Millis:
        """Points from before then are not wanted by the bucket any more."""

    def trouble(self, answer: WriteAnswer, bucket: str) -> Part:
        """What an answer that stores nothing means, in a sentence."""


class Checkpoints(Protocol):
    """Where the sender's progress is made durable, and told (``opening.JournalCheckpoints``)."""

    def dealt_with(self, consumer: Consumer, position: int, filed: Sequence[tuple[str, Filed]]) -> None:
        """The stream is dealt with up to here, these lines (with their buckets) were filed; returns when it is durable.

        Raises ``JournalUnavailable`` when it did not become so.
        """

    def count_answer(self, verdict: WriteVerdict, lines: int) -> None:
        """One request of so many lines was answered."""

    def stands(self, verdict: WriteVerdict, part: Part) -> None:
        """How it goes; may be said again and again."""


class Sender(Worker):
    """Brings every stream on, one portion at a time, on a thread of its own."""

    def __init__(
        self,
        outflows: Sequence[Outflow],
        outlet: Outlet,
        checkpoints: Checkpoints,
        open_reader: Callable[[], RollupReader],
        ready: Part,
        *,
        facts: Mapping[str, Sequence[Point]] = MappingProxyType({}),
        pause_s: float = PAUSE_S,
        rest: Callable[[float], bool] | None = None,
    ) -> None:
        """``facts`` are points by bucket that are written first at every start: they are the same each time.

        ``rest`` waits so many real seconds and answers whether the end came meanwhile.
        """
        super().__init__("series")
        self._facts = facts
        self._outflows = outflows
        self._outlet = outlet
        self._checkpoints = checkpoints
        self._open_reader = open_reader
        self._ready = ready
        self._pause_s = pause_s
        self._resend_ms: Millis | None = None
        self._rests = rest or self._stopping.wait

    @property
    def consumers(self) -> tuple[Consumer, ...]:
        """Who has to be waited for before rows are let go."""
        return tuple(outflow.consumer for outflow in self._outflows)

    def resend(self, since_ms: Millis) -> None:
        """Sends again what came since then, once the portion in hand is dealt with; written twice it is the same."""
        self._resend_ms = since_ms

    def run_once(self, reader: RollupReader) -> bool:
        """One portion of each stream; ``False`` when there was none. Raises ``Ending`` and ``JournalUnavailable``."""
        since_ms, self._resend_ms = self._resend_ms, None
        if since_ms is not None:
            self._start_over(since_ms, reader)
        return sum(self._bring_on(outflow, reader) for outflow in self._outflows) > 0

    def _start_over(self, since_ms: Millis, reader: RollupReader) -> None:
        self._begin(reader, since_ms)
        for outflow in self._outflows:
            before = outflow.before(reader, since_ms)
            if before is not None and before < reader.position(outflow.consumer):
                self._checkpoints.dealt_with(outflow.consumer, before, ())

    def _begin(self, reader: RollupReader, since_ms: Millis | None = None) -> None:
        """The facts; and of what a stream does not hold any more all since then, or all if nothing was ever sent."""
        for bucket, points in self._facts.items():
            self._deliver(bucket, points)
        for outflow in self._outflows:
            position = reader.position(outflow.consumer)
            if since_ms is None and position:
                continue
            for portion in outflow.past(reader, since_ms or 0):
                self._checkpoints.dealt_with(outflow.consumer, position, self._written(portion))

    def _bring_on(self, outflow: Outflow, reader: RollupReader) -> bool:
        portion = outflow.after(reader, reader.position(outflow.consumer))
        if portion is None:
            return False
        self._checkpoints.dealt_with(outflow.consumer, portion.position, self._written(portion))
        return True

    def _written(self, portion: Portion) -> list[tuple[str, Filed]]:
        """Brings a portion out; what was filed of it."""
        filed = [("", each) for each in portion.filed]
        for bucket, points in portion.points.items():
            filed += [(bucket, each) for each in self._deliver(bucket, points)]
        return filed

    def _deliver(self, bucket: str, points: Sequence[Point]) -> Sequence[Filed]:
        """Writes until every line is stored or filed."""
        delivery, failures = Delivery(points, self._outlet.oldest_ms(bucket)), 0
        while piece := delivery.piece:
            if self._stopping.is_set():
                raise Ending
            answer = self._outlet.write(bucket, piece)
            found = delivery.take_answer(answer)
            self._checkpoints.count_answer(found, len(piece))
            if found in (WriteVerdict.LATER, WriteVerdict.PAUSED):
                self._rest(found, answer, bucket, failures)
                failures += 1
            elif delivery.probes and not self._probe(bucket, delivery):
                self._rest(WriteVerdict.PAUSED, answer, bucket, failures)
                delivery = Delivery(points, self._outlet.oldest_ms(bucket))
            else:
                failures = 0
        if delivery.stored:
            self._checkpoints.stands(WriteVerdict.STORED, self._told(delivery))
        return delivery.filed

    def _probe(self, bucket: str, delivery: Delivery) -> bool:
        """Whether any line at all is taken, when the first hundred were not."""
        for line in delivery.probes:
            if verdict(self._outlet.write(bucket, [line])) is WriteVerdict.STORED:
                delivery.passed()
                return True
        return False

    def _rest(self, found: WriteVerdict, answer: WriteAnswer, bucket: str, failures: int) -> None:
        """Says what is wrong and waits: for the server's own wish, or a drawn while that grows, or for a person."""
        part = self._outlet.trouble(answer, bucket)
        self._checkpoints.stands(found, part)
        if found is WriteVerdict.PAUSED:
            wait_s = self._pause_s
        else:
            wish_s = min(answer.retry_after_s or 0.0, LONGEST_WISH_S)
            bound_s = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(failures, 10))
            wait_s = max(random.uniform(bound_s / 2, bound_s), wish_s)  # noqa: S311 -- a pause, no secret
        if self._rests(wait_s):
            raise Ending
        self._outlet.renew()

    def _told(self, delivery: Delivery) -> Part:
        """All is well, and what was filed is worth knowing."""
        if not delivery.filed:
            return self._ready
        last = delivery.filed[-1]
        note = f"{len(delivery.filed)} lines of the last batch were filed ({last.reason}): {last.detail}"
        return Part(ready=True, state=self._ready.state, notes=(note,))

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with closing(self._open_reader()) as reader:
                    self._begin(reader)
                    while not self._stopping.is_set():
                        if not self.run_once(reader):
                            self._stopping.wait(IDLE_S)
            except WORLD as trouble:
                _log.warning("journal_unavailable", reason=str(trouble))
                self._stopping.wait(IDLE_S)
            except Ending:
                return
