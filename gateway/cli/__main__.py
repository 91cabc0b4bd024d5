"""``python -m gateway.cli`` is ``cunjing``, for where the script is not on PATH. Nothing else is here."""

from gateway.cli import app

app(prog_name="cunjing")
