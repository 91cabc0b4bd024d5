"""Whose rollups there are: every asset with a device, every town with sites, and the county's clock. Values only."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Final, TypeVar

from alerts.calendars import Calendar
from alerts.conditions.state import Plan
from alerts.rollups.assets import Followed
from alerts.rollups.hours import scored_sites
from alerts.rollups.rows import Day, day_at, hour_at
from gateway.journal.entry import Consumer, Stream
from telemetry.inventory import Inventory
from telemetry.reading import Millis

T = TypeVar("T")

ROLLUPS: Final = Consumer("rollups", Stream.READING)
"""Under this name readings are kept until their hour is rolled up."""


@dataclass(frozen=True)
class RollupScope:
    """The assets that are followed, the sites of each town, and the calendar."""

    followed: dict[str, Followed]
    towns: Mapping[str, frozenset[str]]
    calendar: Calendar

    @classmethod
    def of(cls, inventory: Inventory, plans: Mapping[str, Plan], known_ms: Mapping[str, Millis]) -> "RollupScope":
        """The scope of a county; an asset without a device has nothing to say."""
        followed = {asset: Followed(plan, known_ms) for asset, plan in sorted(plans.items()) if plan.devices}
        return cls(followed, scored_sites(inventory), Calendar.of(inventory.county))

    def replan(self, plans: Mapping[str, Plan]) -> None:
        """Parameters are others from now on; hours that are rolled up already stay as they are."""
        self.followed.update(
            (asset, Followed(plan, self.followed[asset].known_ms))
            for asset, plan in plans.items()
            if asset in self.followed
        )

    @cached_property
    def town_of(self) -> Mapping[str, str]:
        """The town for which a site counts."""
        return {site: town for town, sites in self.towns.items() for site in sites}

    def day(self, at_ms: Millis) -> Day:
        """The day to which a reading or an hour belongs."""
        return day_at(self.calendar, hour_at(at_ms).start_ms)

    def day_standing_at(self, midnight_ms: Millis) -> Day:
        """The day whose rows stand there."""
        return day_at(self.calendar, midnight_ms)

    def next_day(self, day: Day) -> Day:
        """The day after."""
        return self.day(day.hours.end_ms)


def chunks(items: Sequence[T], size: int) -> Iterator[tuple[T, ...]]:
    """The items in their order, so many at a time."""
    left = iter(items)
    while chunk := tuple(islice(left, size)):
        yield chunk
