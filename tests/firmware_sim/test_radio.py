"""The way of a frame where it is worse than usual: a fade loses most of it for hours, and is over."""

from random import Random

import msgspec

from firmware_sim.firmware import Measured
from firmware_sim.radio import Link, RadioPace, lorawan, native
from firmware_sim.scenario import HOUR_MS, Radio
from firmware_sim.story import Span
from telemetry.reading import Values

STEP = 600_000
SAMPLES = [Measured(i * STEP, 1, i, i * STEP // 1000, Values(distance_mm=700.0)) for i in range(600)]
BAD = Span(30 * HOUR_MS, 60 * HOUR_MS, 0.8)
LINK = Link(Radio(late=0, duplicates=0), 0.02, (), (), RadioPace(0, 1.0), fades=(BAD,))


def test_a_fade_loses_its_share_of_a_lorawan_devices_frames_and_then_is_over() -> None:
    heard = {uplink.at_ms // STEP for uplink in lorawan(SAMPLES, "24e1240000000001", LINK, Random(1))}
    faded, usual = set(range(180, 360)), {*range(180), *range(360, 600)}
    assert 0.7 < 1 - len(heard & faded) / len(faded) < 0.9
    assert 1 - len(heard & usual) / len(usual) < 0.06


def test_a_native_device_delivers_later_what_a_fade_kept_back() -> None:
    seqs = []
    for uplink in native(SAMPLES, "t", LINK, Random(1)):
        said = msgspec.json.decode(uplink.payload)
        seqs += [one["seq"] for one in (said if isinstance(said, list) else [said])]
    assert seqs == list(range(len(seqs)))
    assert len(seqs) > 590
