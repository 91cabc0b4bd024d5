"""The desk's catalogue, read once: what the code's names are called on the screen. No sentence of a page stands here.

A name that the catalogue lacks is shown as it is, so that a new event is seen before somebody has found a word for it.
"""

from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from dashboards import words as boards
from telemetry.reading import QUANTITIES

CATALOGUE: Final = Path(__file__).with_name("words.zh-CN.yaml")


@cache
def catalogue() -> dict[str, dict[str, Any]]:
    """The whole file."""
    found: dict[str, dict[str, Any]] = yaml.safe_load(CATALOGUE.read_text("utf-8"))
    return found


def word(table: str, name: str) -> str:
    """What ``name`` is called; of a word with a sign, the word."""
    found = catalogue()[table].get(name, name)
    return found[1] if isinstance(found, list) else str(found)


def sign(table: str, name: str) -> str:
    """The sign in front of a word, which says the same to those who do not see its colour."""
    found = catalogue()[table].get(name, "")
    return str(found[0]) if isinstance(found, list) else ""


def rule(name: str) -> str:
    """What a rule is called, on the desk as on the boards."""
    return boards.RULES.get(name) or catalogue()["orders"].get(name) or word("notices", name)


def severity(name: str) -> str:
    """一级: how a severity is called."""
    return boards.SEVERITIES[name][0] if name in boards.SEVERITIES else name


def quantity(name: str, value: float) -> str:
    """距离 412 毫米."""
    called, unit = catalogue()["quantities"].get(name, [name, ""])
    if name in QUANTITIES and QUANTITIES[name].is_flag:
        return f"{called} {word('flags', 'yes' if value else 'no')}"
    shown = f"{value:.1f}".rstrip("0").rstrip(".")
    return f"{called} {shown}{f' {unit}' if unit else ''}"


def subject(name: str) -> str:
    """电量: what a value is called, or a part beside the values."""
    found = catalogue()["quantities"].get(name)
    return str(found[0]) if found else word("parts", name)
