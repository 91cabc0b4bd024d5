"""What is wrong with what a device says while the rest of it counts: on its asset's page, and to Prometheus."""

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path

from tests.desk_gateway import DeskGateway, desk_gateway
from tests.gateway.desk.conftest import Visitor
from tests.lorawan import COUNTY, HOUR, MINUTE, START_MS, TOPIC, up


def shown(page: str) -> list[str]:
    """The sentences about anomalies on a page, without their markup."""
    found = re.findall(r'<p class="anomaly">(.*?)</p>', page, re.DOTALL)
    return [unescape(re.sub(r"<[^>]*>", "", one)) for one in found]


def test_what_a_device_says_wrong_is_on_its_page_and_in_the_metrics(
    tmp_path: Path, visitor_at: Callable[[DeskGateway, str], Visitor]
) -> None:
    with desk_gateway(tmp_path, START_MS + 5 * HOUR, county=COUNTY) as gateway:
        gateway._script.uplinks += [
            up(0, "017565 04824408", START_MS),
            up(1, "01755c 03824408 040001", START_MS + HOUR),
            up(2, "01755c", START_MS + HOUR + 20 * MINUTE, fPort=9),
            up(3, "", START_MS + 2 * HOUR),
            up(0, "01755c 04824408", START_MS + 3 * HOUR),
            up(1, "017565 04824408", START_MS + 4 * HOUR, topic=TOPIC.replace("/up", "/txack")),
            up(1, "0175c8 04824408", START_MS + 4 * HOUR),
        ]
        gateway.settle()
        visitor = visitor_at(gateway, "wu")
        told = shown(visitor.see("/assets/pool").text)
        assert shown(visitor.see("/assets/road").text) == []
        metrics = visitor.get("/metrics").text
    assert [one.partition("次")[0] for one in told] == [
        "电量没有收（超出量程） 2 ",
        "重启过，计数从头开始 1 ",
        "来自别的端口，没有当读数 1 ",
        "报文后半截看不懂，从这个通道起 1 ",
    ]
    assert "07:30" in told[0], "since when"
    assert "11:30" in told[0], "the last time"
    assert "200" in told[0], "what it was the last time"
    assert "devAddr 01a2b3c4, epoch 1, fCnt 0" in told[1]
    assert "port 9" in told[2]
    assert "03 82" in told[3]
    for line in (
        'cunjing_values_refused_total{quantity="battery_pct",reason="out_of_range"} 2.0',
        "cunjing_samples_partial_total 1.0",
        "cunjing_counters_restarted_total 1.0",
        'cunjing_ignored_total{kind="mac"} 1.0',
        'cunjing_ignored_total{kind="port"} 1.0',
        'cunjing_ignored_total{kind="txack"} 1.0',
    ):
        assert line in metrics
