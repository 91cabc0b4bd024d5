"""A server between the house and InfluxDB that does what networks and servers do: refuses, dawdles, hangs up, forgets.

It knows HTTP and faults, and nothing of what is sent.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Fault:
    """What happens to one request: an answer of its own, a delay, or the upstream's answer thrown away."""

    status: int = 0
    body: bytes = b'{"code":"trouble","message":"by order of the test"}'
    headers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    forget: bool = False
    """The request is carried out, and the connection closed before anybody is told."""


HANG_UP = Fault(forget=True)


@dataclass
class Proxy:
    """Where it listens; ``fault`` is asked for every request (path and size) and says what happens to it."""

    url: str
    fault: Callable[[str, int], Fault | None] = lambda _path, _size: None
    requests: list[tuple[str, int, int]] = field(default_factory=list)
    """Path, size and status of each request, in order."""


@contextmanager
def proxied(upstream: str) -> Iterator[Proxy]:
    """A proxy in front of ``upstream`` while the context lasts."""
    target = urlsplit(upstream)
    stopping = Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Says nothing."""

        def _handle(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            path = urlsplit(self.path).path
            fault = proxy.fault(path, len(body)) or Fault()
            if fault.delay_s:
                stopping.wait(fault.delay_s)
            if fault.status:
                proxy.requests.append((path, len(body), fault.status))
                self._answer(fault.status, fault.body, fault.headers)
                return
            connection = HTTPConnection(target.hostname or "", target.port, timeout=240)
            headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            said = answer.read()
            connection.close()
            proxy.requests.append((path, len(body), answer.status))
            if fault.forget:
                self.close_connection = True
                self.connection.close()
                return
            self._answer(answer.status, said, dict(answer.getheaders()))

        def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in {"content-length", "transfer-encoding", "connection", "date"}:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_DELETE = do_PATCH = do_PUT = _handle  # noqa: N815 -- http.server's names

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    proxy = Proxy(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield proxy
    finally:
        stopping.set()
        server.shutdown()
        server.server_close()
