"""What a board is, and how it becomes the classic JSON that Grafana 10 to 13 take: ids, places, variables, annotations.

The text is the same every time it is made, so that two of them can be compared.
"""

import json
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Final

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common, dashboard

from dashboards.annotations import TAG
from dashboards.asking import Target, target
from dashboards.queries.language import Query
from dashboards.sources import FLUX, GRAFANA, KIND
from dashboards.variables import constants

COLUMNS: Final = 24
"""How wide Grafana's grid is."""


@dataclass(frozen=True)
class PlacedPanel:
    """A panel and the room it takes; the next one stands right of it, or below where there is no room."""

    panel: dashboard.Panel
    width: int
    height: int


@dataclass(frozen=True)
class Note:
    """A question whose answers are drawn across the curves."""

    name: str
    query: Query
    color: str


@dataclass(frozen=True)
class Board:
    """A board: what it is called in links and by people, what can be chosen on it, and what it shows."""

    uid: str
    title: str
    about: str
    panels: Sequence[PlacedPanel]
    variables: Sequence[dashboard.VariableModel]
    since: str
    refresh: str
    notes: Sequence[Note] = ()
    episodes: bool = True
    """Whether episodes of P1 and P2 are drawn across it."""


def classic(board: Board) -> str:
    """The board as the text of its file."""
    made = dashboard.Dashboard(
        uid=board.uid,
        title=board.title,
        description=board.about,
        tags=[TAG],
        timezone="Asia/Shanghai",
        week_start="monday",
        editable=True,
        graph_tooltip=dashboard.DashboardCursorSync.CROSSHAIR,
        time=dashboard.DashboardDashboardTime(from_val=board.since, to="now"),
        timepicker=dashboard.TimePickerConfig(refresh_intervals=["1m", "5m", "15m", "1h"]),
        refresh=board.refresh,
        templating=dashboard.DashboardDashboardTemplating(list_val=[*constants(), *board.variables]),
        annotations=dashboard.AnnotationContainer(list_val=_annotations(board)),
        links=[
            dashboard.DashboardLink(
                title="其他看板",
                type_val=dashboard.DashboardLinkType.DASHBOARDS,
                tags=[TAG],
                as_dropdown=True,
                include_vars=True,
            )
        ],
        panels=list(_placed(board.panels)),
    )
    return json.dumps(made, cls=JSONEncoder, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def _placed(panels: Sequence[PlacedPanel]) -> list[dashboard.Panel | dashboard.RowPanel]:
    found: list[dashboard.Panel | dashboard.RowPanel] = []
    x = y = tallest = 0
    for number, each in enumerate(panels, start=1):
        if x + each.width > COLUMNS:
            x, y, tallest = 0, y + tallest, 0
        panel = deepcopy(each.panel)
        panel.id_val = number
        panel.grid_pos = dashboard.GridPos(h=each.height, w=each.width, x=x, y=y)
        found.append(panel)
        x, tallest = x + each.width, max(tallest, each.height)
    return found


class _Tagged(Target):
    """Grafana's own annotations, found by tags; the SDK has no query of that source."""

    def __init__(self, *tags: str) -> None:
        super().__init__("Anno", GRAFANA, "")
        self.tags = tags

    def to_json(self) -> dict[str, object]:
        """As in the classic JSON."""
        return {"limit": 500, "matchAny": False, "tags": list(self.tags), "type": "tags"}


def _annotations(board: Board) -> list[dashboard.AnnotationQuery]:
    """The built-in query in our words, so that Grafana adds none in its own; episodes; and the board's notes."""
    own = common.DataSourceRef(type_val="grafana", uid=GRAFANA)
    found = [
        dashboard.AnnotationQuery(
            name="本板标注", datasource=own, enable=True, hide=True, icon_color="blue", built_in=1, type_val="dashboard"
        )
    ]
    if board.episodes:
        found.append(
            dashboard.AnnotationQuery(
                name="一二级告警", datasource=own, enable=True, icon_color="red", target=_Tagged(TAG)
            )
        )
    found += [
        dashboard.AnnotationQuery(
            name=note.name,
            datasource=common.DataSourceRef(type_val=KIND, uid=FLUX),
            enable=True,
            icon_color=note.color,
            target=target(note.query, "Anno"),
        )
        for note in board.notes
    ]
    return found
