"""InfluxDB over HTTP: one request, one answer. The client's own retries and batches are not used (traps I1–I5).

Lines are compressed here, at level 1. Whatever the world does comes back as an ``WriteAnswer``; nothing is raised. How
long each of its buckets keeps points, and the sender's way to it, which begins anew after trouble, stand here, too.
"""

import gzip
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Any, Final, Self

from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.rest import ApiException
from msgspec import DecodeError, json
from urllib3.exceptions import HTTPError

from gateway.clock import Clock
from gateway.health import Part
from gateway.influx.answers import KEPT, WriteAnswer, WriteVerdict, stranger, trouble, verdict
from gateway.settings import Influxdb, SettingsFault, read_secret
from telemetry.reading import Millis
from telemetry.tls_faults import TlsTrouble, kind_of

DAY_S: Final = 86_400
HOURLY_DAYS: Final = 3 * 366
ANSWERS_WITHIN_MS: Final = 30_000
MARGIN_MS: Final = 3_600_000
"""What a bucket drops within the hour is not sent any more; the two clocks may differ by as much."""
_COMPRESSION: Final = 1
_CONTENT: Final = "text/plain; charset=utf-8"
_BANNER: Final = "X-Influxdb-Version"


class Server:
    """One InfluxDB under one token. A token that was replaced in its file needs a new one of these."""

    def __init__(self, settings: Influxdb, token: str, answers_within_ms: int = ANSWERS_WITHIN_MS) -> None:
        self._org = settings.org
        self._client = InfluxDBClient(
            settings.url,
            token,
            org=settings.org,
            timeout=answers_within_ms,
            retries=False,
            ssl_ca_cert=None if settings.ca_file is None else str(settings.ca_file),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of its connections."""
        self._client.close()

    def version(self) -> tuple[WriteAnswer, str]:
        """What its banner says, empty where there is none."""
        answer, said = self._called("/ping", "GET")
        return answer, "" if said is None else said[1].get(_BANNER, "")

    def ask(self, method: str, path: str, body: object = None, **query: str) -> tuple[WriteAnswer, Any]:
        """Any other question of the API; what it answers as plain JSON values, ``None`` where there are none."""
        answer, said = self._called(path, method, query_params=list(query.items()), body=body, response_type="object")
        return answer, None if said is None else said[0]

    def stated_s(self) -> float | None:
        """What time it has, in epoch seconds; ``None`` where it does not say."""
        _, said = self._called("/ping", "GET")
        stated = None if said is None else said[1].get("Date")
        return None if stated is None else parsedate_to_datetime(stated).timestamp()

    def write(self, bucket: str, lines: Sequence[bytes]) -> WriteAnswer:
        """Writes the lines, in µs, in one request; no lines ask only whether it would be allowed."""
        body = gzip.compress(b"\n".join(lines), _COMPRESSION)
        query = {"org": self._org, "bucket": bucket, "precision": "us"}
        headers = {"Content-Encoding": "gzip", "Content-Type": _CONTENT}
        return self._called("/api/v2/write", "POST", query_params=query, header_params=headers, body=body)[0]

    def _called(self, path: str, method: str, **content: Any) -> tuple[WriteAnswer, Any]:  # noqa: ANN401 the client's own
        try:
            data, status, headers = self._client.api_client.call_api(path, method, **content)
        except (ApiException, HTTPError, UnicodeDecodeError) as error:
            return _answer(error), None
        except OSError as error:  # the CA file, which is read when there is something to ask
            return WriteAnswer(0, _first_line(str(error)), tls=_kind(error)), None
        return WriteAnswer(status), (data, headers)


def _answer(error: Exception) -> WriteAnswer:
    if not isinstance(error, ApiException):
        return WriteAnswer(0, _cause(error), tls=kind_of(error))
    if not error.status:
        return WriteAnswer(0, _first_line(str(error.reason)), tls=kind_of(error))
    headers: Any = error.headers or {}
    return WriteAnswer(error.status, _message(error.body), _seconds(headers.get("Retry-After")))


def _kind(error: OSError) -> TlsTrouble:
    if isinstance(error, FileNotFoundError):
        return TlsTrouble.CA_MISSING
    return kind_of(error) or TlsTrouble.CA_UNREADABLE


def _cause(error: Exception) -> str:
    """Why no answer came, without the library's own names around it."""
    below = error.__cause__ or error.__context__
    if isinstance(below, OSError) and below.strerror:
        return below.strerror.lower()
    return _first_line(str(error).rpartition("): ")[2]).lower()


def _message(body: object) -> str:
    """The server's own words, out of its JSON where it is JSON."""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body or "")
    try:
        said = json.decode(text)
    except DecodeError:
        return _first_line(text)
    message = said.get("message") if isinstance(said, dict) else None
    return _first_line(str(message or text))


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def _seconds(header: str | None) -> float | None:
    """``Retry-After`` in seconds; a date is not understood and not needed."""
    try:
        return max(0.0, float(header)) if header is not None else None
    except ValueError:
        return None


def kept_s(settings: Influxdb) -> Mapping[str, int]:
    """How long each bucket keeps its points, in seconds; 0 is for ever."""
    return {
        settings.bucket: settings.raw_days * DAY_S,
        settings.hourly_bucket: HOURLY_DAYS * DAY_S,
        settings.daily_bucket: 0,
    }


class InfluxOutlet:
    """See ``sender.Outlet``."""

    def __init__(self, settings: Influxdb, clock: Clock, answers_within_ms: int = ANSWERS_WITHIN_MS) -> None:
        self._settings = settings
        self._clock = clock
        self._answers_within_ms = answers_within_ms
        self._server: Server | None = None
        self._kept_s = kept_s(settings)

    def write(self, bucket: str, lines: Sequence[bytes]) -> WriteAnswer:
        """See ``sender.Outlet``."""
        connected = self._connected()
        return connected if isinstance(connected, WriteAnswer) else connected.write(bucket, lines)

    def renew(self) -> None:
        """See ``sender.Outlet``."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def oldest_ms(self, bucket: str) -> Millis:
        """See ``sender.Outlet``."""
        seconds = self._kept_s.get(bucket)
        return self._clock.now_ms() - seconds * 1_000 + MARGIN_MS if seconds else 0

    def trouble(self, answer: WriteAnswer, bucket: str) -> Part:
        """See ``sender.Outlet``."""
        return trouble(answer, self._settings, bucket)

    def _connected(self) -> Server | WriteAnswer:
        if self._server is not None:
            return self._server
        try:
            token = read_secret(self._settings.token_file, "[influxdb] token_file")
        except SettingsFault as fault:
            remedy = f"run `cunjing influx setup`, which writes it there; {KEPT}"
            return WriteAnswer(0, bar=Part(ready=False, state=str(fault), remedy=remedy))
        server = Server(self._settings, token, self._answers_within_ms)
        answer, version = server.version()
        bar = stranger(version, self._settings) if verdict(answer) is WriteVerdict.STORED else None
        if bar is not None or verdict(answer) is not WriteVerdict.STORED:
            server.close()
            return WriteAnswer(answer.status, answer.text, answer.retry_after_s, bar)
        self._server = server
        return server
