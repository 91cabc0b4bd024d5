"""A morning of a county that ends in the middle of everything: what happened in the golden journals (see their README).

The program of then went through it once (see the README); today's goes through it again. Nothing is judged here.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from alerts.answers import reply
from alerts.channels import Message
from alerts.ledger.case import Register
from gateway.commands.absences import RecordAbsence
from gateway.commands.episodes import EpisodeCommand, EpisodeVerb
from telemetry.reading import Millis, Sample, Values
from telemetry.wire import Uplink
from tests.strategies import wire_bytes, wire_form
from tests.telling_county import COUNTY, HOUR, MINUTE, POLICY_FILES, START_MS
from tests.telling_line import Hand, TellingLine

NAME: Final = "journal.db"
SOUND: Final = Values(level_mm=500.0, flow_m3h=2.0)
HIGH: Final = Values(level_mm=1_450.0, flow_m3h=2.0)
OF_THEN: Final = replace(POLICY_FILES, rules="rules: {offline: {mains_intervals: 2.0}}")
"""Today's policy with the figures of then, so that the same falls silent at the same time."""
EMPTY, FULL = Values(distance_mm=1_190.0), Values(distance_mm=230.0)
HOT: Final = Values(temperature_c=75.0)
LOST: Final = "fire/road/"
"""What the text speaks of that is half sent when the machine loses its power."""


class Morning:
    """A county from half past seven on. ``texts`` are those that providers were asked to send, in order."""

    def __init__(self, folder: Path, left: Path | None = None, *, at_ms: Millis = START_MS) -> None:
        """The journal is in ``folder``. ``left`` is where it is copied as it stands when the lost text is half sent."""
        self.hand = Hand(at_ms)
        self.texts: list[tuple[str, str, str]] = []
        self._path, self._left = folder / NAME, left
        self._seq: dict[str, int] = {}
        self.line = TellingLine(self._path, COUNTY, OF_THEN, self.hand, lambda _entry: None, self._asked)

    def say(self, device: str, *said: Values) -> None:
        """A device says so, one sample a message."""
        self.line.bring([self._uplink(device, values) for values in said])

    def live(self, span_ms: Millis) -> None:
        """Time passes."""
        self.line.live(self.hand.at_ms + span_ms, most=400)

    def everybody(self, *silent: str) -> None:
        """Each device but these says that all is well."""
        for device in COUNTY.devices.values():
            if device.id not in silent:
                self.say(device.id, SOUND if device.id.startswith("m-") else EMPTY)

    def run(self) -> None:
        """Until the fire's text is half sent, and a moment longer, which is lost."""
        line = self.line
        self.everybody()
        line.order(
            RecordAbsence(
                person="crew", from_ms=START_MS, until_ms=START_MS + 30 * HOUR, by="office", stand_in="shared"
            )
        )
        line.order(Register(what="路边有垃圾", by="office", area="liutan", place="桥头", key="once"))
        self.live(20 * MINUTE)
        self.everybody("m-plant")
        self.say("s-round", Values(distance_mm=480.0))
        self.live(20 * MINUTE)
        self.everybody("m-plant")
        line.bring([Uplink(self.hand.at_ms, "cunjing/v1/xia/s-pool/telemetry", b"{")])
        line.hear(replies=[reply("one", "r1", "13900000004", "在吗", self.hand.at_ms)])
        for minutes in (10, 1):  # the second text to one telephone waits two minutes for a third
            for device in ("s-pool", "s-far", "s-round"):
                self.say(device, FULL)
            self.say("m-works", HIGH)
            self.live(minutes * MINUTE)
        for episode in [name for name in line.pipeline.county.alerts if "works" in name]:
            line.order(EpisodeCommand(verb=EpisodeVerb.NOTE, episode=episode, by="office", reason="去看了"))
        self.say("s-road", HOT)
        self.say("s-road", HOT)
        self.live(2 * MINUTE)
        line.close()

    def _uplink(self, device: str, values: Values) -> Uplink:
        seq = self._seq[device] = self._seq.get(device, self.hand.at_ms // MINUTE) + 1
        payload = wire_bytes([wire_form(Sample(1, seq % 2**31, values))])
        return Uplink(self.hand.at_ms, f"cunjing/v1/xia/{device}/telemetry", payload)

    def _asked(self, message: Message) -> None:
        self.texts.append((message.key, message.phone, message.text))
        if self._left is not None and not self._left.exists() and LOST in message.key:
            copy(self._path, self._left)


def copy(journal: Path, to: Path) -> None:
    """What a kill leaves of a journal that is in use, in one file that nothing has been written beside."""
    with closing(sqlite3.connect(journal)) as taken, closing(sqlite3.connect(to)) as left:
        taken.backup(left)
        left.execute("PRAGMA journal_mode = DELETE")
        left.execute("VACUUM")
