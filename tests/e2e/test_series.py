"""Readings and alerts in a real InfluxDB: everything arrives once, whatever is done to the server, the token or us.

The counts are printed. What the client's own batching loses under the same faults stands beside it as the control.
"""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from time import time

import pytest
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import WriteOptions

from alerts.build import assemble
from alerts.rules.over_two_thirds import lines_pct
from gateway import shipped
from gateway.clock import WallClock
from gateway.influx.answers import WriteAnswer, WriteVerdict, trouble, verdict
from gateway.influx.delivery import EXPIRED, MOST_LINES, REFUSED, Delivery
from gateway.influx.points import Points
from gateway.influx.sender import Outlet
from gateway.influx.server import InfluxOutlet, Server
from gateway.journal.reader import JournalReader
from telemetry.series import NONE, TAGS
from tests.county_week import HOUR_MS, Week
from tests.proxy import HANG_UP, Fault, proxied
from tests.series_line import BUCKET, made_ready, series_line
from tests.servers import ADMIN_TOKEN, ORG, InfluxServer

pytestmark = [pytest.mark.e2e, pytest.mark.influxdb]

DAY_MS = 24 * HOUR_MS


@pytest.fixture
def week(lived_week: Week, tmp_path: Path) -> Week:
    return lived_week.copied(tmp_path / "mine")


class Meddler:
    """An outlet during whose n-th write something is done to the world first."""

    def __init__(self, outlet: Outlet, deeds: Mapping[int, Callable[[], object]]) -> None:
        self._outlet = outlet
        self._deeds = deeds
        self._writes = 0
        self.renew = outlet.renew
        self.oldest_ms = outlet.oldest_ms
        self.trouble = outlet.trouble

    def write(self, bucket: str, lines: Sequence[bytes]) -> WriteAnswer:
        self._writes += 1
        self._deeds.get(self._writes, lambda: None)()
        return self._outlet.write(bucket, lines)


def count(week: Week, query: str, *given: object) -> int:
    with closing(sqlite3.connect(week.journal)) as journal:
        found: int = journal.execute(query, given).fetchone()[0]
        return found


def unique(week: Week) -> int:
    return count(week, "SELECT count(DISTINCT device || '/' || boot || '/' || seq) FROM reading")


def stored(influx: InfluxServer) -> int:
    """How many readings it has: each has one point with its delay."""
    rows = influx.influxql(BUCKET, 'SELECT count("delay_s") AS n FROM "device"')
    return int(rows[0]["n"]) if rows else 0


def shown(capsys: pytest.CaptureFixture[str], sentence: str) -> None:
    """The numbers are part of the proof, so they are printed whether or not it holds."""
    with capsys.disabled():
        print(f"\n{sentence}")  # noqa: T201 -- see above


def told(capsys: pytest.CaptureFixture[str], week: Week, influx: InfluxServer, more: str = "") -> None:
    """Prints the counts, and holds to them."""
    kept, there = unique(week), stored(influx)
    shown(capsys, f"{kept} readings, {there} stored, ratio {there / kept:.3f}{more and f'; {more}'}")
    assert there == kept


def test_a_week_arrives_once_also_when_it_is_sent_twice(
    week: Week, influx: InfluxServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with series_line(week, made_ready(influx, tmp_path / "secrets")) as line:
        line.drain()
        assert stored(influx) == unique(week)
        line.sender.resend(0)
        line.drain()
        assert line.ledger.filed == []
    told(capsys, week, influx, "sent twice")


def test_every_event_of_an_alert_arrives(week: Week, influx: InfluxServer, tmp_path: Path) -> None:
    with series_line(week, made_ready(influx, tmp_path / "secrets")) as line:
        line.drain()
    rows = influx.influxql(BUCKET, "SELECT count(after_s) AS n FROM alert WHERE state = 'raised'")
    assert rows[0]["n"] == count(week, "SELECT count(*) FROM event WHERE event = 'raised'")
    rows = influx.influxql(BUCKET, "SELECT count(after_s) AS n FROM alert WHERE state = 'cleared'")
    assert rows[0]["n"] == count(week, "SELECT count(*) FROM event WHERE event = 'cleared'")
    rows = influx.influxql(BUCKET, 'SELECT count("emptied_to_pct") AS n FROM "bin"')
    assert rows[0]["n"] == count(week, "SELECT count(*) FROM event WHERE event IN ('emptied', 'partly_emptied')")
    rows = influx.influxql(BUCKET, 'SELECT count("run_state") AS n FROM "plant"')
    assert rows[0]["n"] == count(week, "SELECT count(*) FROM event WHERE event = 'run_state'")


def test_every_point_has_every_tag_and_only_alert_has_texts(week: Week, influx: InfluxServer, tmp_path: Path) -> None:
    with series_line(week, made_ready(influx, tmp_path / "secrets")) as line:
        line.drain()
    measurements = {row["name"] for row in influx.influxql(BUCKET, "SHOW MEASUREMENTS")}
    assert measurements == {"alert", "bin", "device", "plant"}
    for measurement in measurements:
        assert [row["tagKey"] for row in influx.influxql(BUCKET, f'SHOW TAG KEYS FROM "{measurement}"')] == list(TAGS)
        kinds = {
            row["fieldKey"]: row["fieldType"]
            for row in influx.influxql(BUCKET, f'SHOW FIELD KEYS FROM "{measurement}"')
        }
        texts = {name for name, kind in kinds.items() if kind == "string"}
        assert texts == ({"episode", "place", "rule", "severity", "state"} if measurement == "alert" else set())
        assert {kind for name, kind in kinds.items() if name not in texts} == {"float"}
        assert not set(kinds) & set(TAGS)


def test_influxdb_is_killed_in_the_middle_and_starts_again(
    week: Week, influx: InfluxServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = made_ready(influx, tmp_path / "secrets")
    deeds = {4: influx.kill, 6: influx.start, 9: influx.kill, 10: influx.start}
    with series_line(week, chosen, Meddler(InfluxOutlet(chosen, WallClock()), deeds)) as line:
        line.drain()
        assert WriteVerdict.LATER in line.ledger.verdicts
        assert line.ledger.filed == []
    told(capsys, week, influx, "two kills of InfluxDB")


def test_a_sender_that_dies_between_write_and_mark_sends_the_same_again(
    week: Week, influx: InfluxServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = made_ready(influx, tmp_path / "secrets")

    def die() -> None:
        raise KeyboardInterrupt

    for at in (2, 3, 5):
        meddler = Meddler(InfluxOutlet(chosen, WallClock()), {at: die})
        with series_line(week, chosen, meddler) as line, pytest.raises(KeyboardInterrupt):
            line.drain()
    with series_line(week, chosen) as line:
        line.drain()
    told(capsys, week, influx, "three deaths of the sender")


def test_a_revoked_token_pauses_and_a_new_one_in_its_file_goes_on(
    week: Week, influx: InfluxServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = made_ready(influx, tmp_path / "secrets")

    def revoke() -> None:
        found = influx.ask("GET", "/api/v2/authorizations")["authorizations"]
        (ours,) = [each["id"] for each in found if each["description"] == "cunjing gateway (writes)"]
        influx.ask("DELETE", f"/api/v2/authorizations/{ours}")

    deeds: dict[int, Callable[[], object]] = {4: revoke, 7: lambda: made_ready(influx, tmp_path / "secrets")}
    with series_line(week, chosen, Meddler(InfluxOutlet(chosen, WallClock()), deeds)) as line:
        line.drain()
        assert line.ledger.verdicts.count(WriteVerdict.PAUSED) == 3
        assert line.ledger.filed == []
        assert [part.ready for part in line.ledger.parts] == [True, False, True]
        assert "cunjing influx setup" in line.ledger.parts[1].remedy
    told(capsys, week, influx, "token revoked and restored")


def test_a_deleted_bucket_pauses_and_its_past_is_sent_again(
    week: Week, influx: InfluxServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = made_ready(influx, tmp_path / "secrets")
    deeds: dict[int, Callable[[], object]] = {
        5: lambda: influx.ask("DELETE", f"/api/v2/buckets/{influx.bucket_id(BUCKET)}"),
        7: lambda: made_ready(influx, tmp_path / "secrets"),
    }
    with series_line(week, chosen, Meddler(InfluxOutlet(chosen, WallClock()), deeds)) as line:
        line.drain()
        assert line.ledger.verdicts.count(WriteVerdict.PAUSED) == 2
        lost = unique(week) - stored(influx)
        assert lost > 0
        line.sender.resend(0)
        line.drain()
    told(capsys, week, influx, f"bucket deleted with {lost} readings, restored and sent again")


def test_a_planted_type_conflict_costs_its_lines_and_no_other(
    week: Week, influx: InfluxServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = made_ready(influx, tmp_path / "secrets")
    at_us = (week.begins_ms + 3 * DAY_MS) * 1_000
    planted = b'plant,asset=x,county=x,device=x,town=x,village=x mains_on="1" %d' % at_us
    with Server(chosen, ADMIN_TOKEN) as operator:
        assert verdict(operator.write(BUCKET, [planted])) is WriteVerdict.STORED
    with series_line(week, chosen) as line:
        line.drain()
        filed = [each for _, each in line.ledger.filed]
    assert {each.reason for each in filed} == {REFUSED}
    assert all(b"mains_on=" in each.line and "already exists as type string" in each.detail for each in filed)
    shard_ms = (at_us // (DAY_MS * 1_000)) * DAY_MS
    flagged = "SELECT count(*) FROM reading WHERE mains_on IS NOT NULL AND observed_ms BETWEEN ? AND ?"
    assert len(filed) == count(week, flagged, shard_ms, shard_ms + DAY_MS - 1) > 0
    rows = count(week, "SELECT count(*) FROM quarantine WHERE reason = 'series_refused'")
    assert rows == len(filed)
    told(capsys, week, influx, f"{len(filed)} lines of one day in quarantine, each with the server's reason")


def test_one_bad_line_among_five_thousand_costs_at_most_27_requests(
    influx: InfluxServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = made_ready(influx, tmp_path / "secrets")
    now_ms = int(time() * 1_000)
    good = [
        (f"bin,asset=a{n},county=c,device=d,town=t,village=v fill_pct={n}.0 {now_ms}000".encode(), now_ms)
        for n in range(MOST_LINES)
    ]
    requests = []
    with Server(chosen, ADMIN_TOKEN) as server:
        server.write(BUCKET, [good[0][0]])
        for place in (0, 1, 1_234, 2_500, 4_998, 4_999):
            bad = good[place][0].replace(b"=%d.0" % place, b'="high"')
            delivery = Delivery([*good[:place], (bad, now_ms), *good[place + 1 :]], oldest_ms=0)
            asked = 0
            while delivery.piece:
                delivery.take_answer(server.write(BUCKET, delivery.piece))
                asked += 1
            assert [each.line for each in delivery.filed] == [bad]
            assert "already exists as type float" in delivery.filed[0].detail
            assert delivery.stored == MOST_LINES - 1
            requests.append(asked)
    shown(capsys, f"one bad line of {MOST_LINES}: {requests} requests")
    assert max(requests) <= 27


def test_what_is_older_than_the_retention_is_filed_as_expired_and_the_rest_arrives(
    week: Week, influx: InfluxServer, tmp_path: Path
) -> None:
    chosen = made_ready(influx, tmp_path / "secrets", raw_days=3)
    with series_line(week, chosen) as line:
        line.drain()
        filed = [each for _, each in line.ledger.filed]
        assert WriteVerdict.REFUSED not in line.ledger.verdicts
    assert {each.reason for each in filed} == {EXPIRED}
    about_devices = sum(each.line.startswith(b"device,") for each in filed)
    assert about_devices > 0
    assert stored(influx) + about_devices == unique(week)


def test_a_bucket_that_keeps_less_than_we_think_is_found_out_line_by_line(influx: InfluxServer, tmp_path: Path) -> None:
    chosen = made_ready(influx, tmp_path / "secrets", raw_days=3)
    now_ms = int(time() * 1_000)
    instants = [now_ms - 5 * DAY_MS, *(now_ms - seconds * 1_000 for seconds in range(100))]
    points = [(b"bin,asset=a,county=c,device=d,town=t,village=v fill_pct=1.0 %d000" % at, at) for at in instants]
    delivery = Delivery(points, oldest_ms=0)
    with Server(chosen, ADMIN_TOKEN) as server:
        while delivery.piece:
            delivery.take_answer(server.write(BUCKET, delivery.piece))
    assert [(each.line, each.reason) for each in delivery.filed] == [(points[0][0], EXPIRED)]
    assert delivery.stored == 100


def test_a_server_in_trouble_and_a_network_that_forgets_lose_nothing(
    week: Week, influx: InfluxServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    faults = iter(
        [
            None,
            None,
            Fault(503),
            None,
            Fault(429, headers={"Retry-After": "1"}),
            HANG_UP,
            None,
            Fault(delay_s=3.0),
            None,
            Fault(413),
            None,
            Fault(500),
            HANG_UP,
        ]
    )
    with proxied(influx.url) as proxy:
        chosen = made_ready(influx, tmp_path / "secrets", proxy.url)
        proxy.fault = lambda path, _size: next(faults, None) if path == "/api/v2/write" else None
        outlet = InfluxOutlet(chosen, WallClock(), answers_within_ms=1_500)
        with series_line(week, chosen, outlet) as line:
            line.drain()
            assert line.ledger.filed == []
            assert line.ledger.verdicts.count(WriteVerdict.LATER) == 6
            assert line.ledger.verdicts.count(WriteVerdict.TOO_LARGE) == 1
    told(capsys, week, influx, "503, 429, 500, 413, a slow answer and two lost ones")


def test_no_request_is_larger_than_it_may_be(week: Week, influx: InfluxServer, tmp_path: Path) -> None:
    with proxied(influx.url) as proxy:
        chosen = made_ready(influx, tmp_path / "secrets", proxy.url)
        with series_line(week, chosen) as line:
            line.drain()
        writes = [size for path, size, _ in proxy.requests if path == "/api/v2/write"]
    assert len(writes) < 30
    assert max(writes) < 400_000  # 5,000 lines, compressed


def test_the_clients_own_batching_loses_under_the_same_faults(
    week: Week, influx: InfluxServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The control: what everybody writes. It must lose, or the tests above prove nothing."""
    county, _ = assemble(week.inventory, shipped.policy_files())
    points = Points(week.inventory, lines_pct(county.plans))
    with closing(JournalReader.open(week.journal)) as reader:
        readings = reader.readings_after(0, 1_000_000)
    lines = [line.decode() for _, reading in readings for line, _ in points.of_reading(reading)]
    faults = {2: Fault(401), 3: Fault(404), 5: Fault(413), 7: Fault(400), 9: Fault(503), 10: Fault(503)}
    seen = 0

    def fault(path: str, _size: int) -> Fault | None:
        nonlocal seen
        seen += path == "/api/v2/write"
        return faults.get(seen)

    with proxied(influx.url) as proxy:
        made_ready(influx, tmp_path / "secrets", proxy.url)
        proxy.fault = fault
        options = WriteOptions(batch_size=5_000, flush_interval=500, max_retries=1, retry_interval=100)
        with InfluxDBClient(proxy.url, ADMIN_TOKEN, org=ORG) as client, client.write_api(options) as write:
            write.write(BUCKET, ORG, lines, write_precision="us")
    lost = unique(week) - stored(influx)
    shown(capsys, f"control, the client's batching mode: {unique(week)} readings, {lost} lost, and no exception")
    assert lost > 0


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"url": "http://127.0.0.1:9"}, "does not answer at http://127.0.0.1:9"),
        ({"org": "nobody"}, "has no bucket telemetry in the organisation nobody"),
        ({"bucket": "nothing"}, "has no bucket nothing"),
    ],
    ids=["unreachable", "wrong organisation", "wrong bucket"],
)
def test_what_is_wrong_is_one_sentence_with_its_remedy(
    changed: dict[str, str], says: str, influx: InfluxServer, tmp_path: Path
) -> None:
    chosen = made_ready(influx, tmp_path / "secrets").model_copy(update=changed)
    with Server(chosen, ADMIN_TOKEN) as server:
        part = trouble(server.write(chosen.bucket, [b"a f=1.0"]), chosen, chosen.bucket)
    assert says in part.state
    assert "[influxdb]" in part.remedy
    assert NONE not in part.remedy.split()
