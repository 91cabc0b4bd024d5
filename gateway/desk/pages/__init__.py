"""The desk's pages for people; one file a page, each exports ``PAGE``. Found by walking this folder."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from gateway.desk.page import Page


@cache
def pages() -> tuple[Page, ...]:
    """Every page: those of the menu in its order, then all others by their path."""
    found: list[Page] = [import_module(f"{__name__}.{name}").PAGE for _, name, _ in iter_modules(__path__)]
    return tuple(sorted(found, key=lambda page: (page.menu is None, page.menu.place if page.menu else 0, page.path)))
