"""转正式: the trial of an area, an asset or a device is over, and its alerts are told from now on."""

from typing import Final

import msgspec

from alerts.episodes.county import Changes, County
from alerts.episodes.responses import Deed
from alerts.notify.holds import TrialKind, Trials, trial_ended
from gateway.commands.command import Context, Done, NotPossible, SignedCommand, UnknownPerson, Verdict
from telemetry.reading import Millis

TRIALS: Final = "trials"
"""The small mark that keeps over a restart which trials were ended."""


class EndTrial(SignedCommand[Verdict], frozen=True, kw_only=True):
    """转正式, of an area, an asset or a device."""

    kind: TrialKind
    name: str

    def act(self, context: Context, now_ms: Millis) -> Verdict:
        """Remembered in the same transaction as what follows from it."""
        pipeline = context.pipeline
        verdict = end_trial(self, pipeline.county, pipeline.trials, now_ms, pipeline.changes)
        if isinstance(verdict, Done):
            pipeline.entry.meta[TRIALS] = msgspec.json.encode(pipeline.trials.list_ended()).decode()
        return verdict


def end_trial(wish: EndTrial, county: County, trials: Trials, now_ms: Millis, changes: Changes) -> Verdict:
    """转正式: what its trial kept back is due now, and is looked at like everything else that is due."""
    if wish.by not in county.inventory.people:
        return UnknownPerson()
    held = [(alert, trials.of_alert(alert)) for alert in county.alerts.values() if not alert.closed_ms]
    ended = trials.end(wish.kind, wish.name, now_ms)
    if not ended:
        sentence = f"{wish.kind} {wish.name} is not on trial by itself: look for an area above it that is"
        return NotPossible(sentence, "no_trial")
    changes.log.append(trial_ended(county.inventory, wish.kind, wish.name, ended, wish.actor.detail(), now_ms))
    for alert, was_ms in held:
        if trials.of_alert(alert) <= now_ms < was_ms:
            county.respond(alert.episode, _unheld(was_ms, now_ms), now_ms, changes)
    return Done(now_ms, "trial_ended")


def _unheld(was_ms: Millis, now_ms: Millis) -> Deed:
    return lambda hands, alert, _memory, _log: hands.unhold(alert, was_ms, now_ms)
