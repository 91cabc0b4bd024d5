"""The recording that the founders agreed on prints the events that they agreed on, byte for byte each time."""

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from gateway.replay import read, replay
from telemetry.inventory.checks import NATIVE
from telemetry.inventory.file import parse
from telemetry.reading import Millis
from telemetry.segments import SEGMENT, units
from telemetry.wire import Uplink
from tests.scenario_run import policy_files

GOLDEN = Path(__file__).parent / "golden"
MINUTE = 60_000


def uplinks() -> list[Uplink]:
    file = GOLDEN / "contract" / "uplinks.jsonl"
    return list(read(file.read_bytes().splitlines(), file.name))


def printed(given: list[Uplink], ticks: list[Millis] | None = None) -> list[str]:
    file = GOLDEN / "inventory" / "county.yaml"
    parsed = parse(file.read_text(encoding="utf-8"), file.name, frozenset({NATIVE, "milesight-em400"}))
    assert parsed.inventory is not None
    return list(replay(given, parsed.inventory, policy_files(), ticks=ticks or []))


def agreed() -> list[dict[str, Any]]:
    lines = (GOLDEN / "contract" / "events.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_replay_prints_the_events_that_were_agreed_on() -> None:
    found = [json.loads(line) for line in printed(uplinks())]
    assert len(found) == len(agreed())
    for event, said in zip(agreed(), found, strict=True):
        shown = {key: said.get(key) for key in event if key != "text"}
        assert shown == {key: value for key, value in event.items() if key != "text"}
        assert [key for key in said if key in event] == list(event), "keys in the agreed order"


@pytest.mark.parametrize("word", ["柳潭3号池", "村部东侧", "七成", "22日", "12点半", "三分之二"])
def test_the_first_message_keeps_what_may_not_be_missing(word: str) -> None:
    (text,) = [said["text"] for said in map(json.loads, printed(uplinks())) if said["event"] == "owed"]
    assert word in text
    assert units(text) <= SEGMENT


def test_a_recording_prints_the_same_bytes_each_time() -> None:
    assert printed(uplinks()) == printed(uplinks())


def test_doubled_lines_change_nothing() -> None:
    doubled = list(itertools.chain.from_iterable((uplink, uplink) for uplink in uplinks()))
    assert printed(doubled) == printed(uplinks())


def test_ticks_change_nothing() -> None:
    first, last = uplinks()[0].received_ms, uplinks()[-1].received_ms
    assert printed(uplinks(), list(range(first, last, MINUTE))) == printed(uplinks())
