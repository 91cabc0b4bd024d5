"""ChirpStack's own messages as the oracle: every form that protobuf's JSON mapping has for one says the same to us.

What the oracle takes and we do not stands in ``NOT_ACCEPTED``, each with its reason.
"""

import base64
import json
import re
from typing import Any

import pytest
from chirpstack_api.integration.integration_pb2 import UplinkEvent
from google.protobuf import json_format
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.envelopes.chirpstack import ChirpStackEvent, _Reception, event
from telemetry.wire import Rejected

BARE = "@"
"""Before a number that is to stand in the JSON as it is written here."""
EUI, ADDRESS = "24e124713b000004", "01A2b3c4"
UINT32 = 2**32 - 1
YEAR_1, YEAR_9999 = -62_135_596_800, 253_402_300_799


@st.composite
def messages(draw: st.DrawFn) -> UplinkEvent:
    """An uplink event with anything in what we read, and something in what we do not."""
    made = UplinkEvent(
        deduplication_id=draw(st.sampled_from(["", "0b6a4f5e-5d1c-4f0d-8a57-1f2e3d4c5b6a", "é"])),
        dev_addr=ADDRESS,
        dr=draw(st.integers(0, 7)),
        f_cnt=draw(st.sampled_from([0, 1, 1_000, UINT32]) | st.integers(0, UINT32)),
        f_port=draw(st.integers(0, 255)),
        confirmed=draw(st.booleans()),
        data=draw(st.binary(max_size=20)),
        region_config_id=draw(st.sampled_from(["", "cn470_10"])),
    )
    made.device_info.dev_eui = EUI
    made.device_info.device_class_enabled = draw(st.integers(0, 2))
    made.device_info.tags["fPort"] = "3"
    if draw(st.booleans()):
        made.time.seconds = draw(st.integers(YEAR_1, YEAR_9999) | st.integers(0, 2 * 10**9))
        made.time.nanos = draw(st.sampled_from([0, 10**6, 123_456_000, 999_999_999]) | st.integers(0, 10**9 - 1))
    for _ in range(draw(st.integers(0, 3))):
        heard = made.rx_info.add(gateway_id="g06", crc_status=draw(st.integers(0, 2)))
        heard.rssi, heard.snr = draw(st.integers(-150, 20)), draw(st.integers(-80, 60)) / 4
    if draw(st.booleans()):
        made.object.update({"fCnt": [1, {"data": None}]})
    if draw(st.integers(0, 9)) == 0:
        made.join_server_context.session_key_id = "01"
    return made


def spelled(draw: st.DrawFn, name: str, value: Any) -> Any:  # noqa: ANN401 -- JSON
    """A field's value in one of the forms that the mapping has for it."""
    if value in (0, "", [], False) and draw(st.booleans()):
        return None
    if name in {"f_cnt", "f_port", "dr", "rssi"}:
        return draw(st.sampled_from([value, str(value), float(value), f"{BARE}{value}e0", f"{BARE}{value}.0E0"]))
    if name == "snr":
        return draw(st.sampled_from([value, str(value)]))
    if name == "data":
        octets = base64.b64decode(value)
        encode = draw(st.sampled_from([base64.b64encode, base64.urlsafe_b64encode]))
        text = encode(octets).decode()
        return text if draw(st.booleans()) else text.rstrip("=")
    return value


def time_forms(at: Timestamp) -> list[str]:
    """The same instant with 0, 3, 6 or 9 digits where they tell it, in UTC or with an offset."""
    text = at.ToJsonString()
    whole, _, fraction = text[:-1].partition(".")
    forms = [text, f"{whole}.{fraction:0<9}Z", f"{whole}{f'.{fraction}' if fraction else ''}+00:00"]
    if YEAR_1 + 86_400 < at.seconds < YEAR_9999 - 86_400:
        for hours, zone in ((8, "+08:00"), (-9.5, "-09:30")):
            moved = Timestamp(seconds=at.seconds + round(hours * 3_600), nanos=at.nanos)
            forms.append(moved.ToJsonString()[:-1] + zone)
    return forms


@st.composite
def written(draw: st.DrawFn) -> tuple[UplinkEvent, bytes]:
    """A message, and one of the ways to write it."""
    message = draw(messages())
    options = {
        "preserving_proto_field_name": draw(st.booleans()),
        "always_print_fields_with_no_presence": draw(st.booleans()),
        "use_integers_for_enums": draw(st.booleans()),
    }
    table: dict[str, Any] = json_format.MessageToDict(message, **options)
    shown: dict[str, Any] = {}
    for name, value in table.items():
        snake = next(field.name for field in UplinkEvent.DESCRIPTOR.fields if name in (field.name, field.json_name))
        camel = UplinkEvent.DESCRIPTOR.fields_by_name[snake].json_name
        given_name = draw(st.sampled_from([snake, camel]))
        if snake == "time":
            shown[given_name] = draw(st.sampled_from(time_forms(message.time)))
        elif snake == "rx_info":
            shown[given_name] = [{key: spelled(draw, key, one) for key, one in heard.items()} for heard in value]
        else:
            shown[given_name] = spelled(draw, snake, value)
    return message, re.sub(f'"{BARE}([^"]+)"', r"\1", json.dumps(shown)).encode()


def read(message: UplinkEvent) -> ChirpStackEvent:
    """What we should have read of a message."""
    millis = message.time.ToMilliseconds() if message.HasField("time") else 0
    return ChirpStackEvent(
        message.device_info.dev_eui,
        int(message.dev_addr, 16),
        message.f_cnt,
        message.f_port,
        millis if millis > 0 else None,
        message.data,
        [_Reception(heard.rssi, heard.snr) for heard in message.rx_info],
        message.deduplication_id,
        message.HasField("join_server_context"),
        (),
    )


@settings(deadline=None, max_examples=300)
@given(written())
def test_every_form_of_a_message_says_the_same(pair: tuple[UplinkEvent, bytes]) -> None:
    message, payload = pair
    assert json_format.Parse(payload, UplinkEvent()) == message, "the oracle takes it"
    assert event(payload) == read(message)


@settings(deadline=None, max_examples=100)
@given(messages())
def test_an_exponent_in_a_string_is_a_number_too(message: UplinkEvent) -> None:
    """The mapping says so; the oracle's own parser does not read it."""
    table = json_format.MessageToDict(message) | {"fCnt": f"{message.f_cnt}e0", "fPort": f"{message.f_port}.0"}
    assert event(json.dumps(table).encode()) == read(message)


NOT_ACCEPTED = {
    "base64 with characters that are none": ("data", "AX!Vc", "dropped by the oracle: other bytes"),
    "underscores between digits": ("fCnt", "1_008", "an accident of Python's int, no JSON number"),
    "blanks around a number": ("fCnt", "1008\n", "an accident of Python's int, no JSON number"),
    "digits of another alphabet": ("fCnt", "١", "an accident of Python's int, no JSON number"),
    "no address": ("devAddr", "", "without it nobody knows whose count it is"),
    "an address that is none": ("devAddr", "zz", "without it nobody knows whose count it is"),
    "no device": ("deviceInfo", None, "without a DevEUI nobody knows whose frame it is"),
    "a port beyond LoRaWAN's": ("fPort", 256, "a port is one byte on the air"),
}  # fmt: skip
"""What the oracle takes and we refuse, and why."""


@pytest.mark.parametrize("form", NOT_ACCEPTED)
def test_what_the_oracle_takes_and_we_do_not_stands_here_with_its_reason(form: str) -> None:
    name, value, reason = NOT_ACCEPTED[form]
    table = json_format.MessageToDict(UplinkEvent(dev_addr=ADDRESS, device_info={"dev_eui": EUI}, f_port=85))
    payload = json.dumps(table | {name: value}).encode()
    json_format.Parse(payload, UplinkEvent())
    assert isinstance(event(payload), Rejected)
    assert reason


def test_a_time_that_only_pythons_own_parser_takes_costs_the_time_alone() -> None:
    """A month of one digit is no RFC 3339."""
    table = {"deviceInfo": {"devEui": EUI}, "devAddr": ADDRESS, "fCnt": 5, "time": "2026-1-2T3:4:5Z"}
    payload = json.dumps(table).encode()
    json_format.Parse(payload, UplinkEvent())
    said = event(payload)
    assert isinstance(said, ChirpStackEvent)
    assert (said.f_cnt, said.time_ms, [one.subject for one in said.refused]) == (5, None, ["time"])
