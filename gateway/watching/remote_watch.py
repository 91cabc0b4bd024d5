"""The watch on another machine: it hears heartbeats, asks a gateway whether it is ready, and says when neither comes.

All of ``cunjing watch``, in the order in which it happens: its own configuration; when silence is an alarm and when it
is over; how that is said; what is remembered of it over a restart; and the one part that listens, asks and looks.
Nothing of the gateway's own work is known here.
"""

import hmac
import os
import subprocess
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import Enum
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple

import msgspec
from pydantic import Field, ValidationError, model_validator

from alerts.calendars import Calendar, iso
from alerts.channels import Accepted, Channel, Message
from alerts.notify.texts import Texts, clock, day
from gateway.clock import Clock
from gateway.files import write_privately
from gateway.logs import logger
from gateway.settings import (
    BeatUrl,
    Endpoint,
    Listen,
    Phone,
    SettingsFault,
    SettingsTable,
    Sms,
    read_toml,
    sentence,
    tell_why,
)
from telemetry.reading import Millis

_log = logger(__name__)

PATH: Final = "/beat"
_MOST_BYTES: Final = 4_096
_WITHIN_S: Final = 5.0
_LOOK_S: Final = 1.0
AGAIN_S: Final = 60.0
_COMMAND_WITHIN_S: Final = 30.0


class ListenTable(SettingsTable):
    """``[listen]``: where heartbeats come in, and the token that they bear."""

    address: Listen = Endpoint("127.0.0.1", 8090)
    token_file: Path


class PollTable(SettingsTable):
    """``[poll]``: a gateway's ``/readyz``, asked every ``every_s``."""

    url: BeatUrl
    every_s: Annotated[float, Field(gt=0, le=3_600)] = 60.0


class AlarmTable(SettingsTable):
    """``[alarm]``: after how long a silence, how often again, and by which command or to which numbers."""

    after_min: Annotated[float, Field(gt=0, le=1_440)] = 10.0
    repeat_min: Annotated[float, Field(gt=0, le=1_440)] = 60.0
    repeats: Annotated[int, Field(ge=0, le=24)] = 3
    command: tuple[str, ...] = ()
    to: tuple[Phone, ...] = ()
    signature: str = ""
    timezone: str = "Asia/Shanghai"
    notebook: Path | None = None


class WatchFile(SettingsTable):
    """One TOML file: ways to hear of the gateway and ways to speak, at least one of each.

    ``[sms]`` and ``[channels.NAME]`` are as in the gateway's own configuration.
    """

    listen: ListenTable | None = None
    poll: PollTable | None = None
    alarm: AlarmTable
    sms: Sms | None = None
    channels: dict[str, dict[str, Any]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _hears_and_speaks(self) -> "WatchFile":
        if self.listen is None and self.poll is None:
            raise ValueError("it hears nothing; add [listen], [poll] or both")
        if not self.alarm.command and not self.alarm.to:
            raise ValueError("[alarm] reaches nobody; give a command, or numbers in to")
        if self.alarm.to and (self.sms is None or not self.alarm.signature):
            raise ValueError("[alarm] to needs a signature there, and [sms] with a channel")
        return self


def load(path: Path) -> WatchFile:
    """What stands in ``path``; ``SettingsFault`` with a sentence for each fault."""
    document = read_toml(path, "copy config/watch.example.toml there")
    try:
        return WatchFile(**document)
    except ValidationError as errors:
        raise SettingsFault(sentence(error, str(path), WatchFile, {}) for error in errors.errors()) from None


class SilenceNotice(Enum):
    """What is to be said."""

    ALARM = "alarm"
    REPEAT = "repeat"
    CLEAR = "clear"


class Patience(NamedTuple):
    """After how many seconds of silence, how often again, and how many times at most."""

    after_s: float
    repeat_s: float
    repeats: int


class GatewaySilence(NamedTuple):
    """What silence and signs of life come to, a pure judgement of seconds: one alarm and one all-clear an outage.

    When the gateway last gave a sign of life, and what was said about its silence since.
    """

    seen_s: float
    said: int = 0
    """How many alarms of this outage, repeats included; 0 while there is none."""
    said_s: float = 0.0


def heard(silence: GatewaySilence, at_s: float) -> tuple[GatewaySilence, SilenceNotice | None]:
    """A sign of life."""
    return GatewaySilence(max(silence.seen_s, at_s)), SilenceNotice.CLEAR if silence.said else None


def waited(silence: GatewaySilence, at_s: float, patience: Patience) -> tuple[GatewaySilence, SilenceNotice | None]:
    """No sign of life by now."""
    if not silence.said:
        if at_s - silence.seen_s < patience.after_s:
            return silence, None
        return silence._replace(said=1, said_s=at_s), SilenceNotice.ALARM
    if silence.said > patience.repeats or at_s - silence.said_s < patience.repeat_s:
        return silence, None
    return silence._replace(said=silence.said + 1, said_s=at_s), SilenceNotice.REPEAT


_TEMPLATES: Final = {
    SilenceNotice.ALARM: "house_deaf",
    SilenceNotice.REPEAT: "house_deaf",
    SilenceNotice.CLEAR: "house_hears",
}

Way = Callable[[SilenceNotice, str, Millis], bool]
"""Says a word in a text at an instant; whether it was taken."""


class Herald:
    """All ways, and what each has still to say.

    Each is tried until it took the word, once a minute; nobody hears that it is over who never heard that it began.
    """

    def __init__(self, ways: Mapping[str, Way], texts: Texts, calendar: Calendar) -> None:
        self._ways = ways
        self._texts = texts
        self._calendar = calendar
        self._pending: dict[str, tuple[SilenceNotice, float]] = {}
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
        self._pending = {name: (SilenceNotice.ALARM, now_s) for name in self._ways if name not in self._told}

    def announce(self, word: SilenceNotice, now_s: float) -> None:
        """Something is to be said by every way. The end overtakes an alarm that was never taken: both are dropped."""
        for name in self._ways:
            if word is SilenceNotice.CLEAR and name not in self._told:
                self._pending.pop(name, None)
            elif word is not SilenceNotice.REPEAT or name not in self._pending:
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
            if word is SilenceNotice.CLEAR:
                self._told.discard(name)
            else:
                self._told.add(name)

    def _text(self, word: SilenceNotice, now_ms: Millis, silent_s: float) -> str:
        calendar = self._calendar
        facts = {"day": day(calendar, now_ms), "time": clock(calendar, now_ms), "minutes": str(int(silent_s // 60))}
        return self._texts.compose(_TEMPLATES[word], facts)


def by_command(command: Sequence[str]) -> Way:
    """Runs it with the word and the text as its last two arguments; taken when it ends with 0 in time."""

    def say(word: SilenceNotice, text: str, _now_ms: Millis) -> bool:
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

    def say(word: SilenceNotice, text: str, now_ms: Millis) -> bool:
        key = f"watch#{word.value}.{now_ms}@{phone}"
        message = Message(key, "", phone, phone, text, iso(now_ms), "P1", _TEMPLATES[word], {})
        for name, channel in channels.items():
            outcome = channel.send(message)
            if isinstance(outcome, Accepted):
                return True
            _log.warning("not_sent", channel=name, reason=outcome.reason)
        return False

    return say


class StandingOutage(msgspec.Struct, frozen=True):
    """An outage as it stands, by wall-clock time; ``said`` is 0 while there is none.

    It lies in one small file. One that cannot be read or written costs a repeated word at most, and never the watch.
    """

    said: int = 0
    said_ms: Millis = 0
    seen_ms: Millis = 0
    told: tuple[str, ...] = ()


def read_notebook(path: Path | None) -> StandingOutage:
    """What was kept; nothing where there is no file, or none of ours."""
    if path is None:
        return StandingOutage()
    try:
        return msgspec.json.decode(path.read_bytes(), type=StandingOutage)
    except FileNotFoundError:
        return StandingOutage()
    except (OSError, msgspec.DecodeError) as error:
        _log.warning("notebook_unread", path=str(path), reason=str(error))
        return StandingOutage()


def write_notebook(path: Path | None, kept: StandingOutage) -> None:
    """Keeps it, whole or not at all."""
    if path is None:
        return
    try:
        write_privately(path, msgspec.json.encode(kept).decode())
    except OSError as error:
        _log.warning("notebook_unwritten", path=str(path), reason=str(error))


class Outpost:
    """``beat`` is called from any thread at a sign of life, ``look`` by one thread again and again."""

    def __init__(
        self,
        patience: Patience,
        herald: Herald,
        clock: Clock,
        monotonic: Callable[[], float],
        kept_in: Path | None = None,
    ) -> None:
        """``kept_in`` is the file that remembers an outage over a restart."""
        self._patience = patience
        self._herald = herald
        self._clock = clock
        self._monotonic = monotonic
        self._kept_in = kept_in
        self._kept = read_notebook(kept_in)
        self._absence = self._recalled(self._kept)
        self._seen_s = self._absence.seen_s

    def beat(self) -> None:
        """A sign of life, now."""
        self._seen_s = self._monotonic()

    def look(self) -> SilenceNotice | None:
        """What silence and signs of life come to by now; it is said at once, or tried again later."""
        now_s, seen_s = self._monotonic(), self._seen_s
        if seen_s > self._absence.seen_s:
            self._absence, word = heard(self._absence, seen_s)
        else:
            self._absence, word = waited(self._absence, now_s, self._patience)
        if word is not None:
            _log.warning("watch", word=word.value, silent_s=round(now_s - self._absence.seen_s))
            self._herald.announce(word, now_s)
        self._herald.speak(now_s, self._clock.now_ms(), now_s - self._absence.seen_s)
        self._keep(now_s)
        return word

    def _recalled(self, kept: StandingOutage) -> GatewaySilence:
        """An outage that stood when we ended stands on; who had not heard of it hears of it now."""
        now_s, now_ms = self._monotonic(), self._clock.now_ms()
        if not kept.said:
            return GatewaySilence(now_s)
        self._herald.recall(kept.told, now_s)
        seen_s, said_s = (now_s - max(0, now_ms - at_ms) / 1_000 for at_ms in (kept.seen_ms, kept.said_ms))
        return GatewaySilence(seen_s, kept.said, said_s)

    def _keep(self, now_s: float) -> None:
        """Written only when something was said, or has ended."""
        absence, told = self._absence, self._herald.told
        if (absence.said, told) == (self._kept.said, self._kept.told):
            return
        now_ms = self._clock.now_ms()
        said_ms, seen_ms = (now_ms - round((now_s - at_s) * 1_000) for at_s in (absence.said_s, absence.seen_s))
        self._kept = StandingOutage(absence.said, said_ms, seen_ms, told) if absence.said else StandingOutage(told=told)
        write_notebook(self._kept_in, self._kept)

    def run(self, stop: threading.Event) -> None:
        """Looks each second until it is told to stop."""
        while not stop.wait(_LOOK_S):
            self.look()


class _Server(HTTPServer):
    """One connection at a time: whoever holds the door shut makes an alarm, and never a false sign of life."""

    def __init__(self, address: Endpoint, token: str, beat: Callable[[], None]) -> None:
        super().__init__(address, _Door)
        self.token = token.encode()
        self.beat = beat


class _Door(BaseHTTPRequestHandler):
    """One path, one token; whatever else knocks is refused and is no sign of life."""

    timeout = _WITHIN_S
    server_version = "cunjing"
    sys_version = ""
    server: _Server

    def do_POST(self) -> None:
        """A heartbeat."""
        self._knock()

    def do_GET(self) -> None:
        """The same from who cannot post."""
        self._knock()

    def log_message(self, *_: object) -> None:
        """What comes is told by what is done about it."""

    def _knock(self) -> None:
        status = self._judged()
        if status is HTTPStatus.NO_CONTENT:
            self.server.beat()
        else:
            _log.warning("refused", status=int(status), origin=self.client_address[0])
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True

    def _judged(self) -> HTTPStatus:
        given = self.headers.get("Authorization", "").removeprefix("Bearer ")
        length = self.headers.get("Content-Length", "0")
        if self.path != PATH:
            return HTTPStatus.NOT_FOUND
        if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), self.server.token):
            return HTTPStatus.UNAUTHORIZED
        if not length.isdecimal() or int(length) > _MOST_BYTES:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        self.rfile.read(int(length))
        return HTTPStatus.NO_CONTENT


@contextmanager
def listening(address: Endpoint, token: str, beat: Callable[[], None]) -> Iterator[int]:
    """Hears heartbeats while the context lasts; its port. ``SettingsFault`` when it cannot listen there."""
    try:
        server = _Server(address, token, beat)
    except OSError as error:
        why = tell_why(error)
        remedy = "stop what uses it, or set another [listen] address"
        raise SettingsFault([f"nothing can listen on {address.host}:{address.port}: {why}; {remedy}"]) from None
    thread = threading.Thread(target=server.serve_forever, args=(0.2,), name="listener", daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join(_WITHIN_S)


@contextmanager
def polling(ready: Callable[[], bool], every_s: float, beat: Callable[[], None]) -> Iterator[None]:
    """Asks a gateway every so often whether it is ready; that it is, is a sign of life."""
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            if ready():
                beat()
            stop.wait(every_s)

    thread = threading.Thread(target=ask, name="poller", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(_WITHIN_S)
