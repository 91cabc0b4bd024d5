"""The desk's pages for people; one file a page, each exports ``PAGE``. Found by walking this folder.

Here stands what a page says of itself: where it is, who may come, what the menu calls it. None is known by name.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import NamedTuple

from fastapi import APIRouter

from gateway.desk.auth import Gate
from gateway.desk.present import Desk, Visit
from gateway.desk.users import UserRole


class MenuPlace(NamedTuple):
    """How a page is called in the menu, and where in it: the least comes first."""

    word: str
    place: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What a module of ``gateway/desk/pages/`` exports as ``PAGE``.

    Its ``path`` is what the menu leads to and marks as where somebody is. ``role`` is from which role on the page is
    there; there is no usual one, so that a page which forgets it keeps the gateway from starting. The gate that its
    ``routes`` are given asks for that role, and with ``whole`` for somebody who sees the whole county; what one route
    asks beyond that it asks for itself. ``demo`` is a page that only a demo's desk has.
    """

    path: str
    role: UserRole
    routes: Callable[[Desk, Gate], APIRouter]
    menu: MenuPlace | None = None
    whole: bool = False
    demo: bool = False

    def router(self, desk: Desk) -> APIRouter:
        """Its routes on a desk, behind its own gate."""
        return self.routes(desk, Gate(desk, self.role, whole=self.whole))

    def is_for(self, visit: Visit) -> bool:
        """Whether the menu has it for somebody."""
        user = visit.user
        return (
            self.menu is not None
            and user.role.reaches(self.role)
            and (visit.scope.is_whole or not self.whole)
            and (user.demo or not self.demo)
        )


@cache
def pages() -> tuple[Page, ...]:
    """Every page: those of the menu in its order, then all others by their path."""
    found: list[Page] = [import_module(f"{__name__}.{name}").PAGE for _, name, _ in iter_modules(__path__)]
    return tuple(sorted(found, key=lambda page: (page.menu is None, page.menu.place if page.menu else 0, page.path)))
