"""A form that somebody has filled in: what was typed, what is wrong with it in sentences, and who signs it.

It asks nothing of the gateway and shows no page; whoever shows the form again shows what was typed.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final, NamedTuple

from gateway.desk import words
from gateway.desk.auth import DeskRefusal, Form
from gateway.desk.present import Visit
from gateway.desk.saying import Outcome
from gateway.desk.words import moment
from telemetry.reading import Millis

LONGEST_REASON: Final = 60


class Signed(NamedTuple):
    """Who asks, by which way and from where, as every command has it."""

    by: str
    channel: str
    origin: str


def signed(visit: Visit) -> Signed:
    """The visitor as a person of the inventory; ``DeskRefusal`` for whoever is none."""
    if not visit.user.person:
        raise DeskRefusal(HTTPStatus.FORBIDDEN, "no_person")
    return Signed(visit.user.person, "desk", f"{visit.user.name}@{visit.address}")


@dataclass(slots=True)
class Draft:
    """What was typed, and what is wrong with it."""

    typed: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, form: Form, fields: Iterable[str]) -> "Draft":
        """Of a form that was sent, these fields."""
        return cls({name: form.get(name, "").strip() for name in fields})

    @property
    def status(self) -> HTTPStatus:
        """What the page that shows it answers."""
        return HTTPStatus.UNPROCESSABLE_ENTITY if self.faults else HTTPStatus.OK

    def fault(self, name: str) -> None:
        """One more thing that is wrong, by its name in the catalogue."""
        self.faults.append(words.word("form_faults", name))

    def refused(self, outcome: Outcome) -> None:
        """The gateway would not."""
        said = (words.word("outcomes", outcome.name), outcome.detail)
        self.faults.append("：".join(part for part in said if part))

    def reason(self, *, needed: bool = True) -> str:
        """Why, in so many signs of plain text."""
        reason = self.typed["reason"]
        if needed and not reason:
            self.fault("no_reason")
        if len(reason) > LONGEST_REASON or not reason.isprintable():
            self.fault("bad_reason")
        return reason

    def span(self, visit: Visit) -> tuple[Millis, Millis]:
        """From when, 0 for now, until when, by the county's clock."""
        calendar, typed = visit.present.arrangements.calendar, self.typed
        since_ms = moment(calendar, typed["since"]) if typed["since"] else 0
        until_ms = moment(calendar, typed["until"])
        if since_ms is None:
            self.fault("bad_since")
        elif 0 != since_ms < visit.now_ms:
            self.fault("since_past")
        if until_ms is None:
            self.fault("bad_until" if typed["until"] else "no_until")
        elif until_ms <= max(since_ms or 0, visit.now_ms):
            self.fault("ends_early")
        return since_ms or 0, until_ms or 0
