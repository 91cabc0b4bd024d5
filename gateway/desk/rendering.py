"""Templates to pages: the one place that knows Jinja2, and what a browser may do with a page.

Everything is escaped by default. No route is here, and no sentence: those are in the templates.
"""

from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.parse import quote

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from alerts.notify.texts import tenths
from dashboards import words as boards
from gateway.desk import words
from gateway.desk.words import masked, span


def policy(images_from: str = "") -> dict[str, str]:
    """The header with all that a page may ask for; ``images_from`` is one origin more that may send it pictures."""
    images = f"img-src 'self' data: {images_from}".rstrip()
    return {
        "Content-Security-Policy": (
            f"default-src 'none'; script-src 'self'; style-src 'self'; {images}; connect-src 'self'; "
            "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
        )
    }


HEADERS: Final = {
    **policy(),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Nothing from elsewhere, nothing inline, nothing kept: a page shows where people live and whom to call."""


def html(template: str, status: HTTPStatus = HTTPStatus.OK, **given: object) -> HTMLResponse:
    """A page or a part of one."""
    return HTMLResponse(_environment().get_template(template).render(**given), status, HEADERS)


def text(template: str, **given: object) -> str:
    """The same as a file of its own."""
    return _environment().get_template(template).render(**given)


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(word=words.word, sign=words.sign, runs={name: said for name, (said, _) in boards.RUNS.items()})
    made.filters.update(
        rule=words.rule,
        subject=words.subject,
        severity=words.severity,
        tenths=tenths,
        span=span,
        masked=masked,
        path=quote,
    )
    return made
