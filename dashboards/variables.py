"""What can be chosen on a board, 乡镇 → 村 → 资产, and the hidden constants that an installation fills in.

People see names, questions get ids: each answer is both in one text, taken apart by named groups.
"""

from collections.abc import Sequence
from typing import Final

from grafana_foundation_sdk.models import common, dashboard

from dashboards.queries import names
from dashboards.queries.language import ASSET, BUCKET, TOWN, VILLAGE, Flux
from dashboards.sources import FLUX, KIND
from telemetry.terms import AssetKind

DESK_NAME: Final = "desk"
DESK: Final = f"${{{DESK_NAME}:raw}}"
"""Where the desk is for people's browsers."""
DESK_DEFAULT: Final = "http://127.0.0.1:8080"
BUCKET_DEFAULT: Final = "telemetry"
ALL: Final = ".*"
"""What stands for all of them in a question: a list of thousands would be longer than a request may be."""


def constants() -> list[dashboard.VariableModel]:
    """The two that every board has."""
    return [_constant(DESK_NAME, DESK_DEFAULT), _constant(BUCKET, BUCKET_DEFAULT)]


def town() -> dashboard.VariableModel:
    """乡镇."""
    return _choice(TOWN, "乡镇", names.towns())


def village() -> dashboard.VariableModel:
    """村, of the chosen towns."""
    return _choice(VILLAGE, "村", names.villages())


def asset(label: str, kinds: Sequence[AssetKind]) -> dashboard.VariableModel:
    """资产, of the chosen villages."""
    return _choice(ASSET, label, names.assets(*kinds))


def _choice(name: str, label: str, query: Flux) -> dashboard.VariableModel:
    return dashboard.VariableModel(
        type_val=dashboard.VariableType.QUERY,
        name=name,
        label=label,
        hide=dashboard.VariableHide.DONT_HIDE,
        query=query.text,
        definition=query.text,
        datasource=common.DataSourceRef(type_val=KIND, uid=FLUX),
        regex=names.CHOICE,
        refresh=dashboard.VariableRefresh.ON_DASHBOARD_LOAD,
        sort=dashboard.VariableSort.NATURAL_ASC,
        multi=True,
        include_all=True,
        all_value=ALL,
        current=dashboard.VariableOption(selected=True, text=["全部"], value=["$__all"]),
        options=[],
    )


def _constant(name: str, value: str) -> dashboard.VariableModel:
    option = dashboard.VariableOption(selected=True, text=value, value=value)
    return dashboard.VariableModel(
        type_val=dashboard.VariableType.CONSTANT,
        name=name,
        label=name,
        hide=dashboard.VariableHide.HIDE_VARIABLE,
        skip_url_sync=True,
        query=value,
        current=option,
        options=[option],
    )
