"""Certificates made for a test, good and bad, and a server that speaks TLS with one of them or speaks plainly.

What is said about a bad one is in the tests. Nothing here is trusted by anybody who was not told to.
"""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HERE = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
ELSEWHERE = x509.SubjectAlternativeName([x509.DNSName("elsewhere.example")])


class Papers(NamedTuple):
    """What a server shows, the key to it, and the CA that vouches for it."""

    certificate: Path
    key: Path
    ca: Path


def papers(folder: Path, kind: str) -> Papers:
    """Good ones, or ``expired``, ``not_yet_valid``, ``wrong_host``, ``self_signed``, or by an ``unknown_issuer``."""
    folder.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC)
    begins, ends = {
        "expired": (now - timedelta(days=9), now - timedelta(days=1)),
        "not_yet_valid": (now + timedelta(days=1), now + timedelta(days=9)),
    }.get(kind, (now - timedelta(days=1), now + timedelta(days=9)))
    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca = _certificate(
        "a county's CA", "a county's CA", ca_key, ca_key, now - timedelta(days=10), now + timedelta(days=10)
    )
    names = ELSEWHERE if kind == "wrong_host" else HERE
    issuer, signer = ("a server", key) if kind == "self_signed" else ("a county's CA", ca_key)
    shown = _certificate("a server", issuer, key, signer, begins, ends, names)
    if kind == "unknown_issuer":
        other = ec.generate_private_key(ec.SECP256R1())
        ca = _certificate("another CA", "another CA", other, other, now - timedelta(days=10), now + timedelta(days=10))
    made = Papers(folder / "server.pem", folder / "server.key", folder / "ca.pem")
    made.certificate.write_bytes(shown.public_bytes(serialization.Encoding.PEM))
    made.ca.write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    made.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return made


def _certificate(
    subject: str,
    issuer: str,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    begins: datetime,
    ends: datetime,
    names: x509.SubjectAlternativeName | None = None,
) -> x509.Certificate:
    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    made = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=names is None, path_length=None), critical=True)
    )
    if names is not None:
        made = made.add_extension(names, critical=False)
    return made.sign(signer, hashes.SHA256())


class _Nobody(BaseHTTPRequestHandler):
    """Answers that there is nothing."""

    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        self.send_response(404)
        self.send_header("Content-Length", "2")
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b"{}")

    do_GET = do_POST = do_PUT = _answer  # noqa: N815 http.server's names

    def log_message(self, *_: object) -> None:
        """Says nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that does not trust us hangs up, which is what the test is about."""


@contextmanager
def serving(shown: Papers | None) -> Iterator[int]:
    """An HTTP server on a free loopback port; without papers it does not speak TLS."""
    server = _Server(("127.0.0.1", 0), _Nobody)
    if shown is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(shown.certificate, shown.key)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
