"""Who stands before a page: the session cookie, the token in every form, and what a role may do. Routes depend on it.

What is asked with a form is checked here before any route sees it: its size, its token, where it came from.
"""

from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from fastapi import Request
from fastapi.concurrency import run_in_threadpool

from gateway.desk.addresses import plain
from gateway.desk.bodies import bears
from gateway.desk.masking import MASKS
from gateway.desk.present import Desk, Visit
from gateway.desk.users import UserRole
from telemetry.inventory import Asset

COOKIE: Final = "cunjing_desk"
CSRF_HEADER: Final = "x-csrf"
LARGEST_FORM: Final = 32_768
_MOST_FIELDS: Final = 40


class GoLogIn(Exception):  # noqa: N818 not an error: the way leads past the door
    """Nobody is logged in; ``back`` is where they wanted to go."""

    def __init__(self, back: str) -> None:
        super().__init__(back)
        self.back = back


class DeskRefusal(Exception):  # noqa: N818 an answer to a person
    """A page that says no: ``key`` names its sentence in the template of errors."""

    def __init__(self, status: HTTPStatus, key: str) -> None:
        super().__init__(key)
        self.status = status
        self.key = key


Form = dict[str, str]


async def form_of(request: Request) -> Form:
    """The fields of a form; ``DeskRefusal`` for one that is too large or not a form."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_FORM:
            raise DeskRefusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large")
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS))
    except ValueError:
        raise DeskRefusal(HTTPStatus.BAD_REQUEST, "bad_form") from None


def address_of(request: Request) -> str:
    """From where they ask; what a proxy said that is no address is nobody's."""
    return "" if request.client is None else plain(request.client.host)


def came_from_here(request: Request) -> bool:
    """Whether a browser that says where a form stood says it stood here.

    Most say so in a header that no page can write, whatever name a proxy gives us in Host.
    """
    if request.headers.get("sec-fetch-site") == "same-origin":
        return True
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


class Gate:
    """The dependencies of one page's routes: from which role on, and whether for the ``whole`` county alone."""

    def __init__(self, desk: Desk, role: UserRole, *, whole: bool) -> None:
        self._desk = desk
        self._role = role
        self._whole = whole

    def for_role(self, role: UserRole) -> "Gate":
        """The gate of a route for whom another role is enough, or is needed, than for its page."""
        return Gate(self._desk, role, whole=self._whole)

    def visit(self, request: Request) -> Visit:
        """Somebody who may come in; ``DeskRefusal`` for who may not.

        Whoever has not logged in goes there first (``GoLogIn``), and while there is nothing to show yet, all are told
        so (``Starting``).
        """
        visit = self._visit(request)
        self._admit(visit)
        return visit

    def _visit(self, request: Request) -> Visit:
        """Somebody who has logged in, whatever they may."""
        desk = self._desk
        session = desk.users.session(request.cookies.get(COOKIE, ""), desk.wall_ms())
        if session is None:
            raise GoLogIn(request.url.path)
        setattr(request.state, MASKS, not session.user.role.reaches(UserRole.CREW))
        present = desk.present
        area = session.user.area
        if area and area not in present.inventory.areas:
            raise DeskRefusal(HTTPStatus.FORBIDDEN, "area_gone")
        return Visit(session, present.scope(area), present, address_of(request), desk.now_ms(), present.feed.seen)

    async def writing(self, request: Request) -> tuple[Visit, Form]:
        """The same with a form that was sent from one of our own pages; ``DeskRefusal`` for any other.

        Who it is comes first: of a stranger's form nothing is read.
        """
        visit = await run_in_threadpool(self._visit, request)
        form = await form_of(request)
        token = form.get("csrf") or request.headers.get(CSRF_HEADER, "")
        if not came_from_here(request) or not bears(token, visit.session.csrf):
            raise DeskRefusal(HTTPStatus.FORBIDDEN, "csrf")
        self._admit(visit)
        return visit, form

    def _admit(self, visit: Visit) -> None:
        require(visit, self._role)
        if self._whole and not visit.scope.is_whole:
            raise DeskRefusal(HTTPStatus.FORBIDDEN, "whole")


def require(visit: Visit, role: UserRole) -> None:
    """``DeskRefusal`` for whoever may not."""
    if not visit.user.role.reaches(role):
        raise DeskRefusal(HTTPStatus.FORBIDDEN, "role")


def site(visit: Visit, name: str) -> Asset:
    """A site that the visitor sees; any other is as if it were not there (``DeskRefusal``)."""
    asset = visit.present.inventory.assets.get(name)
    if asset is None or not visit.scope.sees(name):
        raise DeskRefusal(HTTPStatus.NOT_FOUND, "not_found")
    return asset
