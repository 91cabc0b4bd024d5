"""Fetches receipts and replies from the channels that can be asked, and has them made durable before it lets them go.

One thread for all channels. What cannot be made durable now is fetched again: providers keep it, and twice is once.
"""

from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

from alerts.channels import Channel, Reporting, Unreachable
from gateway.barrier import WORLD
from gateway.clock import monotonic_s
from gateway.commands.command import NotDurable
from gateway.inbox import Inbox, Unanswered
from gateway.journal.reader import JournalReader
from gateway.logs import logger
from gateway.requests import ReceiptsAndReplies, made_durable
from gateway.worker import Worker
from telemetry.reading import Millis

_log = logger(__name__)

AWAITED_MOST: Final = 200
"""So many texts are asked about in one go, the newest first."""
AWAITED_SINCE_MS: Final[Millis] = 72 * 3_600_000
"""No provider knows of a receipt later than this."""
_IDLE_S: Final = 60.0


class Collector(Worker):
    """The thread around all channels that report; there is none where nothing can be asked."""

    ends_within_s = 10.0

    def __init__(
        self, journal: Path, inbox: Inbox, channels: Mapping[str, Channel], now_ms: Callable[[], Millis]
    ) -> None:
        super().__init__("collector")
        self._journal = journal
        self._inbox = inbox
        self._channels = {name: channel for name, channel in channels.items() if isinstance(channel, Reporting)}
        self._now_ms = now_ms

    def start(self) -> None:
        """Starts the thread, where there is anything to ask."""
        if self._channels:
            super().start()

    def collect(self, name: str) -> bool:
        """Asks one channel once; ``False`` when it, or the journal, must be asked again later."""
        channel = self._channels[name]
        now_ms = self._now_ms()
        try:
            with closing(JournalReader.open(self._journal)) as reader:
                awaited = reader.awaited(name, now_ms - AWAITED_SINCE_MS, AWAITED_MOST)
            collected = channel.collect(awaited, now_ms)
            if collected.receipts or collected.replies:
                heard = ReceiptsAndReplies(collected.receipts, collected.replies)
                if isinstance(made_durable(self._inbox, heard), Unanswered | NotDurable):
                    return False
                channel.taken(collected)
        except (Unreachable, *WORLD) as trouble:
            _log.warning("not_collected", channel=name, reason=str(trouble))
            return False
        return True

    def _run(self) -> None:
        due_s = dict.fromkeys(self._channels, 0.0)
        while not self._stopping.is_set():
            now_s = monotonic_s()
            for name, channel in self._channels.items():
                if due_s[name] <= now_s and not self._stopping.is_set():
                    self.collect(name)
                    due_s[name] = monotonic_s() + channel.every_s
            self._stopping.wait(max(0.0, min(min(due_s.values()) - monotonic_s(), _IDLE_S)))
