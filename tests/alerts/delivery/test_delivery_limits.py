"""When a provider takes a text of a template to a number again: at the edges of China's days and months."""

from datetime import datetime, timedelta, timezone

import pytest

from alerts.delivery.delivery import Limited

CHINA = timezone(timedelta(hours=8))


def ms(month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0, year: int = 2026) -> int:
    return round(datetime(year, month, day, hour, minute, second, tzinfo=CHINA).timestamp() * 1000)


@pytest.mark.parametrize(
    ("reason", "at_ms", "opens_ms"),
    [
        ("limit_minute", ms(11, 30, 23, 59, 30), ms(12, 1, 0, 0, 30)),
        ("limit_hour", ms(11, 30, 23, 59, 30), ms(12, 1, 0, 59, 30)),
        ("limit_day", ms(11, 30, 23, 59, 59), ms(12, 1)),
        ("limit_day", ms(11, 30), ms(12, 1)),
        ("limit_day", ms(11, 30, 7, 59), ms(12, 1)),
        ("limit_month", ms(11, 1), ms(12, 1)),
        ("limit_month", ms(12, 31, 23, 59, 59), ms(1, 1, year=2027)),
        ("limit_month", ms(1, 31, year=2027), ms(2, 1, year=2027)),
        ("limit_month", ms(2, 28, year=2027), ms(3, 1, year=2027)),
    ],
)
def test_a_limit_opens_after_its_span_or_with_the_next_day_or_month(reason: str, at_ms: int, opens_ms: int) -> None:
    assert Limited("aliyun", "fire", reason, at_ms).opens_ms == opens_ms
