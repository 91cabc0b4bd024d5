"""What a start makes of inventory, policy files and the journal's memory: a pipeline that goes on where it stopped.

Restoring only. Nothing here decides anything about an alert, and a restart by itself tells nobody (law L6).
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from msgspec.structs import replace

from alerts.alert import unpack_alert
from alerts.answers import Caller
from alerts.build import PolicyFiles, assemble_whole
from alerts.conditions import engine
from alerts.conditions.state import AssetState, unpack
from alerts.conditions.thresholds import Tuned
from alerts.episodes.county import Changes, County
from alerts.ledger.case import unpack_case
from alerts.notify.holds import Ended
from alerts.notify.mailbox import by_number, pack_box, unpack_box
from alerts.operations.absences import Absence
from alerts.operations.extra_rounds import ExtraRound
from gateway.barrier import Barrier, give_up
from gateway.commands import absences, callers, extra_rounds, thresholds
from gateway.commands.command import recall
from gateway.commands.trials import TRIALS
from gateway.imports import FORMER, former_of
from gateway.journal.entry import Entry, InventoryBody
from gateway.journal.marks import PackedUpTo
from gateway.journal.restore import Restored
from gateway.pipeline import LISTED, UNSETTLED, Archive, Pipeline, StartingPoint
from gateway.throttle import STRANGERS
from gateway.tracks import UNTRACKED, Track, followed, unpack_track
from telemetry.inventory import Inventory
from telemetry.inventory.directory import Directory
from telemetry.phone import dialled
from telemetry.reading import Millis, Reading


def known_since(inventory: Inventory, remembered: Mapping[str, Millis], now_ms: Millis) -> dict[str, Millis]:
    """Since when each device is known: its installation or the first sight of it, whichever came later."""
    return {
        device.id: remembered.get(device.id, max(round(device.installed_at.timestamp() * 1000), now_ms))
        for device in inventory.devices.values()
    }


def anew(inventory: Inventory, policy_files: PolicyFiles, archive: Archive, now_ms: Millis) -> Pipeline:
    """A pipeline that remembers nothing. Raises ``PolicyFault``."""
    made = assemble_whole(inventory, policy_files)
    county, known_ms = made.county, known_since(inventory, {}, now_ms)
    county.restore({asset: plan.born(known_ms) for asset, plan in county.plans.items()}, ())
    entry = Entry.under(made.undo)
    entry.known.update(known_ms)
    begins = StartingPoint(entry, Changes.under(made.undo), now_ms)
    return Pipeline(Directory(inventory), made, archive, Barrier(made.undo), begins)


def resumed(  # noqa: PLR0913 -- all that a start knows; what few need is named at the call
    inventory: Inventory,
    policy_files: PolicyFiles,
    archive: Archive,
    restored: Restored,
    now_ms: Millis,
    wait: Callable[[Exception], None] = give_up,
    kind: type[Pipeline] = Pipeline,
    *,
    imported: InventoryBody | None = None,
    calls: bool = False,
) -> Pipeline:
    """A pipeline that goes on from the journal; ``wait`` is its loop's patience. Raises ``PolicyFault``.

    ``imported`` is the inventory's text if it is new to the journal, ``calls`` whether anybody can be called.
    ``kind`` is a port for tests: a line that has a fault on purpose.
    """
    marks = restored.meta
    made = assemble_whole(inventory, policy_files, recall(marks, thresholds.TUNED, list[Tuned]))
    county, ruleset = made.county, made.thresholds.rules.version
    entry, changes = Entry.under(made.undo), Changes.under(made.undo)
    known_ms = known_since(inventory, restored.known, now_ms)
    entry.known.update(known_ms)
    entry.inventory = imported
    renamed = {asset.renamed_from: asset.id for asset in inventory.assets.values() if asset.renamed_from is not None}
    placed = {renamed.get(asset, asset): state for asset, state in restored.states.items()} | {
        asset: restored.states[asset] for asset in county.plans if asset in restored.states
    }
    states = {
        asset: unpack(plan, placed[asset].blob if asset in placed else None, known_ms)
        for asset, plan in county.plans.items()
    }
    tracks = {device: unpack_track(placed.blob) for device, placed in restored.tracks.items()}
    _catch_up(inventory, county, restored, placed, states, tracks, archive)
    alerts = {alert.episode: alert for alert in map(unpack_alert, (row.blob for row in restored.open_alerts))}
    moved = {
        name: replace(alert, asset=renamed[alert.asset]) for name, alert in alerts.items() if alert.asset in renamed
    }
    boxes = [unpack_box(kept) for kept in restored.mailboxes]
    county.restore(
        states,
        (alerts | moved).values(),
        by_number(boxes),
        parameters_changed=restored.ruleset not in ("", ruleset),
    )
    county.unsettled_until_ms = int(marks.get(UNSETTLED, 0))
    for box in boxes:  # what an older version kept by another spelling of a number is kept by one from now on
        if (key := dialled(box.phone)) != box.phone:
            entry.mailboxes.update({box.phone: b"", key: pack_box(county.boxes[key])})
    changes.alerts.update({name: county.alerts[name] for name in moved})
    changes.moved.update({renamed[asset]: None for asset in restored.states if asset in renamed})
    made.trials.restore(recall(marks, TRIALS, list[Ended]))
    made.ledger.restore((unpack_case(row.blob) for row in restored.cases), restored.case_numbers)
    made.ledger.rename(renamed)
    made.ledger.retire(now_ms)
    made.callers.restore(recall(marks, callers.CALLERS, list[Caller]))
    made.absences.restore(recall(marks, absences.ABSENCES, list[Absence]))
    made.extras.restore(recall(marks, extra_rounds.EXTRAS, list[ExtraRound]))
    begins = StartingPoint(entry, changes, int(marks.get(LISTED, now_ms)), now_ms, tracks, calls)
    pipeline = kind(Directory(inventory), made, archive, Barrier(made.undo, wait), begins)
    if inventory.former != former_of(marks.get(FORMER)):
        pipeline.keep(FORMER, inventory.former)
    pipeline.throttle.restore(marks.get(STRANGERS))
    thresholds.tell_unfit(pipeline, now_ms)
    return pipeline


def _catch_up(
    inventory: Inventory,
    county: County,
    restored: Restored,
    placed: Mapping[str, PackedUpTo],
    states: dict[str, AssetState],
    tracks: dict[str, Track],
    archive: Archive,
) -> None:
    """Readings that moved no machine left no state row: what they leave behind follows from the readings."""
    for place, reading in _of_the_living(restored.tail, inventory):
        known = placed.get(reading.asset)
        if known is None or place > known.position:
            plan = county.plans[reading.asset]
            states[reading.asset] = engine.remember(plan, states[reading.asset], reading)
        tracked = restored.tracks.get(reading.device)
        if tracked is None or place > tracked.position:
            interval_ms = inventory.devices[reading.device].interval_s * 1000
            track = tracks.get(reading.device, UNTRACKED)
            before = partial(archive.highest_seq, through=place - 1)
            tracks[reading.device] = followed(track, reading, interval_ms, before)


def _of_the_living(tail: Iterable[tuple[int, Reading]], inventory: Inventory) -> Iterable[tuple[int, Reading]]:
    """Readings of devices that are still on the asset on which they were taken, whatever it is called by now."""
    for place, reading in tail:
        device = inventory.devices.get(reading.device)
        if device is None:
            continue
        if device.asset == reading.asset:
            yield place, reading
        elif inventory.assets[device.asset].renamed_from == reading.asset:
            yield place, replace(reading, asset=device.asset)
