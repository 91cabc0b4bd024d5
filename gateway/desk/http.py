"""Everything that is served over HTTP, to machines and to people, put onto one application.

Only assembly: no page is named here, what one shows is in a module of its own, and so is each command of the API.
"""

from collections.abc import Mapping
from http import HTTPStatus
from importlib.resources import files
from pathlib import Path
from typing import Final

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from starlette.exceptions import HTTPException

from gateway.desk import login_page
from gateway.desk.api import api
from gateway.desk.auth import DeskRefusal, Gate, GoLogIn
from gateway.desk.cases import serve_cases
from gateway.desk.commands_api import serve_commands
from gateway.desk.hooks import Hooks, serve_hooks
from gateway.desk.masking import MaskedForViewers
from gateway.desk.pages import pages
from gateway.desk.present import Desk, Starting
from gateway.desk.problems import problem
from gateway.desk.users import UserRole, UsersUnavailable
from gateway.desk.view import HEADERS, html
from gateway.health import Health
from gateway.journal.database import JournalUnavailable
from gateway.lines import Pushed
from gateway.metrics import Metrics

_MACHINES: Final = ("/api/", "/healthz", "/readyz", "/metrics")
_OWN: Final = Path(__file__).with_name("static")
_HTMX: Final = Path(str(files("js_lib_htmx"))) / "static" / "htmx" / "htmx.min.js"
_LEAFLET: Final = Path(str(files("xstatic.pkg.leaflet"))) / "data"
_STATIC: Final = {
    "desk.css": ("text/css", _OWN / "desk.css"),
    "card.css": ("text/css", _OWN / "card.css"),
    "desk.js": ("text/javascript", _OWN / "desk.js"),
    "atlas.css": ("text/css", _OWN / "atlas.css"),
    "atlas.js": ("text/javascript", _OWN / "atlas.js"),
    "icon.svg": ("image/svg+xml", _OWN / "icon.svg"),
    "htmx.js": ("text/javascript", _HTMX),
    "leaflet.css": ("text/css", _LEAFLET / "leaflet.css"),
    "leaflet.js": ("text/javascript", _LEAFLET / "leaflet.js"),
}
"""Each file that a page asks for; htmx and Leaflet come out of their installed packages, so that nothing is copied.

Leaflet's own pictures are not among them: every sign on the map is drawn by the page itself."""


def application(
    journal: Path, desk: Desk, health: Health, metrics: Metrics, token: str, hooks: Mapping[str, Pushed]
) -> FastAPI:
    """The whole; ``token`` is what machines must bear, ``hooks`` what providers push."""
    app = api(desk.inbox, health, metrics, token)
    serve_cases(app, desk.inbox, journal, token, desk.now_ms)
    serve_commands(app, desk.inbox, token, range(20, 100))
    serve_hooks(app, desk.inbox, Hooks(hooks, metrics, desk.now_ms))
    _put_pages(app, desk)
    return app


def _put_pages(app: FastAPI, desk: Desk) -> None:
    """Adds the desk for people to the application for machines."""
    app.include_router(login_page.routes(desk, Gate(desk, UserRole.VIEWER, whole=False)), include_in_schema=False)
    for page in pages():
        if desk.is_demo or not page.demo:
            app.include_router(page.router(desk), include_in_schema=False)
    _answer_people(app)
    app.add_middleware(MaskedForViewers, known=desk.numbers)

    @app.get("/static/{name}", include_in_schema=False)
    def static(name: str) -> Response:
        if name not in _STATIC:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        kind, path = _STATIC[name]
        return Response(path.read_bytes(), headers={**HEADERS, "Cache-Control": "no-cache"}, media_type=kind)


def _answer_people(app: FastAPI) -> None:
    """What goes wrong, as a page for people; machines still get their problem."""

    @app.exception_handler(GoLogIn)
    def _(request: Request, way: GoLogIn) -> Response:
        if "hx-request" in request.headers:
            return Response(status_code=HTTPStatus.NO_CONTENT, headers={"HX-Redirect": "/login"})
        back = "" if way.back == "/" else f"?back={way.back}"
        return RedirectResponse(f"/login{back}", HTTPStatus.SEE_OTHER)

    @app.exception_handler(DeskRefusal)
    def _(_request: Request, refusal: DeskRefusal) -> Response:
        return html("error.html", refusal.status, key=refusal.key, code=int(refusal.status))

    @app.exception_handler(Starting)
    def _(_request: Request, _starting: Starting) -> Response:
        return html("error.html", HTTPStatus.SERVICE_UNAVAILABLE, key="starting", code=503)

    @app.exception_handler(JournalUnavailable)
    @app.exception_handler(UsersUnavailable)
    def _(_request: Request, _trouble: Exception) -> Response:
        return html("error.html", HTTPStatus.SERVICE_UNAVAILABLE, key="journal", code=503)

    @app.exception_handler(Exception)
    def _(request: Request, _bug: Exception) -> Response:  # the server logs it with its traceback
        if not _wants_page(request):
            return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "our mistake; the gateway's log has it with its traceback")
        return html("error.html", HTTPStatus.INTERNAL_SERVER_ERROR, key="bug", code=500)

    @app.exception_handler(HTTPException)
    def _(request: Request, error: HTTPException) -> Response | JSONResponse:
        if not _wants_page(request):
            return problem(error.status_code, str(error.detail), dict(error.headers or {}))
        key = "not_found" if error.status_code == HTTPStatus.NOT_FOUND else "other"
        return html("error.html", HTTPStatus(error.status_code), key=key, code=error.status_code)


def _wants_page(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "") and not request.url.path.startswith(_MACHINES)
