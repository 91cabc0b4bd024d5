"""What InfluxDB must have before the gateway can write: buckets, databases for InfluxQL, and a token for each purpose.

Made by the operator's token and as often as one likes: what is there already is left alone. Tokens go from the server's
answer straight into their files, since a server that hashes them never tells one again. And looked for by ``doctor``,
which writes nothing: an empty request asks only whether a write would be allowed.
"""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from gateway.files import write_secret
from gateway.health import Part
from gateway.influx.answers import WriteAnswer, WriteVerdict, stranger, trouble, verdict
from gateway.influx.server import DAY_S, Server, kept_s
from gateway.settings import Influxdb, SettingsFault, read_secret

POLICY: Final = "autogen"
USERNAME: Final = "cunjing"
WRITES: Final = "cunjing gateway (writes)"
READS: Final = "cunjing boards (reads)"
SKEW_MOST_S: Final = 60.0
"""Points carry our time and are judged by the server's: retention and boards follow the difference."""
_MEND: Final = "run `cunjing influx setup`, which mends it"


class Unfinished(Exception):  # noqa: N818 -- a state of the world, said in a sentence
    """The set-up cannot go on; the text says why and what to do. What was done stays, and the next try goes on."""


class SetupStep(NamedTuple):
    """One thing that was looked at: ``changed`` is whether it had to be made or corrected."""

    changed: bool
    said: str


def set_up(settings: Influxdb, admin_file: Path) -> Iterator[SetupStep]:
    """Makes what is missing, step by step; ``Unfinished`` or ``SettingsFault`` where it cannot go on."""
    with Server(settings, "") as nobody:
        answer, version = nobody.version()
        _passed(answer, settings, "be reached")
        bar = stranger(version, settings)
        if bar is not None:
            raise Unfinished(f"{bar.state}; {bar.remedy}")
        yield SetupStep(changed=False, said=f"InfluxDB {version} at {settings.url}")
        yield _onboarded(nobody, settings, admin_file)
    with Server(settings, read_secret(admin_file, "--admin-token-file")) as admin:
        org = _organisation(admin, settings, admin_file)
        buckets = {}
        for name, seconds in kept_s(settings).items():
            buckets[name], step = _bucket(admin, settings, org, name, seconds)
            yield step
        for name, bucket in buckets.items():
            yield _database(admin, settings, org, name, bucket)
        scopes = ((WRITES, "write", settings.token_file), (READS, "read", settings.reader_file))
        for purpose, action, path in scopes:
            yield _token(admin, settings, org, list(buckets.values()), purpose, action, path)


def _onboarded(nobody: Server, settings: Influxdb, admin_file: Path) -> SetupStep:
    """A server that nobody has set up yet gets its organisation and the operator's token, which is kept in its file."""
    _, said = nobody.ask("GET", "/api/v2/setup")
    if not (isinstance(said, dict) and said.get("allowed")):
        return SetupStep(changed=False, said="the server has an operator already")
    token = _kept_or_new(admin_file)
    password = _kept_or_new(admin_file.with_name(f"{admin_file.name}-password"))
    body = {"username": USERNAME, "password": password, "org": settings.org, "bucket": "unused", "token": token}
    answer, _ = nobody.ask("POST", "/api/v2/setup", body)
    _passed(answer, settings, "be set up")
    return SetupStep(
        changed=True, said=f"set up with the user {USERNAME}; token and password are in {admin_file} and beside it"
    )


def _kept_or_new(path: Path) -> str:
    """The secret in a file, made if there is none. InfluxDB takes passwords of 8 to 72 characters."""
    if not path.exists():
        write_secret(path, secrets.token_urlsafe(32))
    return read_secret(path, str(path))


def _organisation(admin: Server, settings: Influxdb, admin_file: Path) -> str:
    answer, said = admin.ask("GET", "/api/v2/orgs", org=settings.org)
    if answer.status in (401, 403):
        remedy = "name the file with the operator's token as --admin-token-file"
        raise Unfinished(f"the token in {admin_file} is not the operator's (HTTP {answer.status}); {remedy}")
    found = said.get("orgs", []) if isinstance(said, dict) else []
    if not found:
        remedy = "correct [influxdb] org, or make it in InfluxDB"
        raise Unfinished(f"InfluxDB has no organisation {settings.org} that this token may see; {remedy}")
    return str(found[0]["id"])


def _bucket(admin: Server, settings: Influxdb, org: str, name: str, seconds: int) -> tuple[str, SetupStep]:
    rules = [{"type": "expire", "everySeconds": seconds}]
    kept = _kept(seconds)
    found = _rows(admin, "buckets", "buckets", name=name, orgID=org)
    if not found:
        answer, made = admin.ask("POST", "/api/v2/buckets", {"orgID": org, "name": name, "retentionRules": rules})
        _passed(answer, settings, f"make the bucket {name}")
        return str(made["id"]), SetupStep(changed=True, said=f"bucket {name} made, keeps points {kept}")
    bucket = str(found[0]["id"])
    if _kept_s(found[0]) == seconds:
        return bucket, SetupStep(changed=False, said=f"bucket {name} keeps points {kept}")
    answer, _ = admin.ask("PATCH", f"/api/v2/buckets/{bucket}", {"retentionRules": rules})
    _passed(answer, settings, f"change the bucket {name}")
    return bucket, SetupStep(changed=True, said=f"bucket {name} now keeps points {kept}")


def _database(admin: Server, settings: Influxdb, org: str, name: str, bucket: str) -> SetupStep:
    """InfluxQL asks a database; one of the bucket's own name leads to it."""
    for found in _rows(admin, "dbrps", "content", orgID=org, db=name):
        if found["bucketID"] == bucket and found["default"] and not found["virtual"]:
            return SetupStep(changed=False, said=f"InfluxQL database {name} leads to its bucket")
        if not found["virtual"]:
            admin.ask("DELETE", f"/api/v2/dbrps/{found['id']}", orgID=org)
    body = {"orgID": org, "bucketID": bucket, "database": name, "retention_policy": POLICY, "default": True}
    answer, _ = admin.ask("POST", "/api/v2/dbrps", body)
    _passed(answer, settings, f"map the database {name}")
    return SetupStep(changed=True, said=f"InfluxQL database {name} made, leads to its bucket")


def _token(
    admin: Server, settings: Influxdb, org: str, buckets: Sequence[str], purpose: str, action: str, path: Path
) -> SetupStep:
    """A token that may do this to these buckets and nothing else, in its file; one that works is kept."""
    before = [
        each for each in _rows(admin, "authorizations", "authorizations", orgID=org) if each["description"] == purpose
    ]
    if path.exists() and any(_grants(each, action, buckets) for each in before) and _works(settings, action, path):
        return SetupStep(changed=False, said=f"{path} holds a token that {action}s")
    permissions = [
        {"action": action, "resource": {"type": "buckets", "id": bucket, "orgID": org}} for bucket in buckets
    ]
    body = {"orgID": org, "description": purpose, "permissions": permissions}
    answer, made = admin.ask("POST", "/api/v2/authorizations", body)
    _passed(answer, settings, f"make a token that {action}s")
    write_secret(path, str(made["token"]))
    for each in before:
        admin.ask("DELETE", f"/api/v2/authorizations/{each['id']}")
    return SetupStep(changed=True, said=f"{path} holds a new token that {action}s")


def _grants(authorization: Mapping[str, Any], action: str, buckets: Sequence[str]) -> bool:
    granted = {(each["action"], each["resource"].get("id")) for each in authorization["permissions"]}
    return granted == {(action, bucket) for bucket in buckets} and authorization.get("status") == "active"


def _works(settings: Influxdb, action: str, path: Path) -> bool:
    """Whether the token in the file opens every bucket."""
    try:
        token = read_secret(path, str(path))
    except SettingsFault:
        return False
    with Server(settings, token) as server:
        return all(
            verdict(server.write(name, ())) is WriteVerdict.STORED
            if action == "write"
            else bool(_rows(server, "buckets", "buckets", name=name))
            for name in kept_s(settings)
        )


def _passed(answer: WriteAnswer, settings: Influxdb, wish: str) -> None:
    if verdict(answer) is WriteVerdict.STORED:
        return
    said = answer.text or f"HTTP {answer.status}"
    if answer.tls is not None:
        part = trouble(answer, settings, settings.bucket)
        raise Unfinished(f"{part.state}; {part.remedy}")
    if answer.status == 0:
        raise Unfinished(f"InfluxDB cannot {wish} at {settings.url}: {said}; start it, or correct [influxdb] url")
    raise Unfinished(f"InfluxDB does not let us {wish}: {said}; use the operator's token, which may do everything")


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
            yield _seen_bucket(reader, name, seconds)
        if verdict(reader.write(settings.bucket, ())) is WriteVerdict.STORED:
            yield Part(ready=False, state=f"the token in {path} may write, and should only read", remedy=_MEND)


def _seen_bucket(reader: Server, name: str, seconds: int) -> Part:
    """What the reading token sees of one bucket: that it is there, how long it keeps points, that InfluxQL finds it."""
    found = next(iter(_rows(reader, "buckets", "buckets", name=name)), None)
    if found is None:
        return Part(ready=False, state=f"the reading token sees no bucket {name}", remedy=_MEND)
    if (kept := _kept_s(found)) != seconds:
        state = f"the bucket {name} keeps points {_kept(kept)}, and {_kept(seconds)} are configured"
        return Part(ready=False, state=state, remedy="run `cunjing influx setup`, or correct [influxdb] raw_days")
    mapped = _rows(reader, "dbrps", "content", orgID=found["orgID"], db=name)
    if not mapped or mapped[0].get("bucketID") != found["id"]:
        return Part(ready=False, state=f"no InfluxQL database {name} leads to its bucket", remedy=_MEND)
    return Part(ready=True, state=f"the bucket {name} keeps points {_kept(seconds)}, and InfluxQL finds it")


def _rows(server: Server, what: str, key: str, **query: str) -> list[dict[str, Any]]:
    """What a token sees of one kind of thing; nothing where the server answers anything else."""
    _, said = server.ask("GET", f"/api/v2/{what}", **query)
    return (said.get(key) or []) if isinstance(said, dict) else []


def _kept_s(bucket: Mapping[str, Any]) -> int:
    return sum(rule.get("everySeconds", 0) for rule in bucket["retentionRules"])


def _kept(seconds: int) -> str:
    return f"{seconds / DAY_S:g} days" if seconds else "for ever"
