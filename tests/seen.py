"""A person has seen an episode, by whatever way; nothing happens where it is over or was seen before (T11)."""

from alerts.episodes.county import Changes, County
from alerts.model import Actor
from telemetry.reading import Millis


def see(county: County, episode: str, by: str, at_ms: Millis, changes: Changes) -> None:
    if county.is_open(episode) and not county.alerts[episode].acked_ms:
        asked = Actor(by, "sms")
        county.respond(
            episode, lambda hands, alert, _, log: hands.acknowledge(alert, asked, at_ms, log), at_ms, changes
        )
