"""Which device a topic speaks for, and who reads its bytes.

Built once from an inventory; a topic that was seen before costs one look-up. It never looks at a payload.
"""

from collections.abc import Iterator
from typing import Final

from telemetry.envelopes import envelopes
from telemetry.inventory.model import Inventory
from telemetry.wire import Address, Ignored, Reason, Rejected, quoted

_SPARE: Final = 1_024


class Directory:
    """The addresses of one inventory. A changed inventory gets a new directory.

    Topics that can be told from the inventory are known from the start; others are parsed and, if they lead to a
    device, remembered, up to two a device and 1,024 more, so that invented topics cannot fill the memory.
    """

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory
        self._envelopes = tuple(envelopes().values())
        self._known = dict(self._foreseen())
        self._most = len(self._known) + 2 * len(inventory.devices) + _SPARE

    def resolve(self, topic: str) -> Address | Ignored | Rejected:
        """The address that a topic names, or that nothing is measured there, or why it names none."""
        return self._known.get(topic) or self._learn(topic)

    def _foreseen(self) -> Iterator[tuple[str, Address]]:
        for envelope in self._envelopes:
            for topic in envelope.topics(self._inventory):
                address = self._parse(topic)
                if isinstance(address, Address):
                    yield topic, address

    def _learn(self, topic: str) -> Address | Ignored | Rejected:
        address = self._parse(topic)
        if isinstance(address, Address) and len(self._known) < self._most:
            self._known[topic] = address
        return address

    def _parse(self, topic: str) -> Address | Ignored | Rejected:
        for envelope in self._envelopes:
            address = envelope.match(topic, self._inventory)
            if address is not None:
                return address
        return Rejected(Reason.UNKNOWN_TOPIC, f"no envelope has a topic like {quoted(topic)}")
