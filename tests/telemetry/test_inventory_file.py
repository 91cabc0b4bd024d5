"""The inventory file: good ones become an inventory, each fault says where and what to do, nothing raises."""

import json
from datetime import UTC, datetime, time
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import imports
from telemetry.codecs import codecs
from telemetry.inventory import Collection, Inventory
from telemetry.inventory.diff import differences
from telemetry.inventory.faults import Fault, FaultSeverity, Vocabulary
from telemetry.inventory.file import Parsed, parse
from telemetry.terms import AssetKind, Container, DutyCycle, Hours, Level, Power, Role

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden" / "inventory"
COUNTY = (GOLDEN / "county.yaml").read_text(encoding="utf-8")
EXAMPLE = (ROOT / "config" / "inventory.example.yaml").read_text(encoding="utf-8")
PROFILES = frozenset({"native", "milesight-em400"})

BIN_3 = "bin: {container: pool, empty_mm: 1200, full_mm: 200, blind_mm: 250, volume_m3: 3.0}"
DUTY_LI = "duties: [{role: cleaner, area: ytan}]"
DAYS = "collection: {rounds: [am, pm], days: daily}"
PLACE_3 = "location: {lat: 27.6102, lon: 112.5301}"
INSTALLED_3 = "installed_at: 2026-11-01T00:00:00Z"
EUI_4 = 'dev_eui: "24e124713b000004", '
KIND_3 = "    kind: bin\n    name: 柳潭村3号垃圾池"
AREA_3 = "    area: ytan\n    location: {lat: 27.6102"


def read(text: str) -> Parsed:
    return parse(text, "inventory.yaml", PROFILES)


def county(old: str = "", new: str = "") -> Inventory:
    assert old in COUNTY
    inventory, faults = read(COUNTY.replace(old, new, 1) if old else COUNTY)
    assert inventory is not None, [str(fault) for fault in faults]
    return inventory


def line_at(text: str, fragment: str) -> int:
    return text.count("\n", 0, text.index(fragment)) + 1


def errors(text: str) -> list[Fault]:
    return [fault for fault in read(text).faults if fault.severity is FaultSeverity.ERROR]


class Slip(NamedTuple):
    """A row of ``slips.yaml``."""

    name: str
    old: str
    new: str
    place: str
    words: list[str]
    line_of: str = ""
    besides: int = 0


SLIPS = [Slip(**row) for row in yaml.safe_load((GOLDEN / "slips.yaml").read_text(encoding="utf-8"))]


@pytest.mark.parametrize("slip", SLIPS, ids=lambda slip: slip.name)
def test_a_slip_is_told_with_line_row_field_and_remedy(slip: Slip) -> None:
    assert slip.old in COUNTY, "the county has changed under the test"
    text = COUNTY.replace(slip.old, slip.new, 1)
    found = errors(text)
    at_place = [fault for fault in found if ".".join(filter(None, (fault.row, fault.field))) == slip.place]
    assert [fault.line for fault in at_place] == [line_at(text, slip.line_of or slip.new)], list(map(str, found))
    said = str(at_place[0])
    assert said.startswith(f"inventory.yaml:{at_place[0].line}: ")
    assert [words for words in slip.words if words not in said] == [], said
    assert at_place[0].remedy.endswith(".")
    assert len(found) == 1 + slip.besides, list(map(str, found))
    assert read(text).inventory is None


@pytest.mark.parametrize("digits", ["9" * 400, "9" * 5_000, "-" + "9" * 5_000])
def test_a_number_of_thousands_of_digits_is_a_fault_like_any_other(digits: str) -> None:
    for key in ("interval_s: 60", "households: 120", "design_m3d: 50"):
        found = errors(COUNTY.replace(key, f"{key.split()[0]} {digits}"))
        assert [fault.line for fault in found] == [line_at(COUNTY, key)]
        assert len(str(found[0])) < 300


def test_all_faults_of_a_file_are_told_at_once_in_the_order_of_lines() -> None:
    text = COUNTY
    for old, new in (
        ("level: grid, parent: wushi", "level: grid, parent: ytan"),
        ('"13900000002"', '"0139"'),
        ("full_mm: 150", "full_mm: 1000"),
        ("asset: chetian-plant", "asset: chetian-plan"),
        ("{id: f3,", "{id: f3, colour: red,"),
        ("    area: chetian\n", "    area: elsewhere\n"),
        ("assets:\n", "  - {id: f3, name: 南线, area: empty-quarter}\nassets:\n"),
    ):
        assert old in text
        text = text.replace(old, new, 1)
    found = errors(text)
    assert [fault.field for fault in found] == [
        "parent", "phone", "colour", "area", "id", "bin.full_mm", "area", "asset",
    ]  # fmt: skip
    assert sorted(found, key=lambda fault: fault.line) == found


def test_an_asset_in_an_empty_place_is_told_although_the_tree_has_a_circle_elsewhere() -> None:
    text = COUNTY.replace("people:\n", "  - {id: far, name: 远村, level: village}\npeople:\n")
    text = text.replace("    area: chetian\n", "    area: far\n")
    text = text.replace("level: grid, parent: wushi", "level: grid, parent: ytan")
    assert [fault.problem for fault in errors(text)] == [
        "the tree runs in a circle: ytp > ytan > ytp",
        "nobody answers for it: no crew at 'far' or above",
    ]


def test_the_recorded_county_has_no_error_and_one_warning() -> None:
    parsed = read(COUNTY)
    assert parsed.inventory is not None
    assert "\n".join(map(str, parsed.faults)) == (
        "inventory.yaml:14: warning: areas[3] (chetian): its assets have no village head, here or above."
        " Give a person the duty {role: village_head, area: chetian}."
    )


def test_our_example_has_nothing_to_be_said_against() -> None:
    assert read(EXAMPLE).faults == ()


def test_one_warning_speaks_for_all_assets_of_an_area_and_of_a_town() -> None:
    text = COUNTY.replace("{role: village_head, area: ytan}", "").replace("{role: town_leader, area: wushi}", "")
    parsed = read(text)
    assert parsed.inventory is not None
    assert [(fault.row, fault.problem, fault.severity) for fault in parsed.faults] == [
        ("areas[0] (wushi)", "its assets have no town leader, here or above", FaultSeverity.WARNING),
        ("areas[2] (ytan)", "its assets have no village head, here or above", FaultSeverity.WARNING),
        ("areas[3] (chetian)", "its assets have no village head, here or above", FaultSeverity.WARNING),
    ]


def test_a_route_without_driver_is_a_warning_and_its_bins_fall_to_the_cleaner() -> None:
    parsed = read(COUNTY.replace("{role: collector, route: r1}", ""))
    assert parsed.inventory is not None
    assert ("routes[0] (r1)", "nobody drives it") in [(fault.row, fault.problem) for fault in parsed.faults]


def test_a_collector_answers_for_a_bin_where_no_cleaner_is() -> None:
    text = COUNTY.replace("stops: [ytan-04]", "stops: [ytan-04, ytan-03]").replace("{role: cleaner, area: ytan}", "")
    assert errors(text) == []


def test_a_bin_on_the_border_is_kept_by_either_village() -> None:
    text = COUNTY.replace("{role: cleaner, area: ytan}", "").replace(AREA_3, AREA_3.replace("ytan", "[ytan, chetian]"))
    assert [fault.row for fault in errors(text)] == []
    assert county(AREA_3, AREA_3.replace("ytan", "[ytan, chetian]")).assets["ytan-03"].areas == ("ytan", "chetian")


@pytest.mark.parametrize("name", ["areas", "people", "routes", "radio_gateways", "feeders", "assets", "devices"])
def test_whole_lists_may_be_missing_or_empty(name: str) -> None:
    head = COUNTY[: COUNTY.index("areas:")]
    assert read(head).inventory is not None
    assert read(f"{head}{name}:\n").inventory is not None
    assert read(f"{head}{name}: []\n").faults == ()


def test_an_asset_without_a_device_is_valid() -> None:
    inventory = county(COUNTY[COUNTY.index("  - {id: plant-0001") :], "")
    assert "chetian-plant" not in inventory.devices_of


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-01T00:00:00Z", '"2026-11-01T00:00:00Z"', "2026-11-01T08:00:00+08:00", "2026-11-01 08:00:00+08:00",
        "'2026-11-01T00:00:00.000Z'",
    ],
)  # fmt: skip
def test_a_moment_is_the_same_quoted_or_not_and_ends_in_utc(written: str) -> None:
    device = county(INSTALLED_3, f"installed_at: {written}").devices["bin-0003"]
    assert device.installed_at == datetime(2026, 11, 1, tzinfo=UTC)
    assert device.installed_at.tzinfo is UTC


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ("daily", Collection(("am",))),
        ("[mon, thu]", Collection(("am",), weekdays=frozenset({0, 3}))),
        ("{lunar_ends: [2, 5, 8]}", Collection(("am",), lunar_ends=frozenset({2, 5, 8}))),
    ],
)
def test_days_are_daily_weekdays_or_lunar(days: str, expected: Collection) -> None:
    assert county(DAYS, f"collection: {{rounds: [am], days: {days}}}").assets["ytan-04"].collection == expected
    assert county(DAYS, "collection: {rounds: [am]}").assets["ytan-04"].collection == Collection(("am",))


@pytest.mark.parametrize(
    "phone", ["0700-55661234", "07005566123", "4001234567", "400-123-4567", "13900000009", "12345"]
)
def test_the_office_may_have_a_landline_a_400_number_or_a_hotline(phone: str) -> None:
    assert county('"55661234"', f'"{phone}"').county.office_phone == phone


def test_texts_that_yaml_takes_for_something_else_stay_texts() -> None:
    text = (
        COUNTY.replace("{id: f3,", "{id: no,")
        .replace("feeder: f3", "feeder: no")
        .replace('"07:00-21:00"', "07:00-21:00")
    )
    text = text.replace('"13900000001"', "13900000001")
    inventory = read(text).inventory
    assert inventory is not None
    assert inventory.assets["chetian-plant"].plant is not None
    assert inventory.assets["chetian-plant"].plant.feeder == "no"
    assert inventory.people["cleaner-li"].phone == "13900000001"


def test_every_field_of_the_county_arrives() -> None:
    inventory = county("feeder: f3", 'feeder: f3, duty_windows: ["06:00-09:00"], rest_days: [sun]')
    assert inventory.county.rounds["pm"] == Hours(time(14, 30), time(16, 30))
    assert (inventory.county.signature, inventory.county.office_phone) == ("湘阳环卫", "55661234")
    assert inventory.areas["chetian"].trial_until == datetime(2026, 12, 1, tzinfo=UTC)
    assert inventory.areas["ytp"].level is Level.GRID
    assert inventory.people["dispatch-wu"].duties[0].hours == Hours(time(7), time(21))
    assert inventory.people["cleaner-zhou"].stand_in == "cleaner-li"
    pool = inventory.assets["ytan-03"]
    assert (pool.kind, pool.short, pool.landmark, pool.roadside, pool.priority) == (
        AssetKind.BIN, "柳潭3号", "村部东侧", True, True,
    )  # fmt: skip
    assert pool.location is not None
    assert (pool.location.lat, pool.location.lon) == (27.6102, 112.5301)
    assert pool.bin is not None
    assert (pool.bin.container, pool.bin.height_mm, pool.bin.volume_m3) == (Container.POOL, 1000, 3.0)
    can = inventory.assets["ytan-04"].bin
    assert can is not None
    assert not can.counts_for_score
    plant = inventory.assets["chetian-plant"].plant
    assert plant is not None
    assert (plant.design_m3d, plant.duty, plant.low_cutoff_m3h) == (50, DutyCycle.INTERMITTENT, 0.1)
    assert (plant.rated_current_a, plant.start_level_mm, plant.alarm_level_mm) == (7.2, 900, 1400)
    assert (plant.households, plant.feeder, plant.rest_days) == (120, "f3", frozenset({6}))
    assert plant.duty_windows == (Hours(time(6), time(9)),)
    device = inventory.devices["bin-0004"]
    assert (device.profile, device.power, device.interval_s, device.radio_gateway) == (
        "milesight-em400", Power.BATTERY, 1200, "g07",
    )  # fmt: skip
    assert inventory.by_dev_eui["24e124713b000004"] is device


UNREADABLE = (
    ("", 1, "nothing is not an inventory"),
    ("just words", 1, "'just words' is not an inventory"),
    ("- a\n- b\n", 1, "a list is not an inventory"),
    ("county: {id: a\nareas: []\n", 2, "not YAML"),
    ("county:\n\tid: x\n", 2, "not YAML"),
    ('county:\n  id: "x\n', 3, "not YAML"),
    ("county: &a {id: x}\n", 1, "anchor"),
    ("county: 1\nareas: *a\n", 2, "alias"),
    ("county:\n  id: !!python/object/apply:os.system [x]\n", 2, "tag"),
    ("county: 1\n---\ncounty: 2\n", 2, "second document"),
    ("? [a, b]\n: c\n", 1, "a key has to be a text"),
    ("a: 1\nb: \x00\n", 2, "control character"),
    ("a: 1\nb: \ud800\n", 2, "control character"),
    ("county: " + "[" * 100_000, 1, "nested deeper"),
    ("- " * 100_000, 1, "nested deeper"),
    ("a: 'b'c", 1, "not YAML"),
)


@pytest.mark.parametrize(("text", "line", "words"), UNREADABLE, ids=range(len(UNREADABLE)))
def test_what_is_no_plain_yaml_mapping_is_one_fault_with_its_line(text: str, line: int, words: str) -> None:
    parsed = read(text)
    assert parsed.inventory is None
    assert [fault.line for fault in parsed.faults] == [line], str(parsed.faults)
    assert words in str(parsed.faults[0])


def test_a_text_longer_than_any_county_is_not_read() -> None:
    assert "longer than" in str(read("a" * (32 * 1024 * 1024 + 1)).faults[0])


def test_a_bomb_of_aliases_is_refused_at_its_first_anchor() -> None:
    bomb = "a: &a [x, x]\n" + "".join(f"b{at}: &b{at} [*a, *a]\n" for at in range(50))
    assert [fault.line for fault in read(bomb).faults] == [1]


def test_a_key_that_is_no_text_is_an_unknown_key() -> None:
    assert [fault.field for fault in errors(f"{COUNTY}1: x\n~: y\n")] == ["1", "~"]


OF_AN_ASSET = "landmark, location, roadside, priority, collection, trial_until, bin, plant, renamed_from, retired"


@pytest.mark.parametrize(
    ("row", "known"),
    [
        ("people: [{nmae: a}]", "id, name, phone, duties, stand_in, reach"),
        ("assets: [{nmae: a}]", f"id, kind, name, short, area, {OF_AN_ASSET}"),
        ("assets: [{collection: {days: {nmae: a}}}]", "lunar_ends"),
        ("assets: [{collection: {nmae: a}}]", "rounds, days"),
        ("devices: [{settings: {nmae: a}}]", "f_port"),
    ],
)
def test_an_unknown_key_is_told_with_the_keys_that_the_file_has(row: str, known: str) -> None:
    said = [fault.remedy for fault in errors(row) if fault.problem.startswith("unknown key")]
    assert said == [f"Remove it; known here: {known}."]


OWN = {"milesight-em400": ("f_port", "offset_mm")}


@pytest.mark.parametrize(
    ("profile", "written", "problems"),
    [
        ("milesight-em400", "offset_mm: 1.5, f_port: 2", []),
        ("milesight-em400", "offset_mm: ~", []),
        ("milesight-em400", "offset_mm: inf", ["'inf' is not a number"]),
        ("milesight-em400", "ofset_mm: 1", ["unknown key — did you mean 'offset_mm'?"]),
        ("native", "offset_mm: 1", ["unknown key", "does not belong to a native device"]),
    ],
)
def test_what_a_codec_asks_for_may_be_filled_in(profile: str, written: str, problems: list[str]) -> None:
    row = f"devices: [{{id: a, profile: {profile}, settings: {{{written}}}}}]"
    faults = parse(row, "inventory.yaml", PROFILES, OWN).faults
    told = [fault for fault in faults if fault.field.startswith("settings")]
    assert [fault.problem for fault in told] == problems
    own = "f_port, offset_mm" if profile != "native" else "f_port"
    assert all(f"known here: {own}." in fault.remedy for fault in told if fault.problem.startswith("unknown"))


def test_every_setting_of_every_codec_may_be_filled_in(tmp_path: Path) -> None:
    for profile, codec in codecs().items():
        said = ", ".join(f"{name}: {value}" for name, value in codec.settings.items())
        file = tmp_path / "inventory.yaml"
        file.write_text(f"devices: [{{id: a, profile: {profile}, settings: {{{said}}}}}]", "utf-8")
        assert [fault for fault in imports.read(file)[1].faults if fault.field.startswith("settings")] == []


@given(st.text())
def test_no_text_makes_it_raise(text: str) -> None:
    assert read(text).inventory is None


@given(st.text(alphabet="ab:,-?!&*[]{}|>'\"#%@` \n\t~.0\\"))
def test_no_text_of_yaml_signs_makes_it_raise(text: str) -> None:
    assert read(text).inventory is None


FRAGMENTS = st.one_of(
    st.sampled_from(["", "~", "[]", "{}", "- ", ": ", '"', "*a", "&a ", "!!int ", "?", "\n", "{0}", "\ud800"]),
    st.sampled_from(["nan", "1e999", "9" * 400, "0x1", "{a: b}", "[[1]]", "Asia/..", "2026-99-99"]),
)


@settings(max_examples=200)
@given(st.data())
def test_no_mutated_county_makes_it_raise_and_what_it_says_is_well_formed(data: st.DataObject) -> None:
    text = COUNTY
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = min(len(text), start + data.draw(st.integers(0, 12)))
        text = text[:start] + data.draw(FRAGMENTS | st.text(max_size=3)) + text[end:]
    parsed = read(text)
    lines = len(f"{text}.".splitlines())
    assert (parsed.inventory is None) == any(fault.severity is FaultSeverity.ERROR for fault in parsed.faults)
    for fault in parsed.faults:
        assert 1 <= fault.line <= lines
        assert fault.problem
        assert fault.remedy
        assert str(fault).isprintable()


WORDS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
PLACES = (
    "id: {}", "areas: [{}]", "areas: [{{id: a, level: {}}}]", "people: [{{duties: {}}}]", "people: [{{duties: [{}]}}]",
    "routes: [{{id: r, stops: {}}}]", "assets: [{{id: a, kind: bin, area: {}}}]", "assets: [{{bin: {}}}]",
    "assets: [{{collection: {{rounds: {0}, days: {0}}}}}]", "assets: [{{plant: {{duty_windows: {}}}}}]",
    "assets: [{{location: {}}}]", "devices: [{{installed_at: {0}, dev_eui: {0}}}]", "county: {{rounds: {}}}",
)  # fmt: skip


@given(st.sampled_from(PLACES), WORDS)
def test_no_value_in_any_place_makes_it_raise(place: str, value: object) -> None:
    parsed = read(place.format(json.dumps(value)))
    assert parsed.inventory is None
    assert all(str(fault).isprintable() for fault in parsed.faults)


def test_a_hint_is_given_only_when_one_name_is_near() -> None:
    names = Vocabulary(("ytan-03", "ytan-04", "wushi"))
    assert names.hint("wuhsi") == " — did you mean 'wushi'?"
    assert names.hint("Wushi") == " — did you mean 'wushi'?"
    assert names.hint("ytan-05") == ""
    assert names.hint("quite-different") == ""
    assert names.hint("w" * 100_000) == ""


# Look-ups


@pytest.mark.parametrize(
    ("span", "within"),
    [(Hours(time(7), time(21)), {"07:00", "20:59"}), (Hours(time(21), time(7)), {"21:00", "23:59", "00:00", "06:59"})],
)
def test_hours_hold_their_start_and_not_their_end_and_may_run_over_midnight(span: Hours, within: set[str]) -> None:
    asked = ("00:00", "06:59", "07:00", "20:59", "21:00", "23:59")
    assert {at for at in asked if time.fromisoformat(at) in span} == within


def test_the_holder_nearest_to_the_area_counts() -> None:
    inventory = county("{role: crew, area: wushi}", "{role: crew, area: wushi}, {role: cleaner, area: wushi}")
    at = {area: [person.id for person, _ in inventory.holders(Role.CLEANER, area)] for area in inventory.areas}
    assert at == {"wushi": ["crew-chen"], "ytp": ["crew-chen"], "ytan": ["cleaner-li"], "chetian": ["cleaner-zhou"]}
    assert inventory.holders(Role.VILLAGE_HEAD, "chetian") == ()


def test_a_route_knows_its_collectors_and_a_bin_its_route() -> None:
    inventory = county()
    assert [person.id for person, duty in inventory.collectors("r1") if duty.role is Role.COLLECTOR] == ["driver-tang"]
    assert inventory.collectors("r2") == ()
    assert {bin_id: route.id for bin_id, route in inventory.route_of.items()} == {"ytan-04": "r1"}


def test_the_lineage_runs_from_the_village_to_the_town() -> None:
    assert [area.id for area in county().lineage("ytan")] == ["ytan", "ytp", "wushi"]


def test_neighbours_are_the_bins_of_a_village_and_a_radio_gateway_knows_its_devices() -> None:
    inventory = county()
    assert [asset.id for asset in inventory.bins_in["ytan"]] == ["ytan-03", "ytan-04"]
    assert "chetian" not in inventory.bins_in
    assert [device.id for device in inventory.behind["g07"]] == ["bin-0003", "bin-0004"]
    assert [device.id for device in inventory.devices_of["ytan-03"]] == ["bin-0003"]


# Differences


def test_equal_inventories_differ_in_nothing() -> None:
    assert differences(county(), county()) == ()


def test_differences_say_what_was_added_removed_and_changed() -> None:
    new = county("feeder: f3}", 'feeder: f3, duty_windows: ["06:00-09:00"], rest_days: [sun]}')
    assert differences(county(), new) == (
        "asset chetian-plant plant duty_windows: none → 06:00-09:00",
        "asset chetian-plant plant rest_days: none → 6",
    )
    assert differences(county(), county('"13900000001"', '"13900000011"')) == (
        "person cleaner-li phone: 13900000001 → 13900000011",
    )
    assert differences(county(), county(DUTY_LI, 'duties: [{role: cleaner, area: ytan, hours: "06:00-18:00"}]')) == (
        "person cleaner-li duties: cleaner ytan → cleaner ytan 06:00-18:00",
    )
    assert differences(county(), county("    roadside: true\n", "")) == ("asset ytan-03 roadside: yes → no",)
    assert differences(county(), county(f"    {PLACE_3}\n", "")) == (
        "asset ytan-03 location: lat 27.6102, lon 112.53 → nothing",
    )
    assert differences(county(), county("empty_mm: 1200", "empty_mm: 1250")) == (
        "asset ytan-03 bin empty_mm: 1200 → 1250",
    )
    assert differences(county(), county(INSTALLED_3, "installed_at: 2026-11-02T00:00:00Z")) == (
        "device bin-0003 installed_at: 2026-11-01T00:00:00+00:00 → 2026-11-02T00:00:00+00:00",
    )
    assert differences(county(), county("feeders:\n", "feeders:\n  - {id: f4, name: 南线, area: wushi}\n")) == (
        "feeder f4 added",
    )
    gone = county(COUNTY[COUNTY.index("  - {id: plant-0001") :], "")
    assert differences(county(), gone) == ("device plant-0001 removed",)
