"""``export`` against a real journal, whole or in a span, as JSON lines and as a table."""

import csv
import io
import json
import zipfile

import pytest
from msgspec.structs import replace

from gateway.exporting import COLUMNS
from gateway.journal.entry import Entry, Quarantined
from gateway.journal.ledger import CASE_COLUMNS, IN_WORKBOOK
from gateway.pipeline import case_row
from tests.gateway.cli.installation import Cunjing, Installation
from tests.gateway.journal.entries import LEAK, NOW_MS, full_entry

AT = "2026-11-22T08:00:00Z"
KINDS = sorted(COLUMNS)


@pytest.fixture
def kept(installation: Installation) -> Installation:
    with installation.journal() as journal:
        journal.commit(full_entry())
    return installation


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("kind", KINDS)
def test_the_table_has_a_column_for_everything_that_a_row_says(cunjing: Cunjing, kind: str) -> None:
    rows = [json.loads(line) for line in cunjing(f"export {kind} --config gateway.toml").stdout.splitlines()]
    assert rows
    said = {key for row in rows for key in {**row, **row.get("values", {})}} - {"values"}
    assert said <= set(COLUMNS[kind])


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("kind", KINDS)
def test_the_table_says_the_same_as_the_json_lines(cunjing: Cunjing, kind: str) -> None:
    rows = [json.loads(line) for line in cunjing(f"export {kind} --config gateway.toml").stdout.splitlines()]
    flat = [row.pop("values", {}) | row for row in rows]
    said = cunjing(f"export {kind} --config gateway.toml --format csv")
    assert said.exit_code == 0
    assert [{key: cell for key, cell in row.items() if cell} for row in table(said.stdout)] == [
        {key: str(value) for key, value in row.items() if value not in {None, ""}} for row in flat
    ]


@pytest.mark.usefixtures("kept")
def test_a_spreadsheet_knows_the_table_by_its_mark(cunjing: Cunjing) -> None:
    said = cunjing("export notifications --config gateway.toml --format csv")
    assert said.stdout_bytes.startswith(b"\xef\xbb\xbfkey,at,rule,")
    assert "柳潭3号池" in said.stdout


@pytest.mark.usefixtures("kept")
def test_a_reading_has_the_keys_of_the_papers(cunjing: Cunjing) -> None:
    first = json.loads(cunjing("export readings --config gateway.toml").stdout.splitlines()[0])
    wanted = {"device", "asset", "boot", "seq", "observed_at", "received_at", "clock", "values"}
    assert wanted <= first.keys()
    assert first["observed_at"] == "2026-11-22T08:00:00.000Z"


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize(
    ("span", "count"),
    [
        ("", 30),
        (f"--from {AT}", 30),
        ("--from 2026-11-22T16:00:00+08:00", 30),
        ("--from 2026-11-22T08:00:01Z", 0),
        (f"--to {AT}", 0),
        ("--from 1970-01-01T00:00:00Z --to 2026-11-22T08:00:01Z", 30),
    ],
)
def test_a_span_opens_with_its_first_instant_and_ends_before_its_last(cunjing: Cunjing, span: str, count: int) -> None:
    assert NOW_MS == 1_795_334_400_000
    assert len(cunjing(f"export readings --config gateway.toml {span}").stdout.splitlines()) == count


def test_what_a_stranger_wrote_is_never_a_formula(cunjing: Cunjing, installation: Installation) -> None:
    with installation.journal() as journal:
        topic = '=HYPERLINK("http://example.invalid")'
        journal.commit(Entry(quarantined=[Quarantined(NOW_MS, topic, b"line 1\nline 2", "not_json", "@SUM(1)")]))
    (row,) = table(cunjing("export quarantine --config gateway.toml --format csv").stdout)
    assert (row["topic"], row["detail"], row["payload"]) == (f"'{topic}", "'@SUM(1)", "line 1\nline 2")


def test_nothing_to_export_is_an_empty_table(cunjing: Cunjing, installation: Installation) -> None:
    with installation.journal():
        pass
    assert cunjing("export alerts --config gateway.toml").stdout == ""
    assert table(cunjing("export alerts --config gateway.toml --format csv").stdout) == []


@pytest.mark.usefixtures("installation")
def test_a_journal_that_is_not_there_is_a_problem(cunjing: Cunjing) -> None:
    said = cunjing("export readings --config gateway.toml")
    assert said.exit_code == 1
    assert "does not exist yet" in said.stderr


def test_every_field_of_a_case_is_a_column_of_the_workbook_in_a_place_of_its_own() -> None:
    assert set(CASE_COLUMNS) - IN_WORKBOOK.keys() == {"severity", "episode"}, "which the office does not know"
    places = [column.place for column in IN_WORKBOOK.values()]
    assert len(set(places)) == len(places)


@pytest.mark.usefixtures("kept")
def test_the_ledger_is_a_workbook_with_chinese_headings_real_dates_and_no_formula(
    cunjing: Cunjing, installation: Installation
) -> None:
    with installation.journal() as journal:
        trick = replace(LEAK, id="20261122-qingshi-002", what="=1+1", owner="cleaner-li")
        journal.commit(Entry(cases={trick.id: case_row(trick)}))
    said = cunjing("export cases --config gateway.toml --format xlsx")
    assert said.exit_code == 0
    with zipfile.ZipFile(io.BytesIO(said.stdout_bytes)) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
        words = book.read("xl/sharedStrings.xml").decode()
    assert all(heading in words for heading in ("编号", "完成时限", "责任人", "李大姐", "化粪池不得满溢", "=1+1"))
    assert "<f>" not in sheet
    assert '<autoFilter ref="A1:X3"' in sheet
    assert ">46348.6666" in sheet, "2026-11-22 16:00 in Shanghai, as a date"
    assert said.stdout_bytes.startswith(b"PK")
