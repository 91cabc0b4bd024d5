"""Steps of real machines: what the engine asks of them while the scenarios are played, and what they answer.

It listens and patches nothing. ``tests/golden/machine/steps.jsonl`` is what it heard once, when the ladder of
``tests.oracles.ladder`` was still the product's; it is not made again for a table that differs. To see how::

    python -m tests.oracles.machine_steps > tests/golden/machine/steps.jsonl
"""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain, islice, zip_longest
from pathlib import Path
from types import FrameType
from typing import Any, Final, NamedTuple, get_type_hints

import msgspec
from msgspec import Struct

from alerts.conditions import machine
from alerts.conditions.machine import Machine, Verdict
from tests.scenario_file import names, read

FILE: Final = Path(__file__).parents[1] / "golden" / "machine" / "steps.jsonl"
MOST: Final = 2_000
CALLS: Final[tuple[Callable[..., object], ...]] = (
    machine.advance,
    machine.agrees,
    machine.expire,
    machine.relapse,
    machine.reset,
    machine.postpone,
)
"""What the engine asks of a machine."""


class Recorded(NamedTuple):
    """One call by its name, what it was given, and its answer."""

    name: str
    given: tuple[Any, ...]
    answer: Any


def load() -> list[Recorded]:
    """The steps of the golden file."""
    hints = {call.__name__: list(get_type_hints(call).values()) for call in CALLS}
    steps = []
    for line in FILE.read_text("utf-8").splitlines():
        name, given, answer = json.loads(line)
        *kinds, kind = hints[name]
        values = tuple(msgspec.convert(value, each) for value, each in zip(given, kinds, strict=True))
        steps.append(Recorded(name, values, msgspec.convert(answer, kind)))
    return steps


def record() -> Iterator[str]:
    """Lines for the golden file: of each kind of step in turn, so that the rare ones are all there."""
    kinds: dict[object, dict[str, None]] = {}
    for name in names():
        for step in _heard(name):
            kinds.setdefault(_kind(step), {})[_line(step)] = None
    in_turn = chain.from_iterable(zip_longest(*kinds.values()))
    return islice((line for line in in_turn if line is not None), MOST)


def _heard(name: str) -> list[Recorded]:
    """Every step of one scenario, played as it is written."""
    from tests.scenario_run import Play  # noqa: PLC0415 -- to listen takes the whole house, to load almost nothing

    steps: list[Recorded] = []
    play = Play(read(name))
    with _listening(steps):
        play.run()
    return steps


@contextmanager
def _listening(steps: list[Recorded]) -> Iterator[None]:
    """Every outermost call into the machine goes to ``steps``; what one function asks of another is its own matter."""
    watched = {call.__code__ for call in CALLS}
    running: list[tuple[FrameType, tuple[Any, ...]]] = []

    def listen(frame: FrameType, event: str, answer: object) -> None:
        if frame.f_code not in watched:
            return
        if event == "call" and not running:
            names = frame.f_code.co_varnames[: frame.f_code.co_argcount]
            running.append((frame, tuple(frame.f_locals[name] for name in names)))
        elif event == "return" and running and running[0][0] is frame:
            steps.append(Recorded(frame.f_code.co_name, running.pop()[1], answer))

    sys.setprofile(listen)
    try:
        yield
    finally:
        sys.setprofile(None)


def _kind(step: Recorded) -> object:
    before = step.given[0]
    calls = [each.call for each in step.given if isinstance(each, Verdict)]
    move = step.answer[1] if isinstance(step.answer, tuple) else None
    return step.name, before.condition, before.is_flapping, *calls, move


def _line(step: Recorded) -> str:
    words = [step.name, [_lean(each) for each in step.given], _lean(step.answer)]
    return json.dumps(words, ensure_ascii=False, separators=(",", ":"))


def _lean(value: object) -> object:
    """Without what is as it always is: a machine's last fields, a timing's and a verdict's own values."""
    if isinstance(value, Machine):
        values, usual = msgspec.to_builtins(value), msgspec.to_builtins(Machine())
        while values and values[-1] == usual[-1]:
            values.pop()
            usual.pop()
        return values
    if isinstance(value, Struct):
        usual_of = {field.name: field.default for field in msgspec.structs.fields(value)}
        return {name: each for name, each in msgspec.structs.asdict(value).items() if each != usual_of[name]}
    if type(value) is tuple:
        return [_lean(each) for each in value]
    return value


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in record())
