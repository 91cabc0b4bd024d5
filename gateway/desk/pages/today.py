"""今天: the page that the office looks at every morning, and the same as plain text for the group chat."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import Annotated, Final, TypeVar

from fastapi import APIRouter, Depends, Response

from alerts.calendars import HOUR_MS
from alerts.operations.absences import Absence
from alerts.rollups.rows import BinRow
from gateway.clock import monotonic_s
from gateway.commands.callers import CalledBack
from gateway.desk.auth import Form, Gate, require
from gateway.desk.drafts import obey, pick, say, signed
from gateway.desk.drawing import Point, Spark, spark
from gateway.desk.morning import (
    CallOwed,
    CasesKept,
    EpisodeCard,
    Matter,
    Morning,
    Records,
    Work,
    calls,
    lateness,
    morning,
)
from gateway.desk.pages import MenuPlace, Page
from gateway.desk.pages.cases import by_sensor, offered
from gateway.desk.present import Desk, Visit
from gateway.desk.users import UserRole
from gateway.desk.view import lay_out
from gateway.journal.case_reader import CaseReader
from gateway.journal.notifications import MessageRow
from telemetry.series import Measurement

MOST_MATTERS: Final = 2_000
"""So many cases without an open episode are looked at, what is due first first; the ledger's own page has them all."""
TREND_MS: Final = 24 * 3_600_000
IN_HAND_SHOWN: Final = 40


def routes(desk: Desk, gate: Gate) -> APIRouter:
    """The page of today."""
    router = APIRouter()

    @router.get("/")
    def today(visit: Annotated[Visit, Depends(gate.visit)]) -> Response:
        begun_s = monotonic_s()
        with desk.journal() as journal:
            page = _page(desk, journal, visit)
            sparks = _sparks(journal, visit, (each for each in page.decide if isinstance(each, EpisodeCard)))
        away, nobody = _people(visit)
        answer = lay_out(
            visit,
            "today.html",
            "/",
            page=page,
            sparks=sparks,
            away=away,
            nobody=nobody,
            phones=visit.user.role.reaches(UserRole.CREW),
            steps=partial(offered, visit=visit),
        )
        desk.cost_s = monotonic_s() - begun_s
        return answer

    @router.post("/called")
    def called(sent: Annotated[tuple[Visit, Form], Depends(gate.writing)]) -> Response:
        visit, form = sent
        require(visit, UserRole.CREW)
        who = signed(visit)
        named = (each.caller.id for each in _calls(visit) if each.caller.id == form.get("caller", ""))
        caller = pick(named, "no_caller")
        outcome = obey(desk, visit, CalledBack(caller=caller, **who), "called", f"{caller} -")
        return say(visit, "", ("events", "called_back"), outcome, "/")

    return router


PAGE: Final = Page(path="/", role=UserRole.VIEWER, menu=MenuPlace("今天", 10), routes=routes)


def _calls(visit: Visit) -> list[CallOwed]:
    """Those who wait for a call and whom the visitor may see."""
    with visit.present.feed.present() as projection:
        return calls(visit.present.arrangements.callers, visit.scope, projection)


def _people(visit: Visit) -> tuple[list[Absence], Sequence[str]]:
    """Who is away now, and which areas nobody empties; what is asked for every bin is asked only when somebody is."""
    absences, seen = visit.present.arrangements.absences, {person.id for person in visit.scope.people}
    away = [
        each for each in absences.list_current(visit.now_ms) if each.from_ms <= visit.now_ms and each.person in seen
    ]
    if not away:
        return [], visit.scope.uncovered
    return away, [area for area in absences.uncovered(visit.now_ms) if visit.scope.sees_area(area)]


def _page(desk: Desk, journal: CaseReader, visit: Visit) -> Morning:
    present = visit.present
    with present.feed.present() as projection:
        everywhere = list(projection.open)
        standing = [alert.episode for alert in projection.open.values() if visit.scope.sees(alert.asset)]
    messages, answers = journal.messages_about(standing), journal.answers_about(standing)
    callers = present.arrangements.callers
    kept = Records(messages, answers, _ledger(desk, visit, everywhere), callers, lambda case: by_sensor(case, visit))
    with present.feed.present() as projection:
        lines_pct = present.arrangements.lines_pct
        page = morning(visit.scope, projection, lines_pct, present.rounds, kept, visit.now_ms)
    decide = _with_their_past(journal, page.decide, messages)
    in_hand = _with_their_past(journal, page.in_hand[:IN_HAND_SHOWN], messages)
    return replace(page, decide=decide, in_hand=in_hand)


def _ledger(desk: Desk, visit: Visit, standing: Sequence[str]) -> CasesKept:
    """The cases of what stands, and all others that nobody has seen done."""
    with desk.ledger() as ledger:
        of_episode = ledger.of_episodes(standing)
        others = ledger.work(standing, visit.scope.area, MOST_MATTERS)
        late = [case.id for case in (*of_episode.values(), *others) if lateness(case, visit.now_ms) is not None]
        return CasesKept(of_episode, others, ledger.resumed(late))


W = TypeVar("W", EpisodeCard, Work, EpisodeCard | Matter)


def _with_their_past(journal: CaseReader, found: tuple[W, ...], messages: Iterable[MessageRow]) -> tuple[W, ...]:
    """Who was told, and what was done about it since; cases of the ledger have a page of their own for that."""
    events = journal.events_about(each.alert.episode for each in found if isinstance(each, EpisodeCard))
    return tuple(
        replace(
            each,
            messages=tuple(message for message in messages if message.episode == each.alert.episode),
            events=tuple(event for event in events if event.episode == each.alert.episode),
        )
        if isinstance(each, EpisodeCard)
        else each
        for each in found
    )


def _sparks(journal: CaseReader, visit: Visit, cases: Iterable[EpisodeCard]) -> dict[str, Spark | None]:
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
