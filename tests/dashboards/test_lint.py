"""Each law of the lint is broken once and found; a good board has no fault."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from dashboards import committed, lint

Document = dict[str, Any]
BOARD = committed.documents()["county"]


def broken(deed: Callable[[Document], object]) -> list[str]:
    document = copy.deepcopy(BOARD)
    deed(document)
    return list(lint.faults(document))


def of_type(document: Document, kind: str) -> Document:
    found: Document = next(panel for panel in document["panels"] if panel["type"] == kind)
    return found


def variable(document: Document, name: str) -> Document:
    found: Document = next(each for each in document["templating"]["list"] if each["name"] == name)
    return found


def test_a_good_board_has_no_fault() -> None:
    assert broken(lambda _: None) == []


@pytest.mark.parametrize(
    ("deed", "says"),
    [
        (lambda board: board.update(elements={}), "the keys elements of Grafana's newer format"),
        (lambda board: board.update(apiVersion="v2", spec={}), "the keys apiVersion, spec of"),
        (lambda board: board.update(id=3), "it has a numeric id"),
        (lambda board: board.update(uid="x"), "its uid is 'x'"),
        (lambda board: board.update(title=""), "it has no title"),
        (lambda board: board.update(schemaVersion=36), "its schemaVersion is 36"),
        (lambda board: board.update(timezone="browser"), "its timezone is 'browser'"),
        (lambda board: board.update(weekStart=""), "its weekStart is ''"),
        (lambda board: board.update(refresh=""), "it has no refresh"),
        (lambda board: board["panels"][1].update(id=1), "each panel needs a number of its own"),
        (lambda board: board["panels"][1].pop("id"), "each panel needs a number of its own"),
        (lambda board: board["panels"].extend(board["panels"]), "panels; 12 are as many"),
        (lambda board: board["panels"][0].update(title=""), "panel 1: it has no title"),
        (lambda board: board["panels"][0].update(description=""), "nothing says what it shows"),
        (lambda board: board["panels"][0]["gridPos"].update(x=20), "outside the grid"),
        (lambda board: board["panels"][1]["gridPos"].update(x=0), "lie over each other"),
        (lambda board: board["panels"][0].update(targets=[]), "it asks nothing"),
        (lambda board: board["panels"][0]["targets"][0].update(query=" "), "a query is empty"),
        (lambda board: board["panels"][0]["targets"].append(board["panels"][0]["targets"][0]), "each needs a name"),
        (lambda board: board["panels"][0].update(datasource={"uid": "3"}), "one a panel"),
        (lambda board: board["panels"][0].update(datasource="InfluxDB"), "one a panel"),
        (lambda board: board["panels"][0]["targets"][0].update(datasource=3), "asks the data source 3"),
        (lambda board: board["panels"][0]["targets"][0].update(query="${town}"), "${town} without a format"),
        (lambda board: board["panels"][0]["targets"][0].update(query="${x:raw}"), "the board has no such variable"),
        (lambda board: board["panels"][0]["fieldConfig"]["defaults"].update(unit=""), "its values have no unit"),
        (
            lambda board: board["panels"][0]["fieldConfig"]["overrides"][0]["properties"][1].update(value=""),
            "column 'sites' has an empty unit",
        ),
        (lambda board: variable(board, "bucket").update(hide=0), "a constant is hidden"),
        (lambda board: variable(board, "town").update(label=""), "people would see no name"),
        (lambda board: variable(board, "town").update(datasource={"uid": "x"}), "asks the unknown data source 'x'"),
        (lambda board: variable(board, "town").update(type="adhoc"), "a variable of type 'adhoc'"),
        (lambda board: board["annotations"]["list"][1].update(datasource={"uid": "x"}), "asks the unknown data source"),
        (lambda board: of_type(board, "geomap")["options"]["basemap"].update(type=""), "may fetch tiles"),
        (lambda board: of_type(board, "geomap")["options"]["layers"][0].update(type="xyz"), "may fetch tiles"),
        (
            lambda board: of_type(board, "geomap")["options"]["basemap"]["config"].update(src="https://x/y"),
            "it names another server",
        ),
        (lambda board: board["panels"][0].update(title="Now"), "people would read 'Now'"),
        (lambda board: board.update(description="about"), "people would read 'about'"),
        (lambda board: variable(board, "town").update(label="Town"), "people would read 'Town'"),
        (lambda board: board["annotations"]["list"][1].update(name="Alerts"), "people would read 'Alerts'"),
        (lambda board: board["links"][0].update(title="Others"), "people would read 'Others'"),
        (
            lambda board: board["panels"][0]["fieldConfig"]["defaults"].update(noValue="No data"),
            "people would read 'No data'",
        ),
        (
            lambda board: board["panels"][0]["fieldConfig"]["overrides"][0]["properties"][0].update(value="Sites"),
            "people would read 'Sites'",
        ),
        (lambda board: board["panels"][6]["targets"][0].update(alias="points"), "people would read 'points'"),
    ],
)
def test_a_fault_is_found_and_said(deed: Callable[[Document], object], says: str) -> None:
    found = broken(deed)
    assert any(says in fault for fault in found), found
