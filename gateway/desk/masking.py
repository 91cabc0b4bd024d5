"""Numbers of telephones as whoever may only look sees them: never whole, wherever they stand in what leaves (case H7).

Templates mask what they know to be a number; here everything is read once more on its way out, for what people wrote
into a note, a text or a name. Who may see numbers is the gate's to say.
"""

import re
from collections.abc import Callable, Iterable
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.desk.words import masked

MASKS: Final = "masks_numbers"
"""What the gate writes into a request's state for somebody who may not see numbers."""
_READ: Final = ("text/html", "text/plain", "text/csv", "application/json", "application/problem+json", "image/svg+xml")
_GAP: Final = r"[-\u2010-\u2014\uff0d \t\u00a0\u3000]?"
"""How people part the digits of a number."""
_NUMBER: Final = re.compile(
    r"(?<!\d)(?<!\d\.)(?:"
    rf"(?:(?:\+|%2[Bb]|00)?86{_GAP})?1[3-9]\d(?:{_GAP}\d{{4}}){{2}}"  # a mobile one
    rf"|(?:[(\uff08]0\d{{2,3}}[)\uff09]|0\d{{2,3}}){_GAP}\d{{3,4}}{_GAP}\d{{4}}"  # a landline with its area
    r")(?!\d)"
)
_DIGITS: Final = re.compile(r"(?<![0-9A-Za-z])(?<!\d\.)\+?\d{7,15}(?![0-9A-Za-z])")
_COUNTRY: Final = "86"


def without_numbers(text: str, known: frozenset[str] = frozenset()) -> str:
    """The same text with every telephone number masked; ``known`` are digits that no pattern would know for one."""
    text = _NUMBER.sub(lambda found: masked(found[0]), text)
    if not known:
        return text
    return _DIGITS.sub(lambda found: masked(found[0]) if found[0].lstrip("+") in known else found[0], text)


def digits_of(numbers: Iterable[str]) -> frozenset[str]:
    """The numbers of an inventory, as ``without_numbers`` wants them: with and without the country."""
    bare = {re.sub(r"\D", "", number) for number in numbers}
    return frozenset({*bare, *(each.removeprefix(_COUNTRY) for each in bare), *(f"{_COUNTRY}{each}" for each in bare)})


class MaskedForViewers:
    """Stands around the pages. ``known`` gives the county's numbers."""

    def __init__(self, app: ASGIApp, known: Callable[[], frozenset[str]]) -> None:
        self._app = app
        self._known = known

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, and what is answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope.setdefault("state", {})
        await self._app(scope, receive, _Answer(scope, send, self._known).send)


class _Answer:
    """Held back until it is whole, if it must be read; anything else passes as it comes."""

    def __init__(self, scope: Scope, send: Send, known: Callable[[], frozenset[str]]) -> None:
        self._scope = scope
        self._send = send
        self._known = known
        self._head: Message | None = None
        self._body = bytearray()

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and self._scope["state"].get(MASKS):
            kind = MutableHeaders(scope=message).get("content-type", "")
            if kind.partition(";")[0].strip().lower() in _READ:
                self._head = message
                return
        if self._head is None or message["type"] != "http.response.body":
            await self._send(message)
            return
        self._body += message.get("body", b"")
        if message.get("more_body", False):
            return
        head, self._head = self._head, None
        body = without_numbers(self._body.decode("utf-8", "surrogateescape"), self._known())
        told = body.encode("utf-8", "surrogateescape")
        MutableHeaders(scope=head)["content-length"] = str(len(told))
        await self._send(head)
        await self._send({"type": "http.response.body", "body": told})
