"""The boards as they are committed: read for whoever pushes or checks them, written for whoever made them anew."""

import json
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).parent / "generated"


def documents(folder: Path = FOLDER) -> dict[str, dict[str, Any]]:
    """Every committed board by the name of its file, parsed."""
    return {name: json.loads(text) for name, text in texts(folder).items()}


def texts(folder: Path = FOLDER) -> dict[str, str]:
    """The same as they stand in their files."""
    return {path.stem: path.read_text("utf-8") for path in sorted(folder.glob("*.json"))}


def write(made: dict[str, str], folder: Path = FOLDER) -> list[str]:
    """Makes the committed boards these and no other; the names of what had to be changed."""
    before = texts(folder)
    for name in before.keys() - made.keys():
        (folder / f"{name}.json").unlink()
    for name, text in made.items():
        if before.get(name) != text:
            (folder / f"{name}.json").write_text(text, "utf-8")
    return sorted(name for name in before.keys() | made.keys() if before.get(name) != made.get(name))
