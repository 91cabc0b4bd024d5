"""A question of ours as a target of a panel; the SDK knows no InfluxDB, so its shape is here.

InfluxQL and Flux are two data sources of one kind: a target carries the uid of the one whose language it speaks.
"""

from typing import Any

from grafana_foundation_sdk.cog import runtime, variants
from grafana_foundation_sdk.models import dashboard

from dashboards.queries.language import Flux, InfluxQL, Query
from dashboards.sources import FLUX, INFLUXQL, KIND


class Target(variants.Dataquery):
    """One query of a panel, as the InfluxDB plug-in of Grafana wants it."""

    def __init__(self, ref_id: str, source: str, query: str, alias: str | None = None) -> None:
        self.ref_id = ref_id
        self.source = source
        self.query = query
        self.alias = alias

    def to_json(self) -> dict[str, object]:
        """As in the classic JSON."""
        made: dict[str, object] = {
            "refId": self.ref_id,
            "datasource": {"type": KIND, "uid": self.source},
            "query": self.query,
            "rawQuery": True,
        }
        if self.alias is not None:
            made |= {"resultFormat": "time_series", "alias": self.alias}
        return made

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Target":
        """The same back; what it does not know it does not keep."""
        return cls(data["refId"], data["datasource"]["uid"], data["query"], data.get("alias"))


def target(query: Query, ref_id: str = "A") -> Target:
    """A query as a target."""
    if isinstance(query, InfluxQL):
        return Target(ref_id, INFLUXQL, query.text, query.alias)
    return Target(ref_id, FLUX, query.text)


def source_of(query: Query) -> dashboard.DataSourceRef:
    """The data source that understands it."""
    return dashboard.DataSourceRef(type_val=KIND, uid=FLUX if isinstance(query, Flux) else INFLUXQL)


def register() -> None:
    """Teaches the SDK to read our targets back."""
    runtime.register_dataquery_variant(runtime.DataqueryConfig(KIND, Target.from_json))
