"""What stage one tells stage two: a finding says nothing but what it was given."""

from alerts.conditions.finding import Finding, Found


def test_a_finding_says_nothing_but_what_it_was_given() -> None:
    assert Finding(Found.FRESH, 7, "pool") == Finding(
        kind=Found.FRESH,
        at_ms=7,
        asset="pool",
        rule="",
        device="",
        episode="",
        severity="",
        since_ms=0,
        late=False,
        reason="",
        detail=None,
        flapping=False,
    )
