"""What our own boards are held to beyond Grafana's schema; each fault is a sentence. It reads parsed JSON and no SDK.

Some of it is what Grafana 13 refuses and 10 lets pass: numeric ids, and keys of its newer format in the classic one.
"""

import json
import re
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any, Final

from dashboards.sources import FLUX, GRAFANA, INFLUXQL

Document = dict[str, Any]

NEWER_KEYS: Final = frozenset({"apiVersion", "kind", "metadata", "spec", "status", "elements", "layout"})
"""Keys by which Grafana 13 takes a document for its newer format, and refuses it on the classic routes."""
SOURCES: Final = frozenset({FLUX, INFLUXQL})
LEAST_SCHEMA: Final = 41
MOST_PANELS: Final = 12
COLUMNS: Final = 24
WITHOUT_UNIT: Final = frozenset({"text", "geomap"})
DRAWN_FROM_HERE: Final = frozenset({"geojson", "markers"})
"""Layers of a map that fetch nothing from another server, as long as their source is a path."""

_REMOTE: Final = re.compile(r"\b(?:https?:)?//(?!127\.0\.0\.1)")
_USED: Final = re.compile(r"\$\{(\w+)(?::(\w+))?\}")
_LATIN: Final = re.compile(r"[A-Za-z]+")
_UNIT_LETTERS: Final = re.compile(r"\$\{[^}]*\}")


def faults(document: Document) -> Iterator[str]:
    """Every fault of a board; none of a good one."""
    yield from _head(document)
    names = {variable.get("name") for variable in document.get("templating", {}).get("list", [])}
    panels = document.get("panels", [])
    ids = [panel.get("id") for panel in panels]
    if len(set(ids)) != len(ids) or not all(isinstance(each, int) and each > 0 for each in ids):
        yield f"panel ids are {ids}; each panel needs a number of its own"
    if len(panels) > MOST_PANELS:
        yield f"it has {len(panels)} panels; {MOST_PANELS} are as many as a person takes in"
    for panel in panels:
        yield from (f"panel {panel.get('title') or panel.get('id')!r}: {fault}" for fault in _panel(panel, names))
    for one, other in combinations(panels, 2):
        if _overlap(one["gridPos"], other["gridPos"]):
            yield f"panels {one['title']!r} and {other['title']!r} lie over each other"
    for variable in document.get("templating", {}).get("list", []):
        yield from (f"variable {variable.get('name')!r}: {fault}" for fault in _variable(variable, names))
    for note in document.get("annotations", {}).get("list", []):
        uid = _uid(note)
        if uid not in SOURCES | {GRAFANA}:
            yield f"annotation {note.get('name')!r} asks the unknown data source {uid!r}"
    yield from (f"people would read {text!r}: words on a board are Chinese" for text in _foreign(document))
    for url in _REMOTE.findall(json.dumps(document)):
        yield f"it names another server ({url}…); a board fetches nothing from outside"


def _head(document: Document) -> Iterator[str]:
    newer, uid = sorted(NEWER_KEYS & document.keys()), str(document.get("uid", ""))
    fixed = (("timezone", "Asia/Shanghai"), ("weekStart", "monday"))
    wrong = (
        (newer, f"it has the keys {', '.join(newer)} of Grafana's newer format, which classic routes refuse"),
        (document.get("id") is not None, "it has a numeric id; only the uid names a board"),
        (
            not re.fullmatch(r"cunjing-[a-z-]{1,30}", uid),
            f"its uid is {document.get('uid')!r}; it is cunjing- and a word",
        ),
        (not document.get("title"), "it has no title"),
        (
            int(document.get("schemaVersion", 0)) < LEAST_SCHEMA,
            f"its schemaVersion is {document.get('schemaVersion')}; the SDK of another epoch was at work",
        ),
        *(
            (document.get(key) != wanted, f"its {key} is {document.get(key)!r}, and {wanted!r} is meant")
            for key, wanted in fixed
        ),
        (not document.get("refresh"), "it has no refresh"),
    )
    yield from (fault for is_so, fault in wrong if is_so)


def _panel(panel: Document, names: set[str]) -> Iterator[str]:
    if not panel.get("title"):
        yield "it has no title"
    place = panel.get("gridPos", {})
    if not 0 <= place.get("x", -1) <= COLUMNS - place.get("w", COLUMNS + 1):
        yield f"it stands at {place}, outside the grid"
    if panel.get("type") != "text":
        yield from _shows(panel)
        yield from _targets(panel, names)
    if panel.get("type") == "geomap":
        yield from _map(panel["options"])


def _shows(panel: Document) -> Iterator[str]:
    if not panel.get("description"):
        yield "nothing says what it shows"
    config = panel.get("fieldConfig", {})
    if panel["type"] not in WITHOUT_UNIT and not config.get("defaults", {}).get("unit"):
        yield "its values have no unit"
    for override in config.get("overrides", []):
        if any(each["id"] == "unit" and not each["value"] for each in override["properties"]):
            yield f"column {override['matcher']['options']!r} has an empty unit"


def _targets(panel: Document, names: set[str]) -> Iterator[str]:
    targets = panel.get("targets", [])
    if not targets:
        yield "it asks nothing"
    refs = [target.get("refId") for target in targets]
    if len(set(refs)) != len(refs):
        yield f"its targets are called {refs}; each needs a name of its own"
    for target in targets:
        if _uid(target) not in SOURCES or _uid(target) != _uid(panel):
            yield f"it asks the data source {_uid(target)!r}; known are {', '.join(sorted(SOURCES))}, one a panel"
        yield from _asks(target.get("query", ""), names)


def _variable(variable: Document, names: set[str]) -> Iterator[str]:
    match variable.get("type"):
        case "constant":
            if variable.get("hide") != 2:  # noqa: PLR2004 -- Grafana's number for a variable that is not shown
                yield "a constant is hidden"
        case "query":
            if _uid(variable) not in SOURCES:
                yield f"it asks the unknown data source {_uid(variable)!r}"
            if not variable.get("label"):
                yield "people would see no name"
            yield from _asks(variable.get("query", ""), names)
        case kind:
            yield f"a variable of type {kind!r} is not used here"


def _asks(query: object, names: set[str]) -> Iterator[str]:
    if not isinstance(query, str) or not query.strip():
        yield "a query is empty"
        return
    for name, style in _USED.findall(query):
        if name not in names:
            yield f"a query uses ${{{name}}}, and the board has no such variable"
        if not style:
            yield f"a query uses ${{{name}}} without a format, which is filled in differently from version to version"


def _map(options: Document) -> Iterator[str]:
    for layer in (options["basemap"], *options["layers"]):
        if layer.get("type") not in DRAWN_FROM_HERE:
            yield f"the layer {layer.get('name')!r} of type {layer.get('type')!r} may fetch tiles from another server"


def _uid(asking: Mapping[str, Any]) -> object:
    source = asking.get("datasource")
    return source.get("uid") if isinstance(source, dict) else source


def _overlap(one: Document, other: Document) -> bool:
    return bool(
        one["x"] < other["x"] + other["w"]
        and other["x"] < one["x"] + one["w"]
        and one["y"] < other["y"] + other["h"]
        and other["y"] < one["y"] + one["h"]
    )


def _foreign(document: Document) -> Iterator[str]:
    """Words that people read and that are in Latin letters; what stands in ``${…}`` is a name of ours."""
    for text in _read_by_people(document):
        if _LATIN.search(_UNIT_LETTERS.sub("", text)):
            yield text


def _read_by_people(document: Document) -> Iterator[str]:
    yield document.get("title", "")
    yield document.get("description", "")
    for each in (*document.get("links", []), *document.get("annotations", {}).get("list", [])):
        yield each.get("title") or each.get("name", "")
    for variable in document.get("templating", {}).get("list", []):
        if variable.get("type") != "constant":
            yield variable.get("label", "")
    for panel in document.get("panels", []):
        yield panel.get("title", "")
        yield panel.get("description", "")
        if panel.get("type") == "text":
            yield panel["options"]["content"]
        config = panel.get("fieldConfig", {})
        yield config.get("defaults", {}).get("noValue", "")
        yield from (target.get("alias", "") for target in panel.get("targets", []) if not _is_renamed(target, config))
        yield from _mapped(config.get("defaults", {}).get("mappings", []))
        for override in config.get("overrides", []):
            for each in override["properties"]:
                if each["id"] == "displayName":
                    yield each["value"]
                elif each["id"] == "mappings":
                    yield from _mapped(each["value"])


def _is_renamed(target: Document, config: Document) -> bool:
    """Whether its series are called by another name on the panel."""
    renamed = {
        override["matcher"]["options"]
        for override in config.get("overrides", [])
        if any(each["id"] == "displayName" for each in override["properties"])
    }
    return target.get("alias") in renamed or target.get("alias") == "$col"


def _mapped(mappings: list[Document]) -> Iterator[str]:
    for mapping in mappings:
        yield from (result.get("text", "") for result in mapping.get("options", {}).values())
