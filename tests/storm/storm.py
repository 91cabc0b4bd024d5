"""The scheduler of the storm: steps and ticks in their order, on virtual clocks, in one thread; the laws after each.

It drives the real gateway through its own doors: the broker, the inbox, the providers, the journal's file. It decides
nothing that a seed has not drawn, so the same steps give the same run, whatever the machine.
"""

import hashlib
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

from alerts.answers import receipt, reply
from alerts.channels import Message
from alerts.conditions.thresholds import ThresholdScope
from alerts.ledger.case import CaseCommand, CaseVerb, Register
from alerts.model import Event
from alerts.notify.holds import TrialKind
from alerts.windows import Work
from gateway.commands.absences import AbsenceDone, EndAbsence, RecordAbsence
from gateway.commands.cases import AskLedger
from gateway.commands.command import Command
from gateway.commands.episodes import EpisodeCommand, EpisodeVerb, Foresee
from gateway.commands.extra_rounds import OrderExtraRound
from gateway.commands.maintenance import DeclareWindow, EndWindow, ListWindows
from gateway.commands.quarantine import LookAgain
from gateway.commands.thresholds import SetFigure
from gateway.commands.trials import EndTrial
from gateway.commands.welcome import Welcome
from gateway.mqtt.link import SessionPhase
from gateway.requests import Housekeep, WatchRound
from gateway.watching.self_check import OverdueRows
from telemetry.reading import Millis, Sample, Values
from telemetry.wire import Uplink
from tests.bounds import bound_ms
from tests.storm.county import (
    BEGIN_MS,
    BINS,
    DAY,
    FOR_EVER,
    GATEWAYS,
    HOUR,
    MINUTE,
    PLANTS,
    SECOND,
    TICK,
    behind,
    county,
    device,
    shipped,
)
from tests.storm.line import StormLine, Weather
from tests.storm.model import CHAIN, Storming, day_of
from tests.storm.steps import CALM_MS, FAULTY, Seeded, Step
from tests.storm.world import World
from tests.strategies import wire_bytes, wire_form
from tests.telling_line import Hand, Taken
from tests.telling_model import URGENT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ASSETS: Final = (*BINS, *PLANTS)
EXCUSES: Final = frozenset({"acked", "shelved", "inhibited"})
"""Rows that say why nobody need be told: somebody has seen to it, or another matter explains it."""
ONE_STEP: Final = frozenset({"no_power", "hot_ash"})
"""Rules whose chain ends with the first: there is nobody else to be told instead (alerting.md §4)."""
_MOST_ALARMS: Final = 400
_MOST_STORED: Final = 90
"""So many samples a sensor keeps while its radio gateway is away."""
_JUNK: Final = (
    b"{",
    b"",
    b"\xff\xfe",
    b'{"v":1}',
    b"[]",
    b'{"v":1,"boot":1,"seq":1,"readings":{"temperature_c":null}}',
)
_VERBS: Final = {verb.value: verb for verb in EpisodeVerb}


class Violation(Exception):  # noqa: N818 -- what is found is the gateway's fault, not this one's
    """A law does not hold after a step."""

    def __init__(self, law: str, step: Step) -> None:
        super().__init__(f"{law}\n  after: {step}")
        self.law = law.partition(":")[0]
        self.step = step


class Storm:
    """One county's days under one seed."""

    def __init__(self, folder: Path, seeded: Seeded, line: type[StormLine] = StormLine) -> None:
        self.seeded = seeded
        self.hand = Hand(BEGIN_MS)
        self.world = World(seeded.seed)
        self._changes = frozenset[str]()
        large = frozenset(
            name for name, asset in county().assets.items() if asset.plant and asset.plant.design_m3d >= 100
        )
        self.model = Storming(large, inventory=county(), taken=self._taken_as)
        self.line = line(
            folder / "journal.db", county(), shipped(), self.hand, self.model.hear, self._asked_of_a_provider
        )
        self.line.reborn = self._reborn
        self.line.broker.acked = self.model.acknowledge
        self.printed: list[str] = []
        self.counts: Counter[str] = Counter()
        self._world_ms = 0
        """The world's clock; the machine's is ahead of it by what it was set forward."""
        self._ahead_ms = 0
        self._boot = dict.fromkeys(ASSETS, 1)
        self._seq = dict.fromkeys(ASSETS, 0)
        self._high: dict[str, int] = {}
        self._silent: set[str] = set()
        self._cut: set[str] = set()
        self._shuffled: dict[str, list[Uplink]] = {}
        self._stored: dict[str, list[Sample]] = {name: [] for name in ASSETS}
        self._sent: list[Uplink] = []
        self._receipts = ""
        self._receipted: Counter[str] = Counter()
        self._numbers = 0
        self._taken: Counter[str] = Counter()
        self._calm_ms = 0
        self._heard_again_ms = 0
        """When the last deafness before the calm was over."""
        self._deeds: Mapping[str, Callable[[Step], object]] = {
            name.removeprefix("_do_").replace("_", " "): getattr(self, name) for name in dir(self) if name[:4] == "_do_"
        }

    # --- the run

    def run(self) -> "Storm":
        """All of it. Raises ``Violation`` after the first step after which a law does not hold."""
        try:
            end_ms = self.seeded.days * DAY + CALM_MS
            steps = [*self.seeded.steps, *(Step(at, "tick") for at in range(0, end_ms, TICK))]
            for step in sorted(steps, key=lambda step: (step.at_ms, step.what == "tick")):
                self._take(step)
            self._hold_calm()
            self._hold_empty()
            self.model.expect_words()
            self._hold_journal()
            self._print_day(Step(end_ms, "end"))
        finally:
            self.line.close()
        return self

    def _take(self, step: Step) -> None:
        self._live_until(step.at_ms)
        if step.what == "tick":
            if step.at_ms % DAY == 0:
                self._print_day(step)
            self._tick(step.at_ms // TICK)
        else:
            self.printed.append(str(step))
            self.counts[step.what] += 1
            self.counts["faults"] += step.what in FAULTY
            self._deeds[step.what](step)
        self._hold(step)

    def _live_until(self, world_ms: Millis) -> None:
        left_ms = world_ms - self._world_ms
        if left_ms > 0:
            self.line.live(self.hand.at_ms + left_ms, most=_MOST_ALARMS)
            self._world_ms = world_ms

    # --- what devices do

    def _tick(self, tick: int) -> None:
        self.world.tick()
        uplinks: list[Uplink] = []
        for asset in ASSETS:
            if asset not in self._silent:
                uplinks += self._speak(asset, self.world.said(asset, tick))
        self._bring(uplinks)
        self._send_receipts()

    def _speak(self, asset: str, values: Values) -> list[Uplink]:
        """One sample: now, or later, after those that could not be sent."""
        self._seq[asset] += 1
        sample = Sample(self._boot[asset], self._seq[asset], values, BEGIN_MS + self._world_ms)
        stored = self._stored[asset]
        if any(asset in behind(gateway) for gateway in self._cut):
            stored.append(sample)
            del stored[:-_MOST_STORED]
            return []
        samples = [*stored, sample]
        stored.clear()
        uplink = self._uplink(asset, samples)
        waiting = self._shuffled.get(asset)
        if waiting is None:
            return [uplink]
        waiting.append(uplink)
        if len(waiting) < 3:
            return []
        self._shuffled[asset] = []
        return waiting[::-1]

    def _uplink(self, asset: str, samples: list[Sample]) -> Uplink:
        wires = [wire_form(sample) for sample in samples]
        uplink = Uplink(
            0, f"cunjing/v1/xia/{device(asset)}/telemetry", wire_bytes(wires if len(wires) > 1 else wires[0])
        )
        self.model.send(uplink, [(device(asset), sample.boot, sample.seq) for sample in samples])
        return uplink

    def _bring(self, uplinks: list[Uplink]) -> None:
        self._sent = [*self._sent, *uplinks][-200:]
        self.line.bring(uplinks)
        self.line.leap(self.hand.at_ms)

    # --- steps: the world

    def _do_fill(self, step: Step) -> None:
        self.world.fill[step.on] = step.n / 100

    def _do_empty(self, step: Step) -> None:
        self.world.fill[step.on] = 0.02

    def _do_burn(self, step: Step) -> None:
        self.world.heat[step.on] = 78.0

    def _do_ash(self, step: Step) -> None:
        self.world.heat[step.on] = 55.0

    def _do_cool(self, step: Step) -> None:
        self.world.heat.pop(step.on, None)

    def _do_flag(self, step: Step) -> None:
        self.world.flagged.add(step.on)

    def _do_unflag(self, step: Step) -> None:
        self.world.flagged.discard(step.on)

    def _do_stop(self, step: Step) -> None:
        self.world.mode[step.on] = "stop"

    def _do_high(self, step: Step) -> None:
        self.world.mode[step.on] = "high"

    def _do_run(self, step: Step) -> None:
        self.world.mode[step.on] = "run"

    def _do_trip(self, step: Step) -> None:
        self.world.trip(step.on, dark=True)

    def _do_mains(self, step: Step) -> None:
        self.world.trip(step.on, dark=False)

    # --- steps: sensors and radio

    def _do_silence(self, step: Step) -> None:
        self._silent.add(step.on)

    def _do_voice(self, step: Step) -> None:
        self._silent.discard(step.on)

    def _do_wild(self, step: Step) -> None:
        self.world.wild.add(step.on)

    def _do_tame(self, step: Step) -> None:
        self.world.wild.discard(step.on)

    def _do_flap(self, step: Step) -> None:
        self.world.flapping.add(step.on)

    def _do_settle(self, step: Step) -> None:
        self.world.flapping.discard(step.on)

    def _do_reboot(self, step: Step) -> None:
        self._boot[step.on] += 1
        self._seq[step.on] = 0

    def _do_jump(self, step: Step) -> None:
        """It counts far ahead once, and then goes on where it was."""
        ahead = max(self._high.get(step.on, 0), self._seq[step.on] + step.n)
        self._high[step.on] = ahead + 1
        sample = Sample(self._boot[step.on], ahead, self.world.said(step.on, 0), BEGIN_MS + self._world_ms)
        self._bring([self._uplink(step.on, [sample])])

    def _do_cut(self, step: Step) -> None:
        self._cut.add(step.on)

    def _do_join(self, step: Step) -> None:
        self._cut.discard(step.on)

    def _do_shuffle(self, step: Step) -> None:
        self._shuffled.setdefault(step.on, [])

    def _do_unshuffle(self, step: Step) -> None:
        self._bring(self._shuffled.pop(step.on, [])[::-1])

    def _do_again(self, step: Step) -> None:
        self._bring(self._sent[-step.n :])

    def _do_flood(self, step: Step) -> None:
        topic = f"cunjing/v1/xia/{device(step.on)}/telemetry"
        junk = [b'{"v":1,"boot":1,"seq":%d,"readings":{}}' % number for number in range(step.n)]
        self._junk(Uplink(0, topic, payload) for payload in junk)

    def _do_junk(self, step: Step) -> None:
        topics = ("cunjing/v1/xia/s-b1/telemetry", "cunjing/v1/xia/nobody/telemetry", "a/b", "")
        self._junk(Uplink(0, topics[number % 4], _JUNK[number % len(_JUNK)]) for number in range(step.n * 2))

    def _junk(self, uplinks: object) -> None:
        assert hasattr(uplinks, "__iter__")
        made = list(uplinks)
        for uplink in made:
            self.model.send(uplink, ())
        self._bring(made)

    # --- steps: the machine

    def _do_refuse(self, step: Step) -> None:
        self.hand.refuses = Weather(self.hand.statements, step.n, float(step.word))

    def _do_die(self, step: Step) -> None:
        self.hand.commits_left, self.hand.dies_durable = step.n, step.word == "durable"

    def _do_kill(self, step: Step) -> None:
        self._restart(step.n, killed=True)

    def _do_restart(self, step: Step) -> None:
        self._restart(step.n, killed=False)

    def _do_import(self, step: Step) -> None:
        """Somebody changes the inventory file, or takes that back, and starts the gateway anew."""
        for_ever = {step.on} & FOR_EVER
        self._changes = self._changes | for_ever if for_ever else self._changes ^ {step.on}
        self.model.install(county(self._changes))
        self._restart(MINUTE, killed=True)

    def _restart(self, away_ms: Millis, *, killed: bool) -> None:
        self.hand.commits_left = -1
        if self.line.pipeline.county._grace_ms > self.hand.at_ms:  # not remembered: no real start takes no time at all
            away_ms = max(away_ms, SECOND)
        before = self._memory()
        self.line.install(county(self._changes))
        if killed:
            self.line.kill(away_ms)
        else:
            self.line.end(away_ms)
        self._world_ms += away_ms
        if not away_ms:
            after = self._memory()
            different = [name for name, kept in before.items() if after[name] != kept]
            self.model.hold(not different, f"L6: a restart changed {different}")
        self.line.leap(self.hand.at_ms)

    def _memory(self) -> dict[str, object]:
        pipeline = self.line.pipeline
        return {
            "states": dict(pipeline.county.states),
            "alerts": dict(pipeline.county.alerts),
            "mailboxes": {phone: box for phone, box in pipeline.county.boxes.items() if box.pending},
            "cases": dict(pipeline.ledger.cases),
        }

    def _reborn(self, away_ms: Millis) -> None:
        self.model.deafen(self.hand.at_ms + away_ms, away_ms)

    def _do_clock(self, step: Step) -> None:
        """The machine's clock is set; ours follows it forward and never back."""
        hand = self.hand
        hand.set_s += step.n / 1_000
        hand.at_ms += max(0, step.n)
        hand.ahead_s = max(0.0, hand.ahead_s - step.n / 1_000)
        self._wake(max(0, step.n))

    def _do_freeze(self, step: Step) -> None:
        self.hand.passed_s += step.n / 1_000
        self.hand.at_ms += step.n
        self._world_ms += step.n
        self._wake(step.n)

    def _wake(self, lost_ms: Millis) -> None:
        self.model.deafen(self.hand.at_ms, lost_ms)
        self.line.leap(self.hand.at_ms)

    def _do_deafen(self, step: Step) -> None:
        self.line.deafen()
        if step.word == "lost":
            self.line.broker.kept.clear()

    def _do_hear(self, _step: Step) -> None:
        self.model.deafen(self.hand.at_ms, 5 * HOUR)
        self.line.listen()

    # --- steps: providers

    def _do_mood(self, step: Step) -> None:
        for name in ("one", "two") if step.on == "both" else (step.on,):
            self.line.providers[name].mood = step.word

    def _do_well(self, step: Step) -> None:
        for name in ("one", "two") if step.on == "both" else (step.on,):
            self.line.providers[name].mood = "well"
        self.line.leap(self.hand.at_ms)

    def _do_receipts(self, step: Step) -> None:
        self._receipts = step.word

    def _do_receipted(self, _step: Step) -> None:
        self._receipts = ""

    def _send_receipts(self) -> None:
        """What providers say of the texts that they took since the last tick."""
        if self._receipts == "none":
            return
        said = [
            receipt(
                each.via, each.reference, delivered=self._receipts != "bad", at_ms=self.hand.at_ms, reason="UNDELIV"
            )
            for each in self._new_texts()
        ]
        if self._receipts == "forged":
            said.append(receipt("one", "forged", delivered=True, at_ms=self.hand.at_ms))
        if self._receipts == "twice":
            said += said
        if self._receipts == "shuffled":
            said.reverse()
        if said:
            self.line.hear(receipts=said)
            self.line.leap(self.hand.at_ms)

    def _new_texts(self) -> list[Taken]:
        found = []
        for name, provider in self.line.providers.items():
            found += provider.taken[self._receipted[name] :]
            self._receipted[name] = len(provider.taken)
        return found

    def _asked_of_a_provider(self, message: Message) -> None:
        model, now_ms = self.model, self.hand.at_ms
        owed = model.owed.get(message.key)
        if owed is None:
            model.hold(False, f"L1: a provider was asked for {message.key}, which is not durable")  # noqa: FBT003 -- a verdict
            return
        self.counts["texts"] += 1
        self.printed.append(f"    text {message.phone} {message.text}")
        if owed.kind in CHAIN and not owed.covers:
            seen_to = owed.at_ms < model.quiet_until.get(owed.episode, 0) > now_ms
            model.hold(not seen_to, f"T9: {message.key} although it is acknowledged")
            model.hold(owed.episode not in model.over_ms, f"T6: {message.key} although it is over")

    def _taken_as(self, reference: str) -> Taken:
        """What a provider took and names so."""
        name, _, number = reference.rpartition("-")
        return self.line.providers[name].taken[int(number) - 1]

    # --- steps: people

    def _order(self, wish: Command[object]) -> object:
        """A wish has an answer, unless the process was killed meanwhile."""
        before = self.line.deaths
        answer = self.line.order(wish)
        waits = answer is None and self.line.deaths == before
        self.model.hold(not waits or isinstance(wish, Housekeep | WatchRound), f"L12: {wish} has no answer")
        self.counts["commands"] += 1
        self.printed.append(f"    -> {type(answer).__name__}")
        self.line.leap(self.hand.at_ms)
        return answer

    def _texts(self) -> list[Taken]:
        texts = [each for provider in self.line.providers.values() for each in provider.taken[-20:]]
        return sorted(texts, key=lambda each: each.at_ms, reverse=True)

    def _do_answer(self, step: Step) -> None:
        texts = self._texts()
        if texts:
            self._reply(texts[step.n % len(texts)].phone, step.word, self.hand.at_ms)

    def _do_late_answer(self, step: Step) -> None:
        texts = self._texts()
        if texts:
            self._reply(texts[step.n % len(texts)].phone, step.word, self.hand.at_ms - HOUR)

    def _do_stranger(self, step: Step) -> None:
        self._reply(step.on, step.word, self.hand.at_ms)

    def _reply(self, phone: str, text: str, at_ms: Millis) -> None:
        self._numbers += 1
        self.counts["commands"] += 1
        self.line.hear(replies=[reply("one", str(self._numbers), phone, text, at_ms)])
        self.line.leap(self.hand.at_ms)

    def _episode(self, number: int) -> str:
        """One that stands; or one that never was."""
        standing = [name for name in self.model.raised if name not in self.model.over_ms]
        return standing[-1 - number % len(standing)] if standing else "overflow/b0/never"

    def _do_act(self, step: Step) -> None:
        until_ms = self.hand.at_ms + 3 * HOUR
        episode = self._episode(step.n)
        self._order(
            EpisodeCommand(verb=_VERBS[step.word], episode=episode, by=step.on, reason="等车", until_ms=until_ms)
        )

    def _do_absence(self, step: Step) -> None:
        now_ms = self.hand.at_ms
        answer = self._order(RecordAbsence(person=step.on, from_ms=now_ms, until_ms=now_ms + step.n, by="wu"))
        if step.word and isinstance(answer, AbsenceDone):
            self._order(EndAbsence(absence=answer.absence.id, by="wu"))

    def _do_declare(self, step: Step) -> None:
        work = Work.MAINTENANCE if step.word == "maintenance" else Work.PLANNED_CUT
        until_ms = self.hand.at_ms + step.n
        by = "wu" if step.on in behind(GATEWAYS[0]) else "zheng"
        self._order(DeclareWindow(work=work, subject=step.on, until_ms=until_ms, reason="检修", by=by))

    def _do_withdraw(self, step: Step) -> None:
        standing = self._order(ListWindows())
        if isinstance(standing, tuple) and standing:
            self._order(EndWindow(window=standing[0].window.id, by=step.on))

    def _do_figure(self, step: Step) -> None:
        wish = SetFigure(
            place=ThresholdScope.ASSET,
            name=step.on,
            rule=step.word,
            figure="raise_pct",
            value=float(step.n) if step.n else None,
            by="wu" if step.on in behind(GATEWAYS[0]) else "zheng",
            reason="试",
        )
        self._order(wish)

    def _do_extra(self, step: Step) -> None:
        from_ms = self.hand.at_ms + MINUTE
        self._order(OrderExtraRound(place=step.on, from_ms=from_ms, until_ms=from_ms + step.n, by="wu"))

    def _do_register(self, step: Step) -> None:
        self._order(AskLedger(Register(what="路边有垃圾", by="zheng", asset=step.on)))

    def _do_case(self, step: Step) -> None:
        cases = list(self.line.pipeline.ledger.cases.values())
        name = cases[step.n % len(cases)].id if cases else "xia-0"
        now_ms = self.hand.at_ms
        wish = CaseCommand(
            verb=CaseVerb(step.word),
            case=name,
            by=step.on,
            to="li",
            deadline_ms=now_ms + DAY,
            until_ms=now_ms + 2 * DAY,
            reason="看过",
            proof="照片",
        )
        self._order(AskLedger(wish))

    def _do_look_again(self, step: Step) -> None:
        self._order(LookAgain(reason=step.word, by=step.on))

    def _do_welcome(self, step: Step) -> None:
        self._order(Welcome((step.on,)))

    def _do_trial(self, step: Step) -> None:
        self._order(EndTrial(kind=TrialKind.ASSET, name=step.on, by="zheng"))

    def _do_foresee(self, step: Step) -> None:
        self._order(Foresee(rule=step.word, asset=step.on, at_ms=self.hand.at_ms))

    def _do_housekeep(self, _step: Step) -> None:
        self._order(Housekeep())

    def _do_round(self, _step: Step) -> None:
        self._order(WatchRound(OverdueRows()))

    # --- the end of all faults

    def _do_calm(self, _step: Step) -> None:
        """From now on all is well: with the machine, the radio, the providers and the sensors."""
        self._calm_ms, self._heard_again_ms = self.hand.at_ms, self.model.deaf_ms
        self.hand.commits_left, self.hand.refuses = -1, frozenset()
        self._silent, self._cut, self._receipts = set(), set(), ""
        self.world.wild, self.world.flapping = set(), set()
        for asset in list(self._shuffled):
            self._do_unshuffle(Step(0, "unshuffle", asset))
        for provider in self.line.providers.values():
            provider.mood = "well"
        self._do_hear(_step)
        self.line.leap(self.hand.at_ms)

    # --- the laws

    def _hold(self, step: Step) -> None:
        """Safety: after each step."""
        line, model, boxes = self.line, self.model, self.line.pipeline.county.boxes.values()
        model.hold(not line.ended_by_itself, "L12: the process ended by itself")
        model.hold(not line._door.depth, "L10: something waits in the inbox although the loop has turned")
        for box in boxes:
            model.hold(bool(box.pending) == bool(box.due_ms), f"L9: what waits for {box.phone} has no time")
            urgent = [each.key for each in box.pending if each.severity == "P1"]
            model.hold(not urgent, f"L10: P1 waits in a mailbox: {urgent}")
        boxed = {(each.episode, each.to) for box in boxes for each in box.pending}
        nowhere = model.waiting.keys() - boxed
        model.hold(not nowhere, f"L9: it was to be told later, and is nowhere: {sorted(nowhere)[:3]}")
        self._hold_once()
        if line.broker.state.phase is SessionPhase.LIVE:
            model.expect_ends(line.pipeline.ledger.cases.values())
        model.expect_lists(self.hand.at_ms)
        if model.wrongs:
            raise Violation(model.wrongs[0], step)

    def _hold_once(self) -> None:
        """L7: no provider takes a text twice without a cause."""
        for name, provider in self.line.providers.items():
            for each in provider.taken[self._taken[name] :]:
                self._taken[f"key {each.key}"] += 1
                most = 1 + self.model.excused[each.key] + self._unknown(each)
                self.model.hold(self._taken[f"key {each.key}"] <= most, f"L7: {each.key} was taken twice")
            self._taken[name] = len(provider.taken)

    def _unknown(self, taken: Taken) -> int:
        """How often it was taken by a provider that cannot be asked whether it took it."""
        return sum(
            each.key == taken.key
            for provider in self.line.providers.values()
            if not provider.knows
            for each in provider.taken
        )

    def _hold_calm(self) -> None:
        """Liveness: whatever is urgent and stood at its bound had been told by then, or a row says why it need not.

        The calm itself needs no time: what stood when it began has its bound from then on.
        """
        for episode, event in self.model.raised.items():
            due_ms = self._due_ms(event)
            was_over = self.model.over_ms.get(episode, due_ms + 1) <= due_ms
            if not 0 < due_ms <= self.hand.at_ms or was_over:
                continue
            told_ms = self.model.matching.told_ms.get(episode, 0)
            rows = [row for row in self.model.rows[episode] if row.at_ms <= due_ms]
            alert = self.line.pipeline.county.alerts.get(episode)
            if alert is not None and not alert.owes:  # old news, which no sample has confirmed since (alerting.md §1)
                continue
            if not 0 < told_ms <= due_ms and EXCUSES.isdisjoint(row.event for row in rows):
                late = f"told {(told_ms - due_ms) // MINUTE} min late" if told_ms else "told nobody"
                said = [(row.at_ms - self._calm_ms, row.event, row.detail) for row in self.model.rows[episode]]
                self.model.hold(False, f"L9: {episode} is {late}: {said}")  # noqa: FBT003 -- a verdict

    def _due_ms(self, event: Event) -> Millis:
        """Until when somebody is told, at the latest from the calm on where it was raised before; 0 if it may wait.

        Deadlines shift by a deafness (L13): a night into which the clock was set forward has the bound of that night.
        Of what only one step is told, and nobody of it has duty, from when the first of them comes on duty. Of what no
        provider took for anybody, from the next try on, which is within the hour, or when a limit of theirs is over. Of
        what a trial keeps, from its end on.
        """
        asset = self.model.inventory.assets.get(self.model.name_now(event.asset))
        if event.severity not in URGENT or asset is None:
            return 0
        since = [event.at_ms, self._heard_again_ms, self._calm_ms]
        if event.rule in ONE_STEP:
            kept = [row.detail or {} for row in self.model.rows[event.episode] if row.event == "kept"]
            since += [int(str(each["until_ms"])) for each in kept if each["reason"] == "off_duty"]
        since.append(self.model.refused_ms.get(event.episode, -HOUR) + HOUR)
        rows = [(row.event, row.detail or {}) for row in self.model.rows[event.episode]]
        since += [
            int(str(said["until_ms"]))
            for name, said in rows
            if name == "limited" or (name == "held" and said["reason"] == "trial")
        ]
        return max(bound_ms(event.rule, asset, at_ms) for at_ms in since)  # a night's word may leave after its dawn

    def _hold_empty(self) -> None:
        """Nothing waits any more, but for what the night or a day's cap holds, and that leaves in the morning."""
        line, hold, now_ms = self.line, self.model.hold, self.hand.at_ms
        for box in line.pipeline.county.boxes.values():
            leaves = not box.pending or now_ms < box.due_ms <= now_ms + DAY
            hold(leaves, f"L9: {box.phone} waits until {box.due_ms - now_ms} ms from now: {box.reason}")
        waits = "SELECT key, state, reason FROM notification WHERE state IN ('owed', 'sending')"
        rows = line._beside.execute(waits).fetchall()
        hold(not rows, f"L9: texts wait for a provider although all is well: {rows[:3]}")
        hold(not line.broker.kept, f"L2: {len(line.broker.kept)} messages are not acknowledged")
        hold(not line._door.depth, "L12: something waits in the inbox")

    def _hold_journal(self) -> None:
        """What is durable is what was said to be: readings, texts, and what the desk shows."""
        journal, model, county_ = self.line._beside, self.model, self.line.pipeline.county
        readings = journal.execute(
            "SELECT device.name, boot, seq FROM reading JOIN device ON device.id = reading.device"
        )
        model.hold(set(readings) == model.stored, "L1: the journal has other readings")
        keys = {key for (key,) in journal.execute("SELECT key FROM notification")}
        model.hold(
            keys == model.owed.keys(), f"L1: the journal has other texts: {sorted(keys ^ model.owed.keys())[:3]}"
        )
        standing = {name for name, alert in county_.alerts.items() if not alert.closed_ms}
        expected = model.raised.keys() - model.over_ms.keys()
        model.hold(standing == expected, f"L6: other episodes stand: {sorted(standing ^ expected)[:3]}")
        shown = set(self.line.projection.open)
        model.hold(shown == standing, f"L6: the desk shows other episodes: {sorted(shown ^ standing)[:3]}")
        if model.wrongs:
            raise Violation(model.wrongs[0], Step(self.seeded.days * DAY + CALM_MS, "the end"))

    # --- words

    def _print_day(self, step: Step) -> None:
        counts = {name: self.counts[name] for name in sorted(self.counts)}
        state = hashlib.sha256("\n".join(self.printed).encode()).hexdigest()[:16]
        self.printed.append(f"== day {step.at_ms // DAY} ({day_of(self.hand.at_ms)}): {counts} {state}")
