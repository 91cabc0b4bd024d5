"""How a message reaches its person: on whose phone, as a text or a call, and opened by whose name.

Pure: one message owed in, the messages that leave out. Whom to tell and what is ``escalation``'s.
"""

from typing import Final

from msgspec.structs import replace

from alerts.model import Kind, Owed, Severity
from alerts.notify.texts import Texts
from telemetry.inventory import Inventory
from telemetry.reading import Millis

TEXT: Final = "sms"
CALL: Final = "voice"
CALLS_MS: Final[tuple[Millis, ...]] = (0, 120_000, 300_000)
"""A fire is called out so long after its text, until somebody acknowledges it (alerting.md §4)."""
_CALLED_FOR: Final = (Kind.FIRST, Kind.ESCALATION, Kind.FRESH)


def addressed(owed: Owed, inventory: Inventory, texts: Texts, *, calls: bool) -> tuple[Owed, ...]:
    """The message as it leaves, and the calls beside it where ``calls`` can be made at all."""
    person = inventory.people.get(owed.to)
    if person is None or owed.channel != TEXT:
        return (owed,)
    phone = inventory.phone_of[person.id]
    shared = person.relay is not None or len(inventory.reached_at(phone)) > 1
    text = owed.text
    if shared and owed.template in texts:
        text = texts.compose(owed.template, owed.variables, person.name)
    written = replace(owed, phone=phone, text=text)
    if not calls:
        return (written,)
    if person.by_voice:
        written = replace(written, channel=CALL)
    if owed.severity != Severity.P1 or owed.kind not in _CALLED_FOR:
        return (written,)
    first = 1 if person.by_voice else 0  # the message itself is the first call
    rest = enumerate(CALLS_MS[first:], start=1 + first)
    spoken = (
        replace(written, channel=CALL, call=number, not_before_ms=owed.at_ms + after_ms) for number, after_ms in rest
    )
    return (written, *spoken)
