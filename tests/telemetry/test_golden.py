"""Every envelope and codec against its golden file, and every nasty payload of the corpus against its reason."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from msgspec.structs import replace

from telemetry.codecs import Frame, Record, codecs
from telemetry.envelopes import envelopes
from telemetry.reading import Sample, Values
from telemetry.wire import Address, Ignored, Rejected, Samples, Status, Uplink, decode
from tests.telemetry.county import DIRECTORY, NATIVE_TOPIC

GOLDEN = Path(__file__).parents[1] / "golden"
CORPUS = sorted((GOLDEN / "corpus").iterdir())


def cases(folder: str, names: list[str], kind: str) -> list[Any]:
    found: list[Any] = []
    for name in names:
        file = GOLDEN / folder / f"{name}.yaml"
        rows = yaml.safe_load(file.read_text(encoding="utf-8")).get(kind, []) if file.exists() else []
        found.extend(pytest.param(name, row, id=f"{name}: {row['name']}") for row in rows)
    return found


def values(spoken: dict[str, float]) -> Values:
    return Values(**{name: float(value) for name, value in spoken.items()})


def payload(case: dict[str, Any]) -> bytes:
    return bytes.fromhex(case["payload_hex"]) if "payload_hex" in case else case["payload"].encode()


def expected(device: str, case: dict[str, Any]) -> Samples | Status:
    if "status" in case:
        return Status(device, **case["status"])
    samples = tuple(Sample(**{**sample, "values": values(sample["values"])}) for sample in case["samples"])
    return Samples(device, samples, (), case.get("unknown_keys", 0))


@pytest.mark.parametrize(("folder", "registry"), [("codecs", codecs()), ("envelopes", envelopes())])
def test_every_module_has_a_golden_file_with_examples_and_rejected_and_a_docstring(
    folder: str, registry: dict[str, Any]
) -> None:
    files = {file.stem for file in (GOLDEN / folder).glob("*.yaml")}
    assert files == set(registry), "each module of the folder and each golden file need the other"
    for name in registry:
        golden = yaml.safe_load((GOLDEN / folder / f"{name}.yaml").read_text(encoding="utf-8"))
        assert golden["examples"], name
        assert golden["rejected"], name
        module = __import__(f"telemetry.{folder}", fromlist=[name.replace("-", "_")])
        assert getattr(module, name.replace("-", "_")).__doc__, name


def frame(profile: str, case: dict[str, Any]) -> object:
    codec = codecs()[profile]
    return codec.decode(bytes.fromhex(case["hex"]), case.get("port", codec.f_port), case.get("settings", {}))


@pytest.mark.parametrize(("profile", "case"), cases("codecs", list(codecs()), "examples"))
def test_a_codec_reads_what_the_maker_says(profile: str, case: dict[str, Any]) -> None:
    assert case["source"]
    said = frame(profile, case)
    assert isinstance(said, Frame)
    (record,) = said.records
    assert {one.subject: one.reason for one in record.refused} == case.get("refused", {})
    assert (Record(record.values), said.partial) == (Record(values(case["values"])), case.get("partial", ""))


@pytest.mark.parametrize(("profile", "case"), cases("codecs", list(codecs()), "ignored"))
def test_a_codec_takes_no_other_traffic_for_a_measurement(profile: str, case: dict[str, Any]) -> None:
    assert case["source"]
    said = frame(profile, case)
    assert isinstance(said, Ignored)
    assert (said.kind, said.alive) == (case["kind"], True)


@pytest.mark.parametrize(("profile", "case"), cases("codecs", list(codecs()), "rejected"))
def test_a_codec_refuses_what_is_no_frame(profile: str, case: dict[str, Any]) -> None:
    said = frame(profile, case)
    assert isinstance(said, Rejected)
    assert said.reason == case["reason"]


@pytest.mark.parametrize(("envelope", "case"), cases("envelopes", list(envelopes()), "examples"))
def test_an_envelope_reads_what_it_should(envelope: str, case: dict[str, Any]) -> None:
    address = DIRECTORY.resolve(case["topic"])
    assert isinstance(address, Address), envelope
    decoded = decode(Uplink(0, case["topic"], payload(case)), DIRECTORY)
    if isinstance(decoded, Samples):
        assert [one.reason for one in decoded.refused] == case.get("refused", [])
        refused = {one.subject: one.reason for sample in decoded.samples for one in sample.refused}
        assert refused == case.get("refused_values", {})
        samples = tuple(replace(sample, refused=(), fingerprint=b"") for sample in decoded.samples)
        decoded = Samples(decoded.device, samples, (), decoded.unknown_keys)
    elif isinstance(decoded, Status):
        assert {one.subject: one.reason for one in decoded.refused} == case.get("refused_values", {})
        decoded = replace(decoded, refused=())
    assert decoded == expected(address.device.id, case)


@pytest.mark.parametrize(("envelope", "case"), cases("envelopes", list(envelopes()), "ignored"))
def test_an_envelope_ignores_normal_traffic_and_knows_who_lives(envelope: str, case: dict[str, Any]) -> None:
    decoded = decode(Uplink(0, case["topic"], payload(case)), DIRECTORY)
    assert isinstance(decoded, Ignored), envelope
    assert (decoded.kind, decoded.alive) == (case["kind"], case["alive"])
    assert (decoded.sample is not None) == decoded.alive
    assert decoded.sample is None or decoded.sample.values == Values()


@pytest.mark.parametrize(("envelope", "case"), cases("envelopes", list(envelopes()), "rejected"))
def test_an_envelope_refuses_what_it_should_and_says_why(envelope: str, case: dict[str, Any]) -> None:
    decoded = decode(Uplink(0, case["topic"], payload(case)), DIRECTORY)
    assert isinstance(decoded, Rejected), envelope
    assert decoded.reason == case["reason"]
    assert case["says"] in decoded.detail


@pytest.mark.parametrize("file", CORPUS, ids=lambda file: file.name)
def test_a_nasty_payload_is_refused_for_the_reason_in_its_files_name(file: Path) -> None:
    decoded = decode(Uplink(0, NATIVE_TOPIC, file.read_bytes()), DIRECTORY)
    assert isinstance(decoded, Rejected)
    assert decoded.reason == file.name.split(".", maxsplit=1)[0]
    assert decoded.detail.isprintable()
