"""``cunjing decode``: one payload to what it says, or why not. What bytes mean is decided in ``telemetry``."""

import sys
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from gateway.cli.ending import Code, print_lines, say

if TYPE_CHECKING:
    from telemetry.inventory import Device
    from telemetry.reading import RefusedValue, Sample
    from telemetry.wire import Decoded, Ignored, Rejected

_RAW: Final = "raw"


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
