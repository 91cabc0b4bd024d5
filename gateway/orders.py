"""What a person's command makes of an episode, on the county, and what they are answered. Nothing is durable here yet.

Who may ask at all (log-in, token) is the desk's; what their role allows is the middle's and comes back as a sentence.
"""

from alerts.changes import Changes
from alerts.county import County
from alerts.responses import Asked, Deed
from gateway.commands import Command, Done, NotPossible, UnknownPerson, Verb, Verdict
from telemetry.reading import Millis

_BECOMES = {Verb.SHELVE: "shelved", Verb.UNSHELVE: "unshelved", Verb.DISPATCH: "dispatched"}


def obey(command: Command, county: County, now_ms: Millis, changes: Changes) -> Verdict:
    """The command's effect on an episode that was known at some time."""
    people, episode = county.inventory.people, command.episode
    if command.by not in people or (command.to and command.to not in people):
        return UnknownPerson()
    if command.verb is Verb.ACK:
        if not county.is_open(episode) or county.alerts[episode].acked_ms:
            return Done(now_ms, "unchanged")  # T11
        county.respond(episode, _deed(command, now_ms), now_ms, changes)
        return Done(now_ms, "acked")
    if command.verb is Verb.RESET:
        if county.reset(episode, command.by, now_ms, changes):
            return Done(now_ms, "reset")
        return NotPossible(f"{episode} cannot be reset: it still burns, or there is nothing to reset")
    if not county.is_open(episode):
        return NotPossible(f"{episode} is over")
    refusal = county.respond(episode, _deed(command, now_ms), now_ms, changes)
    return NotPossible(refusal) if refusal else Done(now_ms, _BECOMES[command.verb])


def _deed(command: Command, now_ms: Millis) -> Deed:
    asked = Asked(command.by, command.channel, command.origin)
    match command.verb:
        case Verb.ACK:
            return lambda hands, alert, _, log: hands.acknowledge(alert, asked, now_ms, log)
        case Verb.SHELVE:
            reason, until_ms = command.reason, command.until_ms
            return lambda hands, alert, _, log: hands.shelve(alert, asked, reason, until_ms, now_ms, log)
        case Verb.UNSHELVE:
            return lambda hands, alert, _, log: hands.unshelve(alert, asked, now_ms, log)
        case _:
            return lambda hands, alert, memory, log: hands.dispatch(alert, asked, command.to, memory, now_ms, log)
