"""How the watcher elsewhere says what it has to say: by a command, and by texts through channels of its own.

Each way is tried until it took the word, once a minute; nobody hears that it is over who never heard that it began.
"""

import os
import subprocess
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

from alerts.calendars import Calendar, iso
from alerts.channels import Accepted, Channel, Message
from alerts.notify.texts import Texts, clock, day
from gateway.logs import logger
from gateway.watching.absence import Word
from telemetry.reading import Millis

_log = logger(__name__)

AGAIN_S: Final = 60.0
_TEMPLATES: Final = {Word.ALARM: "house_deaf", Word.REPEAT: "house_deaf", Word.CLEAR: "house_hears"}
_COMMAND_WITHIN_S: Final = 30.0

Way = Callable[[Word, str, Millis], bool]
"""Says a word in a text at an instant; whether it was taken."""


class Herald:
    """All ways, and what each has still to say."""

    def __init__(self, ways: Mapping[str, Way], texts: Texts, calendar: Calendar) -> None:
        self._ways = ways
        self._texts = texts
        self._calendar = calendar
        self._pending: dict[str, tuple[Word, float]] = {}
        self._told: set[str] = set()

    @property
    def pending(self) -> tuple[str, ...]:
        """The ways that have not taken their word yet."""
        return tuple(self._pending)

    @property
    def told(self) -> tuple[str, ...]:
        """The ways that have taken an alarm and not yet its end."""
        return tuple(sorted(self._told))

    def recall(self, told: Collection[str], now_s: float) -> None:
        """An outage stood before we were here: these ways know of it, the others are to be told."""
        self._told = {name for name in told if name in self._ways}
        self._pending = {name: (Word.ALARM, now_s) for name in self._ways if name not in self._told}

    def announce(self, word: Word, now_s: float) -> None:
        """Something is to be said by every way. The end overtakes an alarm that was never taken: both are dropped."""
        for name in self._ways:
            if word is Word.CLEAR and name not in self._told:
                self._pending.pop(name, None)
            elif word is not Word.REPEAT or name not in self._pending:
                self._pending[name] = (word, now_s)

    def speak(self, now_s: float, now_ms: Millis, silent_s: float) -> None:
        """Says what is pending; a way that did not take it is tried again in a minute."""
        for name, (word, due_s) in list(self._pending.items()):
            if due_s > now_s:
                continue
            text = self._text(word, now_ms, silent_s)
            taken = self._ways[name](word, text, now_ms)
            _log.info("said", way=name, word=word.value, taken=taken)
            if not taken:
                self._pending[name] = (word, now_s + AGAIN_S)
                continue
            del self._pending[name]
            if word is Word.CLEAR:
                self._told.discard(name)
            else:
                self._told.add(name)

    def _text(self, word: Word, now_ms: Millis, silent_s: float) -> str:
        calendar = self._calendar
        facts = {"day": day(calendar, now_ms), "time": clock(calendar, now_ms), "minutes": str(int(silent_s // 60))}
        return self._texts.compose(_TEMPLATES[word], facts)


def by_command(command: Sequence[str]) -> Way:
    """Runs it with the word and the text as its last two arguments; taken when it ends with 0 in time."""

    def say(word: Word, text: str, _now_ms: Millis) -> bool:
        environment = {**os.environ, "CUNJING_WORD": word.value, "CUNJING_TEXT": text}
        try:
            done = subprocess.run(  # noqa: S603 -- the operator's own command, without a shell
                [*command, word.value, text],
                env=environment,
                stdin=subprocess.DEVNULL,
                timeout=_COMMAND_WITHIN_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            _log.warning("command_failed", reason=str(error))
            return False
        return done.returncode == 0

    return say


def by_text(channels: Mapping[str, Channel], phone: str) -> Way:
    """One text to a number, by the first channel that takes it."""

    def say(word: Word, text: str, now_ms: Millis) -> bool:
        key = f"watch#{word.value}.{now_ms}@{phone}"
        message = Message(key, "", phone, phone, text, iso(now_ms), "P1", _TEMPLATES[word], {})
        for name, channel in channels.items():
            outcome = channel.send(message)
            if isinstance(outcome, Accepted):
                return True
            _log.warning("not_sent", channel=name, reason=outcome.reason)
        return False

    return say
