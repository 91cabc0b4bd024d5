"""The demo before its visitor comes: what it may be called, and the night that went through the real line."""

import pytest

from firmware_sim.scenario import PlaceNames
from firmware_sim.traces import trace
from gateway.demo import past, stage
from gateway.demo.stage import NamesFault, names
from gateway.embedded_broker import Embedded
from gateway.journal.case_reader import CaseReader
from gateway.journal.entry import Entry
from gateway.settings import Settings
from telemetry.reading import Millis


@pytest.fixture(scope="module")
def begins_ms() -> Millis:
    return stage.begins_ms(stage.shanghai())


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory, begins_ms: Millis) -> tuple[Settings, list[Entry], Millis]:
    """A demo's folder at eight in the morning, what was committed in it until then, and when the first uplink comes."""
    folder = tmp_path_factory.mktemp("demo")
    scene = stage.scenario(begins_ms, PlaceNames())
    broker = Embedded("none", "mqtt://127.0.0.1:1", 1, "cunjing", folder / "broker.password", "auto")
    (folder / "broker.password").write_text("hush\n")
    settings = stage.settings(folder, scene, broker, 1)
    committed: list[Entry] = []
    first = past.lived(settings, trace(scene), scene.start_ms, begins_ms, committed.append)
    assert first is not None
    return settings, committed, first.at_ms


def test_the_list_of_half_past_six_is_on_the_drivers_phone_before_anybody_looks(
    night: tuple[Settings, list[Entry], Millis], begins_ms: Millis
) -> None:
    settings, _, _ = night
    reader = CaseReader.open(settings.journal.path)
    texts = [text for text in reader.messages(50, 2**62, ("delivered",)) if text.to == "driver-1"]
    reader.close()
    assert [text.at_ms for text in texts] == [begins_ms - 90 * 60_000]
    assert texts[0].delivered_ms == texts[0].at_ms, "it arrived then and not when the demo began"
    assert "5处已过线" in texts[0].text
    assert len(list((settings.journal.path.parent / "outbox").glob("*.json"))) == len(reader_texts(settings))


def reader_texts(settings: Settings) -> list[str]:
    reader = CaseReader.open(settings.journal.path)
    found = [text.text for text in reader.messages(50, 2**62, ("delivered",))]
    reader.close()
    return found


def test_the_night_ends_where_the_demo_begins(night: tuple[Settings, list[Entry], Millis], begins_ms: Millis) -> None:
    _, committed, first_ms = night
    received = [reading.received_ms for entry in committed for reading in entry.readings]
    assert max(received) <= begins_ms < first_ms, "nothing is told twice and nothing is left out"
    assert received == sorted(received)
    assert committed[-1].snapshot is not None
    assert max(entry.heartbeat_ms or 0 for entry in committed) == begins_ms


@pytest.mark.parametrize(
    ("county", "towns", "fault"),
    [
        ("县", None, "--county: '县' has 1 characters"),
        ("很长很长很长的一个县", None, "has 10 characters; a name has 2 to 8"),
        ("Xiangyang", None, "has 9 characters"),
        ("Xiang", None, "not written in Chinese characters"),
        ("<b>县</b>", None, "not written in Chinese characters"),
        ("湘 阳", None, "not written in Chinese characters"),
        (None, "", "--towns: '' has 0 characters"),
        (None, "石桥镇,", "--towns: '' has 0 characters"),
        (None, "石桥,石桥镇", "石桥镇 more than once"),
        (None, "甲乙,丙丁,戊己,庚辛,壬癸", "names 5 towns; the demo has room for 4"),
    ],
)
def test_a_name_that_cannot_be_one_is_refused_with_what_is_wrong(
    county: str | None, towns: str | None, fault: str
) -> None:
    with pytest.raises(NamesFault) as refused:
        names(county, towns)
    assert fault in str(refused.value)


def test_names_are_taken_as_people_write_them(begins_ms: Millis) -> None:
    assert names(None, None) == PlaceNames()
    called = names(" 青溪县", "石桥、竹园乡，梅岭街道")
    assert called == PlaceNames(county="青溪县", towns=("石桥镇", "竹园乡", "梅岭街道"))
    assert stage.scenario(begins_ms, called).fleet.towns == 3
