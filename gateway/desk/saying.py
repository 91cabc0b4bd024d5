"""What the gateway answered to something that was asked at the desk, as a page says it. No route is here."""

from dataclasses import dataclass
from typing import Final

from gateway.commands.cases import CaseDone, UnknownCase
from gateway.commands.command import A, Command, Done, NotDurable, NotPossible, UnknownPerson
from gateway.commands.episodes import UnknownEpisode
from gateway.desk import answers, words
from gateway.desk.present import Desk
from gateway.inbox import Unanswered

_PLAIN: Final[dict[object, str]] = {
    UnknownEpisode: "unknown_episode",
    UnknownPerson: "unknown_person",
    Unanswered.FULL: "busy",
}
"""Verdicts that say no more than their name."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The name of the outcome in the catalogue, more words where there are some, and whether it is done."""

    name: str
    detail: str = ""
    good: bool = False
    case: str = ""
    """The case of the ledger, where it is about one."""


def asked(desk: Desk, wish: Command[object]) -> Outcome:
    """Posts it and waits until it is durable, for as long as a person would; what came of it in words."""
    return word_outcome(await_answer(desk, wish))


def await_answer(desk: Desk, wish: Command[A]) -> A | NotDurable | Unanswered:
    """The same, and the verdict itself."""
    return answers.await_answer(desk.inbox, wish)


def word_outcome(verdict: object) -> Outcome:
    """A verdict in the desk's words."""
    match verdict:
        case Done(_, event):
            return Outcome(event, good=True)
        case CaseDone(_, case):
            return Outcome(f"case_{case.state}", good=True, case=case.id)
        case UnknownCase(settled):
            return Outcome("settled_case" if settled else "unknown_case")
        case NotPossible(reason, why):
            return Outcome("not_possible", words.word("refusals", why) if why else reason)
        case NotDurable(reason):
            return Outcome("not_durable", reason)
        case _:
            return Outcome(_PLAIN.get(verdict if isinstance(verdict, Unanswered) else type(verdict), "pending"))
