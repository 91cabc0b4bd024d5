"""The durable gateway against a bare subscriber: both drain the same backlog, in turn, in processes of their own.

The broker queued it for both while neither was there. A number is the median of the rounds; who goes first alternates.
"""

from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks import load
from benchmarks.bare_process import Drained
from benchmarks.children import Gateway, Unmeasured, gateway, run
from firmware_sim.radio import TimedUplink
from gateway.embedded_broker import Embedded

WITHIN_S = 180.0


class Round(NamedTuple):
    """One backlog, drained twice: µs a message by the wall and by the process's CPU; the gateway's memory after it."""

    bare_us: float
    bare_cpu_us: float
    ours_us: float
    ours_cpu_us: float
    readings: int
    commits: int
    rss_mb: float | None


class Backlog(NamedTuple):
    """What the rounds came to."""

    messages: int
    rounds: list[Round]

    @property
    def ratio(self) -> float:
        """How many times as fast as the bare subscriber; each round's two drains are compared with each other."""
        return median(each.bare_us / each.ours_us for each in self.rounds)

    @property
    def rss_mb(self) -> float | None:
        """The gateway's resident memory after the backlog."""
        known = [each.rss_mb for each in self.rounds if each.rss_mb is not None]
        return median(known) if known else None


def measure(folder: Path, broker: Embedded, inventory: Path, uplinks: list[TimedUplink], rounds: int) -> Backlog:
    """Queues the uplinks and lets both drain them, ``rounds`` times. Raises ``Unmeasured``."""
    return Backlog(
        len(uplinks),
        [_round(folder / f"backlog-{n}", broker, inventory, uplinks, bare_first=n % 2 == 0) for n in range(rounds)],
    )


def _round(folder: Path, broker: Embedded, inventory: Path, uplinks: list[TimedUplink], *, bare_first: bool) -> Round:
    with gateway(folder, broker, inventory):
        pass  # it has its session now; so has the other
    _bare(folder, broker, 0)
    taken = load.send(broker, uplinks)
    if taken != len(uplinks):
        raise Unmeasured(f"the broker took {taken} of {len(uplinks)} messages")
    if bare_first:
        bare = _bare(folder, broker, len(uplinks))
        ours, rss_mb = _ours(folder, broker, inventory, len(uplinks))
    else:
        ours, rss_mb = _ours(folder, broker, inventory, len(uplinks))
        bare = _bare(folder, broker, len(uplinks))
    commits = [commit for commit in ours.seen.commits if commit.readings]
    first, last = commits[0], commits[-1]
    rest = len(uplinks) - first.readings
    return Round(
        bare_us=bare.seconds / bare.messages * 1e6,
        bare_cpu_us=bare.cpu_s / bare.messages * 1e6,
        ours_us=(last.at_s - first.first_read_s) / len(uplinks) * 1e6,
        ours_cpu_us=(last.cpu_s - first.cpu_s) / rest * 1e6,
        readings=sum(commit.readings for commit in commits),
        commits=len(commits),
        rss_mb=rss_mb,
    )


def _bare(folder: Path, broker: Embedded, count: int) -> Drained:
    return run("bare_process", folder / "bare.json", Drained, broker.port, broker.username, broker.password_file, count)


def _ours(folder: Path, broker: Embedded, inventory: Path, count: int) -> tuple[Gateway, float | None]:
    with gateway(folder, broker, inventory) as running:
        running.wait_until_acked(count, WITHIN_S)
        rss_mb = running.rss_mb()
    return running, rss_mb
