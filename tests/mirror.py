"""Where the tests of a module stand: the file of the same name in the same folder of ``tests/``, and nowhere else.

A module that decides much may have several, ``test_machine.py`` and ``test_machine_flapping.py``. Reading only.
"""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
PACKAGES: Final = ("telemetry", "alerts", "dashboards", "firmware_sim", "gateway")


def mirrored(module: str) -> list[str]:
    """The mirrored files of ``alerts/conditions/machine.py``, the one of just its name first."""
    path = Path(module)
    folder = ROOT / "tests" / path.parent
    more = (each for each in sorted(folder.glob(f"test_{path.stem}_*.py")) if not _has_own(path.parent, each))
    found = [each for each in (folder / f"test_{path.stem}.py", *more) if each.exists()]
    return [each.relative_to(ROOT).as_posix() for each in found]


def _has_own(room: Path, test: Path) -> bool:
    """Whether a module of just that name is there, as ``rule_set.py`` beside ``rule.py``."""
    return (ROOT / room / test.name.removeprefix("test_")).exists()
