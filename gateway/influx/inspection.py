"""What ``doctor`` asks of InfluxDB: its version and clock, both tokens and what they may do, retention and databases.

It writes nothing: an empty request asks only whether a write would be allowed.
"""

from collections.abc import Iterator
from typing import Any, Final

from gateway.health import Part
from gateway.influx.answers import WriteVerdict, stranger, trouble, verdict
from gateway.influx.bootstrap import DAY_S, kept_s
from gateway.influx.server import Server
from gateway.settings import Influxdb, SettingsFault, read_secret

SKEW_MOST_S: Final = 60.0
"""Points carry our time and are judged by the server's: retention and boards follow the difference."""

_MEND: Final = "run `cunjing influx setup`, which mends it"


def inspected(settings: Influxdb, now_s: float) -> Iterator[Part]:
    """Each part of it in turn; where the server does not answer, that alone."""
    with Server(settings, "") as nobody:
        answer, version = nobody.version()
        if verdict(answer) is not WriteVerdict.STORED:
            yield trouble(answer, settings, settings.bucket)
            return
        bar = stranger(version, settings)
        if bar is not None:
            yield bar
            return
        yield Part(ready=True, state=f"InfluxDB {version} answers at {settings.url}")
        yield _clock(nobody.stated_s(), now_s)
    yield from _writer(settings)
    yield from _reader(settings)


def _clock(stated_s: float | None, now_s: float) -> Part:
    if stated_s is None:
        return Part(ready=True, state="the server does not say what time it has")
    skew_s = stated_s - now_s
    state = f"the server's clock is {abs(skew_s):.0f} s {'ahead' if skew_s > 0 else 'behind'}"
    if abs(skew_s) <= SKEW_MOST_S:
        return Part(ready=True, state=state)
    return Part(ready=False, state=state, remedy="let NTP keep both machines' clocks")


def _writer(settings: Influxdb) -> Iterator[Part]:
    try:
        token = read_secret(settings.token_file, "[influxdb] token_file")
    except SettingsFault as fault:
        yield Part(ready=False, state=str(fault), remedy="run `cunjing influx setup`, which writes it there")
        return
    with Server(settings, token) as writer:
        answers = {name: writer.write(name, ()) for name in kept_s(settings)}
    failed = [(name, answer) for name, answer in answers.items() if verdict(answer) is not WriteVerdict.STORED]
    if failed:
        name, answer = failed[0]
        yield trouble(answer, settings, name)
    else:
        yield Part(ready=True, state=f"the token in {settings.token_file} may write into all {len(answers)} buckets")


def _reader(settings: Influxdb) -> Iterator[Part]:
    path = settings.reader_file
    try:
        token = read_secret(path, "[influxdb] reader_token_file")
    except SettingsFault as fault:
        yield Part(ready=False, state=str(fault), remedy="run `cunjing influx setup`; the boards read with it")
        return
    with Server(settings, token) as reader:
        for name, seconds in kept_s(settings).items():
            yield _bucket(reader, name, seconds)
        if verdict(reader.write(settings.bucket, ())) is WriteVerdict.STORED:
            yield Part(ready=False, state=f"the token in {path} may write, and should only read", remedy=_MEND)


def _bucket(reader: Server, name: str, seconds: int) -> Part:
    """What the reading token sees of one bucket: that it is there, how long it keeps points, that InfluxQL finds it."""
    found = _first(reader.ask("GET", "/api/v2/buckets", name=name)[1], "buckets")
    if found is None:
        return Part(ready=False, state=f"the reading token sees no bucket {name}", remedy=_MEND)
    kept = sum(rule.get("everySeconds", 0) for rule in found["retentionRules"])
    if kept != seconds:
        state = f"the bucket {name} keeps points {_kept(kept)}, and {_kept(seconds)} are configured"
        return Part(ready=False, state=state, remedy="run `cunjing influx setup`, or correct [influxdb] raw_days")
    mapped = reader.ask("GET", "/api/v2/dbrps", orgID=found["orgID"], db=name)[1]
    if (_first(mapped, "content") or {}).get("bucketID") != found["id"]:
        return Part(ready=False, state=f"no InfluxQL database {name} leads to its bucket", remedy=_MEND)
    return Part(ready=True, state=f"the bucket {name} keeps points {_kept(seconds)}, and InfluxQL finds it")


def _first(said: Any, key: str) -> dict[str, Any] | None:  # noqa: ANN401 -- a stranger's JSON
    rows = said.get(key) if isinstance(said, dict) else None
    return rows[0] if rows else None


def _kept(seconds: int) -> str:
    return f"{seconds / DAY_S:g} days" if seconds else "for ever"
