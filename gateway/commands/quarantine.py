"""An uplink out of quarantine, put through the line once more because what refused it has been mended.

It belongs to the time at which it came: its samples become history and repeats are dropped as ever. They owe nobody a
text, are no sign of life, and move a state only where nothing newer has been heard of their device.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from http import HTTPStatus
from typing import Final

from msgspec.structs import replace

from alerts.conditions import bins
from alerts.model import Detail, Event, Refused
from gateway.commands.command import Command, Context, Done, NotPossible, SignedCommand, UnknownPerson
from gateway.commands.fields import SYMBOL, CommandRoute, CommandWords, CountField, DoneBody
from gateway.journal.entry import Aside, RequeueOutcome
from gateway.pipeline import BUG, Pipeline
from gateway.tracks import UNTRACKED, Track
from telemetry import clock
from telemetry.reading import Millis, Reading
from telemetry.wire import Reason, Rejected, Samples, Uplink, decode

MOST: Final = 500
"""So many at a time; the loop has other things to do."""
NO_UPLINKS: Final = frozenset({"series_refused", "series_expired"})
"""Reasons of what never was an uplink: lines that the time series would not take."""


class Result(StrEnum):
    """What became of it."""

    COMMITTED = "committed"
    DUPLICATE = "duplicate"
    PAST = "past"
    """It held no measurement: a status of long ago, or a word of our own."""
    REFUSED = "refused"


class LookAgain(SignedCommand[Done], frozen=True, kw_only=True):
    """What was refused for a reason is put through the line once more: what refused it has been mended."""

    reason: str

    def do(self, context: Context, now_ms: Millis) -> Done | UnknownPerson | NotPossible:
        """No start may step through what is taken in so as if it came now."""
        context.pipeline.change_past()
        return self.act(context, now_ms)

    def carry_out(self, context: Context, now_ms: Millis) -> Done | Refused:
        """Some of those refused for a reason, each for itself."""
        pipeline = context.pipeline
        if self.reason in NO_UPLINKS:
            return Refused("no_uplinks", f"{self.reason}: these are no uplinks; see `cunjing influx resend`")
        if self.reason == Reason.TOO_LARGE:
            return Refused(
                "cut_off", f"{self.reason}: only their beginning is kept; have their device say less at once"
            )
        done = {each.id for each in pipeline.entry.looked}  # twice in one turn is once
        found = [aside for aside in context.journal.aside(self.reason, MOST) if aside.id not in done]
        if not found:
            return Refused("nothing_aside", f"nothing is in quarantine for {self.reason}")
        for aside in found:
            result, refused = pipeline.barrier.attempt(partial(_taken, pipeline, aside), _failed, aside.topic)
            reason, detail = (aside.reason, "") if refused is None else (refused.reason, refused.detail)
            pipeline.entry.looked.append(RequeueOutcome(aside.id, now_ms, str(result), reason, detail))
        looked = pipeline.entry.looked[-len(found) :]
        counts = {str(result): sum(each.result == result for each in looked) for result in Result}
        row: Detail = {**self.actor.detail(), "name": self.reason, **counts}
        pipeline.say(Event(at_ms=now_ms, event="looked_again", detail=row))
        return Done(now_ms, "looked_again" if counts[Result.REFUSED] < len(found) else "refused_again")


def _failed(bug: Exception) -> tuple[Result, Rejected | None]:
    return Result.REFUSED, Rejected(BUG, f"{type(bug).__name__}: {bug}")


def _taken(pipeline: Pipeline, aside: Aside) -> tuple[Result, Rejected | None]:
    uplink = Uplink(aside.received_ms, aside.topic, aside.payload)
    said = decode(uplink, pipeline.directory)
    if isinstance(said, Rejected):
        return Result.REFUSED, said
    if not isinstance(said, Samples):
        return Result.PAST, None
    device = pipeline.inventory.devices[said.device]
    track = pipeline.tracks.get(device.id, UNTRACKED)
    windows, heard, fresh = pipeline.news(track.windows, said, uplink.received_ms)
    if fresh:
        interval_ms = device.interval_s * 1000
        times, _ = clock.judge(clock.UNHEARD, fresh, heard, uplink.received_ms, interval_ms)
        for sample, timed in zip(fresh, times, strict=True):
            _keep(
                pipeline,
                clock.read(device.id, device.asset, sample, replace(timed, late=True), uplink.received_ms),
            )
        pipeline.tracks[device.id] = Track(windows, track.clock)
    if said.refused:
        return Result.REFUSED, said.refused[0]
    return (Result.COMMITTED if fresh else Result.DUPLICATE), None


def _keep(pipeline: Pipeline, reading: Reading) -> None:
    """What is older than the last that was heard of its device is history and nothing else."""
    county = pipeline.county
    plan = county.plans[reading.asset]
    place = next(number for number, device in enumerate(plan.devices) if device.id == reading.device)
    if reading.observed_ms < county.states[reading.asset].devices[place].observed_ms:
        geometry = plan.asset.bin
        judged_pct = None if geometry is None else bins.stated_pct(geometry, reading.values)
    else:
        judged_pct = county.observe(reading, pipeline.changes)
    if judged_pct is not None:
        reading.judge(judged_pct)
    pipeline.entry.readings.append(reading)


class Resend(Command[Done | NotPossible], frozen=True):
    """What came since then is to be written to InfluxDB again."""

    since_ms: Millis = 0

    def do(self, context: Context, now_ms: Millis) -> Done | NotPossible:
        """Each sender goes back to it."""
        if not context.resend:
            return NotPossible("nothing is written to InfluxDB: the configuration has no [influxdb]")
        for resend in context.resend:
            resend(self.since_ms)
        return Done(now_ms, "resending")


@dataclass(frozen=True)
class ResendResult:
    """It has begun; ``at_ms`` is epoch milliseconds. How far it is shows in the metrics."""

    since_ms: int
    at_ms: int


@dataclass(frozen=True)
class RequeueAnswer(DoneBody):
    """``looked_again`` where anything was taken, else ``refused_again``; ``at_ms`` is epoch milliseconds."""


COMMANDS: Final = (
    CommandRoute(
        Resend,
        "/api/v1/series/resend",
        "resend",
        "Writes to InfluxDB again what came since then and is still in the journal; points are not doubled.",
        "ResendBody",
        "Since when everything is to be written to InfluxDB again (``received_at``, epoch milliseconds).",
        {"since_ms": CountField()},
        status=HTTPStatus.ACCEPTED,
        place=11,
        answer=ResendResult,
    ),
    CommandRoute(
        LookAgain,
        "/api/v1/quarantine/again",
        "again",
        "Puts up to 500 of those refused for a reason through the line once more; answers when it is durable.",
        "LookAgainBody",
        "For which reason it was refused that has been mended; ``by`` is a person of the inventory.",
        {"reason": SYMBOL, "by": SYMBOL},
        place=23,
        answer=RequeueAnswer,
    ),
)

WORDS: Final = (
    CommandWords(
        LookAgain,
        ("looked_again", "重新处理"),
        {
            "looked_again": ("重新处理隔离", "已重新处理；每条的结果写在下面"),
            "refused_again": ("", "重新处理过了，还是不认得；原因写在下面"),
        },
        {
            "no_uplinks": "这些不是设备的报文，不能重新处理",
            "cut_off": "报文太大，只留了开头，不能重新处理；请让设备一次少报一些",
            "nothing_aside": "这一类已经没有要处理的了",
        },
    ),
)
