"""What is retired ends everywhere: alert, case and texts; and an id that changed is asked about first (T4, T16)."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
import yaml

from alerts.calendars import iso
from alerts.ledger.case import Case, State
from alerts.model import Owed
from gateway import imports, shipped, start
from gateway.imports import FORMER, imported, in_force, profiles
from gateway.journal.entry import Entry, InventoryBody
from gateway.journal.reader import JournalReader
from gateway.journal.writer import Journal
from telemetry.inventory import Inventory
from telemetry.inventory.file import parse
from tests.telling_county import COUNTY, DAY, HOUR, MINUTE
from tests.told_day import MORNING, Day

GOLDEN = (Path(__file__).parents[1] / "golden" / "inventory" / "county.yaml").read_text("utf-8")
Change = Callable[[dict], None]  # type: ignore[type-arg] # YAML as it comes


@pytest.fixture
def day(tmp_path: Path) -> Iterator[Day]:
    made = Day(tmp_path / "journal.db")
    yield made
    made.line.close()


def without_pool() -> Inventory:
    """The office took the pool and its sensor out of the file."""
    assets = {name: asset for name, asset in COUNTY.assets.items() if name != "pool"}
    devices = {name: device for name, device in COUNTY.devices.items() if device.asset != "pool"}
    return replace(COUNTY, assets=assets, devices=devices, former={"pool": COUNTY.assets["pool"]})


def with_moved_sensor() -> Inventory:
    """The pool is there, and its only sensor hangs at the next one."""
    devices = {name: device for name, device in COUNTY.devices.items() if name != "s-road"}
    return replace(COUNTY, devices=devices | {"s-pool": replace(COUNTY.devices["s-pool"], asset="road")})


def renamed_pool() -> Inventory:
    """The pool has another id."""
    pool = replace(COUNTY.assets["pool"], id="liutan-1", renamed_from="pool")
    assets = {name: asset for name, asset in COUNTY.assets.items() if name != "pool"} | {pool.id: pool}
    devices = {**COUNTY.devices, "s-pool": replace(COUNTY.devices["s-pool"], asset=pool.id)}
    return replace(COUNTY, assets=assets, devices=devices, former={"pool": COUNTY.assets["pool"]})


def case_of(day: Day) -> Case:
    """The case of the overflow."""
    (case,) = (each for each in day.line.pipeline.ledger.cases.values() if each.rule == "overflow")
    return case


def to_cleaner(day: Day) -> list[str]:
    return [each.text for each in day.said if isinstance(each, Owed) and each.to == "cleaner"]


def test_whoever_was_told_of_a_pool_that_is_retired_need_not_go_and_nobody_else_is_told(day: Day) -> None:
    day.overflow()
    told = len(to_cleaner(day))
    day.restart(without_pool())
    day.line.live(MORNING + 2 * DAY)
    assert to_cleaner(day)[told:][0] == "【湘阳环卫】李大姐：不用去了：柳潭1号池23日已停用。"
    about = [each for each in day.said if isinstance(each, Owed) and each.asset == "pool"]
    assert [(each.to, str(each.kind)) for each in about] == [("cleaner", "first"), ("cleaner", "cleared")]
    rows = [(row.rule, row.detail) for row in day.rows("retired")]
    assert sorted(rows) == [("over_two_thirds", {"reason": "retired"}), ("overflow", {"reason": "retired"})]


def test_the_case_of_what_is_retired_ends_with_it_and_says_why(day: Day) -> None:
    day.overflow()
    case = case_of(day)
    day.restart(without_pool())
    day.line.live(MORNING + 3 * DAY)
    assert day.cases[case.id].state is State.CLOSED
    assert [(deed.deed, deed.reason) for deed in day.deeds if deed.case == case.id][-1] == ("retired", "retired")
    assert not [each for each in day.said if isinstance(each, Owed) and each.rule == "ledger"]


def test_of_a_pool_whose_sensor_was_moved_nobody_says_that_it_is_retired(day: Day) -> None:
    day.overflow()
    told = len(to_cleaner(day))
    case = case_of(day)
    day.restart(with_moved_sensor())
    day.line.live(day.hand.at_ms + HOUR)
    assert to_cleaner(day)[told:] == ["【湘阳环卫】李大姐：23日起柳潭1号池这件事不再提醒，您不用管了。"]
    assert day.cases[case.id].state is State.CLOSED


def test_who_was_told_more_than_a_day_ago_hears_nothing(day: Day) -> None:
    day.overflow()
    day.line.deafen()
    day.hand.at_ms += DAY + HOUR
    told = len([each for each in day.said if isinstance(each, Owed) and each.to == "cleaner" and each.asset == "pool"])
    day.restart(without_pool())
    day.line.live(day.hand.at_ms + HOUR)
    about = [each for each in day.said if isinstance(each, Owed) and each.to == "cleaner" and each.asset == "pool"]
    assert len(about) == told


def test_a_pool_with_another_id_is_the_same_pool(day: Day) -> None:
    day.overflow()
    said = len(day.said)
    episode = case_of(day).episode
    case = case_of(day).id
    day.restart(renamed_pool())
    assert day.line.pipeline.county.alerts[episode].asset == "liutan-1"
    assert day.line.pipeline.ledger.cases[case].asset == "liutan-1"
    day.line.live(day.hand.at_ms + 5 * MINUTE)
    assert [each for each in day.said[said:] if isinstance(each, Owed) and each.to == "cleaner"] == []
    for _ in range(2):
        day.line.live(day.hand.at_ms + 10 * MINUTE)
        day.sample("s-pool", distance_mm=1190.0)
    assert episode not in [name for name, alert in day.line.pipeline.county.alerts.items() if not alert.closed_ms]
    assert [row.asset for row in day.rows("emptied")] == ["liutan-1"]


def test_another_start_without_the_former_name_changes_nothing(day: Day) -> None:
    day.overflow()
    episode = case_of(day).episode
    day.restart(renamed_pool())
    forgotten = renamed_pool()
    pool = replace(forgotten.assets["liutan-1"], renamed_from=None)
    day.restart(replace(forgotten, assets={**forgotten.assets, pool.id: pool}))
    assert day.line.pipeline.county.states["liutan-1"].memory.fill_pct > 90  # type: ignore[union-attr] # a bin's
    assert day.line.pipeline.county.alerts[episode].asset == "liutan-1"


# --- the file


def county(change: Change) -> str:
    document = yaml.safe_load(GOLDEN)
    change(document)
    return yaml.safe_dump(document, allow_unicode=True, sort_keys=False)


def rename(document: dict) -> None:  # type: ignore[type-arg] # YAML as it comes
    for asset in document["assets"]:
        if asset["id"] == "ytan-03":
            asset["id"] = "ytan-33"
    for device in document["devices"]:
        if device["asset"] == "ytan-03":
            device["asset"] = "ytan-33"
    for route in document["routes"]:
        route["stops"] = ["ytan-33" if stop == "ytan-03" else stop for stop in route["stops"]]


def replaced_sensor(document: dict) -> None:  # type: ignore[type-arg] # YAML as it comes
    rename(document)
    for asset in document["assets"]:
        if asset["id"] == "ytan-33":
            asset.update(name="另一处垃圾池", short="另一处", landmark="东头")
            asset.pop("location", None)


def renamed(document: dict) -> None:  # type: ignore[type-arg] # YAML as it comes
    rename(document)
    next(asset for asset in document["assets"] if asset["id"] == "ytan-33")["renamed_from"] = "ytan-03"


def retired(document: dict) -> None:  # type: ignore[type-arg] # YAML as it comes
    old = next(asset for asset in yaml.safe_load(GOLDEN)["assets"] if asset["id"] == "ytan-03")
    rename(document)
    document["assets"].append({**old, "retired": True})


KNOWN = InventoryBody(MORNING, "00", GOLDEN)


@pytest.mark.parametrize("change", [rename, replaced_sensor])
def test_an_id_that_changed_is_asked_about_and_the_start_goes_on_with_what_was(tmp_path: Path, change: Change) -> None:
    path = tmp_path / "inventory.yaml"
    path.write_text(county(change), "utf-8")
    done = imported(path, KNOWN, None, MORNING)
    assert "ytan-03" in done.inventory.assets
    assert done.body is None
    (sentence,) = done.refused
    assert "ytan-03 is gone, and ytan-33 has" in sentence
    assert "`renamed_from: ytan-03` at ytan-33" in sentence
    assert "`retired: true`" in sentence
    part = imports.report(done, path)
    assert not part.ready
    assert sentence in part.state


@pytest.mark.parametrize("change", [renamed, retired])
def test_once_the_file_says_so_it_is_taken(tmp_path: Path, change: Change) -> None:
    path = tmp_path / "inventory.yaml"
    path.write_text(county(change), "utf-8")
    done = imported(path, KNOWN, None, MORNING)
    assert done.refused == ()
    assert done.body is not None
    assert set(done.inventory.former) == {"ytan-03"}


def test_what_is_simply_gone_is_retired_and_known_ever_after(tmp_path: Path) -> None:
    def remove(document: dict) -> None:  # type: ignore[type-arg] # YAML as it comes
        document["assets"] = [asset for asset in document["assets"] if asset["id"] != "ytan-03"]
        document["devices"] = [device for device in document["devices"] if device["asset"] != "ytan-03"]
        for route in document["routes"]:
            route["stops"] = [stop for stop in route["stops"] if stop != "ytan-03"]

    path, journal = tmp_path / "inventory.yaml", tmp_path / "data" / "journal.db"
    path.write_text(county(remove), "utf-8")
    done = imported(path, KNOWN, None, MORNING)
    assert done.inventory.former["ytan-03"] == parse(GOLDEN, "", profiles()).inventory.assets["ytan-03"]  # type: ignore[union-attr] # it is right
    with closing(Journal.open(journal)) as opened:
        mark = msgspec.json.encode(done.inventory.former).decode()
        opened.commit(Entry(inventory=done.body, meta={FORMER: mark}))
    with closing(JournalReader.open(journal)) as reader:
        again = imported(path, reader.inventory(), reader.mark(FORMER), MORNING + DAY)
    assert again.inventory == done.inventory
    assert in_force(path, journal).inventory.former == done.inventory.former


def test_what_is_retired_is_written_down_only_when_that_changed(tmp_path: Path) -> None:
    with closing(Journal.open(tmp_path / "journal.db")) as journal:
        written = []
        for inventory in (COUNTY, without_pool(), without_pool(), COUNTY, COUNTY):
            pipeline = start.resumed(inventory, shipped.policy_files(), journal, journal.restore(), MORNING)
            written.append(pipeline.entry.meta.get(FORMER))
            journal.commit(pipeline.finish()[0])
    assert written == [None, msgspec.json.encode(without_pool().former).decode(), None, "{}", None]


def test_the_doctor_and_people_hear_of_a_file_that_is_not_taken(tmp_path: Path) -> None:
    path, journal = tmp_path / "inventory.yaml", tmp_path / "data" / "journal.db"
    path.write_text(county(rename), "utf-8")
    with closing(Journal.open(journal)) as opened:
        opened.commit(Entry(inventory=KNOWN))
    note = in_force(path, journal).note
    assert note.startswith(f"{path} is not taken: asset ytan-03 is gone")
    assert iso(MORNING) not in note


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda asset, _: asset.update(renamed_from="ytan-03"), "asset 'ytan-03' still stands here"),
        (lambda asset, _: asset.update(renamed_from="No Id"), "renamed_from"),
        (lambda asset, _: asset.update(retired="maybe"), "retired"),
        (lambda asset, _: asset.update(retired=True), "is retired"),
    ],
)
def test_a_row_that_contradicts_itself_is_a_fault(change: Callable[[dict, dict], None], fault: str) -> None:  # type: ignore[type-arg] # YAML as it comes
    document = yaml.safe_load(GOLDEN)
    change(next(asset for asset in document["assets"] if asset["id"] == "ytan-03"), document)
    faults = parse(yaml.safe_dump(document, allow_unicode=True), "county.yaml", profiles()).faults
    assert [each for each in faults if fault in str(each)]


def test_a_start_ends_no_case_about_what_is_no_asset(day: Day) -> None:
    day.line.live(MORNING + 4 * HOUR)  # every device is silent, so the radio gateway is down
    about = {case.id for case in day.line.pipeline.ledger.cases.values() if case.asset == "g1"}
    day.restart()
    assert about
    assert about <= set(day.line.pipeline.ledger.cases)


def test_the_word_of_an_end_that_waits_for_the_morning_claims_nothing_of_what_is_retired_by_then(day: Day) -> None:
    day.line.live(MORNING + 8 * HOUR)
    day.sample("s-pool", distance_mm=1100.0, full_flag=1.0)
    day.line.live(day.hand.at_ms + 20 * MINUTE)
    day.sample("s-pool", distance_mm=1100.0, full_flag=1.0)
    day.pass_until(MORNING + 13 * HOUR + 20 * MINUTE)
    while day.hand.at_ms < MORNING + 15 * HOUR:
        day.line.live(day.hand.at_ms + 20 * MINUTE)
        day.sample("s-pool", distance_mm=1100.0, full_flag=0.0)
    told = len(to_cleaner(day))
    assert told
    assert day.rows("cleared")
    day.restart(without_pool())
    day.line.live(MORNING + 24 * HOUR)
    assert to_cleaner(day)[told:] == ["【湘阳环卫】李大姐：不用去了：柳潭1号池23日已停用。"]


def test_another_start_does_not_move_the_day_on_which_something_was_retired(day: Day) -> None:
    day.line.live(MORNING + 8 * HOUR)
    day.overflow()
    day.pass_until(MORNING + 15 * HOUR)
    told = len(to_cleaner(day))
    day.restart(without_pool())
    day.line.live(MORNING + 21 * HOUR)
    day.restart(without_pool())
    day.line.live(MORNING + 24 * HOUR)
    assert to_cleaner(day)[told:] == ["【湘阳环卫】李大姐：不用去了：柳潭1号池23日已停用。"]
