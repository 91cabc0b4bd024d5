"""``cunjing record``, ``replay`` and ``decode``: uplinks to lines, lines to what comes of them, one to what it says.

What bytes mean is decided in ``telemetry``, what comes of them in the gateway's own line; here is only the terminal.
"""

import logging
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, Final

import typer

from gateway.cli.ending import Code, ends_with_a_sentence, instant, print_lines, say, until_stopped
from telemetry.reading import Millis

if TYPE_CHECKING:
    from gateway.settings import Mqtt
    from gateway.wishes import Wishes
    from telemetry.inventory import Device
    from telemetry.reading import RefusedValue, Sample
    from telemetry.wire import Decoded, Ignored, Rejected


_DEFAULT_INVENTORY = Path("config/inventory.yaml")
_EVERYTHING_OF_OURS = ["cunjing/v1/+/+/+", "application/+/device/+/event/up"]
_TURN_S = 0.5
_RAW: Final = "raw"

_Existing = typer.Option(exists=True, dir_okay=False, metavar="FILE")


def record(  # noqa: PLR0913 -- options of a command; each is named when it is called
    *,
    broker: Annotated[
        str | None, typer.Option(metavar="URL", help="mqtt://host:1883, or mqtts:// for TLS: what arrives there.")
    ] = None,
    username: Annotated[str | None, typer.Option(help="Who we are to the broker.")] = None,
    password_file: Annotated[Path | None, _Existing] = None,
    topic: Annotated[
        list[str], typer.Option(metavar="FILTER", help="What to record; may be given again.")
    ] = _EVERYTHING_OF_OURS,
    seconds: Annotated[float | None, typer.Option(min=0, help="End after so long; else with Ctrl-C.")] = None,
    journal: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            metavar="FILE",
            help="Instead: an incident out of an installation's journal, which is only read. Needs the next four.",
        ),
    ] = None,
    asset: Annotated[str | None, typer.Option(help="The bin or plant it is about.")] = None,
    since: Annotated[Millis | None, typer.Option("--from", parser=instant, metavar="ISO", help="From then on.")] = None,
    to: Annotated[Millis | None, typer.Option("--to", parser=instant, metavar="ISO", help="Before then.")] = None,
    into: Annotated[
        Path | None,
        typer.Option(
            file_okay=False,
            metavar="FOLDER",
            help="Where it is written: uplinks.jsonl, inventory.yaml (that asset alone, nobody's name or number) and"
            " truth.jsonl (what was said of it, to be completed by somebody who knows what was so).",
        ),
    ] = None,
) -> None:
    """Uplinks as they arrive, as JSON lines. On standard output; the gateway's own session is not touched."""
    if journal is not None:
        if broker is not None or asset is None or since is None or to is None or into is None:
            hint = "--journal needs --asset, --from, --to and --into, and no --broker"
            raise typer.BadParameter(hint, param_hint="--journal")
        _record_incident(journal, asset, (since, to), into)
        return
    if broker is None:
        raise typer.BadParameter("name a broker, or a --journal to take an incident from", param_hint="--broker")
    _record_arrivals(_mqtt(broker, username, password_file, topic), seconds)


def _record_arrivals(mqtt: "Mqtt", seconds: float | None) -> None:
    from gateway.clock import monotonic_s
    from gateway.mqtt.visitor import Unwelcome, Visitor
    from gateway.replay import written

    visitor = Visitor(mqtt, "record")
    ends_s = None if seconds is None else monotonic_s() + seconds
    count, told = 0, visitor.part
    try:
        with ends_with_a_sentence(Unwelcome), until_stopped() as stop:
            while not stop.is_set() and (ends_s is None or monotonic_s() < ends_s):
                batch = visitor.wait(_TURN_S if ends_s is None else min(_TURN_S, max(0, ends_s - monotonic_s())))
                print_lines((written(uplink) for uplink in batch.uplinks), at_once=True)
                visitor.done_with(batch)
                count += len(batch.uplinks)
                if told != visitor.part:
                    told = visitor.part
                    say(told.state)
    finally:
        visitor.leave()
    say(f"{count} uplinks recorded")


def _record_incident(path: Path, asset: str, span: tuple[Millis, Millis], into: Path) -> None:
    from contextlib import closing

    from gateway import imports, incident
    from gateway.journal.case_reader import CaseReader
    from gateway.journal.database import JournalUnavailable
    from gateway.settings import SettingsFault
    from telemetry.inventory.file import parse

    with ends_with_a_sentence(JournalUnavailable), closing(CaseReader.open(path)) as journal:
        known = journal.inventory()
        inventory = None if known is None else parse(known.body, str(path), imports.profiles()).inventory
        if known is None or inventory is None or asset not in inventory.assets:
            raise SettingsFault([f"the journal {path} has no asset {asset}; name it as its inventory does"])
        rows = [row for row in journal.readings(*span) if row["asset"] == asset]
        if not rows:
            raise SettingsFault([f"the journal has no reading of {asset} from then; see how long it keeps them"])
        quantities = {str(name) for row in rows for name in row["values"]}
        files = {
            "uplinks.jsonl": incident.recall_uplinks(rows, asset, inventory.county.id),
            "inventory.yaml": [incident.isolate(known.body, inventory, asset).rstrip()],
            "truth.jsonl": incident.label(asset, inventory, journal.events_on(asset, *span), quantities, span),
        }
        _write(into, {name: "".join(f"{line}\n" for line in lines) for name, lines in files.items()})
    say(f"{len(rows)} readings of {asset} are in {into}; complete its truth.jsonl (docs/score.md)")


def _write(into: Path, files: dict[str, str]) -> None:
    """All of it into a folder; nothing that is there is overwritten. Raises ``SettingsFault``."""
    from gateway.settings import SettingsFault

    try:
        into.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            with (into / name).open("x", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise SettingsFault([f"{error.filename} cannot be written: {why}; name another folder"]) from None


def replay(
    *,
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="A recording; - is standard input."),
    ],
    inventory: Annotated[Path, _Existing] = _DEFAULT_INVENTORY,
    rules: Annotated[Path | None, _Existing] = None,
    escalation: Annotated[Path | None, _Existing] = None,
    texts: Annotated[Path | None, _Existing] = None,
    until: Annotated[
        Millis | None, typer.Option(parser=instant, metavar="ISO", help="Let time run until then.")
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="Inner steps, holds and notices too.")] = False,
    commands: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            metavar="FILE",
            help='What people ask meanwhile, JSON lines: {"at": ISO, "by": PERSON, "wish": PATH, ...} with the fields'
            " of the API at /api/v1/PATH: commands (of an episode), absences, figures and others.",
        ),
    ] = None,
) -> None:
    """A recording in, events and owed texts out. JSON lines, virtual clock, no network; same input, same bytes."""
    from alerts.policy import PolicyFault
    from gateway import imports, logs, shipped
    from gateway.replay import RecordingFault, read
    from gateway.replay import replay as replayed
    from gateway.settings import Alerts

    logs.configure(level=logging.ERROR)
    with ends_with_a_sentence(PolicyFault, RecordingFault), _opened(file) as lines:
        county = imports.checked(inventory)
        policy_files = shipped.policy_files(Alerts(rules=rules, escalation=escalation, texts=texts))
        people = None if commands is None else _asking(commands)
        uplinks = read(lines, str(file))
        print_lines(replayed(uplinks, county, policy_files, until_ms=until, verbose=verbose, people=people))
    for refusal in people.list_refusals() if people is not None else ():
        say(refusal)


def _asking(path: Path) -> "Wishes":
    """Who asks what; only here the bodies of the API are needed, which take a web framework to load."""
    from gateway.wishes import Wishes, WishFault, read

    with ends_with_a_sentence(WishFault):
        return Wishes(read(path.read_bytes().splitlines(), str(path)))


def _opened(file: Path) -> AbstractContextManager[IO[bytes]]:
    if str(file) == "-":
        return nullcontext(sys.stdin.buffer)
    try:
        return file.open("rb")
    except OSError as error:
        raise typer.BadParameter(f"{file}: {(error.strerror or str(error)).lower()}", param_hint="FILE") from None


def _mqtt(broker: str, username: str | None, password_file: Path | None, topics: list[str]) -> "Mqtt":
    from pydantic import ValidationError

    from gateway.settings import Mqtt

    try:
        return Mqtt(url=broker, username=username, password_file=password_file, topics=tuple(topics))
    except ValidationError as error:
        first = error.errors()[0]
        hint = "--broker" if first["loc"][0] == "url" else "--topic"
        raise typer.BadParameter(first["msg"].removeprefix("Value error, "), param_hint=hint) from None


def decode(
    *,
    envelope: Annotated[str, typer.Option(metavar="E", help="native, chirpstack, or raw for a frame in bytes or hex.")],
    profile: Annotated[
        str, typer.Option(metavar="P", help="The device's profile: native, or a codec's name.")
    ] = "native",
) -> None:
    """One payload to its samples, or why not. From standard input; JSON, or the reason and exit code 1.

    A value that is refused stands beside those that count; traffic that measures nothing is named by its kind.
    """
    from telemetry.wire import MAX_PAYLOAD_BYTES, Ignored, Reason, Rejected, Samples

    _check(envelope, profile)
    payload = sys.stdin.buffer.read()
    if len(payload) > MAX_PAYLOAD_BYTES:
        _refuse(Rejected(Reason.TOO_LARGE, f"{len(payload)} bytes; at most {MAX_PAYLOAD_BYTES} are read"))
    said = _frame(payload, profile) if envelope == _RAW else _unwrapped(payload, envelope, profile)
    if isinstance(said, Rejected):
        _refuse(said)
    if isinstance(said, Ignored):
        _show({"ignored": said.kind, "alive": said.alive} | ({"detail": said.detail} if said.detail else {}))
    if isinstance(said, Samples):
        _show({"samples": [_plain(sample) for sample in said.samples]})
        if said.refused:
            _refuse(*said.refused)


def _check(envelope: str, profile: str) -> None:
    """Names that do not exist, or do not go together, are wrong use."""
    from telemetry.codecs import codecs
    from telemetry.envelopes import NATIVE_PROFILE, envelopes

    if envelope not in (*envelopes(), _RAW):
        known = ", ".join((*envelopes(), _RAW))
        raise typer.BadParameter(f"there is no envelope {envelope!r}; known are: {known}", param_hint="--envelope")
    known_profiles = (NATIVE_PROFILE,) if envelope == NATIVE_PROFILE else tuple(codecs())
    if profile not in known_profiles:
        known = ", ".join(known_profiles)
        raise typer.BadParameter(f"with --envelope {envelope} it is one of: {known}", param_hint="--profile")


def _unwrapped(payload: bytes, envelope: str, profile: str) -> "Decoded":
    from telemetry.envelopes import envelopes

    return envelopes()[envelope].read(payload, _anybody(profile))


def _frame(payload: bytes, profile: str) -> "Ignored | Rejected | None":
    """A frame without an envelope has neither boot nor seq; shown here, unless nothing of it counts."""
    from msgspec import to_builtins

    from telemetry.codecs import Frame, codecs

    codec = codecs()[profile]
    said = codec.decode(_from_hex(payload), codec.f_port, {})
    if not isinstance(said, Frame):
        return said
    _show(
        {
            "samples": [
                _told(said.partial, record.refused) | {"values": to_builtins(record.values)} for record in said.records
            ]
        }
    )
    return None


def _from_hex(payload: bytes) -> bytes:
    """The bytes that hex digits write; what is no hex is a frame as it is."""
    try:
        return bytes.fromhex(payload.decode("ascii"))
    except ValueError:
        return payload


def _anybody(profile: str) -> "Device":
    from datetime import UTC, datetime

    from telemetry.inventory import Device
    from telemetry.terms import Power

    return Device("stdin", "", profile, Power.BATTERY, 1_200, datetime.fromtimestamp(0, UTC))


def _plain(sample: "Sample") -> dict[str, Any]:
    """Boot, seq and values, and what else the sample says; what it leaves out is left out."""
    from msgspec import to_builtins

    times = {name: value for name in ("ts_ms", "up_s") if (value := getattr(sample, name)) is not None}
    counters = {"boot": sample.boot, "seq": sample.seq}
    return counters | times | _told(sample.partial, sample.refused) | {"values": to_builtins(sample.values)}


def _told(partial: str, refused: "tuple[RefusedValue, ...]") -> dict[str, Any]:
    """What somebody has to be told of a sample beside its values: where the frame ends for us, and what was refused."""
    from msgspec import to_builtins

    told: dict[str, Any] = {"partial": bool(partial)}
    if partial:
        told["unknown"] = partial
    if refused:
        told["refused"] = to_builtins(refused)
    return told


def _show(said: dict[str, Any]) -> None:
    from msgspec import json

    print_lines([json.encode(said).decode()])


def _refuse(*refused: "Rejected") -> None:
    for one in refused:
        say(f"{one.reason}: {one.detail}")
    raise typer.Exit(Code.PROBLEMS)
