"""转正式: the trial of an area, an asset or a device is over, and its alerts are told from now on."""

from dataclasses import dataclass
from typing import Final

from alerts.episodes.responses import Deed
from alerts.model import Refused
from alerts.notify.holds import TrialKind, trial_ended
from gateway.commands.command import Context, Done, SignedCommand
from gateway.commands.fields import SYMBOL, CommandRoute, CommandWords
from telemetry.reading import Millis

TRIALS: Final = "trials"
"""The small mark that keeps over a restart which trials were ended."""


class EndTrial(SignedCommand[Done], frozen=True, kw_only=True):
    """转正式, of an area, an asset or a device."""

    kind: TrialKind
    name: str

    def carry_out(self, context: Context, now_ms: Millis) -> Done | Refused:
        """What its trial kept back is due now, and is looked at like everything else that is due."""
        pipeline = context.pipeline
        county, trials = pipeline.county, pipeline.trials
        held = [(alert, trials.of_alert(alert)) for alert in county.alerts.values() if not alert.closed_ms]
        ended = trials.end(self.kind, self.name, now_ms)
        if not ended:
            sentence = f"{self.kind} {self.name} is not on trial by itself: look for an area above it that is"
            return Refused("no_trial", sentence)
        row = trial_ended(county.inventory, self.kind, self.name, ended, self.actor.detail(), now_ms)
        pipeline.say(row)
        for alert, was_ms in held:
            if trials.of_alert(alert) <= now_ms < was_ms:
                pipeline.respond(alert.episode, _unheld(was_ms, now_ms), now_ms)
        pipeline.keep(TRIALS, trials.list_ended())
        return Done(now_ms, "trial_ended")


def _unheld(was_ms: Millis, now_ms: Millis) -> Deed:
    return lambda hands, alert, _memory, _log: hands.unhold(alert, was_ms, now_ms)


@dataclass(frozen=True)
class TrialResult:
    """It is over, durably; ``at_ms`` is epoch milliseconds."""

    kind: TrialKind
    name: str
    at_ms: int


COMMANDS: Final = (
    CommandRoute(
        EndTrial,
        "/api/v1/trials/end",
        "end_trial",
        "转正式: alerts are told from now on; answers when it is durable.",
        "TrialBody",
        "Whose trial is over: an area (with all that is new in it), an asset or a device, by its id in the inventory.",
        {"kind": TrialKind, "name": SYMBOL, "by": SYMBOL},
        place=22,
        answer=TrialResult,
    ),
)

WORDS: Final = (
    CommandWords(
        EndTrial,
        ("trial", "转正式"),
        {"trial_ended": ("转正式", "已转正式，告警照规矩发")},
        {"no_trial": "它自己没有在试运行，看看上面的村镇"},
    ),
)
