"""Every question of the committed boards, filled in and asked as Grafana would, of InfluxDB itself or through Grafana.

What the answers have to be is a test's to say.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dashboards import committed
from dashboards.sources import FLUX
from dashboards.variables import ALL, BUCKET_DEFAULT, DESK_DEFAULT
from tests.servers import ORG, GrafanaServer, InfluxServer

CONSTANTS: Final = {"bucket": BUCKET_DEFAULT, "desk": DESK_DEFAULT}
INTERVAL_MS: Final = 600_000
POINTS: Final = 1_000
_SPECIAL: Final = re.compile(r"([\\^$*+?.()|\[\]{}/])")
Row = dict[str, Any]


@dataclass(frozen=True)
class Question:
    """One query of a board: where it stands, which data source is asked, and the unit of each of its columns."""

    board: str
    title: str
    source: str
    text: str
    alias: str | None
    units: Mapping[str, str]
    unit: str

    def __str__(self) -> str:
        return f"{self.board}: {self.title}"


def panel_questions() -> list[Question]:
    """Every query of every panel."""
    return [
        _question(name, panel["title"], target, panel)
        for name, document in committed.documents().items()
        for panel in document["panels"]
        for target in panel.get("targets", [])
    ]


def variable_questions() -> list[Question]:
    """What every variable lists."""
    return [
        Question(name, each["name"], each["datasource"]["uid"], each["query"], None, {}, "")
        for name, document in committed.documents().items()
        for each in document["templating"]["list"]
        if each["type"] == "query"
    ]


def note_questions() -> list[Question]:
    """What is drawn across the curves."""
    return [
        _question(name, each["name"], each["target"], {})
        for name, document in committed.documents().items()
        for each in document["annotations"]["list"]
        if "query" in each.get("target", {})
    ]


def _question(board: str, title: str, target: Row, panel: Row) -> Question:
    config = panel.get("fieldConfig", {"defaults": {}, "overrides": []})
    units = {
        override["matcher"]["options"]: each["value"]
        for override in config["overrides"]
        for each in override["properties"]
        if each["id"] == "unit"
    }
    unit = config["defaults"].get("unit", "")
    return Question(board, title, target["datasource"]["uid"], target["query"], target.get("alias"), units, unit)


def filled(text: str, **chosen: str | Sequence[str]) -> str:
    """The query with its variables: constants raw, choices as a regular expression; all of them where none is named."""

    def value(found: re.Match[str]) -> str:
        name, style = found.groups()
        if style == "raw":
            return CONSTANTS[name]
        assert style == "regex", found.group()
        picked = chosen.get(name, ALL)
        if picked == ALL:
            return ALL
        escaped = [_SPECIAL.sub(r"\\\1", each) for each in ([picked] if isinstance(picked, str) else picked)]
        return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"

    return re.sub(r"\$\{(\w+):(\w+)\}", value, text)


def asked_directly(
    influx: InfluxServer, question: Question, from_ms: int, to_ms: int, **chosen: str | Sequence[str]
) -> list[Row]:
    """Rows of InfluxDB itself; times are left as it writes them."""
    text = filled(question.text, **chosen)
    if question.source != FLUX:
        asked = text.replace("$timeFilter", f"time >= {from_ms}ms and time <= {to_ms}ms")
        asked = asked.replace("$__interval", f"{INTERVAL_MS}ms")
        return influx.influxql(BUCKET_DEFAULT, asked)
    for name, value in (
        ("timeRangeStart", f"time(v: {from_ms}000000)"),
        ("timeRangeStop", f"time(v: {to_ms}000000)"),
        ("windowPeriod", f"{INTERVAL_MS}ms"),
    ):
        text = text.replace(f"v.{name}", value)
    return flux_rows(influx, text)


def flux_rows(influx: InfluxServer, text: str) -> list[Row]:
    """Every row of a Flux query; numbers as numbers."""
    body = {"query": text, "type": "flux", "dialect": {"annotations": ["datatype"], "header": True}}
    answer = influx.text("POST", "/api/v2/query", params={"org": ORG}, json=body, headers={"Accept": "application/csv"})
    rows: list[Row] = []
    names: list[str] = []
    kinds: list[str] = []
    for line in csv.reader(io.StringIO(answer)):
        if line and line[0] == "#datatype":
            kinds, names = line[1:], []
        elif line and not names:
            names = line[1:]
        elif line:
            cells = zip(names, kinds, line[1:], strict=True)
            rows.append({name: _value(kind, cell) for name, kind, cell in cells if name not in ("result", "table")})
    assert not any("error" in row for row in rows), rows
    return rows


def _value(kind: str, cell: str) -> Any:  # noqa: ANN401 -- whatever the column holds
    if kind in ("double", "long"):
        return float(cell) if cell else None
    return cell


def asked_through_grafana(
    grafana: GrafanaServer, question: Question, from_ms: int, to_ms: int, **chosen: str | Sequence[str]
) -> list[list[Row]]:
    """Frames as Grafana's own page gets them, each as its fields with name, type, labels and values."""
    query = {
        "refId": "A",
        "datasource": {"type": "influxdb", "uid": question.source},
        "query": filled(question.text, **chosen),
        "rawQuery": True,
        "intervalMs": INTERVAL_MS,
        "maxDataPoints": POINTS,
    }
    if question.alias is not None:
        query |= {"resultFormat": "time_series", "alias": question.alias}
    body = {"queries": [query], "from": str(from_ms), "to": str(to_ms)}
    result = grafana.ask("POST", "/api/ds/query", json=body)["results"]["A"]
    assert "error" not in result, result["error"]
    return [
        [
            {**field, "values": values}
            for field, values in zip(frame["schema"]["fields"], frame["data"]["values"], strict=True)
        ]
        for frame in result["frames"]
    ]


def numbers(question: Question, rows: Sequence[Row]) -> Iterator[tuple[str, float]]:
    """Every number of the rows with its unit; what is called otherwise on the panel has the unit of that name."""
    for row in rows:
        for name, value in row.items():
            if isinstance(value, float | int) and name not in ("time", "_start", "_stop"):
                called = question.alias if question.alias in question.units else name
                yield question.units.get(called or name, question.unit), float(value)
