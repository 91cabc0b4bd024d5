"""How a command is asked for from outside, as plain data: where, by which fields, what each may say, and its words.

The desk builds its routes and the bodies of requests from it; no web framework is known here, and no command by name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Any, Final, Generic, NamedTuple, TypeAlias, TypeVar

from msgspec import Struct
from msgspec.structs import fields

W = TypeVar("W", bound=Struct)

CLEAN: Final = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]*$"
"""No control characters, nor signs that turn the direction of writing: what is written is what is read."""
PRINTED: Final = r"^[^\x00-\x1f\x7f]+$"
MAY_BE_EMPTY: Final = r"^[^\x00-\x1f\x7f]*$"
NAMES: Final = r"^[A-Za-z0-9._-]*$"
"""What an id of the inventory is made of."""
LATEST: Final = 2**53


class TextField(NamedTuple):
    """So many signs of a kind; ``strip`` takes the spaces around them away first."""

    most: int
    least: int | None = None
    signs: str = CLEAN
    strip: bool = False


class MomentField(NamedTuple):
    """ISO 8601 with its zone; the command has it in milliseconds as ``of``, 0 where it may be left out and is."""

    of: str


class CountField(NamedTuple):
    """A whole number from 0 on."""

    most: int = LATEST


class NumberField(NamedTuple):
    """Any number that is one."""


class ChoiceField(NamedTuple):
    """A word of a list that is written out; ``of`` is the command's name for it where that is another."""

    words: type[StrEnum]
    of: str = ""


class ListField(NamedTuple):
    """Several of one kind."""

    each: "Field"
    most: int
    least: int = 0


class EitherField(NamedTuple):
    """One of these kinds, the first that fits best."""

    kinds: tuple["Field", ...]


Field: TypeAlias = (
    "TextField | MomentField | CountField | NumberField | ChoiceField | ListField | EitherField | type[StrEnum] | None"
)
"""What one field may say; a bare enumeration has a name of its own in the API's document, ``None`` is null."""

ID: Final = TextField(64, 1, CLEAN)
PERSON: Final = TextField(64, 1, PRINTED)
SYMBOL: Final = TextField(64, 1, NAMES)


@dataclass(frozen=True)
class DoneBody:
    """What it became; it is durable. ``at_ms`` is epoch milliseconds."""

    event: str
    at_ms: int


class CommandRoute(NamedTuple, Generic[W]):
    """One command over HTTP: ``name`` and ``says`` stand in the API's document, as ``body`` and ``about`` of its body.

    ``fields`` are in the order of that document; who signs a command also says by which ``channel``. ``stranger`` is
    the answer where the inventory does not know who is named. ``place`` says where in the document it stands: below 10
    before the health of the house, below 20 before the ledger, else after it. ``within_s`` is how long at least its
    answer is waited for.

    ``answer`` is a dataclass that stands in that document as well, by its name and its docstring: what its ``of`` makes
    of the loop's answer, or without one its fields by their names, out of that answer and of what was asked.
    """

    wish: type[W]
    path: str
    name: str
    says: str
    body: str = ""
    about: str = ""
    fields: Mapping[str, Field] = {}
    method: str = "POST"
    status: int = HTTPStatus.OK
    stranger: str = "by: the inventory has no person {by}"
    place: int = 99
    within_s: float = 0.0
    answer: type = DoneBody
    explained: Mapping[str, str] = {}
    """A sentence about a field in the API's document, by its name."""

    @property
    def defaults(self) -> dict[str, Any]:
        """What a field says that is left out; for those that may be."""
        return {each.name: each.default for each in fields(self.wish) if not each.required}


class CommandWords(NamedTuple):
    """What the desk says of one command, in Chinese: in its answers, in the stories and in the audit.

    ``deed`` is its name among what was done at the desk, and the word for it there; commands of a subject may share
    one. ``becomes`` has each event that it may become (``Done.event``): what its row is called, empty where it leaves
    none, and what whoever asked is told. ``refusals`` are the reasons that are its own, and not the middle's.
    """

    wish: type[Struct]
    deed: tuple[str, str]
    becomes: Mapping[str, tuple[str, str]]
    refusals: Mapping[str, str] = {}
