"""In which order the files run: one that waits for real processes beside those that compute, and the short ones last.

Files alone are moved, never the tests within one. It is a rule by folders, so that a new file needs no entry anywhere.
"""

from collections.abc import Iterable
from pathlib import PurePath
from typing import Final

WAITS: Final = frozenset({"e2e", "compose"})
"""Folders whose files start real processes: most of their time a core is free."""
COMPUTES: Final = frozenset({"laws", "storm", "tests"})
"""Folders whose files are long and never wait; ``tests`` is what stands in no folder of its own."""


def dealt(files: Iterable[str]) -> list[str]:
    """The same files: the long ones of both kinds first, dealt evenly among each other, then all others as they were.

    What is short comes last, so that at the end no core waits long for another.
    """
    given = list(files)
    kinds = [[file for file in given if PurePath(file).parent.name in folders] for folders in (WAITS, COMPUTES)]
    places = sorted((number / len(kind), file) for kind in kinds for number, file in enumerate(kind))
    first = [file for _, file in places]
    return first + [file for file in given if file not in set(first)]
