import pytest

from telemetry.envelopes.native import ENVELOPE
from telemetry.inventory.directory import Directory
from telemetry.wire import MAX_PAYLOAD_BYTES, Address, Reason, Rejected, Samples, Uplink, decode, quoted
from tests.strategies import wire_bytes
from tests.telemetry.county import CHIRPSTACK_TOPIC, COUNTY, DIRECTORY, NATIVE_TOPIC, STATUS_TOPIC, device, inventory


def rejected(topic: str, payload: bytes) -> Rejected:
    decoded = decode(Uplink(0, topic, payload), DIRECTORY)
    assert isinstance(decoded, Rejected)
    return decoded


@pytest.mark.parametrize("topic", [NATIVE_TOPIC, STATUS_TOPIC, CHIRPSTACK_TOPIC, "nowhere"])
def test_a_payload_of_a_mebibyte_is_refused_by_its_size_on_every_topic(topic: str) -> None:
    assert rejected(topic, b"1" * 2**20).reason == Reason.TOO_LARGE


def test_the_largest_payload_that_is_read_is_64_kib() -> None:
    sample = b'{"v":1,"boot":1,"seq":1,"readings":{"ph":7}}'
    assert isinstance(decode(Uplink(0, NATIVE_TOPIC, sample.ljust(MAX_PAYLOAD_BYTES)), DIRECTORY), Samples)
    assert rejected(NATIVE_TOPIC, sample.ljust(MAX_PAYLOAD_BYTES + 1)).reason == Reason.TOO_LARGE


@pytest.mark.parametrize("topic", [NATIVE_TOPIC, STATUS_TOPIC, CHIRPSTACK_TOPIC])
@pytest.mark.parametrize(
    "opening", [b"[", b'{"x":', b'{"deviceInfo":{"x":[', b'{"online":true,"x":[', b'{"v":1,"x":[[']
)
def test_nesting_of_any_depth_is_refused_without_exhausting_the_stack(topic: str, opening: bytes) -> None:
    payload = (opening * MAX_PAYLOAD_BYTES)[:MAX_PAYLOAD_BYTES]
    assert rejected(topic, payload).reason in {Reason.NOT_JSON, Reason.BAD_ENVELOPE}


def test_nesting_is_refused_even_where_our_own_stack_is_nearly_used_up() -> None:
    def below(frames: int) -> Rejected:
        return below(frames - 1) if frames else rejected(NATIVE_TOPIC, b'{"x":' * 300 + b"1" + b"}" * 300)

    assert below(700).reason == Reason.NOT_JSON


def test_a_hundred_samples_are_read_and_one_more_is_too_many() -> None:
    sample = {"v": 1, "boot": 1, "seq": 1, "readings": {"ph": 7}}
    decoded = decode(Uplink(0, NATIVE_TOPIC, wire_bytes([sample] * 100)), DIRECTORY)
    assert isinstance(decoded, Samples)
    assert len(decoded.samples) == 100
    assert rejected(NATIVE_TOPIC, wire_bytes([sample] * 101)).reason == Reason.TOO_MANY


def test_a_seen_chirpstack_topic_is_remembered_and_leads_to_the_same_address() -> None:
    directory = Directory(COUNTY)
    first = directory.resolve(CHIRPSTACK_TOPIC)
    assert isinstance(first, Address)
    assert directory.resolve(CHIRPSTACK_TOPIC) is first


def test_invented_topics_cannot_fill_the_memory() -> None:
    directory = Directory(inventory(device("bin-0004", "milesight-em400", "24e124713b000004")))
    for application in range(3_000):
        assert isinstance(directory.resolve(f"application/{application}/device/24e124713b000004/event/up"), Address)
        assert isinstance(directory.resolve(f"application/{application}/device/24e124713b00ffff/event/up"), Rejected)
    assert len(directory._known) < 1_100


def test_the_native_topics_of_known_devices_need_no_parsing() -> None:
    assert {f"cunjing/v1/xiang/plant-0001/{kind}" for kind in ("telemetry", "status", "cmd")} <= set(
        Directory(COUNTY)._known
    )


def test_an_envelope_reads_a_payload_without_a_topic() -> None:
    read = ENVELOPE.read(b'{"v":1,"boot":1,"seq":1,"readings":{"ph":7}}', device("any"))
    assert isinstance(read, Samples)
    assert read.device == "any"


def test_a_strangers_text_is_escaped_and_cut_before_it_enters_a_sentence() -> None:
    assert quoted("a\x1b\ud800") == r"'a\x1b\ud800'"
    assert len(quoted("x" * 1_000)) < 100
