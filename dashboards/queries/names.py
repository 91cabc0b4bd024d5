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
    group,
    joined,
    keep,
    let,
    pipe,
    points,
    rename,
    sort,
    union,
)
from telemetry.series import NONE, Measurement
from telemetry.terms import AssetKind

NEWEST: Final = "\n".join(
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
    )
)
"""``newest``: the instant of the newest import. It opens a question, for it imports."""


def there(*fields: str, where: str, chosen: tuple[str, ...] = ()) -> str:
    """What the newest import says, as often as it is needed: streams that share a source wait for each other."""
    return pipe(points(DAILY, Measurement.ASSET, *fields, since="newest", chosen=chosen), f"filter(fn: (r) => {where})")


OF_ASSETS: Final = f'r.asset != "{NONE}" and {NO_DEVICE}'
OF_VILLAGES: Final = f'{NO_ASSET} and r.village != "{NONE}"'
OF_TOWNS: Final = f'{NO_ASSET} and r.village == "{NONE}" and r.town != "{NONE}"'


def _area_names(stream: str, tag: str, where: str, none: str) -> str:
    """Names of areas under ``tag``, and one for what belongs to none of them, so that no join loses it."""
    named = pipe(there("name", where=where), keep(tag, "_value"), rename(_value=f"{tag}_name"))
    return let(stream, union(named, f'array.from(rows: [{{{tag}: "{NONE}", {tag}_name: "{none}"}}])'))


ASSET_NAMES: Final = let("assets", there("name", where=OF_ASSETS), keep("asset", "_value"), rename(_value="name"))
PLANT_NAMES: Final = let(
    "assets",
    there("name", "kind", where=OF_ASSETS),
    "group()",
    'pivot(rowKey: ["asset"], columnKey: ["_field"], valueColumn: "_value")',
    f'filter(fn: (r) => r.kind == "{AssetKind.PLANT}")',
    'keep(columns: ["asset", "name"])',
)
"""The same of plants alone: there are few, and joining with few is quick."""
VILLAGE_NAMES: Final = _area_names("villages", VILLAGE, OF_VILLAGES, "镇区")
TOWN_NAMES: Final = _area_names("towns", TOWN, OF_TOWNS, "县直")

BY_TOWN: Final = pipe(
    joined("found", "towns", "town"),
    group("town_name"),
    'keep(columns: ["_time", "_value", "town_name"])',
    sort("_time"),
)
"""One series a town of what was ``found``, under its name."""

CHOICE: Final = r"/^(?<text>.*)\|(?<value>.*)$/"
"""How a variable takes apart what its question answers: people read the text, questions get the value."""


def towns() -> Flux:
    """Every town."""
    return flux(NEWEST, let("found", there("name", where=OF_TOWNS), keep("town", "_value")), _choices("_value", "town"))


def villages() -> Flux:
    """Every village of the chosen towns."""
    found = there("name", where=OF_VILLAGES, chosen=(TOWN,))
    return flux(NEWEST, let("found", found, keep("village", "_value")), _choices("_value", "village"))


def assets(*kinds: AssetKind) -> Flux:
    """Every asset of these kinds in the chosen villages."""
    wanted = " or ".join(f'r.kind == "{kind}"' for kind in kinds)
    return flux(
        NEWEST,
        let(
            "found",
            there("name", "kind", where=OF_ASSETS, chosen=(TOWN, VILLAGE)),
            "group()",
            'pivot(rowKey: ["asset"], columnKey: ["_field"], valueColumn: "_value")',
            f"filter(fn: (r) => {wanted})",
        ),
        _choices("name", "asset"),
    )


def _choices(text: str, value: str) -> str:
    return pipe("found", f'map(fn: (r) => ({{_value: r.{text} + "|" + r.{value}}}))', sort("_value"))
