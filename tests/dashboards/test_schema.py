"""The classic schema refuses what the SDK's models do not know, wrong types, and what is not there."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from dashboards import committed, schema

Document = dict[str, Any]
BOARD = committed.documents()["bins"]


def broken(deed: Callable[[Document], object]) -> list[str]:
    document = copy.deepcopy(BOARD)
    deed(document)
    return list(schema.faults(document))


@pytest.mark.parametrize(
    ("deed", "says"),
    [
        (lambda board: board.update(elements={}), ".elements: the schema does not know it"),
        (lambda board: board.pop("schemaVersion"), ".schemaVersion: the schema wants it"),
        (lambda board: board.update(title=3), ".title: 3 is not"),
        (lambda board: board.update(tags="cunjing"), ".tags"),
        (lambda board: board["panels"][0].update(nonsense=1), ".panels[0].nonsense: the schema does not know it"),
        (lambda board: board["panels"][0].update(type=7), ".panels[0].type: 7 is not"),
        (lambda board: board["panels"][0]["gridPos"].update(w="8"), "'8' is not int"),
        (lambda board: board["panels"][0]["options"].update(xField=7), "x_field: 7 is not"),
        (lambda board: board["panels"][0]["options"].update(strange=7), ".strange: the schema does not know it"),
        (lambda board: board["panels"][0]["targets"][0].update(policy="x"), ".policy: the schema does not know it"),
        (lambda board: board["panels"][6]["transformations"][0].update(x=1), ".x: the schema does not know it"),
        (lambda board: board["panels"][6].update(transformations=[7]), "7 is not DataTransformerConfig"),
        (lambda board: board["panels"][2]["options"]["legend"].update(placement="up"), "placement: 'up' is not"),
        (
            lambda board: board["panels"][2]["fieldConfig"]["defaults"]["custom"].update(lineWidth="1"),
            "line_width: '1'",
        ),
        (lambda board: board["panels"][2]["fieldConfig"]["defaults"].update(min="0"), "min: '0' is not"),
        (lambda board: board["panels"][2].update(datasource=3), "cannot be read as a classic dashboard"),
        (lambda board: board["templating"]["list"][2].update(multi="yes"), "multi: 'yes' is not"),
        (lambda board: board["annotations"]["list"][0].update(strange=1), ".strange: the schema does not know it"),
    ],
)
def test_what_is_not_of_the_schema_is_found(deed: Callable[[Document], object], says: str) -> None:
    found = broken(deed)
    assert any(says in fault for fault in found), found


def test_a_good_board_has_no_fault() -> None:
    assert broken(lambda _: None) == []
