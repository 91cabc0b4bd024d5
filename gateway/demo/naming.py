"""What a visitor may call the demo's county and its towns. Such a name goes onto the desk, into texts and onto boards.

Checked where it enters (law L11), with a sentence for each fault; nothing here knows what stands in the county.
"""

from collections.abc import Iterator
from typing import Final

from firmware_sim.scenario import PlaceNames

MOST_TOWNS: Final = 4
"""Each brings five villages, and sixty bins are spread over them."""
LONGEST_COUNTY: Final = 8
LONGEST_TOWN: Final = 6
SHORTEST: Final = 2
_HAN: Final = (0x3400, 0x9FFF)
_COMMAS: Final = str.maketrans("，、", ",,")


class NamesFault(ValueError):  # noqa: N818 the visitor's, not ours
    """Names that cannot be the county's; its text has a sentence for each fault."""


def names(county: str | None, towns: str | None) -> PlaceNames:
    """What was given on the command line, checked; what was left open stays invented. Raises ``NamesFault``."""
    listed = () if towns is None else tuple(towns.translate(_COMMAS).split(","))
    said = [] if county is None else list(_faults("--county", county.strip(), LONGEST_COUNTY))
    for town in listed:
        said += _faults("--towns", town.strip(), LONGEST_TOWN)
    if len(listed) > MOST_TOWNS:
        said.append(f"--towns names {len(listed)} towns; the demo has room for {MOST_TOWNS}")
    stripped = tuple(_whole(town.strip()) for town in listed)
    for town in sorted({town for town in stripped if stripped.count(town) > 1}):
        said.append(f"--towns names {town} more than once; each town needs a name of its own")
    if said:
        raise NamesFault("\n".join(said))
    return PlaceNames(towns=stripped) if county is None else PlaceNames(county=county.strip(), towns=stripped)


def _faults(option: str, name: str, longest: int) -> Iterator[str]:
    if not SHORTEST <= len(name) <= longest:
        yield f"{option}: {name[:20]!r} has {len(name)} characters; a name has {SHORTEST} to {longest}"
    elif not all(_HAN[0] <= ord(sign) <= _HAN[1] for sign in name):
        yield f"{option}: {name!r} is not written in Chinese characters alone; write it like 湘阳县 or 石桥镇,竹园乡"


def _whole(town: str) -> str:
    """石桥 is a 镇 as long as nobody says otherwise."""
    return town if town.endswith(("镇", "乡", "街道")) else f"{town}镇"
