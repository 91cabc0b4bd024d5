"""The gateway's real loop, journal, ear and courier on a virtual clock, in one thread, with providers that misbehave.

The process may die at any commit, before it is durable or right after; what it knew beyond the journal dies with it.
Nothing is judged here.
"""

import sqlite3
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from msgspec.structs import replace

from alerts.answers import Receipt, Reply
from alerts.build import PolicyFiles
from alerts.channels import Accepted, Channel, Failed, Message, Outcome, SendRefused
from alerts.delivery.courier import Courier
from alerts.delivery.delivery import Routes
from alerts.ledger.case import CaseCommand, Register
from gateway import start
from gateway.clock import Face
from gateway.commands.cases import AskLedger
from gateway.commands.command import A, Command, Context
from gateway.commands.dispatcher import CommandDispatcher
from gateway.commands.replies import CLAIMS, InboundSms
from gateway.health import Health, Part
from gateway.inbox import Answer, Inbox, Unanswered
from gateway.journal.entry import Committed, Entry
from gateway.journal.restore import Restored
from gateway.journal.writer import Journal
from gateway.loop import BROKER, JOURNAL, Loop
from gateway.metrics import Metrics
from gateway.mqtt.link import Batch, SessionPhase, SessionState, Version
from gateway.pipeline import Pipeline
from gateway.requests import Housekeep, JournalPort, ReceiptsAndReplies, Tick
from gateway.rollups.scope import ROLLUPS
from gateway.settings import Watch
from gateway.watching.self_check import Watchman, watchman
from telemetry.inventory import Inventory
from telemetry.reading import Millis
from telemetry.wire import Uplink
from tests.fakes import Crash

_THERE: Final = Part(ready=True, state="there")
_ALARMS_MOST: Final = 40
"""So many timers and retries of one wait are met at their own instant; the rest are late, as after a long pause."""


@dataclass
class Hand:
    """The virtual clock, and how many commits the process still makes before it dies; negative is for ever."""

    at_ms: Millis
    commits_left: int = -1
    dies_durable: bool = False
    """Whether the last commit is still made before it dies."""
    statements: int = 0
    """How many statements the journal was asked to do so far, reads and writes alike."""
    refuses: Container[int] = frozenset()
    """The numbers of those that it refuses, each once: when asked again it has another number."""
    refuses_next: str = ""
    """Words of the statement that is refused once, when it comes next."""
    refused: int = 0
    passed_s: float = 0.0
    """What the monotonic clock shows: here time leaps, and nobody is deaf unless a test says so."""
    set_s: float = 0.0
    """By how much the machine's clock was set against it."""
    ahead_s: float = 0.0
    """By how much the machine's clock shows less than this one."""

    def now_ms(self) -> Millis:
        return self.at_ms

    def face(self) -> Face:
        return Face(self.at_ms, self.passed_s, self.passed_s + self.set_s)

    def behind_s(self) -> float:
        return self.ahead_s

    def go_on_from(self, at_ms: Millis) -> None:
        self.at_ms = max(self.at_ms, at_ms)

    def wait_s(self, until_ms: Millis) -> float:
        return max(0.0, (until_ms - self.at_ms) / 1_000)


@dataclass(frozen=True)
class Taken:
    """A text that a provider took."""

    via: str
    key: str
    phone: str
    at_ms: Millis
    reference: str


@dataclass
class Provider:
    """A provider that outlives our processes. ``mood`` says how it answers, ``knows`` whether it can be asked."""

    name: str
    hand: Hand
    asked: Callable[[Message], None]
    mood: str = "well"
    knows: bool = True
    taken: list[Taken] = field(default_factory=list)

    def send(self, message: Message) -> Outcome:
        self.asked(message)
        match self.mood:
            case "refuses":
                return SendRefused("dead_number")
            case "throttles":
                return Failed("rate_limited", 60)
            case "is full for today":
                return Failed("limit_day")
            case "is away":
                return Failed("unreachable")
            case "answers nothing":
                return Failed("timeout")
            case "breaks":
                raise RuntimeError("a provider that we have not understood")
        reference = f"{self.name}-{len(self.taken) + 1}"
        self.taken.append(Taken(self.name, message.key, message.phone, self.hand.at_ms, reference))
        if self.mood == "takes and is silent":
            return Failed("timeout")
        return Accepted(reference, receipted=self.mood != "promises nothing")

    def find(self, message: Message) -> Accepted | None:
        if not self.knows:
            return None
        found = next((taken for taken in reversed(self.taken) if taken.key == message.key), None)
        return None if found is None else Accepted(found.reference)


MOODS: Final = (
    "well",
    "refuses",
    "throttles",
    "is full for today",
    "is away",
    "answers nothing",
    "breaks",
    "takes and is silent",
    "promises nothing",
)


class _Refusing:
    """A connection that refuses some statements, as one does whose file another program holds."""

    def __init__(self, connection: sqlite3.Connection, hand: Hand) -> None:
        self._connection = connection
        self._hand = hand

    def __getattr__(self, name: str) -> object:
        return getattr(self._connection, name)

    def execute(self, sql: str, given: Sequence[object] | Mapping[str, object] = ()) -> sqlite3.Cursor:
        self._ask(sql)
        return self._connection.execute(sql, given)

    def executemany(self, sql: str, given: Iterable[Sequence[object] | Mapping[str, object]]) -> sqlite3.Cursor:
        self._ask(sql)
        return self._connection.executemany(sql, given)

    def _ask(self, sql: str) -> None:
        if sql == "ROLLBACK":
            return
        hand = self._hand
        hand.statements += 1
        named = bool(hand.refuses_next) and hand.refuses_next in sql
        if hand.statements in hand.refuses or named:
            hand.refused += 1
            hand.refuses_next = "" if named else hand.refuses_next
            trouble = sqlite3.OperationalError("database is locked")
            trouble.sqlite_errorcode = sqlite3.SQLITE_BUSY
            raise trouble


class MortalJournal(Journal):
    """The journal of a process that may die at a commit, and whose file may refuse."""

    hand: Hand
    heard: Callable[[Entry], None]

    def refuse(self, hand: Hand) -> None:
        """From now on every statement is counted, and may be refused."""
        refusing: Any = _Refusing(self._connection, hand)
        self._connection = refusing
        for names in (self._devices, self._assets, self._areas):
            names._connection = refusing

    def commit(self, entry: Entry) -> Committed:
        hand = self.hand
        hand.commits_left -= 1
        if hand.commits_left == 0 and not hand.dies_durable:
            raise Crash
        committed = super().commit(entry)
        self.heard(entry)
        if hand.commits_left == 0:
            raise Crash
        return committed


class _Broker:
    """Keeps what is not acknowledged, and brings it again to the next process."""

    def __init__(self, hand: Hand) -> None:
        self.kept: list[Uplink] = []
        self.state = _session(SessionPhase.LIVE)
        self.acked: Callable[[Sequence[Uplink]], None] = lambda _uplinks: None
        """Told what it brings no more."""
        self._hand = hand

    def wait(self, timeout_s: float, extra_fds: list[int]) -> Batch:
        _ = timeout_s, extra_fds
        uplinks = self.kept if self.state.phase is SessionPhase.LIVE else []
        return Batch([replace(uplink, received_ms=self._hand.at_ms) for uplink in uplinks], [1] * len(uplinks), 1)

    def ack(self, batch: Batch) -> int:
        taken = self.kept[: len(batch.mids)]
        del self.kept[: len(batch.mids)]
        self.acked(taken)
        return len(batch.mids)


def _session(phase: SessionPhase) -> SessionState:
    return SessionState(phase, _THERE, 1, Version.FIVE, session_present=True, sessions_lost=0, reconnects=0)


class _Door(Inbox):
    """An inbox whose poster lets the loop turn at once: there is no other thread."""

    turn: Callable[[], None]

    def post(self, item: Command[A], wait_s: float = 0.0) -> Answer[A] | Unanswered:
        answer = super().post(item, wait_s)
        self.turn()
        return answer


class TellingLine:
    """One gateway after the other on the same journal, the same broker and the same providers."""

    pipeline: Pipeline
    loop: Loop
    courier: Courier
    kind: type[Pipeline] = Pipeline
    dispatcher: type[CommandDispatcher] = CommandDispatcher
    ear: type[InboundSms] = InboundSms
    """What it is made of; a line that is broken on purpose is made of something else."""

    def __init__(
        self,
        path: Path,
        inventory: Inventory,
        policy_files: PolicyFiles,
        hand: Hand,
        heard: Callable[[Entry], None],
        asked: Callable[[Message], None],
        channels: Mapping[str, Channel] = MappingProxyType({}),
    ) -> None:
        """``channels`` are tried before the two providers."""
        self._path = path
        self._inventory = inventory
        self._policy_files = policy_files
        self._heard = heard
        self._metrics = Metrics()
        self._next_ms: Millis | None = None
        self.waited: Callable[[Exception], None] = lambda _trouble: None
        """Told when the line waits for the world, which takes no time here."""
        self.beats = True
        """Whether each turn writes a heartbeat, as one of a quiet county does: no real time passes here."""
        self.hand = hand
        self.broker = _Broker(hand)
        self.providers = {name: Provider(name, hand, asked) for name in ("one", "two")}
        self._channels: dict[str, Channel] = {**channels, **self.providers}
        self._begin()

    # --- what happens to it

    def bring(self, uplinks: Sequence[Uplink]) -> None:
        """Messages are at the broker, and the loop turns."""
        self.broker.kept += uplinks
        self._alive(self._turn)

    def order(self, command: Command[object] | Register | CaseCommand) -> object:
        """Something that a person, or another part of the house, asks; no answer when the process dies of it."""
        return self._posted(AskLedger(command) if isinstance(command, Register | CaseCommand) else command)

    def hear(self, receipts: Sequence[Receipt] = (), replies: Sequence[Reply] = ()) -> None:
        """Something came back by telephone; the provider tells it again when we die of it."""
        if self._posted(heard := ReceiptsAndReplies(tuple(receipts), tuple(replies))) is None:
            self._posted(heard)

    def live(self, until_ms: Millis, *, most: int = _ALARMS_MOST) -> None:
        """Time passes: every timer, every retry and every missing receipt at its own instant."""
        for _ in range(most):
            due_ms = min((due for due in (self._next_ms, self._courier_ms()) if due is not None), default=until_ms)
            if due_ms >= until_ms:
                break
            self.leap(max(due_ms, self.hand.at_ms))
        self.leap(until_ms)

    def leap(self, to_ms: Millis) -> None:
        """The clock shows this at once, and everything that waits for it follows."""
        self.hand.at_ms = to_ms
        self._posted(Tick(to_ms))
        self._alive(self._send)

    def deafen(self) -> None:
        """The broker is gone."""
        self.broker.state = _session(SessionPhase.RESTING)
        self._alive(self._turn)

    def listen(self) -> None:
        """The broker is back, with what it has kept."""
        self.broker.state = _session(SessionPhase.LIVE)
        self._alive(self._turn)

    def end(self, away_ms: Millis) -> None:
        """The process ends as it should, with a snapshot, and another begins after a while."""
        self._alive(lambda: self.loop._commit((), self.hand.at_ms, snapshot=True))
        self._reborn(away_ms)

    def install(self, inventory: Inventory) -> None:
        """The next process begins with this inventory."""
        self._inventory = inventory

    def kill(self, away_ms: Millis) -> None:
        """The process dies between two turns, and another begins after a while."""
        self._reborn(away_ms)

    def close(self) -> None:
        """No more."""
        self._port.close()
        self._journal.close()
        self._door.close()

    # --- what it is made of

    def _wait(self, trouble: Exception) -> None:
        self.waited(trouble)

    def _pipeline(self, restored: Restored) -> Pipeline:
        """What a start makes of the journal."""
        now_ms = self.hand.at_ms
        return start.resumed(
            self._inventory, self._policy_files, self._journal, restored, now_ms, self._wait, self.kind
        )

    def _dispatch(self, hearing: InboundSms, watching: Watchman) -> CommandDispatcher:
        """What does what comes out of the inbox."""
        return self.dispatcher(
            Context(self.pipeline, self._journal, hearing, watching, self._go_on, keep_days=90, resend=())
        )

    def _go_on(self) -> None:
        self._door.post(Housekeep())

    def _show(self, entry: Entry) -> None:
        """The desk is shown what became durable; here there is none."""

    def _begin(self) -> None:
        hand = self.hand
        self._journal = MortalJournal.open(self._path)
        self._journal._connection.execute("PRAGMA synchronous = OFF")  # the process dies here, never the machine
        self._journal.hand, self._journal.heard = hand, self._heard
        self._journal.admit([ROLLUPS])
        restored = self._journal.restore()
        self.pipeline = self._pipeline(restored)
        self._beside = self._journal._connection  # our own look at it is never refused
        self._journal.refuse(hand)
        self._door = _Door()
        self._door.turn = self._turn
        self._port = JournalPort(self._path, self._door)
        routes, nights = Routes(tuple(self._channels)), self.pipeline.nights
        self.courier = Courier(self._port, self._channels, hand.now_ms, routes, nights=nights)
        health = Health((BROKER, JOURNAL), hand.now_ms)
        self.loop = Loop(
            self.pipeline,
            self._journal,
            self.broker,
            self._door,
            self._dispatch(
                self.ear(self.pipeline, self._journal, restored.meta.get(CLAIMS)),
                watchman(Watch(), self.pipeline, hand, health, self._metrics, restored.meta),
            ),
            clock=hand,
            heard_ms=restored.heartbeat_ms,
            unsnapshotted=restored.last_reading_id - restored.snapshot_position,
            health=health,
            metrics=self._metrics,
            wake_at=self._wake_at,
            owe=lambda: None,
            watch=self._show,
            stopping=lambda: False,
        )
        self._turn()

    def _reborn(self, away_ms: Millis) -> None:
        self.close()
        self.hand.commits_left = -1
        self.hand.at_ms += away_ms
        self._begin()

    def _alive(self, act: Callable[[], object]) -> object | None:
        """Does it, unless the process dies of it; then another is there at once."""
        try:
            return act()
        except Crash:
            self._reborn(0)
            return None

    def _posted(self, item: Command[object]) -> object:
        def post() -> object:
            answer = self._door.post(item)
            assert isinstance(answer, Answer)
            return answer.wait(0.0)

        return self._alive(post)

    def _turn(self) -> None:
        self.loop._beat_at_s = float("-inf" if self.beats else "inf")
        self.loop.turn()

    def _send(self) -> None:
        while self.courier.run_once(self.hand.at_ms):
            pass

    def _wake_at(self, due_ms: Millis | None) -> None:
        self._next_ms = due_ms

    def _courier_ms(self) -> Millis | None:
        """When the courier has something to do next."""
        (due_ms,) = self._beside.execute(
            "SELECT min(due) FROM (SELECT coalesce(next_attempt_ms, 0) AS due FROM notification"
            " WHERE state IN ('owed', 'sending')"
            " UNION ALL SELECT receipt_due_ms FROM notification WHERE state = 'accepted' AND receipt_due_ms > 0)"
        ).fetchone()
        return None if due_ms is None else int(due_ms)
