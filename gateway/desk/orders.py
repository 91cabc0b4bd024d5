"""What the dispatcher writes down beside the ledger, served together: absences and extra rounds. No route is here."""

from fastapi import FastAPI

from gateway.desk.absences import serve_absences
from gateway.desk.extras import serve_extras
from gateway.inbox import Inbox


def serve_orders(app: FastAPI, inbox: Inbox, token: str) -> None:
    """Adds their routes."""
    serve_absences(app, inbox, token)
    serve_extras(app, inbox, token)
