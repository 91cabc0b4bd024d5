"""What people ask of the ledger: a new case, or something about one. Values only; they are checked where they enter."""

from msgspec import Struct

from alerts.ledger.case import CaseVerb, Origin
from telemetry.reading import Millis


class Register(Struct, frozen=True, kw_only=True):
    """登记: somebody was told or saw something. An asset, or an area with a place in words, and what it is.

    ``by`` is who writes it down, ``channel`` by what way, ``origin`` from where; ``reported`` is how it came to be
    known, and the caller may stay unknown. Asking again with the same ``key`` is asking once.
    """

    what: str
    by: str
    channel: str = "desk"
    origin: str = ""
    reported: Origin = Origin.TELEPHONE
    asset: str = ""
    area: str = ""
    place: str = ""
    rule: str = ""
    caller_name: str = ""
    caller_phone: str = ""
    photo: str = ""
    key: str = ""


class CaseCommand(Struct, frozen=True, kw_only=True):
    """A person, named by their inventory id in ``by``, asks something about a case.

    ``to``, ``rule`` and ``deadline_ms`` belong to assigning, ``until_ms`` to deferring, ``proof`` to fixing and
    verifying; ``reason`` says why, and is what a note says.
    """

    verb: CaseVerb
    case: str
    by: str
    channel: str = "desk"
    origin: str = ""
    to: str = ""
    rule: str = ""
    deadline_ms: Millis = 0
    until_ms: Millis = 0
    reason: str = ""
    proof: str = ""
