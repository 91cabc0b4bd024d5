"""Everything that is served over HTTP, to machines and to people, put onto one application. Only assembly."""

from collections.abc import Mapping
from pathlib import Path

from fastapi import FastAPI

from gateway.desk.api import api
from gateway.desk.cases import serve_cases
from gateway.desk.greeting import serve_greeting
from gateway.desk.hooks import Hooks, serve_hooks
from gateway.desk.http import put_pages
from gateway.desk.orders import serve_orders
from gateway.desk.present import Desk
from gateway.desk.upkeep import serve_upkeep
from gateway.health import Health
from gateway.lines import Pushed
from gateway.metrics import Metrics


def application(
    journal: Path, desk: Desk, health: Health, metrics: Metrics, token: str, hooks: Mapping[str, Pushed]
) -> FastAPI:
    """The whole; ``token`` is what machines must bear, ``hooks`` what providers push."""
    app = api(desk.inbox, health, metrics, token)
    serve_cases(app, desk.inbox, journal, token, desk.now_ms)
    serve_orders(app, desk.inbox, token)
    serve_upkeep(app, desk.inbox, token)
    serve_greeting(app, desk.inbox, token)
    serve_hooks(app, desk.inbox, Hooks(hooks, metrics, desk.now_ms))
    put_pages(app, desk)
    return app
