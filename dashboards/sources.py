"""The two data sources that every board asks: one server, one reading token, two languages.

Their uids are fixed, since boards name them; numeric ids mean nothing. What they are set to is the installation's.
"""

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
