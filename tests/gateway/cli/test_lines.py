"""``replay``, ``decode`` and ``inventory check``: lines in, lines out."""

import json
from pathlib import Path

import pytest

from tests.gateway.cli.installation import Cunjing, Installation

TOPIC = "cunjing/v1/xiang/bin-0003/telemetry"
DISTANCES = (700, 520, 500, 490, 480, 470, 1180, 1170, 1165)


def recording(distances: tuple[int, ...] = DISTANCES) -> str:
    """A pool that passes two thirds at 00:40 and is emptied at 02:00."""
    lines = []
    for seq, distance in enumerate(distances):
        minute = 20 * seq
        at = f"2026-11-22T{minute // 60:02d}:{minute % 60:02d}:01Z"
        payload = {"v": 1, "boot": 3, "seq": seq, "readings": {"distance_mm": distance, "battery_pct": 92}}
        lines.append(json.dumps({"received_at": at, "topic": TOPIC, "payload": json.dumps(payload)}))
    return "".join(f"{line}\n" for line in lines)


@pytest.fixture
def uplinks(installation: Installation) -> Path:
    path = installation.folder / "uplinks.jsonl"
    path.write_text(recording(), "utf-8")
    return path


@pytest.mark.usefixtures("uplinks")
def test_a_recording_gives_events_and_texts_as_json_lines(cunjing: Cunjing) -> None:
    said = cunjing("replay uplinks.jsonl --inventory inventory.yaml")
    assert said.exit_code == 0
    events = [json.loads(line) for line in said.stdout.splitlines()]
    assert [event["event"] for event in events] == ["raised", "owed", "emptied", "cleared"]
    assert "柳潭3号池" in events[1]["text"]


def test_a_recording_may_come_from_standard_input(cunjing: Cunjing, uplinks: Path) -> None:
    piped = cunjing("replay - --inventory inventory.yaml", uplinks.read_bytes())
    assert piped.exit_code == 0
    assert piped.stdout == cunjing("replay uplinks.jsonl --inventory inventory.yaml").stdout


@pytest.mark.usefixtures("uplinks")
def test_what_comes_after_until_is_not_read(cunjing: Cunjing) -> None:
    said = cunjing("replay uplinks.jsonl --inventory inventory.yaml --until 2026-11-22T08:40:01+08:00")
    assert [json.loads(line)["event"] for line in said.stdout.splitlines()] == ["raised", "owed"]


def test_inner_steps_are_shown_only_when_asked_for(cunjing: Cunjing, uplinks: Path) -> None:
    running = '{"v":1,"boot":1,"seq":1,"readings":{"flow_m3h":3.5,"pump_current_a":7,"mains_on":1}}'
    topic = TOPIC.replace("bin-0003", "plant-0001")
    line = json.dumps({"received_at": "2026-11-22T03:00:00Z", "topic": topic, "payload": running})
    uplinks.write_text(f"{recording()}{line}\n", "utf-8")
    terse = cunjing("replay uplinks.jsonl --inventory inventory.yaml").stdout.splitlines()
    verbose = cunjing("replay uplinks.jsonl --inventory inventory.yaml --verbose").stdout.splitlines()
    assert set(terse) < set(verbose)


@pytest.mark.usefixtures("uplinks")
def test_the_inventory_is_by_default_that_of_the_config_folder(cunjing: Cunjing, installation: Installation) -> None:
    missing = cunjing("replay uplinks.jsonl")
    assert missing.exit_code == 2
    assert "--inventory" in missing.stderr
    assert "config/inventory.yaml" in missing.stderr
    (installation.folder / "config").mkdir()
    (installation.folder / "inventory.yaml").rename(installation.folder / "config" / "inventory.yaml")
    assert len(cunjing("replay uplinks.jsonl").stdout.splitlines()) == 4


@pytest.mark.usefixtures("uplinks")
def test_a_rules_file_of_ones_own_counts(cunjing: Cunjing, installation: Installation) -> None:
    (installation.folder / "rules.yaml").write_text("rules:\n  over_two_thirds: {raise_pct: 90}\n", "utf-8")
    said = cunjing("replay uplinks.jsonl --inventory inventory.yaml --rules rules.yaml")
    assert said.exit_code == 0, said.stderr
    assert [json.loads(line)["event"] for line in said.stdout.splitlines()] == ["emptied"]


@pytest.mark.usefixtures("uplinks")
@pytest.mark.parametrize("option", ["rules", "escalation", "texts"])
def test_a_wrong_policy_file_is_named(cunjing: Cunjing, installation: Installation, option: str) -> None:
    (installation.folder / "mine.yaml").write_text("- nonsense\n", "utf-8")
    said = cunjing(f"replay uplinks.jsonl --inventory inventory.yaml --{option} mine.yaml")
    assert (said.exit_code, said.stdout) == (1, "")
    assert "mine.yaml" in said.stderr


def test_an_unreadable_line_ends_with_one_and_is_named_by_its_number(cunjing: Cunjing, uplinks: Path) -> None:
    uplinks.write_text(recording(DISTANCES[:4]) + "nonsense\n", "utf-8")
    said = cunjing("replay uplinks.jsonl --inventory inventory.yaml")
    assert said.exit_code == 1
    assert "uplinks.jsonl:5: " in said.stderr
    assert [json.loads(line)["event"] for line in said.stdout.splitlines()] == ["raised", "owed"]


def test_a_refused_uplink_does_not_change_the_exit_code(cunjing: Cunjing, uplinks: Path) -> None:
    line = json.dumps({"received_at": "2026-11-22T00:00:00Z", "topic": TOPIC, "payload": "x" * 2**20})
    uplinks.write_text(f"{line}\n{recording()}", "utf-8")
    said = cunjing("replay uplinks.jsonl --inventory inventory.yaml")
    assert (said.exit_code, len(said.stdout.splitlines())) == (0, 4)


def test_a_payload_becomes_samples(cunjing: Cunjing) -> None:
    payload = b'{"v":1,"boot":17,"seq":2041,"ts":1795334400123,"readings":{"distance_mm":412,"pump_on":1}}\n'
    said = cunjing("decode --envelope native", payload)
    assert said.exit_code == 0
    assert json.loads(said.stdout) == {
        "samples": [
            {
                "boot": 17,
                "seq": 2041,
                "ts_ms": 1795334400123,
                "partial": False,
                "values": {"distance_mm": 412.0, "pump_on": 1.0},
            }
        ]
    }


def test_a_chirpstack_uplink_is_unwrapped_whatever_its_device(cunjing: Cunjing) -> None:
    event = {
        "deviceInfo": {"devEui": "24e124713b000004"},
        "devAddr": "00aabbcc",
        "fCnt": 7,
        "fPort": 85,
        "data": "AXVcA2dAAQSCEAIFAAA=",
    }
    said = cunjing("decode --envelope chirpstack --profile milesight-em400", json.dumps(event).encode())
    (sample,) = json.loads(said.stdout)["samples"]
    assert (sample["boot"], sample["seq"], sample["values"]["distance_mm"]) == (0xAABBCC, 7, 528.0)


@pytest.mark.parametrize("frame", [b"01755c 036740010482 1002 050000\n", bytes.fromhex("01755c0367400104821002050000")])
def test_a_frame_alone_may_be_hex_or_bytes(cunjing: Cunjing, frame: bytes) -> None:
    said = cunjing("decode --envelope raw --profile milesight-em400", frame)
    (sample,) = json.loads(said.stdout)["samples"]
    assert sample["values"] == {"distance_mm": 528.0, "temperature_c": 32.0, "battery_pct": 92.0, "tilt_flag": 0.0}


@pytest.mark.parametrize(
    ("line", "payload", "reason"),
    [
        ("--envelope native", b"", "not_json"),
        ("--envelope native", b'{"v":1,"boot":1,"seq":1,"readings":{}}', "no_readings"),
        ("--envelope native", b" " * 65_537, "too_large"),
        ("--envelope chirpstack --profile milesight-em400", b"{}", "bad_envelope"),
        ("--envelope raw --profile milesight-em400", b"0175", "bad_frame"),
    ],
)
def test_a_refused_payload_ends_with_one_and_the_reason(
    cunjing: Cunjing, line: str, payload: bytes, reason: str
) -> None:
    said = cunjing(f"decode {line}", payload)
    assert (said.exit_code, said.stdout) == (1, "")
    assert said.stderr.startswith(f"{reason}: ")


def test_good_samples_of_a_list_are_shown_beside_the_reason_of_the_bad_one(cunjing: Cunjing) -> None:
    good = b'{"v":1,"boot":1,"seq":1,"readings":{"ph":7}}'
    said = cunjing("decode --envelope native", b"[" + good + b',{"v":1,"boot":1,"seq":-1,"readings":{"ph":7}}]')
    assert said.exit_code == 1
    assert [sample["seq"] for sample in json.loads(said.stdout)["samples"]] == [1]
    assert said.stderr.startswith("bad_sample: sample 2")


def test_a_refused_value_stands_beside_those_that_count(cunjing: Cunjing) -> None:
    said = cunjing("decode --envelope raw --profile milesight-em400", b"017565 04824408 9900")
    assert (said.exit_code, said.stderr) == (0, "")
    detail = "battery_pct must lie in 0…100, not 101.0"
    refused = [{"subject": "battery_pct", "reason": "out_of_range", "detail": detail}]
    sample = {"partial": True, "unknown": "99 00", "refused": refused, "values": {"distance_mm": 2116.0}}
    assert json.loads(said.stdout) == {"samples": [sample]}


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({"fPort": 0, "data": "BQAB"}, "mac"),
        ({"fPort": 85, "data": ""}, "mac"),
        ({"fPort": 10, "data": "AXVc"}, "port"),
        ({"fPort": 85, "data": "/wv/"}, "information"),
    ],
)
def test_traffic_that_measures_nothing_is_named_by_its_kind(
    cunjing: Cunjing, more: dict[str, object], kind: str
) -> None:
    event = {"deviceInfo": {"devEui": "24e124713b000004"}, "devAddr": "00aabbcc", **more}
    said = cunjing("decode --envelope chirpstack --profile milesight-em400", json.dumps(event).encode())
    assert said.exit_code == 0
    shown = json.loads(said.stdout)
    assert (shown["ignored"], shown["alive"], "detail" in shown) == (kind, True, kind == "port")


def test_a_good_inventory_is_said_to_be_one(cunjing: Cunjing, installation: Installation) -> None:
    _ = installation
    said = cunjing("inventory check inventory.yaml")
    assert said.exit_code == 0
    assert said.stderr == "inventory.yaml can be used: 3 assets, 3 devices\n"
    assert all(": warning: " in line for line in said.stdout.splitlines())


def test_each_fault_of_an_inventory_is_one_line(cunjing: Cunjing, installation: Installation) -> None:
    path = installation.folder / "inventory.yaml"
    wrong = path.read_text("utf-8").replace("area: ytan\n", "area: ytam\n").replace("roadside:", "roadsid:")
    path.write_text(wrong, "utf-8")
    said = cunjing("inventory check inventory.yaml")
    assert said.exit_code == 1
    assert sum("did you mean 'ytan'?" in line for line in said.stdout.splitlines()) == 2
    assert sum("did you mean 'roadside'?" in line for line in said.stdout.splitlines()) == 1
