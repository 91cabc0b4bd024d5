"""The running gateway, asked over HTTP by the commands that need it. The only home of httpx.

It asks and hands on the answer; what a command means is decided in the gateway.
"""

from collections.abc import Mapping
from typing import Any, Final

import httpx

from gateway.commands import Verb
from gateway.desk.token import token_file
from gateway.settings import Settings
from gateway.settings_fields import Endpoint
from telemetry.reading import Millis

_ANSWERS_WITHIN_S: Final = 10.0
_THIS_MACHINE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 nothing is bound here, only dialled
"""Where to dial what listens on every address."""


class Unserved(Exception):  # noqa: N818 a state of the world, said in a sentence
    """The gateway did not do it; the text says why and what to do."""


class NotRunning(Unserved):
    """Nobody answers where the gateway would."""


def desk_url(listen: Endpoint) -> str:
    """Where the desk of a gateway on this machine is."""
    host = _THIS_MACHINE.get(listen.host, listen.host)
    return f"http://[{host}]:{listen.port}" if ":" in host else f"http://{host}:{listen.port}"


def command(settings: Settings, verb: Verb, episode: str, by: str) -> tuple[str, Millis]:
    """What the episode became, durably, and when; ``Unserved`` with the gateway's reason when nothing came of it."""
    body = {"command": verb.value, "episode": episode, "by": by, "channel": "cli"}
    answer = _asked(settings, "POST", "/api/v1/commands", json=body, headers=_permit(settings))
    match _document(answer):
        case {"event": str(event), "at_ms": int(at_ms)}:
            return event, at_ms
        case {"detail": str(detail)}:
            raise Unserved(detail)
        case _:
            raise _stranger(settings)


def resend(settings: Settings, since_ms: Millis) -> Millis:
    """Asks for what came since then to be written to InfluxDB again; when that began. ``Unserved`` with the reason."""
    body = {"since_ms": since_ms}
    answer = _asked(settings, "POST", "/api/v1/series/resend", json=body, headers=_permit(settings))
    match _document(answer):
        case {"at_ms": int(at_ms)}:
            return at_ms
        case {"detail": str(detail)}:
            raise Unserved(detail)
        case _:
            raise _stranger(settings)


def said(settings: Settings, method: str, path: str, body: Mapping[str, str] | None) -> dict[str, Any]:
    """What the gateway answers to a request of the API; ``Unserved`` with its reason when it refuses."""
    answer = _asked(settings, method, path, json=body, headers=_permit(settings))
    match _document(answer):
        case {"detail": str(detail)}:
            raise Unserved(detail)
        case dict(document) if answer.is_success:
            return document
        case _:
            raise _stranger(settings)


def readiness(settings: Settings) -> dict[str, Any]:
    """What ``/readyz`` says, ready or not; ``NotRunning`` when nobody answers, ``Unserved`` when a stranger does."""
    said = _document(_asked(settings, "GET", "/readyz"))
    if isinstance(said, dict) and isinstance(said.get("parts"), dict):
        return said
    raise _stranger(settings)


def _asked(settings: Settings, method: str, path: str, **content: Any) -> httpx.Response:  # noqa: ANN401 httpx's own keywords
    url = desk_url(settings.desk.listen)
    try:
        with httpx.Client(base_url=url, trust_env=False, timeout=_ANSWERS_WITHIN_S) as client:
            return client.request(method, path, **content)
    except httpx.TimeoutException:
        raise Unserved(f"the gateway at {url} does not answer in time; look at its log and at {url}/readyz") from None
    except httpx.TransportError as error:
        raise NotRunning(f"no gateway answers at {url} ({error}); start it, or check [desk] listen") from None


def _permit(settings: Settings) -> dict[str, str]:
    path = token_file(settings.journal.path)
    try:
        token = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = (error.strerror or "").lower() if isinstance(error, OSError) else "it is no token"
        remedy = "the gateway makes it when it starts; ask as the user that runs the gateway"
        raise Unserved(f"the control token {path} cannot be read: {why}; {remedy}") from None
    return {"Authorization": f"Bearer {token}"}


def _document(answer: httpx.Response) -> object:
    try:
        return answer.json()
    except ValueError:
        return None


def _stranger(settings: Settings) -> Unserved:
    url = desk_url(settings.desk.listen)
    return Unserved(f"what answers at {url} is not a gateway; set another port as [desk] listen, or stop what uses it")
