"""What InfluxDB's answer to a write means, and what is said about it: one verdict and one sentence for each. Pure.

2xx and only 2xx is success (law L1). Whom it concerns and what waits is decided by whoever asked.
"""

from enum import StrEnum
from typing import Final

from msgspec import Struct

from gateway.health import Part
from gateway.settings import Influxdb
from telemetry.tls_faults import TlsEnd, TlsTrouble, worded

KEPT: Final = "everything is kept in the journal meanwhile"
_TEXT_MOST: Final = 300


class WriteAnswer(Struct, frozen=True):
    """A server's answer; status 0 means that none came, and ``text`` why. ``retry_after_s`` is the server's wish.

    ``bar`` says why nothing was asked at all: a token that cannot be read, a server that is no InfluxDB 2. ``tls`` is
    what is wrong with TLS where that is why no answer came.
    """

    status: int
    text: str = ""
    retry_after_s: float | None = None
    bar: Part | None = None
    tls: TlsTrouble | None = None


class WriteVerdict(StrEnum):
    """What becomes of the lines that were sent."""

    STORED = "stored"
    TOO_LARGE = "too_large"
    """They go again in halves."""
    REFUSED = "refused"
    """At least one of them is bad: it is looked for in halves, and filed."""
    LATER = "later"
    """The same lines go again after a while."""
    PAUSED = "paused"
    """Nothing goes until a person has mended what the sentence says."""


def verdict(answer: WriteAnswer) -> WriteVerdict:
    """2xx is stored; what is not known pauses, so that a stranger's answer never loses a line."""
    if answer.bar is not None:
        return WriteVerdict.PAUSED
    match answer.status:
        case 0 | 408 | 425 | 429:
            return WriteVerdict.LATER
        case 400 | 422:
            return WriteVerdict.REFUSED
        case 413:
            return WriteVerdict.TOO_LARGE
        case status if 200 <= status < 300:  # noqa: PLR2004 - HTTP's success
            return WriteVerdict.STORED
        case status if status >= 500:  # noqa: PLR2004 - HTTP's trouble of the server's own
            return WriteVerdict.LATER
        case _:
            return WriteVerdict.PAUSED


def is_expired(answer: WriteAnswer) -> bool:
    """Whether a refused line is only older than what the bucket keeps."""
    return "retention policy" in answer.text.lower()


def trouble(answer: WriteAnswer, settings: Influxdb, bucket: str) -> Part:
    """What is wrong with the server, in a sentence with its remedy; for the log, ``/readyz`` and ``doctor`` alike."""
    if (barred := answer.bar or _untrusted(answer.tls, settings)) is not None:
        return barred
    said = f" ({answer.text[:_TEXT_MOST]})" if answer.text else ""
    match answer.status:
        case 0:
            state = f"InfluxDB does not answer at {settings.url}{said}"
            return _part(state, f"start it, or correct [influxdb] url; {KEPT}")
        case 401:
            state = f"InfluxDB does not know the token in {settings.token_file}{said}"
            return _part(state, f"run `cunjing influx setup`, which writes a valid one there; {KEPT}")
        case 403:
            state = f"the token in {settings.token_file} may not write into the bucket {bucket}{said}"
            return _part(state, f"run `cunjing influx setup`, which makes one that may; {KEPT}")
        case 404:
            state = f"InfluxDB has no bucket {bucket} in the organisation {settings.org}{said}"
            remedy = "correct [influxdb] org and bucket, or run `cunjing influx setup`, which makes what is missing"
            return _part(state, f"{remedy}; {KEPT}")
        case 429:
            return _part(f"InfluxDB asks for patience{said}", f"nothing to do: it is tried again; {KEPT}")
        case status if status >= 500:  # noqa: PLR2004 - HTTP's trouble of the server's own
            return _part(f"InfluxDB is in trouble: HTTP {status}{said}", f"look at its log; {KEPT}")
        case status:
            state = f"what answers at {settings.url} gives HTTP {status} to a write{said}"
            return _part(state, f"correct [influxdb] url: InfluxDB 2 is meant; {KEPT}")


def _untrusted(kind: TlsTrouble | None, settings: Influxdb) -> Part | None:
    if kind is None:
        return None
    end = TlsEnd(settings.url, "[influxdb] url", "[influxdb] ca_file", "http://")
    fault = worded(kind, end, str(settings.ca_file))
    return _part(f"InfluxDB cannot be reached at {settings.url}: {fault.state}", f"{fault.remedy}; {KEPT}")


def stranger(version: str, settings: Influxdb) -> Part | None:
    """What is wrong with a server of this version (as its banner says it); nothing with an InfluxDB 2."""
    if version.lstrip("v").startswith("2."):
        return None
    if not version:
        state = f"what answers at {settings.url} does not say that it is an InfluxDB"
    else:
        state = f"the server at {settings.url} is InfluxDB {version}, and InfluxDB 2 is needed"
    return _part(state, "run InfluxDB 2 (2.7 or newer; not 1, not 3), or correct [influxdb] url")


def _part(state: str, remedy: str) -> Part:
    return Part(ready=False, state=state, remedy=remedy)
