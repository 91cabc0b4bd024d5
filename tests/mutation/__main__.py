"""``python -m tests.mutation FILE…``: how many small faults the mirrored tests of a file find; a tool of development.

Each mutant is written into a copy of the tree, never into the tree itself, and meets the mirrored tests of its file
alone (``tests.mirror``). What came of it is kept in ``results.yaml`` and shown by ``docs/mutation.md``; one that
nothing can find, because the house does the same with it, stands in ``equal.yaml`` with the reason.
"""

import argparse
import gc
import importlib
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import pytest
from hypothesis import Phase, settings

from tests.mirror import PACKAGES, ROOT, mirrored
from tests.mutation.mutants import Mutant, ids, make, untouched
from tests.mutation.page import Result, equal, keep, results

HEAVY: Final = ("hypothesis.strategies", "_hypothesis_pytestplugin", "pydantic_settings", "borax.calendars.lunardate")
"""Libraries that the tests load anyway: read once, each mutant begins with them and with what does not lead to it."""
OPTIONS: Final = (
    *("-x", "-q", "-p", "no:cacheprovider"),
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),  # of HEAVY
)
LEAN: Final = ("--noconftest", "-p", "_hypothesis_pytestplugin")
"""Without what only the tests of real parts need, where the sound file passes so: it takes longer than most tests."""
LEAST_LIMIT_S: Final = 30.0
LEAST_CPU_S: Final = 3
TIMES: Final = 6
"""So many times as long as the sound file, or as much of a processor, and a mutant counts as found: it never ends.

What spins is found by the processor, since others may have most of that; what only waits is found by the clock.
"""
KEPT_EVERY: Final = 5
"""What has come of the mutants so far is written down after so many of them."""


class Copy(NamedTuple):
    """A tree of which one file is another in turn."""

    root: Path
    file: str

    def write(self, source: str) -> None:
        """This as the file; what was compiled of the one before is gone."""
        path = self.root / self.file
        path.write_text(source, "utf-8")
        for compiled in path.parent.glob(f"__pycache__/{path.stem}.*"):
            compiled.unlink()

    def say(self) -> str:
        """What the tests said last."""
        return (self.root / "said.txt").read_text("utf-8", errors="replace")


class Trial(NamedTuple):
    """What each mutant meets: the quickest of the mirrored files first."""

    options: Sequence[str]
    tests: Sequence[str]
    limit_s: float
    cpu_s: int


class Ended(NamedTuple):
    """How a process ended, and how much of a processor it had."""

    status: int
    cpu_s: float


def main() -> int:
    """The exit code: 0 where no mutant survives that is not known to be equal."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("file", nargs="*", help="as alerts/conditions/machine.py; goes on where its last run ended")
    parser.add_argument("--id", action="append", default=[], help="this mutant alone, with what the tests say of it")
    parser.add_argument("--afresh", action="store_true", help="from the first mutant on")
    parser.add_argument("--survivors", action="store_true", help="those alone that survived last time")
    parser.add_argument("--list", action="store_true", help="the mutants, and no run")
    asked = parser.parse_args()
    left = 0
    for file in asked.file or dict.fromkeys(each.partition(":")[0] for each in asked.id):
        text = (ROOT / file).read_text("utf-8")
        if asked.list:
            print("\n".join(f"{_told(each)}" for each in make(file, text)))
            continue
        names = list(ids(file, text))
        known = results().get(file, Result(len(names), 0, 0.0, []))
        if asked.afresh or known.made != len(names):
            known = Result(len(names), 0, 0.0, [])
        again = {*asked.id, *(known.survivors if asked.survivors else ())}
        mutants = make(file, text, again or set(names[known.run :]))
        known = _look_again(file, names, mutants, known, again) if again else _go_on(file, mutants, known)
        left += len(known.survivors)
    return min(left, 1)


def _go_on(file: str, mutants: Iterable[Mutant], known: Result) -> Result:
    """Those that were not run yet, in their order."""
    began_s = time.monotonic()
    for number, (mutant, lives) in enumerate(_run(file, mutants), known.run + 1):
        survivors = [*known.survivors, mutant.id] if lives else known.survivors
        known = known._replace(run=number, survivors=survivors)
        if number % KEPT_EVERY == 0 or number == known.made:
            now_s = time.monotonic()
            known = known._replace(minutes=round(known.minutes + (now_s - began_s) / 60, 1))
            began_s = now_s
            keep(file, known)
    return known


def _look_again(file: str, names: Sequence[str], mutants: Iterable[Mutant], known: Result, again: set[str]) -> Result:
    """These alone, shown; what came of the others stays as it was."""
    lived = {mutant.id for mutant, lives in _run(file, mutants, shows=True) if lives}
    counted = (lived & set(names[: known.run])) | (set(known.survivors) - again)
    survivors = [each for each in names if each in counted]
    known = known._replace(survivors=survivors)
    keep(file, known)
    return known


def _run(file: str, mutants: Iterable[Mutant], *, shows: bool = False) -> Iterator[tuple[Mutant, bool]]:
    """Each with whether it survives; one that is known to be equal is not run."""
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        copy = _copied(Path(folder), file)
        trial = _prove(copy)
        for mutant in mutants:
            if mutant.id in equal():
                yield mutant, False
                continue
            copy.write(mutant.source)
            lives = _survives(copy, trial)
            if shows or lives:
                print(f"{'survived' if lives else 'killed'}: {_told(mutant)}", flush=True)
            if shows:
                print(copy.say(), flush=True)
            yield mutant, lives


def _told(mutant: Mutant) -> str:
    return f"{mutant.id} (line {mutant.line}): {mutant.was} -> {mutant.becomes}"


def _copied(root: Path, file: str) -> Copy:
    """The tree as it stands here, without what no mirrored test reads."""
    said = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True)
    for name in said.stdout.decode().splitlines():
        if (ROOT / name).is_file() and not name.startswith("docs/pictures/"):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, root / name)
    return Copy(root, file)


def _prove(copy: Copy) -> Trial:
    """What each mutant meets: the sound file passes it, and one that cannot be loaded does not."""
    sys.path[:] = [
        str(copy.root),
        *(each for each in sys.path if each and not (Path(each) / "tests" / "mirror.py").exists()),
    ]
    _forget(PACKAGES)
    for name in (*HEAVY, *untouched(copy.file)):
        importlib.import_module(name)
    gc.freeze()  # else each mutant's process looks through all of it again, and so has a copy of its own
    settings.register_profile(
        "mutation", deadline=None, derandomize=True, database=None, phases=(Phase.explicit, Phase.generate)
    )
    settings.load_profile("mutation")
    gc.freeze()  # pytest collects its garbage twice a file: what was read once is not gone through by each mutant
    source = (copy.root / copy.file).read_text("utf-8")
    for options in ((*OPTIONS, *LEAN), OPTIONS):
        copy.write(source)
        needed_s: dict[str, float] = {}
        for test in mirrored(copy.file):
            ended = _ended(_begin(copy, options, [test], writes=True), float("inf"))
            if ended.status:
                break
            needed_s[test] = ended.cpu_s
        else:
            tests, began_s = sorted(needed_s, key=needed_s.__getitem__), time.monotonic()
            sound = _ended(_begin(copy, options, tests, writes=False), float("inf"))  # as each mutant begins
            limit_s = max(LEAST_LIMIT_S, TIMES * (time.monotonic() - began_s))
            trial = Trial(options, tests, limit_s, max(LEAST_CPU_S, round(TIMES * sound.cpu_s)))
            copy.write("raise AssertionError\n")
            if not _survives(copy, trial):
                return trial
    sys.exit(f"{copy.file}: the sound file fails, or one that cannot be loaded passes:\n{copy.say()}")


def _survives(copy: Copy, trial: Trial) -> bool:
    """Whether the mirrored tests pass in a copy, in a process of their own; one that takes too long is found."""
    pid = _begin(copy, trial.options, trial.tests, writes=False, cpu_s=trial.cpu_s)
    return _ended(pid, trial.limit_s).status == 0


def _ended(pid: int, limit_s: float) -> Ended:
    """How a process ended, which is ended after so long."""
    until_s = time.monotonic() + limit_s
    while time.monotonic() < until_s:
        ended, status, used = os.wait4(pid, os.WNOHANG)
        if ended:
            return Ended(status, used.ru_utime + used.ru_stime)
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    _, status, used = os.wait4(pid, 0)
    return Ended(status, used.ru_utime + used.ru_stime)


def _begin(
    copy: Copy, options: Sequence[str], tests: Sequence[str], *, writes: bool, cpu_s: int = resource.RLIM_INFINITY
) -> int:
    """The number of a process in which these run, one after the other until one fails; it ends with its exit code."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        out = os.open(copy.root / "said.txt", os.O_CREAT | os.O_TRUNC | os.O_WRONLY)
        os.dup2(out, 1)
        os.dup2(out, 2)
        os.chdir(copy.root)
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
        _forget(("tests",))
        sys.dont_write_bytecode = not writes
        if "--noconftest" in options:
            os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        code = pytest.main([*options, *tests])
    except BaseException:  # noqa: BLE001 -- nothing of a mutant gets past here
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


def _forget(packages: Sequence[str]) -> None:
    """They are loaded anew when they are wanted, from the copy."""
    for name in [name for name in sys.modules if name.partition(".")[0] in packages]:
        del sys.modules[name]


if __name__ == "__main__":
    sys.exit(main())
