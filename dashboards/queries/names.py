"""What ids are called: the streams that other questions join, and what the boards' variables list.

The latest instant of the measurement ``asset`` names exactly what there is; what was retired is not in it.
"""

from typing import Final

from dashboards.queries.language import (
    DAILY,
    EVER,
    NO_ASSET,
    NO_DEVICE,
    TOWN,
    VILLAGE,
    Flux,
    flux,
    keep,
    let,
    pipe,
    points,
    rename,
    sort,
)
from telemetry.series import NONE, Measurement
from telemetry.terms import Kind

THERE: Final = "\n".join(
    (
        'import "array"',
        'import "date"',
        let(
            "imported",
            points(DAILY, Measurement.ASSET, "kind", since=EVER, chosen=()),
            f'filter(fn: (r) => {NO_ASSET} and r.town == "{NONE}")',
            "last()",
            'findColumn(fn: (key) => true, column: "_time")',
        ),
        "newest = if length(arr: imported) == 0 then date.sub(d: 1s, from: now()) else imported[0]",
        let("there", points(DAILY, Measurement.ASSET, since="newest", chosen=())),
    )
)
"""``there``: every point of the newest import. It opens a question, for it imports."""


def _area_names(stream: str, tag: str, where: str, none: str) -> str:
    """Names of areas under ``tag``, and one for what belongs to none of them, so that no join loses it."""
    named = pipe(
        f'there |> filter(fn: (r) => r._field == "name" and {NO_ASSET} and {where})',
        keep(tag, "_value"),
        rename(_value=f"{tag}_name"),
    )
    return let(stream, f'union(tables: [{named}, array.from(rows: [{{{tag}: "{NONE}", {tag}_name: "{none}"}}])])')


ASSET_NAMES: Final = let(
    "assets",
    f'there |> filter(fn: (r) => r._field == "name" and r.asset != "{NONE}" and {NO_DEVICE})',
    keep("asset", "_value"),
    rename(_value="name"),
)
VILLAGE_NAMES: Final = _area_names("villages", VILLAGE, f'r.village != "{NONE}"', "镇区")
TOWN_NAMES: Final = _area_names("towns", TOWN, f'r.village == "{NONE}" and r.town != "{NONE}"', "县直")

CHOICE: Final = r"/^(?<text>.*)\|(?<value>.*)$/"
"""How a variable takes apart what its question answers: people read the text, questions get the value."""


def towns() -> Flux:
    """Every town."""
    return flux(
        THERE,
        let(
            "towns",
            f'there |> filter(fn: (r) => r._field == "name" and {NO_ASSET}'
            f' and r.village == "{NONE}" and r.town != "{NONE}")',
            keep("town", "_value"),
        ),
        _choices("towns", "_value", "town"),
    )


def villages() -> Flux:
    """Every village of the chosen towns."""
    return flux(
        THERE,
        let(
            "villages",
            f'there |> filter(fn: (r) => r._field == "name" and {NO_ASSET} and r.village != "{NONE}"'
            f" and {_chosen(TOWN)})",
            keep("village", "_value"),
        ),
        _choices("villages", "_value", "village"),
    )


def assets(*kinds: Kind) -> Flux:
    """Every asset of these kinds in the chosen villages."""
    wanted = " or ".join(f'r.kind == "{kind}"' for kind in kinds)
    return flux(
        THERE,
        let(
            "found",
            f'there |> filter(fn: (r) => (r._field == "name" or r._field == "kind") and r.asset != "{NONE}"'
            f" and {NO_DEVICE} and {_chosen(TOWN)} and {_chosen(VILLAGE)})",
            'pivot(rowKey: ["asset"], columnKey: ["_field"], valueColumn: "_value")',
            "group()",
            f"filter(fn: (r) => {wanted})",
        ),
        _choices("found", "name", "asset"),
    )


def _chosen(tag: str) -> str:
    return f"r.{tag} =~ /^${{{tag}:regex}}$/"


def _choices(stream: str, text: str, value: str) -> str:
    return pipe(
        stream,
        f'map(fn: (r) => ({{_value: r.{text} + "|" + r.{value}}}))',
        sort("_value"),
    )
