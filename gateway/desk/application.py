"""Everything that is served over HTTP, to machines and to people, put onto one application. Only assembly."""

from pathlib import Path

from fastapi import FastAPI

from gateway.desk.api import api
from gateway.desk.cases import serve_cases
from gateway.desk.greeting import serve_greeting
from gateway.desk.pages import put_pages
from gateway.desk.present import Desk
from gateway.health import Health
from gateway.metrics import Metrics


def application(journal: Path, desk: Desk, health: Health, metrics: Metrics, token: str) -> FastAPI:
    """The whole; ``token`` is what machines must bear."""
    app = api(desk.inbox, health, metrics, token)
    serve_cases(app, desk.inbox, journal, token, desk.now_ms)
    serve_greeting(app, desk.inbox, token)
    put_pages(app, desk)
    return app
