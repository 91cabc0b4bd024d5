"""What a seed expands to: a list of steps, each a thing that happens in the county, to the machine or to providers.

Values only. A step says when, what, to whom and how much; none depends on another, so that any of them may be left out.
"""

import random
from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeAlias

import msgspec
from msgspec import Struct

from telemetry.reading import Millis
from tests.storm.county import (
    BINS,
    CHANGES,
    DAY,
    FEEDERS,
    GATEWAYS,
    HOUR,
    MINUTE,
    PEOPLE,
    PHONES,
    PLANTS,
    SECOND,
    TICK,
)
from tests.telling_line import MOODS


class Step(Struct, frozen=True, omit_defaults=True):
    """``at_ms`` counts from the beginning, by the world's clock, which nobody sets."""

    at_ms: Millis
    what: str
    on: str = ""
    n: int = 0
    word: str = ""

    def __str__(self) -> str:
        day, rest = divmod(self.at_ms, DAY)
        said = [f"d{day} {rest // HOUR:02}:{rest // MINUTE % 60:02}:{rest // SECOND % 60:02}", self.what, self.on]
        return " ".join(filter(None, [*said, str(self.n or ""), self.word]))


class Seeded(Struct, frozen=True):
    """All that a run is made of; ``variant`` names what is broken on purpose, or nothing."""

    seed: int
    days: int
    steps: tuple[Step, ...]
    variant: str = ""


Draw: TypeAlias = Callable[[random.Random, Millis], Iterable[Step]]
"""What may come at about a time."""

CALM_MS: Final = 26 * HOUR
"""So long all is well at the end of a run, and whatever still stands is told."""


def expand(seed: int, days: int, variant: str = "") -> Seeded:
    """The steps of so many days of faults and one of calm; the same for the same seed, whatever the machine."""
    draw = random.Random(seed)
    steps: list[Step] = []
    for day in range(days):
        begin = day * DAY
        for fault in draw.sample(list(FAULTS), draw.randint(FAULTS_A_DAY, FAULTS_A_DAY + 3)):
            for _ in range(draw.randint(1, 2)):
                steps += FAULTS[fault](draw, begin + draw.randrange(DAY))
        for happenings, count in ((LIFE, 14), (DEEDS, 18)):
            for name in draw.choices(list(happenings), k=count):
                steps += happenings[name](draw, begin + 5 * HOUR + draw.randrange(17 * HOUR))
    end = days * DAY
    kept = sorted((step for step in steps if step.at_ms < end), key=lambda step: step.at_ms)
    return Seeded(seed, days, (*kept, Step(end, CALM)), variant)


def dump(seeded: Seeded) -> str:
    """As a file: a line for what it is, then a step a line."""
    head = msgspec.json.encode({"seed": seeded.seed, "days": seeded.days, "variant": seeded.variant})
    return "\n".join([head.decode(), *(msgspec.json.encode(step).decode() for step in seeded.steps)]) + "\n"


def load(text: str) -> Seeded:
    """Such a file."""
    head, *lines = text.splitlines()
    said = msgspec.json.decode(head)
    steps = tuple(msgspec.json.decode(line, type=Step) for line in lines)
    return Seeded(said["seed"], said["days"], steps, said["variant"])


# --- what may happen, by name

CALM: Final = "calm"
FAULTS_A_DAY: Final = 5
MONDAY: Final = 2
"""The first, by the days of the storm: it begins on a Saturday."""
_AWAY: Final = (0, 0, MINUTE, 10 * MINUTE, 2 * HOUR)
_ABSENT: Final = ("li", "sun", "chen", "zheng")
"""Those who have somebody to stand in."""
SAID: Final = ("1", "1", "1", "2", "3", "0", "１。", "清了", "在吗", "1 07", "没满", "去不了", "谢谢", "12", "")


def _one(what: str, *on: str, n: Sequence[int] = (0,), word: Sequence[str] = ("",)) -> Draw:
    def draw(by: random.Random, at: Millis) -> Iterable[Step]:
        yield Step(at, what, by.choice(on) if on else "", by.choice(n), by.choice(word))

    return draw


def _spell(what: str, end: str, *on: str, lasts: Sequence[Millis], word: Sequence[str] = ("",)) -> Draw:
    """Something that begins, and ends after a while."""

    def draw(by: random.Random, at: Millis) -> Iterable[Step]:
        one = by.choice(on) if on else ""
        yield Step(at, what, one, 0, by.choice(word))
        yield Step(at + by.choice(lasts), end, one)

    return draw


def _refusals(by: random.Random, at: Millis) -> Iterable[Step]:
    yield Step(at, "refuse", n=by.choice((5, 20, 80)), word=by.choice(("0.05", "0.2", "0.5")))


def _jumps(by: random.Random, at: Millis) -> Iterable[Step]:
    """A device counts far ahead, and then goes on as before; the look-ups that this needs are refused, too."""
    device = by.choice((*BINS, *PLANTS))
    at -= at % TICK
    yield Step(max(0, at - MINUTE), "jump", device, 3_000)
    for tick in range(1, 4):
        yield Step(at + tick * TICK, "refuse", n=12, word="0.4")


def _refused_deed(by: random.Random, at: Millis) -> Iterable[Step]:
    """Reads are refused when somebody wants something, or answers."""
    yield Step(at, "refuse", n=8, word="0.5")
    yield from by.choice((DEEDS["answer"], DEEDS["answer that asks"], DEEDS["case"], DEEDS["again"]))(by, at)


def _before_a_list(by: random.Random, at: Millis) -> Iterable[Step]:
    """Statements are refused when a list is made: one of that day, and that of the week, which alone reads."""
    hour, minute = by.choice(((6, 30), (7, 0), (7, 30), (17, 30)))
    monday = at // (7 * DAY) * 7 * DAY + MONDAY * DAY
    for due in (at - at % DAY + hour * HOUR + minute * MINUTE, monday + 8 * HOUR):
        yield Step(due - SECOND, "refuse", n=30, word="0.5")


FAULTS: Final[dict[str, Draw]] = {
    "refusals": _refusals,
    "refused list": _before_a_list,
    "refused deed": _refused_deed,
    "counter jump": _jumps,
    "crash": _one("die", n=range(1, 13), word=("", "durable")),
    "kill": _one("kill", n=_AWAY),
    "restart": _one("restart", n=_AWAY),
    "clock step": _one("clock", n=(3 * HOUR, 3 * HOUR, 3 * HOUR, 7 * DAY, 365 * DAY, -3 * HOUR, -3 * HOUR, -MINUTE)),
    "freeze": _one("freeze", n=(90 * SECOND, 10 * MINUTE, 2 * HOUR)),
    "lost session": _spell("deafen", "hear", lasts=(10 * MINUTE, HOUR, 5 * HOUR), word=("", "lost")),
    "redelivery": _one("again", n=(1, 5, 40)),
    "reordering": _spell("shuffle", "unshuffle", *BINS, *PLANTS, lasts=(HOUR, 4 * HOUR)),
    "backlog": _spell("cut", "join", *GATEWAYS, lasts=(HOUR, 5 * HOUR)),
    "reboot": _one("reboot", *BINS, *PLANTS),
    "dead sensor": _spell("silence", "voice", *BINS, *PLANTS, lasts=(3 * HOUR, 12 * HOUR)),
    "wild sensor": _spell("wild", "tame", *BINS, *PLANTS, lasts=(HOUR, 3 * HOUR)),
    "flapping": _spell("flap", "settle", *BINS, *PLANTS, lasts=(3 * HOUR, 8 * HOUR)),
    "flood": _one("flood", *BINS, n=(50, 300)),
    "junk": _one("junk", n=(1, 5)),
    "provider": _spell("mood", "well", "one", "two", "both", lasts=(10 * MINUTE, HOUR, 6 * HOUR), word=MOODS),
    "receipts": _spell(
        "receipts", "receipted", lasts=(HOUR, 6 * HOUR), word=("none", "twice", "bad", "shuffled", "forged")
    ),
    "inventory": _one("import", *CHANGES),
}
"""What goes wrong, by its kind; a county-day draws at least five of them."""

FAULTY: Final = frozenset(
    {"refuse", "jump", "die", "kill", "restart", "clock", "freeze", "deafen", "again", "shuffle", "cut", "reboot"}
    | {"silence", "wild", "flap", "flood", "junk", "mood", "receipts", "import"}
)
"""The steps with which a fault begins."""

LIFE: Final[dict[str, Draw]] = {
    "fill": _one("fill", *BINS, n=(60, 75, 100)),
    "more": _one("fill", *BINS, n=(100,)),
    "empty": _one("empty", *BINS),
    "burn": _spell("burn", "cool", *BINS, lasts=(HOUR, 4 * HOUR)),
    "ash": _spell("ash", "cool", *BINS, lasts=(HOUR, 2 * HOUR)),
    "flag": _spell("flag", "unflag", *BINS, lasts=(HOUR, 6 * HOUR)),
    "stop": _spell("stop", "run", *PLANTS, lasts=(4 * HOUR, 9 * HOUR, 30 * HOUR)),
    "high": _spell("high", "run", *PLANTS, lasts=(HOUR, 6 * HOUR)),
    "trip": _spell("trip", "mains", *FEEDERS, lasts=(HOUR, 5 * HOUR)),
}

DEEDS: Final[dict[str, Draw]] = {
    "answer": _one("answer", n=range(12), word=SAID),
    "answer that asks": _one("answer", n=range(4), word=("1", "2", "3")),
    "late answer": _one("late answer", n=range(12), word=SAID),
    "stranger": _one("stranger", *PHONES, word=SAID),
    "ack": _one("act", *PEOPLE, n=range(12), word=("ack", "ack", "ack", "finish", "doubt", "note")),
    "shelve": _one("act", *PEOPLE, n=range(12), word=("shelve", "unshelve", "reset", "dispatch")),
    "reset": _one("act", "wu", "zheng", n=range(6), word=("reset",)),
    "absence": _one("absence", *_ABSENT, n=(5 * HOUR, 30 * HOUR), word=("", "", "ended")),
    "work": _one("declare", *BINS, *PLANTS, n=(HOUR, 6 * HOUR), word=("maintenance", "power_cut")),
    "withdraw": _one("withdraw", "wu", "zheng"),
    "figure": _one("figure", *BINS, n=(60, 70, 80, 0), word=("over_two_thirds", "overflow")),
    "extra": _one("extra", "liutan", "b3", "b5", "b9", n=(HOUR, 3 * HOUR)),
    "case": _one("register", *BINS, *PLANTS),
    "case command": _one("case", *PEOPLE, n=range(8), word=("assign", "fix", "verify", "note", "defer")),
    "again": _one("look again", "wu", word=("not_json", "out_of_range")),
    "welcome": _one("welcome", *PEOPLE),
    "trial": _one("trial", "b12"),
    "foresee": _one("foresee", *BINS, word=("overflow", "fire")),
    "housekeep": _one("housekeep"),
    "round": _one("round"),
}
