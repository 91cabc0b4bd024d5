"""The lived week with the rollups of its hours and days, as the roller makes them, and a sender that carries them away.

Nothing here computes a rollup: what is true of these rows is true of a gateway's.
"""

from contextlib import closing
from pathlib import Path

from alerts.build import assemble
from alerts.rollups.rows import DAYS, HOURS
from alerts.rules.over_two_thirds import lines_pct
from gateway import shipped
from gateway.clock import WallClock
from gateway.influx.points import Points
from gateway.influx.sender import Sender
from gateway.influx.server import InfluxOutlet
from gateway.influx.streams import Outflow, Rollups
from gateway.journal.entry import Entry, Rolled
from gateway.journal.rollups import RollupReader
from gateway.rollups.scope import ROLLUPS, RollupScope
from gateway.settings import Influxdb
from gateway.start import known_since
from tests.county_week import HOUR_MS, Week
from tests.rolling import Rolling
from tests.series_line import READY, FileLedger


def rolled(lived: Week, folder: Path) -> Week:
    """The week with its rollups, none of which was sent to anybody."""
    week = lived.copied(folder)
    county, _ = assemble(week.inventory, shipped.policy_files())
    scope = RollupScope.of(week.inventory, county.plans, known_since(week.inventory, {}, week.begins_ms))
    with closing(Rolling(week.journal, scope)) as rolling:
        rolling.turn(week.begins_ms)
        rolling.until_idle(week.ends_ms + HOUR_MS)
    return week


def drain(week: Week, chosen: Influxdb, rolled: tuple[Rolled, ...] = ()) -> FileLedger:
    """A sender for rollups, as the gateway starts it, until there is nothing more; ``rolled`` comes after its start."""
    county, _ = assemble(week.inventory, shipped.policy_files())
    buckets = dict.fromkeys(HOURS, chosen.hourly_bucket) | dict.fromkeys(DAYS, chosen.daily_bucket)
    outflows: tuple[Outflow, ...] = (Rollups(Points(week.inventory, lines_pct(county.plans)), buckets),)
    with closing(Rolling(week.journal, RollupScope.of(week.inventory, county.plans, {}))) as journal:
        ledger = FileLedger(journal.journal)
        outlet = InfluxOutlet(chosen, WallClock())
        sender = Sender(outflows, outlet, ledger, lambda: RollupReader.open(week.journal), READY, pause_s=0.05)
        journal.journal.admit((ROLLUPS, *sender.consumers))
        sender._begin(journal.reader)
        for each in rolled:
            journal.journal.commit(Entry(rolled=[each]))
        while sender.run_once(journal.reader):
            pass
    return ledger
