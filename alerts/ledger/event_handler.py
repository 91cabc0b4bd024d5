"""What the county says, as the ledger hears it: episodes raised, told, seen to and over, emptyings, assets that go.

It moves cases and never an alert; whatever a person asks of a case is ``moves``.
"""

from collections.abc import Callable, Mapping
from typing import ClassVar, Final

from msgspec.structs import replace

from alerts.ledger import moves, opening
from alerts.ledger.case import UNFINISHED, Case, CaseVerb, Deed, Origin, State
from alerts.ledger.moves import MoveFacts
from alerts.ledger.notices import Notices
from alerts.ledger.opening import CaseNumbers
from alerts.ledger.shelf import Shelf, closing, line
from alerts.model import Event, MessageKind, Owed, Severity
from alerts.policy import Policies
from telemetry.reading import Millis

_TELLING: Final = frozenset(
    {MessageKind.FIRST, MessageKind.FRESH, MessageKind.ESCALATION, MessageKind.REPEAT, MessageKind.DIGEST}
)
CHECK: Final = "sensor_check"
"""The rule of a case about a sensor that somebody does not believe; without it in the ledger's rules none is opened."""
_CASES: Final = frozenset({Severity.P1, Severity.P2, Severity.P3})


class EventHandler:
    """The ear of one county's ledger."""

    def __init__(
        self, shelf: Shelf, desk: MoveFacts, policies: Policies, numbers: CaseNumbers, notices: Notices
    ) -> None:
        self._shelf = shelf
        self._desk = desk
        self._policies = policies
        self._numbers = numbers
        self._notices = notices

    def hear(self, said: Event | Owed) -> None:
        """One thing that was said; most of it is none of the ledger's."""
        if isinstance(said, Owed):
            self._tell(said)
            return
        move, see = self._MOVES.get(said.event), self._SIGHTS.get(said.event)
        if move is not None and (case := self._shelf.of_episode(said.episode)) is not None:
            move(self, case, said)
        if see is not None:
            see(self, said)

    def before(self, case: Case) -> str:
        """The case of the same matter in the same place that somebody had to act on and that was done lately."""
        lately_ms = case.opened_ms - self._desk.policy.recurs_within
        earlier = self._shelf.about(case.asset) if case.asset else tuple(self._shelf.cases.values())
        return max(
            (
                (other.verified_ms, other.id)
                for other in earlier
                if (other.rule, other.asset, other.areas, other.place)
                == (case.rule, case.asset, case.areas, case.place)
                if other.verified_ms and other.verified_ms >= lately_ms and other.owner
            ),
            default=(0, ""),
        )[1]

    def _open(self, event: Event) -> None:
        """An episode of P1 to P3; the house's notices about itself are no cases."""
        if event.severity not in _CASES or self._policies.of(event.rule).notice:
            return
        place = opening.find_place(event.asset, self._desk.inventory) or opening.of_person(event, self._desk.inventory)
        if place is None or self._shelf.of_episode(event.episode) is not None:
            return
        for other in self._shelf.about(event.asset):
            if other.seen_ms and event.rule in self._desk.policy.of(other.rule).seen:
                self._shelf.enter(replace(other, seen_ms=0))  # what was seen done is not so any more
        case = opening.found_wrong(event, place, self._numbers.next(place.town, event.at_ms), self._desk)
        case = replace(case, recurs=self.before(case))
        self._shelf.enter(case, line(case, "raised", event.at_ms, "", event.episode))

    def _tell(self, said: Owed) -> None:
        """Whoever is told first answers for what was nobody's; whoever is asked to go is remembered as asked."""
        if said.kind not in _TELLING:
            return
        for episode in said.covers or (said.episode,):
            case = self._shelf.of_episode(episode)
            if case is None:
                continue
            after = case
            if said.step == 0 and said.to not in case.asked and case.state in UNFINISHED:
                after = replace(case, asked=(*case.asked, said.to))
            if not case.owner and case.state is State.OPEN:
                after = replace(after, state=State.ASSIGNED, owner=said.to)
                self._shelf.enter(after, line(after, "told", said.at_ms, case.state, said.to))
            elif after is not case:
                self._shelf.enter(after)

    def _decline(self, case: Case, event: Event) -> None:
        """Whoever says that they cannot go is told so by the answer itself (text C10), and need not be relieved."""
        by = _said(event, "by")
        if by in case.asked:
            self._shelf.enter(replace(case, asked=tuple(person for person in case.asked if person != by)))

    def _dispatch(self, case: Case, event: Event) -> None:
        """派 and 改派: the episode's case goes to whom somebody named, and who had it before is relieved (text C22)."""
        to, by = _said(event, "to"), _said(event, "by")
        if not to or case.state not in UNFINISHED:
            return
        state = State.ASSIGNED if case.state in moves.FROM[CaseVerb.ASSIGN] else case.state
        given = replace(case, state=state, owner=to)
        said = line(given, CaseVerb.ASSIGN, event.at_ms, case.state, f"to {to}")
        self._shelf.enter(self._notices.relieve(case, given, by, event.at_ms), _by_whom(said, event))

    def _acknowledge(self, case: Case, event: Event) -> None:
        by = _said(event, "by")
        if case.state not in {State.OPEN, State.ASSIGNED, State.REOPENED} or not by:
            return
        if (case.state, case.owner) == (State.ASSIGNED, by):
            return
        after = replace(case, state=State.ASSIGNED, owner=by)
        said = line(after, "acked", event.at_ms, case.state, event.episode)
        self._shelf.enter(after, _by_whom(said, event))

    def _reignite(self, case: Case, event: Event) -> None:
        """又着火: whoever said that it was done has more to do, with the time that a fire gives."""
        if case.state not in UNFINISHED:
            return
        after = case
        if case.state in {State.FIXED, State.DEFERRED}:
            due_ms = moves.deadline_ms(self._desk, case.rule, event.at_ms)
            after = replace(
                case, state=State.REOPENED, fixed_ms=0, until_ms=0, deadline_ms=due_ms, due_ms=due_ms, level=0
            )
        self._shelf.enter(after, line(after, event.event, event.at_ms, case.state, event.episode))

    def _clear(self, case: Case, event: Event) -> None:
        """The sensor sees that it is over; what nobody had to act on closes with it."""
        over = replace(case, standing=False, parent="")
        if case.state in UNFINISHED:
            self._verify(over, event.at_ms, _said(event, "reason", "cleared"))
        else:
            self._shelf.enter(over)

    def _see(self, event: Event) -> None:
        """What a sensor saw on an asset, for the cases about it that people wrote down."""
        sight = event.rule if event.event == "cleared" else event.event
        for case in self._shelf.about(event.asset):
            if case.standing or case.episode == event.episode != "" or case.state not in UNFINISHED:
                continue
            if sight not in self._desk.policy.of(case.rule).seen or case.opened_ms > event.at_ms:
                continue
            if case.state is State.FIXED:
                self._verify(case, event.at_ms, sight)
            elif case.origin is not Origin.TELEMETRY or case.reopened:
                self._shelf.enter(replace(case, seen_ms=event.at_ms))

    def _verify(self, case: Case, at_ms: Millis, reason: str) -> None:
        after = moves.verified(case, at_ms, self._desk)
        self._shelf.enter(after, line(after, "verified", at_ms, case.state, reason))
        if not case.owner:
            gone = replace(moves.closed(after, at_ms, self._desk), settled=True, due_ms=0, words=())
            self._shelf.enter(gone, closing(after, at_ms, "nobody had to act"))

    def _retire(self, case: Case, event: Event) -> None:
        """T16: its asset or rule is gone, and the case ends with it."""
        self.end(case, event.at_ms, _said(event, "reason"))

    def end(self, case: Case, at_ms: Millis, reason: str) -> None:
        """What it was about is there no more: nobody has to act, and it says why."""
        over = replace(moves.closed(case, at_ms, self._desk), standing=False, parent="")
        gone = replace(over, settled=True, due_ms=0, words=())
        self._shelf.enter(gone, line(gone, "retired", at_ms, case.state, reason))

    def _explain(self, case: Case, event: Event) -> None:
        self._shelf.enter(replace(case, parent=_said(event, "reason") if event.event == "inhibited" else ""))

    def _note(self, case: Case, event: Event) -> None:
        """What somebody said of an episode is a line of its case, too."""
        said = line(case, event.event, event.at_ms, case.state, _said(event, "reason"))
        self._shelf.enter(case, _by_whom(said, event))

    def _have_checked(self, event: Event) -> None:
        """误报: somebody has to look after the sensor, which is a case of its own; one at a time."""
        place = opening.find_place(event.asset, self._desk.inventory)
        if CHECK not in self._desk.policy.rules or place is None:
            return
        if any(other.rule == CHECK and other.state in UNFINISHED for other in self._shelf.about(event.asset)):
            return
        number = self._numbers.next(place.town, event.at_ms)
        case = opening.doubted(event, place, number, self._desk)
        case = self._notices.seek(replace(case, recurs=self.before(case)), event.at_ms)
        self._shelf.enter(case, line(case, "raised", event.at_ms, "", event.episode))

    _MOVES: ClassVar[Mapping[str, Callable[["EventHandler", Case, Event], None]]] = {
        "acked": _acknowledge,
        "reignited": _reignite,
        "cleared": _clear,
        "retired": _retire,
        "inhibited": _explain,
        "released": _explain,
        "noted": _note,
        "declined": _decline,
        "dispatched": _dispatch,
        "doubted": _note,
    }
    """What an event means for the case of its own episode."""
    _SIGHTS: ClassVar[Mapping[str, Callable[["EventHandler", Event], None]]] = {
        "raised": _open,
        "cleared": _see,
        "emptied": _see,
        "doubted": _have_checked,
    }
    """What it means for others on its asset, and for cases that are still to come; heard after the former."""


def _said(event: Event, name: str, otherwise: str = "") -> str:
    """What a row says of something."""
    return str((event.detail or {}).get(name, otherwise))


def _by_whom(line: Deed, event: Event) -> Deed:
    """The line with who did it, by which way and from where."""
    return replace(line, by=_said(event, "by"), channel=_said(event, "channel"), origin=_said(event, "origin"))
