"""A form that somebody has filled in: what was typed, what is wrong with it, who signs it, and what becomes of it.

It knows no form and no command by name; whoever shows the form again shows what was typed.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any, Final, Self, TypeVar

from fastapi import Response

from gateway.commands.command import Command
from gateway.desk import words
from gateway.desk.auth import DeskRefusal, Form
from gateway.desk.present import Desk, Visit
from gateway.desk.saying import Outcome, asked
from gateway.desk.view import lay_out
from gateway.desk.words import moment
from telemetry.reading import Millis

LONGEST_REASON: Final = 60
T = TypeVar("T")


def signed(visit: Visit) -> dict[str, str]:
    """The visitor as a person of the inventory, as every command has it; ``DeskRefusal`` for whoever is none."""
    if not visit.user.person:
        raise DeskRefusal(HTTPStatus.FORBIDDEN, "no_person")
    return {"by": visit.user.person, "channel": "desk", "origin": f"{visit.user.name}@{visit.address}"}


def choose(value: str, offered: Collection[str]) -> str:
    """What was chosen of what a form offers; ``DeskRefusal`` for anything else."""
    if value not in offered:
        raise DeskRefusal(HTTPStatus.BAD_REQUEST, "bad_form")
    return value


def pick(found: Iterator[T], key: str, status: HTTPStatus = HTTPStatus.NOT_FOUND) -> T:
    """What a form names, the first of what it may mean; ``DeskRefusal`` where that is nothing."""
    for each in found:
        return each
    raise DeskRefusal(status, key)


def obey(
    desk: Desk, visit: Visit, wish: Command[object], what: str, about: str, called: Mapping[str, str] = {}
) -> Outcome:
    """What became of what a visitor asked for, which the audit has as well; some have another name on this page."""
    outcome = asked(desk, wish)
    outcome = replace(outcome, name=called.get(outcome.name, outcome.name))
    desk.note(visit, what, f"{about} {outcome.name}")
    return outcome


def say(visit: Visit, active: str, title: tuple[str, str], outcome: Outcome, back: str) -> Response:
    """The page that says so; ``title`` is where in the catalogue its title is."""
    return lay_out(visit, "said.html", active, title=words.word(*title), outcome=outcome, back=back)


@dataclass(slots=True)
class Draft:
    """What was typed, and what is wrong with it."""

    typed: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, form: Form, fields: Iterable[str]) -> Self:
        """Of a form that was sent, these fields."""
        return cls({name: form.get(name, "").strip() for name in fields})

    def fault(self, name: str) -> None:
        """One more thing that is wrong, by its name in the catalogue."""
        self.faults.append(words.word("form_faults", name))

    def lay_out(
        self,
        visit: Visit,
        template: str,
        active: str,
        usual: Mapping[str, str],
        **given: Any,  # noqa: ANN401 -- whatever a template speaks of
    ) -> Response:
        """The form, with what was typed, or what is ``usual``, and what is wrong with it."""
        status, typed = HTTPStatus.UNPROCESSABLE_ENTITY if self.faults else HTTPStatus.OK, {**usual, **self.typed}
        return lay_out(
            visit, template, active, status, typed=typed, faults=self.faults, longest=LONGEST_REASON, **given
        )

    def obey(
        self, desk: Desk, visit: Visit, wish: Command[object], what: str, about: str, called: Mapping[str, str] = {}
    ) -> Outcome | None:
        """What became of it; ``None`` where the form is shown again, with what is wrong."""
        if self.faults:
            return None
        outcome = obey(desk, visit, wish, what, about, called)
        if outcome.good:
            return outcome
        said = (words.word("outcomes", outcome.name), outcome.detail)
        self.faults.append("：".join(part for part in said if part))
        return None

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
