"""The running gateway, asked over HTTP by the commands that need it and by ``doctor``; and its heartbeat.

The only home of httpx, and of the token that commands over HTTP must bear. It asks and hands on the answer; what a
command means is decided in the gateway.
"""

import os
import secrets
import ssl
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final

import httpx

from gateway.settings import Endpoint, Settings, SettingsFault, Watch, read_secret
from telemetry.tls_faults import TlsEnd, tls_fault

CONTROL: Final = "control.token"
"""The file of that token, beside the journal and readable by its owner alone."""
_ANSWERS_WITHIN_S: Final = 10.0
_SYSTEMS_TRUST: Final = "/usr/local/share/ca-certificates/*.crt + update-ca-certificates"
"""Where a machine is told whom to trust."""
_THIS_MACHINE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 nothing is bound here, only dialled
"""Where to dial what listens on every address."""


class GatewayFault(Exception):  # noqa: N818 a state of the world, said in a sentence
    """The gateway did not do it; the text says why and what to do."""


class NotRunning(GatewayFault):
    """Nobody answers where the gateway would."""


def desk_url(listen: Endpoint) -> str:
    """Where the desk of a gateway on this machine is."""
    host = _THIS_MACHINE.get(listen.host, listen.host)
    return f"http://[{host}]:{listen.port}" if ":" in host else f"http://{host}:{listen.port}"


def request(
    settings: Settings, method: str, path: str, body: Mapping[str, object] | None, wanted: Collection[str] = ()
) -> dict[str, Any]:
    """What the gateway answers to a request of the API, with all that is ``wanted``; ``GatewayFault`` says why not."""
    answer = _asked(settings, method, path, json=body, headers=_permit(settings))
    match _document(answer):
        case {"detail": str(detail)}:
            raise GatewayFault(detail)
        case dict(document) if answer.is_success and document.keys() >= {*wanted}:
            return document
        case _:
            raise _stranger(settings)


def readiness(settings: Settings) -> dict[str, Any]:
    """What ``/readyz`` says, ready or not; ``NotRunning`` when nobody answers, ``GatewayFault`` if a stranger does."""
    said = _document(_asked(settings, "GET", "/readyz"))
    if isinstance(said, dict) and isinstance(said.get("parts"), dict):
        return said
    raise _stranger(settings)


def beat(watch: Watch, said: Mapping[str, object]) -> str:
    """One heartbeat to ``watch.url``: why it was not heard, empty when it was. Bounded, and it never raises."""
    if watch.url is None:
        return "there is no url"
    try:
        token = read_secret(watch.token_file, "[watch] token_file") if watch.token_file else ""
        with httpx.Client(trust_env=False, timeout=watch.timeout_s, verify=_trusting(watch.url)) as client:
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            body = None if watch.method == "GET" else dict(said)
            with client.stream(watch.method, watch.url, json=body, headers=headers) as answer:
                return "" if answer.is_success else f"HTTP {answer.status_code}"
    except SettingsFault as fault:
        return str(fault)
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        untrusted = tls_fault(error, TlsEnd(watch.url, "[watch] url", _SYSTEMS_TRUST, "http://"))
        return "; ".join(untrusted[1:]) if untrusted is not None else str(error) or type(error).__name__


def is_ready(url: str, timeout_s: float = _ANSWERS_WITHIN_S) -> bool:
    """Whether a gateway elsewhere says on its ``/readyz`` that it is; silence and strangers are not. Never raises."""
    try:
        with httpx.Client(trust_env=False, timeout=timeout_s, verify=_trusting(url)) as client:
            answer = client.get(url)
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError):
        return False
    said = _document(answer)
    return answer.is_success and isinstance(said, dict) and said.get("ready") is True


def _trusting(url: str) -> ssl.SSLContext | bool:
    """Whom the machine trusts; a county's own CA is made known to the machine, not to us."""
    return ssl.create_default_context() if url.startswith("https:") else True


def _asked(settings: Settings, method: str, path: str, **content: Any) -> httpx.Response:  # noqa: ANN401 httpx's own keywords
    url = desk_url(settings.desk.listen)
    try:
        with httpx.Client(base_url=url, trust_env=False, timeout=_ANSWERS_WITHIN_S) as client:
            return client.request(method, path, **content)
    except httpx.TimeoutException:
        raise GatewayFault(
            f"the gateway at {url} does not answer in time; look at its log and at {url}/readyz"
        ) from None
    except httpx.TransportError as error:
        raise NotRunning(f"no gateway answers at {url} ({error}); start it, or check [desk] listen") from None


def _permit(settings: Settings) -> dict[str, str]:
    path = token_file(settings.journal.path)
    try:
        token = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = (error.strerror or "").lower() if isinstance(error, OSError) else "it is no token"
        remedy = "the gateway makes it when it starts; ask as the user that runs the gateway"
        raise GatewayFault(f"the control token {path} cannot be read: {why}; {remedy}") from None
    return {"Authorization": f"Bearer {token}"}


def _document(answer: httpx.Response) -> object:
    try:
        return answer.json()
    except ValueError:
        return None


def _stranger(settings: Settings) -> GatewayFault:
    url = desk_url(settings.desk.listen)
    return GatewayFault(
        f"what answers at {url} is not a gateway; set another port as [desk] listen, or stop what uses it"
    )


def control_token(journal: Path) -> str:
    """The token beside ``journal``; made, mode 600, when there is none. ``OSError`` when the folder takes no file."""
    path = token_file(journal)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text("ascii").strip()
    with os.fdopen(handle, "w", encoding="ascii") as written:
        token = secrets.token_urlsafe(32)
        written.write(token + "\n")
    return token


def token_file(journal: Path) -> Path:
    """Where it is; ``cunjing ack`` reads it there."""
    return journal.parent / CONTROL
