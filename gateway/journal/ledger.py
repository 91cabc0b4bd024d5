"""Cases of the ledger and their histories: their columns, how they are written and read, and when they go.

A history is appended to and never changed; the table itself refuses it. The transaction around what writes is the
writer's; who only reads has a ``LedgerReader``.
"""

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass, fields
from typing import Annotated, Any, Final, NamedTuple, Self, get_type_hints

from msgspec import Struct
from msgspec.structs import asdict

from alerts.ledger.case import UNDER_WAY, UNFINISHED, Case, Deed, Origin, State, unpack_case
from gateway.journal.entry import CaseRow
from gateway.journal.retention import STEP_ROWS
from gateway.journal.view import FIRST_MS, LAST_MS, Row, View, as_json, iso
from telemetry.phone import dialled
from telemetry.reading import Millis

_FIELDS: Final = tuple(part.name for part in fields(CaseRow))
_CHANGING: Final = ("state", "rule", "owner", "deadline_ms", "closed_ms", "blob", "settled")
_CASE: Final = (  # names of our own
    f"INSERT INTO ledger_case ({', '.join(_FIELDS)}) VALUES ({', '.join('?' for _ in _FIELDS)})"  # noqa: S608 -- names of our own
    f" ON CONFLICT (id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _CHANGING)}"
)
_DEED: Final = (
    'INSERT INTO ledger_deed ("case", at_ms, deed, by, channel, origin, was, now, reason)'
    " VALUES (:case, :at_ms, :deed, :by, :channel, :origin, :was, :now, :reason)"
)
_EXPIRED: Final = """
    DELETE FROM ledger_case WHERE number IN (
        SELECT number FROM (SELECT number, closed_ms, settled FROM ledger_case ORDER BY number LIMIT :rows)
        WHERE settled AND closed_ms < :before
    )
"""


def keep_cases(connection: sqlite3.Connection, cases: Mapping[str, CaseRow]) -> None:
    """Writes each case as it stands now."""
    connection.executemany(_CASE, [astuple(row) for row in cases.values()])


def add_deeds(connection: sqlite3.Connection, deeds: Iterable[Deed]) -> None:
    """Appends to histories, in their order."""
    connection.executemany(_DEED, [{**asdict(deed), "now": str(deed.now)} for deed in deeds])


def unsettled(connection: sqlite3.Connection) -> list[CaseRow]:
    """What a start goes on with, oldest first."""
    rows = connection.execute(f"SELECT {', '.join(_FIELDS)} FROM ledger_case WHERE NOT settled ORDER BY number")  # noqa: S608 -- names of our own
    return [CaseRow(*row) for row in rows]


def knows(connection: sqlite3.Connection, case: str) -> bool:
    """Whether there ever was such a case, settled or not."""
    return connection.execute("SELECT 1 FROM ledger_case WHERE id = ?", (case,)).fetchone() is not None


def numbers(connection: sqlite3.Connection) -> dict[tuple[str, str], int]:
    """The highest number that was given on each day in each town."""
    rows = connection.execute("SELECT day, town, max(in_day) FROM ledger_case GROUP BY day, town")
    return {(day, town): highest for day, town, highest in rows}


def expire(connection: sqlite3.Connection, before_ms: Millis) -> int:
    """Deletes a step of settled cases that were closed before then, with their histories."""
    return connection.execute(_EXPIRED, {"before": before_ms, "rows": STEP_ROWS}).rowcount


_PAGE: Final = 500
_NUMBER_LEAST: Final = 7
"""So many digits are looked for as a caller's number, too, however that was written down."""
OVERDUE: Final = tuple(sorted(UNDER_WAY | {State.FIXED}))
"""States in which a deadline counts."""


_LINE: Final = ("at", "deed", "by", "channel", "origin", "was", "now", "reason")
_NEWEST: Final = """
    SELECT "case", at_ms, deed, by, channel, origin, was, now, reason FROM ledger_deed WHERE by <> ''
    ORDER BY id DESC LIMIT ?
"""
_WORK: Final = """
    SELECT blob FROM ledger_case
    WHERE NOT settled AND state IN (SELECT value FROM json_each(:states)) AND (:area = '' OR instr(within, :area) > 0)
        AND episode NOT IN (SELECT value FROM json_each(:open)) ORDER BY deadline_ms, number LIMIT :most
"""
_OF_EPISODES: Final = """
    SELECT blob FROM ledger_case WHERE NOT settled AND episode IN (SELECT value FROM json_each(?))
"""
_RESUMED: Final = """
    SELECT "case", max(at_ms) FROM ledger_deed
    WHERE "case" IN (SELECT value FROM json_each(?)) AND deed = 'resumed' GROUP BY "case"
"""
_HISTORY: Final = """
    SELECT at_ms, deed, by, channel, origin, was, now, reason FROM ledger_deed WHERE "case" = ? ORDER BY id
"""


class Wanted(Struct, frozen=True, kw_only=True):
    """Which cases; what is empty asks for nothing. ``before`` is the place of the last one of the page before."""

    area: str = ""
    states: tuple[str, ...] = ()
    rule: str = ""
    owner: str = ""
    asset: str = ""
    text: str = ""
    by_caller: bool = True
    """Whether ``text`` may also be somebody who called, by name or number."""
    overdue_at_ms: Millis = 0
    from_ms: Millis = FIRST_MS
    to_ms: Millis = LAST_MS
    before: int = 2**62


class PlacedCase(Struct, frozen=True):
    """A case and its place in the order of opening."""

    place: int
    case: Case


class LedgerReader(View):
    """The ledger as readers see it: cases by area, state, rule, owner, overdue, words and days, and their histories.

    Made by ``open``; every method may raise ``JournalUnavailable``. One thread at a time.
    """

    def find(self, wanted: Wanted, most: int) -> list[PlacedCase]:
        """At most so many cases, the newest first."""
        where, bounds = _where(wanted)
        query = f"SELECT number, blob FROM ledger_case WHERE {where} ORDER BY number DESC LIMIT :most"  # noqa: S608 -- clauses of our own, values bound
        return [PlacedCase(place, unpack_case(blob)) for place, blob in self._fetch(query, {**bounds, "most": most})]

    def case(self, name: str) -> Case | None:
        """One case as it stands."""
        rows = self._fetch("SELECT blob FROM ledger_case WHERE id = ?", (name,))
        return unpack_case(rows[0][0]) if rows else None

    def work(self, open_episodes: Collection[str], area: str, most: int) -> list[Case]:
        """At most so many cases that nobody has seen done and that are of no open episode, what is due first first."""
        bounds = {
            "states": as_json(sorted(UNFINISHED)),
            "area": f"/{area}/" if area else "",
            "open": as_json(open_episodes),
            "most": most,
        }
        return [unpack_case(blob) for (blob,) in self._fetch(_WORK, bounds)]

    def of_episodes(self, episodes: Collection[str]) -> dict[str, Case]:
        """The cases of some episodes, by episode."""
        found = (unpack_case(blob) for (blob,) in self._fetch(_OF_EPISODES, (as_json(episodes),)))
        return {case.episode: case for case in found}

    def resumed(self, cases: Collection[str]) -> dict[str, Millis]:
        """When the deferral of some cases was last over, by case."""
        return dict(self._fetch(_RESUMED, (as_json(cases),)))

    def history(self, name: str) -> list[Row]:
        """What was done about a case, in its order."""
        return [_line(*row) for row in self._fetch(_HISTORY, (name,))]

    def newest_deeds(self, most: int) -> list[tuple[str, Row]]:
        """The newest lines that people left in any history, each with its case, the newest first."""
        return [(case, _line(*row)) for case, *row in self._fetch(_NEWEST, (most,))]

    def cases(self, from_ms: Millis = FIRST_MS, to_ms: Millis = LAST_MS) -> Iterator[Row]:
        """Every case opened in [from, to), fit for export, the newest first."""
        before = Wanted().before
        while page := self.find(Wanted(from_ms=from_ms, to_ms=to_ms, before=before), _PAGE):
            yield from (exported(found.case) for found in page)
            before = page[-1].place


class InWorkbook(NamedTuple):
    """A field of a case as a column of the office's workbook: its heading, its width in signs, and its place there."""

    heading: str
    width: int
    place: int


@dataclass(frozen=True)
class CaseBody:
    """A case as it stands; times in ISO 8601 UTC or null. ``recurs`` names an earlier case (前清后起)."""

    # Its name, and what it says above, stand in the API's document; its fields are the columns of an export, and those
    # that say so of the workbook.
    case: Annotated[str, InWorkbook("编号", 22, 10)]
    state: Annotated[State, InWorkbook("状态", 8, 20)]
    origin: Annotated[Origin, InWorkbook("来源", 8, 30)]
    rule: Annotated[str, InWorkbook("标准", 16, 50)]
    severity: str
    town: Annotated[str, InWorkbook("乡镇", 12, 60)]
    area: Annotated[str, InWorkbook("村", 12, 70)]
    asset: Annotated[str, InWorkbook("设施", 14, 80)]
    place: Annotated[str, InWorkbook("地点", 18, 90)]
    what: Annotated[str, InWorkbook("事项", 28, 40)]
    caller_name: Annotated[str, InWorkbook("反映人", 10, 220)]
    caller_phone: Annotated[str, InWorkbook("电话", 14, 230)]
    photo: Annotated[str, InWorkbook("照片", 16, 240)]
    owner: Annotated[str, InWorkbook("责任人", 14, 100)]
    opened_at: Annotated[str, InWorkbook("登记时间", 17, 110)]
    deadline_at: Annotated[str | None, InWorkbook("完成时限", 17, 120)]
    fixed_at: Annotated[str | None, InWorkbook("报完成时间", 17, 130)]
    verified_at: Annotated[str | None, InWorkbook("核实时间", 17, 140)]
    closed_at: Annotated[str | None, InWorkbook("销号时间", 17, 150)]
    until_at: Annotated[str | None, InWorkbook("备案至", 17, 160)]
    reason: Annotated[str, InWorkbook("原因", 24, 170)]
    proof: Annotated[str, InWorkbook("佐证", 24, 180)]
    level: Annotated[int, InWorkbook("超期上报级数", 12, 190)]
    reopened: Annotated[int, InWorkbook("退回次数", 9, 200)]
    recurs: Annotated[str, InWorkbook("前清后起", 22, 210)]
    episode: str

    @classmethod
    def of(cls, case: Case) -> Self:
        """What goes by its own name in both is taken as it is."""
        said = {name: getattr(case, name) for name in CASE_COLUMNS if hasattr(case, name)}
        said |= {name: _iso(getattr(case, f"{name[:-3]}_ms")) for name in CASE_COLUMNS if name.endswith("_at")}
        return cls(**said, case=case.id, area=case.areas[0])


CASE_COLUMNS: Final = tuple(part.name for part in fields(CaseBody))
IN_WORKBOOK: Final = {
    name: column
    for name, said in get_type_hints(CaseBody, include_extras=True).items()
    for column in getattr(said, "__metadata__", ())
    if isinstance(column, InWorkbook)
}
"""The columns of the workbook, by the field that is shown there."""


def exported(case: Case) -> Row:
    """A case as a row of an export; times in ISO 8601, ``None`` where there is none."""
    return vars(CaseBody.of(case))


def _line(at_ms: Millis, *rest: str) -> Row:
    return dict(zip(_LINE, (iso(at_ms), *rest), strict=True))


def _iso(at_ms: Millis) -> str | None:
    return iso(at_ms) if at_ms else None


def _where(wanted: Wanted) -> tuple[str, dict[str, Any]]:
    """The clauses of what is asked for, and their values."""
    clauses = ["number < :before", "opened_ms >= :from_ms", "opened_ms < :to_ms"]
    bounds: dict[str, Any] = {"before": wanted.before, "from_ms": wanted.from_ms, "to_ms": wanted.to_ms}
    for name in ("rule", "owner", "asset"):
        if value := getattr(wanted, name):
            clauses.append(f"{name} = :{name}")
            bounds[name] = value
    if wanted.area:
        clauses.append("instr(within, :area) > 0")
        bounds["area"] = f"/{wanted.area}/"
    if wanted.text:
        callers = " || ' ' || caller" if wanted.by_caller else ""
        spoken = f"instr(lower(id || ' ' || what || ' ' || place{callers}), lower(:text)) > 0"
        bounds["text"], bounds["phone"] = wanted.text, dialled(wanted.text)
        called = "instr(replace(replace(caller, ' ', ''), '-', ''), :phone) > 0"
        is_number = wanted.by_caller and len(bounds["phone"]) >= _NUMBER_LEAST
        clauses.append(f"({spoken} OR {called})" if is_number else spoken)
    if wanted.states:
        clauses.append(_one_of("state", wanted.states, bounds))
    if wanted.overdue_at_ms:
        clauses += ["deadline_ms < :overdue", _one_of("state", OVERDUE, bounds, "late")]
        bounds["overdue"] = wanted.overdue_at_ms
    return " AND ".join(clauses), bounds


def _one_of(column: str, values: tuple[str, ...], bounds: dict[str, Any], prefix: str = "state") -> str:
    names = {f"{prefix}{number}": str(value) for number, value in enumerate(values)}
    bounds |= names
    return f"{column} IN ({', '.join(f':{name}' for name in names)})"
