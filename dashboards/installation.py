"""What an installation fills into the committed boards: where its desk is, and how its buckets are called."""

from copy import deepcopy
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

from dashboards.sources import FLUX, INFLUXQL, definition

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
