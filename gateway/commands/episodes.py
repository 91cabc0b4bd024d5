"""What a person's command makes of an episode, on the county, and what they are answered. Nothing is durable here yet.

Who may ask at all (log-in, token) is the desk's; what their role allows is the middle's and comes back as a sentence.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from alerts.alert import Alert
from alerts.conditions.state import Memory
from alerts.episodes.county import Changes, County
from alerts.episodes.rehearsal import Foreseen
from alerts.episodes.responses import Responses
from alerts.ledger.case import Case, CaseCommand, CaseVerb, LedgerRefusal, State
from alerts.ledger.moves import FROM
from alerts.model import Log, Refused, Severity
from gateway.commands.cases import CaseDone, CaseVerdict, ask
from gateway.commands.command import Context, Done, NotPossible, PersonalCommand, SignedCommand, UnknownPerson
from gateway.commands.fields import (
    MAY_BE_EMPTY,
    PERSON,
    PRINTED,
    ChoiceField,
    CommandRoute,
    CommandWords,
    CountField,
    TextField,
)
from gateway.pipeline import Pipeline
from telemetry.reading import Millis

_AT: Final = {State.FIXED: 1, State.VERIFIED: 2}
"""How far 办结 has come already."""
_WAITS: Final = frozenset({LedgerRefusal.SENSOR_DECIDES, LedgerRefusal.PROOF_MISSING})
"""What is said to be done waits: for the sensor, or for somebody who has seen it."""


class EpisodeVerb(StrEnum):
    """What a person may ask about an episode."""

    ACK = "ack"
    """Seen: the chain stops (T9)."""
    RESET = "reset"
    """Looked at: a latched fire is over (T12)."""
    SHELVE = "shelve"
    """Quiet until ``until_ms``, for a ``reason`` (T13)."""
    UNSHELVE = "unshelve"
    DISPATCH = "dispatch"
    """Told now to whoever is due first, or to the person ``to``: 派 and 改派."""
    NOTE = "note"
    """A line in its story, in ``reason`` (备注)."""
    FINISH = "finish"
    """Its case is done, ``reason`` says how (办结); closed only when that was seen. A fire is reset by it."""
    DOUBT = "doubt"
    """It is not so, for a ``reason`` (误报): the chain stops and the sensor is to be checked."""


class UnknownEpisode(Struct, frozen=True):
    """Nobody knows the episode."""


CommandVerdict: TypeAlias = Done | UnknownEpisode | UnknownPerson | NotPossible


class EpisodeCommand(SignedCommand[Done | UnknownEpisode], frozen=True, kw_only=True):
    """A person asks something about an episode.

    ``looked`` names who has been at a fire and looked, when it is said to be over; who resets one and names nobody has
    looked themselves.
    """

    verb: EpisodeVerb
    episode: str
    to: str = ""
    reason: str = ""
    until_ms: Millis = 0
    looked: str = ""

    def act(self, context: Context, now_ms: Millis) -> CommandVerdict:
        """Of an episode, or of a case of the ledger that a text asked about."""
        pipeline = context.pipeline
        if self.episode in pipeline.ledger.cases:
            return answer(self, pipeline, now_ms)
        if self.episode not in pipeline.county.alerts and not context.journal.knows(self.episode):
            return UnknownEpisode()
        if self.verb is EpisodeVerb.FINISH:
            return finish(self, pipeline, now_ms)
        return obey(self, pipeline.county, now_ms, pipeline.changes)


class Foresee(PersonalCommand[Foreseen | NotPossible], frozen=True, kw_only=True):
    """Who would be told, and when, if a rule stood on an asset from ``at_ms`` on? Answered with ``Foreseen``."""

    rule: str
    asset: str
    at_ms: Millis

    def act(self, context: Context, now_ms: Millis) -> Foreseen | NotPossible:  # noqa: ARG002 -- it asks about ``at_ms``
        """Nothing is changed by it."""
        said = context.pipeline.foresee(self.rule, self.asset, self.at_ms)
        return NotPossible(said.sentence, said.why) if isinstance(said, Refused) else said


_Do: TypeAlias = Callable[[Responses, Alert, Memory | None, Log, EpisodeCommand, Millis], Alert | Refused]
_DOES: Final[Mapping[EpisodeVerb, tuple[str, _Do]]] = {
    EpisodeVerb.ACK: (
        "acked",
        lambda hands, alert, _, log, asked, at_ms: hands.acknowledge(alert, asked.actor, at_ms, log),
    ),
    EpisodeVerb.SHELVE: (
        "shelved",
        lambda hands, alert, _, log, asked, at_ms: hands.shelve(
            alert, asked.actor, asked.reason, asked.until_ms, at_ms, log
        ),
    ),
    EpisodeVerb.UNSHELVE: (
        "unshelved",
        lambda hands, alert, _, log, asked, at_ms: hands.unshelve(alert, asked.actor, at_ms, log),
    ),
    EpisodeVerb.DISPATCH: (
        "dispatched",
        lambda hands, alert, memory, log, asked, at_ms: hands.dispatch(
            alert, asked.actor, asked.to, memory, at_ms, log
        ),
    ),
    EpisodeVerb.NOTE: (
        "noted",
        lambda hands, alert, _, log, asked, at_ms: hands.note(alert, asked.actor, asked.reason, at_ms, log),
    ),
    EpisodeVerb.DOUBT: (
        "doubted",
        lambda hands, alert, _, log, asked, at_ms: hands.doubt(alert, asked.actor, asked.reason, at_ms, log),
    ),
}
"""What each verb makes of an open episode, and how that is called."""


def obey(command: EpisodeCommand, county: County, now_ms: Millis, changes: Changes) -> CommandVerdict:
    """The command's effect on an episode that was known at some time."""
    people, episode = county.inventory.people, command.episode
    if command.by not in people or (command.to and command.to not in people):
        return UnknownPerson()
    if command.verb is EpisodeVerb.ACK and (not county.is_open(episode) or county.alerts[episode].acked_ms):
        return Done(now_ms, "unchanged")  # T11
    if command.verb is EpisodeVerb.RESET:
        looked = command.looked.strip() or people[command.by].name  # who names nobody else says so of themselves
        asked = replace(command.actor, looked=looked, reason=command.reason)
        if county.reset(episode, asked, now_ms, changes):
            return Done(now_ms, "reset")
        sentence = f"{episode} cannot be reset: it still burns or is hot again, or there is nothing to reset"
        return NotPossible(sentence, "no_reset")
    if not county.is_open(episode):
        return NotPossible(f"{episode} is over; look at the list again", "over")
    becomes, act = _DOES[command.verb]

    def deed(hands: Responses, alert: Alert, memory: Memory | None, log: Log) -> Alert | Refused:
        return act(hands, alert, memory, log, command, now_ms)

    refusal = county.respond(episode, deed, now_ms, changes)
    return NotPossible(refusal.sentence, refusal.why) if refusal else Done(now_ms, becomes)


def finish(command: EpisodeCommand, pipeline: Pipeline, now_ms: Millis) -> CommandVerdict:
    """办结: what an episode was about is done. Its case is closed if that was seen, or if a person says how they know.

    Where a sensor sees it, the sensor decides, and the case waits for it. A fire is over only when somebody has looked.
    """
    case = pipeline.ledger.of_episode(command.episode)
    if command.by not in pipeline.inventory.people:
        return UnknownPerson()
    if pipeline.county.is_open(command.episode) and pipeline.county.alerts[command.episode].severity is Severity.P1:
        return _finish_fire(command, case, pipeline, now_ms)
    if case is None:
        return NotPossible(f"{command.episode} has no case in the ledger: a sensor's own trouble has none", "no_case")
    steps = [CaseVerb.FIX, CaseVerb.VERIFY, CaseVerb.CLOSE]
    said: CaseVerdict = CaseDone(now_ms, case)
    for verb in steps[_AT.get(case.state, 0) :]:
        proof = command.reason if verb is not CaseVerb.CLOSE else ""
        wish = CaseCommand(
            verb=verb, case=case.id, by=command.by, channel=command.channel, origin=command.origin, proof=proof
        )
        if case.state in FROM[verb]:
            said = ask(wish, pipeline, now_ms, lambda _: True)
        if not isinstance(said, CaseDone):
            break
        case = said.case
    refused = isinstance(said, NotPossible) and said.why not in _WAITS
    return said if refused and isinstance(said, NotPossible) else Done(now_ms, f"case_{case.state}")


def _finish_fire(command: EpisodeCommand, case: Case | None, pipeline: Pipeline, now_ms: Millis) -> CommandVerdict:
    """办结 of a fire is its reset (T12): whoever asks says who has looked, and what was seen there."""
    looked, reason = command.looked.strip(), command.reason.strip()
    if not looked:
        return NotPossible(f"{command.episode} is a fire: name who has been there and looked, in looked", "no_looked")
    if not reason:
        return NotPossible(f"{command.episode} is a fire: say in reason what was seen there", "fire_reason")
    if not pipeline.county.may_reset(command.episode):
        sentence = f"{command.episode} still burns or is hot: wait until two samples in a row are below its clear_c"
        return NotPossible(sentence, "still_hot")
    if case is not None and case.state in FROM[CaseVerb.FIX]:
        proof = f"{looked}看过：{reason}"
        wish = CaseCommand(
            verb=CaseVerb.FIX, case=case.id, by=command.by, channel=command.channel, origin=command.origin, proof=proof
        )
        pipeline.ledger.act(wish, now_ms)
    verdict = obey(
        replace(command, verb=EpisodeVerb.RESET, looked=looked, reason=reason),
        pipeline.county,
        now_ms,
        pipeline.changes,
    )
    pipeline.follow()
    return verdict


def answer(command: EpisodeCommand, pipeline: Pipeline, now_ms: Millis) -> CommandVerdict:
    """An answer to a text of the ledger: 1 from its owner says that it is done; nothing else is asked there."""
    case = pipeline.ledger.cases[command.episode]
    if command.verb is not EpisodeVerb.ACK:
        return NotPossible(f"{command.verb} is not possible for a case of the ledger: use its own verbs")
    if command.by != case.owner:
        return Done(now_ms, "unchanged")
    wish = CaseCommand(verb=CaseVerb.FIX, case=case.id, by=command.by, channel=command.channel, origin=command.origin)
    fixed = ask(wish, pipeline, now_ms, lambda _: True)
    return Done(now_ms, "fixed" if isinstance(fixed, CaseDone) else "unchanged")


@dataclass(frozen=True)
class CommandResult:
    """What it became; it is durable. ``at_ms`` is epoch milliseconds."""

    episode: str
    event: str
    at_ms: int


COMMANDS: Final = (
    CommandRoute(
        EpisodeCommand,
        "/api/v1/commands",
        "command",
        "Does one thing to an episode; answers when the result is durable.",
        "CommandBody",
        """What a person asks about an episode; ``by`` is their id in the inventory.

``to`` is whom to send (``dispatch``), ``reason`` and ``until_ms`` say why and how long to keep quiet (``shelve``);
``reason`` is also what is noted, how it was done (``finish``), and why it is not so (``doubt``). ``looked`` names
who has been at a fire and looked (``finish``, which resets it, and ``reset``, where it is ``by`` unless named).""",
        {
            "command": ChoiceField(EpisodeVerb, "verb"),
            "episode": TextField(200, 1, PRINTED),
            "by": PERSON,
            "to": TextField(64, signs=MAY_BE_EMPTY),
            "reason": TextField(200, signs=MAY_BE_EMPTY),
            "until_ms": CountField(),
            "looked": TextField(64, signs=MAY_BE_EMPTY),
        },
        place=10,
        answer=CommandResult,
    ),
)

WORDS: Final = (
    CommandWords(
        EpisodeCommand,
        ("commanded", "操作"),
        {
            "acked": ("确认", "已确认，不再往上报"),
            "reset": ("复位", "已复位"),
            "shelved": ("搁置", "已搁置"),
            "unshelved": ("取消搁置", "已取消搁置"),
            "dispatched": ("派出", "已派出"),
            "noted": ("备注", "已记下备注"),
            "doubted": ("说没这回事", "已记为误报，不再催；仪器要核对的单子已开"),
            "unchanged": ("", "早已确认或已解除，没有变化"),
        },
        {
            "over": "它已经解除了，请刷新看看",
            "no_reset": "还没降下来，或者不用复位，请刷新看看",
            "still_hot": "火还没降下来：要连着两次低于45度才能办结；先让人到场看，有明火打119",
            "no_looked": "着火要有人到场看过：写清是谁看过的",
            "fire_reason": "着火办结要写清到场看到了什么",
            "no_case": "这是仪器自己的毛病，台账里没有它的单子",
        },
    ),
)
