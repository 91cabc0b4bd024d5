"""What people ask of the ledger, done on the loop's thread: a verdict to hand back once it is durable.

It joins ledger and county where one word concerns both, and decides nothing about either.
"""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Final, NamedTuple, TypeAlias

from msgspec import Struct

from alerts.alert import Alert
from alerts.conditions.state import Memory
from alerts.episodes.responses import Responses
from alerts.ledger.case import Case, CaseCommand, CaseVerb, Origin, Refusal, Register
from alerts.model import Actor, Log, Severity
from gateway.commands.command import Context, NotPossible, PersonalCommand, UnknownPerson
from gateway.commands.fields import NAMES, CommandRoute, CommandWords, MomentField, TextField
from gateway.journal.ledger import CaseBody
from gateway.pipeline import Pipeline
from telemetry.reading import Millis


class CaseDone(Struct, frozen=True):
    """It is in the ledger and durable since ``at_ms``: the case as it stands now."""

    at_ms: Millis
    case: Case


class UnknownCase(Struct, frozen=True):
    """The ledger has no such case, or has settled it."""

    settled: bool


CaseVerdict: TypeAlias = CaseDone | UnknownCase | UnknownPerson | NotPossible


class AskLedger(PersonalCommand[CaseVerdict], frozen=True):
    """登记, or something about a case."""

    wish: Register | CaseCommand

    def act(self, context: Context, now_ms: Millis) -> CaseVerdict:
        """See ``alerts.ledger``."""
        return ask(self.wish, context.pipeline, now_ms, context.journal.knows_case)


_SEEN_TO: Final = frozenset({CaseVerb.START, CaseVerb.FIX, CaseVerb.DEFER})
"""Somebody is at it, so that the chain of the case's episode stops (T9)."""


def ask(wish: Register | CaseCommand, pipeline: Pipeline, now_ms: Millis, knows: Callable[[str], bool]) -> CaseVerdict:
    """登记, or something about a case."""
    if wish.by not in pipeline.inventory.people:
        return UnknownPerson()
    if isinstance(wish, Register):
        case: Case | Refusal | None = pipeline.ledger.register(wish, now_ms)
    elif wish.verb is CaseVerb.FIX and _burns(pipeline.ledger.cases.get(wish.case), pipeline):
        return NotPossible(f"{wish.case} is a fire that still burns: nobody can have put it out yet", "still_hot")
    else:
        case = pipeline.ledger.act(wish, now_ms)
    match case:
        case None:
            return UnknownCase(settled=isinstance(wish, CaseCommand) and knows(wish.case))
        case Refusal(why, sentence):
            return NotPossible(sentence, why)
        case Case():
            if isinstance(wish, CaseCommand) and wish.verb in _SEEN_TO and case.standing:
                _see(case, Actor(wish.by, wish.channel, wish.origin), pipeline, now_ms)
            return CaseDone(now_ms, case)


def _burns(case: Case | None, pipeline: Pipeline) -> bool:
    """Whether a case is of a fire that has not cooled."""
    if case is None or not case.standing or case.severity != Severity.P1:
        return False
    return pipeline.county.is_open(case.episode) and not pipeline.county.may_reset(case.episode)


def _see(case: Case, asked: Actor, pipeline: Pipeline, now_ms: Millis) -> None:
    """The chain of the case's episode stops: for as long as an acknowledgement holds, or as it was deferred."""
    county, until_ms = pipeline.county, case.until_ms

    def seen(hands: Responses, alert: Alert, _memory: Memory | None, log: Log) -> Alert:
        return hands.acknowledge(alert, asked, now_ms, log, until_ms)

    if county.is_open(case.episode) and (until_ms or not county.alerts[case.episode].acked_ms):
        pipeline.respond(case.episode, seen, now_ms)
        pipeline.follow()


_ID: Final = TextField(64, signs=NAMES)

REGISTER: Final = CommandRoute(
    Register,
    "/api/v1/cases",
    "register",
    "登记: answers with the case when it is durable.",
    "RegisterBody",
    "登记: an asset, or an area with the place in words; what it is; who called. ``by`` writes it down.",
    {
        "what": TextField(200, 1, strip=True),
        "by": TextField(64, 1, strip=True),
        "reported": Origin,
        "asset": _ID,
        "area": _ID,
        "place": TextField(60, 0, strip=True),
        "rule": _ID,
        "caller_name": TextField(20, 0, strip=True),
        "caller_phone": TextField(20, signs=r"^[0-9+ -]*$"),
        "photo": TextField(100, signs=NAMES),
        "key": _ID,
    },
    status=HTTPStatus.CREATED,
    answer=CaseBody,
    explained={
        "reported": "telephone, sight or answer; telemetry is the house's own",
        "key": "asking again with the same key answers with the same case",
    },
)
STEP: Final = CommandRoute(
    CaseCommand,
    "/api/v1/cases/{case}/{verb}",
    "step",
    "Assigns, starts, fixes, verifies, closes, defers, reopens or notes; answers when it is durable.",
    "StepBody",
    "What a verb needs: ``to``, ``rule``, ``deadline`` to assign; ``until`` to defer; ``proof`` to fix and verify.",
    {
        "by": TextField(64, 1, strip=True),
        "to": TextField(64, 0, strip=True),
        "rule": _ID,
        "deadline": MomentField("deadline_ms"),
        "until": MomentField("until_ms"),
        "reason": TextField(500, 0, strip=True),
        "proof": TextField(500, 0, strip=True),
    },
    answer=CaseBody,
)
"""Both are served with the ledger, since their answers are cases and a step has its case and verb in its path."""


class StepField(NamedTuple):
    """What the form of a step asks a person to type: a text or a number of ``STEP``, by its name there, in Chinese."""

    name: str
    label: str
    hint: str = ""
    example: str = ""
    needed: bool = False
    lines: int = 1


STEP_FORMS: Final[Mapping[CaseVerb, tuple[StepField, ...]]] = {
    CaseVerb.DEFER: (StepField("reason", "事由", example="比如：配件后天到", needed=True),),
    CaseVerb.FIX: (StepField("proof", "怎么办好的", hint="可不填；有仪器的由仪器核实"),),
    CaseVerb.VERIFY: (StepField("proof", "凭什么说办好了", example="比如：村书记到场看过，已清干净", needed=True),),
    CaseVerb.REOPEN: (StepField("reason", "哪里不对", needed=True),),
    CaseVerb.NOTE: (StepField("reason", "备注", needed=True, lines=4),),
}
"""What is chosen (to whom, by which rule) or is a moment stands in the template of the form."""

WORDS: Final = (
    CommandWords(
        AskLedger,
        ("stepped", "台账"),
        {
            "case_open": ("", "已记"),
            "case_assigned": ("", "已派"),
            "case_doing": ("", "已开始办"),
            "case_fixed": ("", "已记“办好”，等核实"),
            "case_verified": ("", "已核实"),
            "case_closed": ("", "已销号"),
            "case_deferred": ("", "已备案，到时再催"),
            "case_reopened": ("", "已退回重办"),
        },
    ),
)
