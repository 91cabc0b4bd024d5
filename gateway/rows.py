"""What the middle speaks of, as rows of the journal: an episode, a case of the ledger, a message that is owed.

Shapes only; when a row is written is ``pipeline``, how is ``journal``.
"""

from alerts.alert import Alert, pack_alert
from alerts.ledger.case import Case, pack_case
from alerts.ledger.opening import numbered
from alerts.model import Event, Owed
from gateway.journal.entry import AlertRow, CaseRow


def alert_row(alert: Alert) -> AlertRow:
    """An episode as the journal keeps it."""
    return AlertRow(
        alert.episode,
        alert.rule,
        alert.asset,
        alert.device,
        alert.severity,
        alert.raised_ms,
        alert.closed_ms or None,
        pack_alert(alert),
        settled=bool(alert.closed_ms and not alert.wake_ms),
    )


def case_row(case: Case) -> CaseRow:
    """A case as the journal keeps it."""
    (day, town), in_day = numbered(case.id)
    return CaseRow(
        id=case.id,
        town=town,
        day=day,
        in_day=in_day,
        state=case.state,
        origin=case.origin,
        rule=case.rule,
        severity=case.severity,
        asset=case.asset,
        within=f"/{'/'.join(case.within)}/",
        place=case.place,
        what=case.what,
        owner=case.owner,
        caller=f"{case.caller_name} {case.caller_phone}".strip(),
        episode=case.episode,
        opened_ms=case.opened_ms,
        deadline_ms=case.deadline_ms,
        closed_ms=case.closed_ms,
        blob=pack_case(case),
        settled=case.settled,
    )


def owed_event(owed: Owed) -> Event:
    """The row that says that somebody is to be told (law L9); the words are in the notification."""
    return Event(
        at_ms=owed.at_ms,
        event="owed",
        rule=owed.rule,
        asset=owed.asset,
        episode=owed.episode,
        severity=owed.severity,
        detail={"kind": owed.kind, "step": owed.step, "repeat": owed.repeat, "to": owed.to},
    )
