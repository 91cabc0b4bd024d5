"""What people ask during a replay, as JSON lines: read, and checked as the API checks it.

A line is ``{"at": …, "by": …, "wish": PATH, …}`` with the fields that the API's body at that path has. What a wish
means stands with its command, and ``replay`` plays it; no clock is read here and no file opened.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Struct
from pydantic import ValidationError

from alerts.calendars import iso
from gateway.commands import routes
from gateway.commands.command import Command
from gateway.commands.fields import CommandRoute
from gateway.commands.quarantine import LookAgain, Resend
from gateway.commands.welcome import Welcome
from gateway.desk.commands_api import body_of, wish_of
from gateway.replay import NOBODY_ASKS, TimedWish
from telemetry.reading import Millis

_WITHOUT_A_JOURNAL: Final = (LookAgain, Resend, Welcome)
"""These are about rows that only an installation has."""


API: Final = "/api/v1/"


class WishFault(Exception):  # noqa: N818 -- a fault of the file, said in a sentence
    """A line that is no wish; its text names the file, the line and the remedy."""


class Wishes:
    """People who ask what stands in a file, in the order of time."""

    def __init__(self, wishes: Iterable[TimedWish]) -> None:
        self._left = sorted(wishes, key=lambda wish: wish.at_ms, reverse=True)
        self.refusals: list[str] = []

    @property
    def next_ms(self) -> Millis:
        """See ``Asking``."""
        return self._left[-1].at_ms if self._left else NOBODY_ASKS

    def ask(self) -> TimedWish:
        """See ``Asking``."""
        return self._left.pop()

    def hear(self, wish: TimedWish, refusal: str) -> None:
        """See ``Asking``."""
        if refusal:
            self.refusals.append(f"{wish.place}: {refusal}")

    def list_refusals(self) -> list[str]:
        """Every wish that was not done and why, those after the end of the replay among them."""
        left = (f"{wish.place}: {iso(wish.at_ms)} is after the replay's end; see --until" for wish in self._left[::-1])
        return [*self.refusals, *left]


def playable() -> dict[str, CommandRoute[Command[Any]]]:
    """Every wish by its path in the API; those that only look, or are about an installation's rows, are none."""
    asked = (route for route in routes() if route.fields and route.wish not in _WITHOUT_A_JOURNAL)
    return {route.path.removeprefix(API): route for route in asked}


class _WishLine(Struct):
    at: datetime
    by: str
    wish: str


_HEAD: Final = msgspec.json.Decoder(_WishLine)
_WHOLE: Final = msgspec.json.Decoder(dict[str, Any])


def read(lines: Iterable[bytes], name: str) -> list[TimedWish]:
    """The wishes of a file in its order. Raises ``WishFault`` at the first line that is none."""
    return [parse(line, f"{name}:{number}") for number, line in enumerate(lines, 1) if line.strip()]


def parse(raw: bytes, place: str) -> TimedWish:
    """One wish. Raises ``WishFault``."""
    try:
        head, said = _HEAD.decode(raw), _WHOLE.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise WishFault(
            f"{place}: not a wish ({error}); a line is JSON with at, by, wish and that wish's fields"
        ) from None
    if head.at.tzinfo is None:
        raise WishFault(f"{place}: at has no time zone; write it in UTC with a Z at its end")
    route = playable().get(head.wish)
    if route is None:
        known = ", ".join(sorted(playable()))
        raise WishFault(f"{place}: there is no wish {head.wish!r}; known are: {known}")
    fields = {key: value for key, value in said.items() if key not in {"at", "wish"}}
    try:
        command = wish_of(route, body_of(route).model_validate(fields))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        known = ", ".join(route.fields)
        raise WishFault(f"{place}: {where}: {first['msg'].lower()}; {head.wish} has the fields {known}") from None
    return TimedWish(round(head.at.timestamp() * 1000), place, command)
