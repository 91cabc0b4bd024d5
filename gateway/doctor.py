"""What ``cunjing doctor`` asks of an installation, from outside: it opens, reads and connects, and changes nothing.

It runs beside a living gateway and without one. What is wrong comes back as a state with its remedy, never raised.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Final, NamedTuple

from alerts.build import assemble
from alerts.calendars import iso
from alerts.policy import PolicyFault
from gateway import client, lines, shipped
from gateway.clock import monotonic_s
from gateway.health import Part
from gateway.imports import in_force, read
from gateway.journal.database import JournalUnavailable, Problem
from gateway.journal.place import size_bytes
from gateway.journal.reader import JournalReader
from gateway.journal.retention import Pressure, pressure_at
from gateway.mqtt.visitor import Unwelcome, Visitor
from gateway.settings import Mqtt, Settings, SettingsFault
from telemetry.inventory.faults import FaultSeverity
from telemetry.reading import Millis

MEGABYTE: Final = 1 << 20
LEAST_FREE_BYTES: Final = 512 * MEGABYTE
FIRST_PLAUSIBLE_MS: Final = 1_767_225_600_000  # 2026-01-01T00:00:00Z: before it, this program was not written
LAST_PLAUSIBLE_MS: Final = 2_713_910_400_000  # 2056-01-01T00:00:00Z
_ARRIVED_WITHIN_S: Final = 15.0
_NAMED_WITHIN_S: Final = 1.0
"""How long a broker that let us in has to say which version it is."""


class Diagnosis(NamedTuple):
    """One part of the installation and how it is."""

    name: str
    part: Part


def examined(settings: Settings, now_ms: Millis) -> Iterator[Diagnosis]:
    """Every part in turn, as soon as it is known."""
    yield Diagnosis("broker", broker(settings.mqtt))
    yield Diagnosis("journal", journal(settings))
    for part in lines.examined(settings):
        yield Diagnosis("texts", part)
    for part in inventory(settings):
        yield Diagnosis("inventory", part)
    yield Diagnosis("clock", clock(now_ms))
    yield Diagnosis("disk", disk(settings.journal.path))
    if settings.influxdb is not None:
        from gateway.influx.bootstrap import inspected  # noqa: PLC0415 its library takes long, and few need it

        for part in inspected(settings.influxdb, now_ms / 1_000):
            yield Diagnosis("influxdb", part)
    if settings.grafana is not None:
        for part in grafana(settings):
            yield Diagnosis("grafana", part)
    yield Diagnosis("gateway", running(settings))


def broker(settings: Mqtt) -> Part:
    """Whether it lets us in and grants the topics, under a name that is not the gateway's."""
    visitor = Visitor(settings, "doctor")
    ends_s = monotonic_s() + _ARRIVED_WITHIN_S
    try:
        while not visitor.is_in and monotonic_s() < ends_s:
            visitor.wait(_NAMED_WITHIN_S)
        ends_s = monotonic_s() + _NAMED_WITHIN_S
        while visitor.is_in and monotonic_s() < ends_s:
            visitor.wait(_NAMED_WITHIN_S)
        found = visitor.part
    except Unwelcome as unwelcome:
        found = unwelcome.part
    finally:
        visitor.leave()
    return found


def journal(settings: Settings) -> Part:
    """Whether it can be opened, is whole, and has room."""
    path = settings.journal.path
    try:
        with closing(JournalReader.open(path)) as reader:
            damage = reader.damage()
    except JournalUnavailable as trouble:
        if trouble.problem is not Problem.MISSING:
            return Part(ready=False, state=str(trouble))
        blocked = _blocked(path.parent, "name another [journal] path")
        return blocked or Part(ready=True, state=f"{path} is not there yet; the gateway makes it when it starts")
    if damage:
        remedy = "keep a copy of it, then restore a backup or move it away to start anew"
        return Part(ready=False, state=f"{path} is damaged: {damage[0]}", remedy=remedy)
    return _blocked(path.parent, "name another [journal] path") or _filled(settings)


def inventory(settings: Settings) -> Iterator[Part]:
    """Its faults one by one, or that it can be used together with rules, escalation and texts."""
    path, note = settings.inventory.path, ""
    try:
        _, (county, faults) = read(path)
        for fault in faults:
            yield Part(ready=fault.severity is FaultSeverity.WARNING, state=str(fault))
        if county is None:
            return
        assemble(county, shipped.policy_files(settings.alerts))
    except (SettingsFault, PolicyFault) as fault:
        yield Part(ready=False, state=str(fault))
        return
    with suppress(JournalUnavailable):  # the journal has its own line
        note = in_force(path, settings.journal.path).note
    size = f"{len(county.assets)} assets, {len(county.devices)} devices, {len(county.people)} people"
    yield Part(ready=True, state=f"{path}: {size}; rules, escalation and texts fit", notes=(note,) if note else ())


def clock(now_ms: Millis) -> Part:
    """Whether the machine's clock can be right; whether it is, only NTP knows."""
    if FIRST_PLAUSIBLE_MS <= now_ms < LAST_PLAUSIBLE_MS:
        return Part(ready=True, state=f"it is {iso(now_ms)}")
    return Part(
        ready=False,
        state=f"the machine's clock says {iso(now_ms)}, which cannot be",
        remedy="set it, and let NTP keep it: deadlines and duty hours follow it",
    )


def disk(path: Path) -> Part:
    """Whether there is room where the journal lies."""
    folder = _standing(path.parent)
    free = shutil.disk_usage(folder).free
    state = f"{free // MEGABYTE} MB are free at {folder}"
    if free >= LEAST_FREE_BYTES:
        return Part(ready=True, state=state)
    return Part(ready=False, state=state, remedy="free space: when the disk is full, nothing is acknowledged any more")


def grafana(settings: Settings) -> Iterator[Part]:
    """Whether it lets us, reads InfluxDB, and has the boards as they were pushed."""
    from dashboards import inspection, push  # noqa: PLC0415 its library takes long, and few need it
    from gateway import boards  # noqa: PLC0415 the same

    try:
        ours, here = push.Grafana(boards.entrance(settings)), boards.installation(settings)
    except SettingsFault as fault:
        yield Part(ready=False, state=str(fault))
        return
    for step in inspection.inspected(ours, here):
        yield Part(ready=step.is_well, state=step.said)


def running(settings: Settings) -> Part:
    """What a running gateway says of itself; that none runs is no problem."""
    try:
        said = client.readiness(settings)
    except client.NotRunning:
        return Part(ready=True, state=f"none runs at {client.desk_url(settings.desk.listen)}")
    except client.GatewayFault as trouble:
        return Part(ready=False, state=str(trouble))
    ailing = [f"{name}: {part['state']}; {part['remedy']}" for name, part in said["parts"].items() if not part["ready"]]
    if said["ready"]:
        return Part(ready=True, state=f"it runs and is ready at {client.desk_url(settings.desk.listen)}")
    return Part(ready=False, state="it runs and is not ready", remedy="see the notes", notes=tuple(ailing))


def _filled(settings: Settings) -> Part:
    path, max_mb = settings.journal.path, settings.journal.max_mb
    used = size_bytes(path)
    room = used + shutil.disk_usage(path.parent).free
    limit = room if max_mb is None else min(room, max_mb * MEGABYTE)
    pressure = pressure_at(used, limit)
    state = f"{path} is whole; {used // MEGABYTE} of {limit // MEGABYTE} MB are used"
    if pressure is Pressure.OK:
        return Part(ready=True, state=state)
    remedy = "free space, raise [journal] max_mb, or lower keep_days: the oldest readings go early"
    return Part(ready=pressure is Pressure.HIGH, state=f"{state}, pressure is {pressure}", remedy=remedy)


def _blocked(folder: Path, otherwise: str) -> Part | None:
    """Why no file can be made in a folder that is there or could be made; ``None`` when one can."""
    standing = _standing(folder)
    if standing.is_dir() and os.access(standing, os.W_OK | os.X_OK):
        return None
    why = "is not writable for this user" if standing.is_dir() else "is not a folder"
    return Part(
        ready=False, state=f"{standing} {why}", remedy=f"give the gateway's user the right to it, or {otherwise}"
    )


def _standing(path: Path) -> Path:
    """The path itself or the nearest above it that is there."""
    path = path.absolute()
    return next(part for part in (path, *path.parents) if part.exists())
