"""What a page of the desk says of itself: where it is, who may come, what the menu calls it.

No route is here and no page is known by name; ``gateway/desk/pages/`` is walked for them.
"""

from collections.abc import Callable
from dataclasses import dataclass
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
