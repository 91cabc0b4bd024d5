"""今天: the page that the office looks at every morning, and the same as plain text for the group chat."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Response

from alerts.absences import Absence
from alerts.rollups.rows import BinRow
from gateway.clock import monotonic_s
from gateway.desk.drawing import Point, Spark, spark
from gateway.desk.leaf import leaf
from gateway.desk.morning import Case, Morning, morning
from gateway.desk.present import Desk, Visit
from gateway.desk.visiting import Gate
from gateway.journal.case_reader import CaseReader, Message
from telemetry.series import Measurement

TREND_MS: Final = 24 * 3_600_000
HOUR_MS: Final = 3_600_000
IN_HAND_SHOWN: Final = 40


def routes(desk: Desk, gate: Gate) -> APIRouter:
    """The page of today."""
    router = APIRouter()

    @router.get("/")
    def today(visit: Annotated[Visit, Depends(gate.visit)]) -> Response:
        begun_s = monotonic_s()
        with desk.journal() as journal:
            page = _page(journal, visit)
            sparks = _sparks(journal, visit, (case for case in page.decide if case.asset is not None))
        away, nobody = _people(visit)
        answer = leaf(visit, "today.html", "today", page=page, sparks=sparks, away=away, nobody=nobody)
        desk.cost_s = monotonic_s() - begun_s
        return answer

    return router


def _people(visit: Visit) -> tuple[list[Absence], Sequence[str]]:
    """Who is away now, and which areas nobody empties; what is asked for every bin is asked only when somebody is."""
    absences, seen = visit.present.arrangements.absences, {person.id for person in visit.scope.people}
    away = [each for each in absences.kept(visit.now_ms) if each.from_ms <= visit.now_ms and each.person in seen]
    if not away:
        return [], visit.scope.uncovered
    return away, [area for area in absences.uncovered(visit.now_ms) if visit.scope.sees_area(area)]


def _page(journal: CaseReader, visit: Visit) -> Morning:
    present = visit.present
    with present.feed.present() as projection:
        standing = [alert.episode for alert in projection.open.values() if visit.scope.sees(alert.asset)]
    messages, answers = journal.messages_about(standing), journal.answers_about(standing)
    with present.feed.present() as projection:
        page = morning(
            visit.scope, projection, present.arrangements.lines_pct, present.rounds, messages, visit.now_ms, answers
        )
    decide = _with_their_past(journal, page.decide, messages)
    in_hand = _with_their_past(journal, page.in_hand[:IN_HAND_SHOWN], messages)
    return replace(page, decide=decide, in_hand=in_hand)


def _with_their_past(journal: CaseReader, cases: tuple[Case, ...], messages: Iterable[Message]) -> tuple[Case, ...]:
    """Who was told, and what was done about it since."""
    events = journal.events_about(case.alert.episode for case in cases)
    return tuple(
        replace(
            case,
            messages=tuple(each for each in messages if each.episode == case.alert.episode),
            events=tuple(event for event in events if event.episode == case.alert.episode),
        )
        for case in cases
    )


def _sparks(journal: CaseReader, visit: Visit, cases: Iterable[Case]) -> dict[str, Spark | None]:
    """The last day of each bin that is shown, in one question to the journal."""
    bins = {case.asset.id: case for case in cases if case.asset is not None and case.asset.bin is not None}
    from_ms = visit.now_ms - TREND_MS
    points: dict[str, list[Point]] = {asset: [] for asset in bins}
    for each in journal.rollups(Measurement.BIN_HOUR, bins, from_ms, visit.now_ms):
        if isinstance(each.row, BinRow):
            points[each.subject].append((each.start_ms + HOUR_MS, each.row.fill_last_pct))
    return {
        asset: spark(
            list(chain(points[asset], [(case.level_ms, case.level_pct)])),
            visit.present.arrangements.lines_pct.get(asset, 66.7),
            from_ms,
            visit.now_ms,
        )
        for asset, case in bins.items()
    }
