"""The configured InfluxDB as the sender's outlet: connected when it is needed, and anew after every trouble.

A token is read when it is used, so that one that was replaced in its file is found; a server that is no InfluxDB 2 is
told apart before the first line goes to it (trap I12).
"""

from collections.abc import Sequence
from typing import Final

from gateway.clock import Clock
from gateway.health import Part
from gateway.influx.answers import KEPT, WriteAnswer, WriteVerdict, stranger, trouble, verdict
from gateway.influx.server import ANSWERS_WITHIN_MS, Server
from gateway.settings import Influxdb, SettingsFault, read_secret
from telemetry.reading import Millis

DAY_MS: Final = 86_400_000
HOURLY_DAYS: Final = 3 * 366
MARGIN_MS: Final = 3_600_000
"""What a bucket drops within the hour is not sent any more; the two clocks may differ by as much."""


class InfluxOutlet:
    """See ``sender.Outlet``."""

    def __init__(self, settings: Influxdb, clock: Clock, answers_within_ms: int = ANSWERS_WITHIN_MS) -> None:
        self._settings = settings
        self._clock = clock
        self._answers_within_ms = answers_within_ms
        self._server: Server | None = None
        self._keep_ms = {settings.bucket: settings.raw_days * DAY_MS, settings.hourly_bucket: HOURLY_DAYS * DAY_MS}

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
        keep_ms = self._keep_ms.get(bucket)
        return 0 if keep_ms is None else self._clock.now_ms() - keep_ms + MARGIN_MS

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
