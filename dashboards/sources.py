"""The two data sources that every board asks: one server, one reading token, two languages.

Their uids are fixed, since boards name them; numeric ids mean nothing. What they are set to is the installation's, and
so is what it fills into the committed boards: where its desk is, and how its buckets are called.
"""

from copy import deepcopy
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

KIND: Final = "influxdb"
INFLUXQL: Final = "cunjing-influxql"
FLUX: Final = "cunjing-flux"
NAMES: Final = {INFLUXQL: "村净 InfluxQL", FLUX: "村净 Flux"}
GRAFANA: Final = "-- Grafana --"
"""Grafana's own source: it has the annotations."""
TOKEN_MARK: Final = "cunjingToken"  # noqa: S105 -- the name of a setting
"""Where a data source keeps the mark of its token: Grafana never tells a secret again, so only this shows a new one."""


def definition(uid: str, url: str, org: str, bucket: str, token: str, token_mark: str) -> dict[str, Any]:
    """A data source as Grafana's API wants it; what is secret stands under ``secureJsonData`` alone."""
    settings: dict[str, Any] = {TOKEN_MARK: token_mark}
    if uid == FLUX:
        settings |= {"version": "Flux", "organization": org, "defaultBucket": bucket, "maxSeries": MOST_SERIES}
        secret = {"token": token}
    else:
        settings |= {"version": "InfluxQL", "dbName": bucket, "httpMode": "POST", "httpHeaderName1": "Authorization"}
        secret = {"httpHeaderValue1": f"Token {token}"}
    return {
        "uid": uid,
        "name": NAMES[uid],
        "type": KIND,
        "access": "proxy",
        "url": url,
        "basicAuth": False,
        "jsonData": settings,
        "secureJsonData": secret,
    }


MOST_SERIES: Final = 2_000


Document = dict[str, Any]
MARK_LETTERS: Final = 16


@dataclass(frozen=True)
class Installation:
    """``influxdb_url`` is InfluxDB as seen from Grafana's own machine, ``desk_url`` the desk as seen from a browser."""

    influxdb_url: str
    org: str
    bucket: str
    token: str = field(repr=False)
    desk_url: str

    def sources(self) -> list[Document]:
        """Both data sources, with the token; a mark of it tells later whether another one is set."""
        mark = sha256(self.token.encode()).hexdigest()[:MARK_LETTERS]
        return [definition(uid, self.influxdb_url, self.org, self.bucket, self.token, mark) for uid in (FLUX, INFLUXQL)]

    def filled(self, board: Document) -> Document:
        """The same board with this installation's constants."""
        made = deepcopy(board)
        given = {"desk": self.desk_url, "bucket": self.bucket}
        for variable in made["templating"]["list"]:
            if variable["type"] == "constant" and variable["name"] in given:
                set_constant(variable, given[variable["name"]])
        return made


def set_constant(variable: Document, value: str) -> None:
    """Grafana of one version reads a constant here, of another there."""
    option = {"selected": True, "text": value, "value": value}
    variable |= {"query": value, "current": option, "options": [option]}
