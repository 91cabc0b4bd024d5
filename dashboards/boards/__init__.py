"""What people look at on Grafana; one file a board, each exports ``BOARD``. Found by walking this folder."""

from importlib import import_module
from pkgutil import iter_modules

from dashboards.board import Board


def boards() -> dict[str, Board]:
    """Every board by the name of its file."""
    return {name: import_module(f"{__name__}.{name}").BOARD for _, name, _ in iter_modules(__path__)}
