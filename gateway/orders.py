"""What a person's command makes of an episode, on the county, and what they are answered. Nothing is durable here yet.

Who may ask at all (log-in, token) is the desk's; what their role allows is the middle's and comes back as a sentence.
"""

from alerts.episodes.county import Changes, County
from alerts.episodes.responses import Deed
from alerts.model import Actor
from alerts.notify.holds import Trials, trial_ended
from gateway.commands import CommandVerdict, Done, EndTrial, EpisodeCommand, EpisodeVerb, NotPossible, UnknownPerson
from telemetry.reading import Millis

_BECOMES = {
    EpisodeVerb.SHELVE: "shelved",
    EpisodeVerb.UNSHELVE: "unshelved",
    EpisodeVerb.DISPATCH: "dispatched",
    EpisodeVerb.NOTE: "noted",
    EpisodeVerb.DOUBT: "doubted",
}


def obey(command: EpisodeCommand, county: County, now_ms: Millis, changes: Changes) -> CommandVerdict:
    """The command's effect on an episode that was known at some time."""
    people, episode = county.inventory.people, command.episode
    if command.by not in people or (command.to and command.to not in people):
        return UnknownPerson()
    if command.verb is EpisodeVerb.ACK:
        if not county.is_open(episode) or county.alerts[episode].acked_ms:
            return Done(now_ms, "unchanged")  # T11
        county.respond(episode, _deed(command, now_ms), now_ms, changes)
        return Done(now_ms, "acked")
    if command.verb is EpisodeVerb.RESET:
        looked = command.looked.strip() or people[command.by].name  # who names nobody else says so of themselves
        asked = Actor(command.by, command.channel, command.origin, looked, command.reason)
        if county.reset(episode, asked, now_ms, changes):
            return Done(now_ms, "reset")
        sentence = f"{episode} cannot be reset: it still burns or is hot again, or there is nothing to reset"
        return NotPossible(sentence, "no_reset")
    if not county.is_open(episode):
        return NotPossible(f"{episode} is over; look at the list again", "over")
    refusal = county.respond(episode, _deed(command, now_ms), now_ms, changes)
    return NotPossible(refusal.sentence, refusal.why) if refusal else Done(now_ms, _BECOMES[command.verb])


def end_trial(wish: EndTrial, county: County, trials: Trials, now_ms: Millis, changes: Changes) -> CommandVerdict:
    """转正式: what its trial kept back is due now, and is looked at like everything else that is due."""
    if wish.by not in county.inventory.people:
        return UnknownPerson()
    held = [(alert, trials.of_alert(alert)) for alert in county.alerts.values() if not alert.closed_ms]
    ended = trials.end(wish.kind, wish.name, now_ms)
    if not ended:
        sentence = f"{wish.kind} {wish.name} is not on trial by itself: look for an area above it that is"
        return NotPossible(sentence, "no_trial")
    asked = Actor(wish.by, wish.channel, wish.origin).detail()
    changes.log.append(trial_ended(county.inventory, wish.kind, wish.name, ended, asked, now_ms))
    for alert, was_ms in held:
        if trials.of_alert(alert) <= now_ms < was_ms:
            county.respond(alert.episode, _unheld(was_ms, now_ms), now_ms, changes)
    return Done(now_ms, "trial_ended")


def _unheld(was_ms: Millis, now_ms: Millis) -> Deed:
    return lambda hands, alert, _memory, _log: hands.unhold(alert, was_ms, now_ms)


def _deed(command: EpisodeCommand, now_ms: Millis) -> Deed:
    asked = Actor(command.by, command.channel, command.origin)
    match command.verb:
        case EpisodeVerb.ACK:
            return lambda hands, alert, _, log: hands.acknowledge(alert, asked, now_ms, log)
        case EpisodeVerb.SHELVE:
            reason, until_ms = command.reason, command.until_ms
            return lambda hands, alert, _, log: hands.shelve(alert, asked, reason, until_ms, now_ms, log)
        case EpisodeVerb.NOTE:
            return lambda hands, alert, _, log: hands.note(alert, asked, command.reason, now_ms, log)
        case EpisodeVerb.DOUBT:
            return lambda hands, alert, _, log: hands.doubt(alert, asked, command.reason, now_ms, log)
        case EpisodeVerb.UNSHELVE:
            return lambda hands, alert, _, log: hands.unshelve(alert, asked, now_ms, log)
        case _:
            return lambda hands, alert, memory, log: hands.dispatch(alert, asked, command.to, memory, now_ms, log)
