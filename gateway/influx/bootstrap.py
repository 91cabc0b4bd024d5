"""What InfluxDB must have before the gateway can write: buckets, databases for InfluxQL, and a token for each purpose.

Done by the operator's token and as often as one likes: what is there already is left alone. Tokens go from the server's
answer straight into their files, since a server that hashes them never tells one again.
"""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from gateway.files import write_secret
from gateway.influx.answers import WriteAnswer, WriteVerdict, stranger, trouble, verdict
from gateway.influx.outlet import DAY_MS, HOURLY_DAYS
from gateway.influx.server import Server
from gateway.settings import Influxdb, SettingsFault, read_secret

DAY_S: Final = DAY_MS // 1_000
POLICY: Final = "autogen"
USERNAME: Final = "cunjing"
WRITES: Final = "cunjing gateway (writes)"
READS: Final = "cunjing boards (reads)"


class Unfinished(Exception):  # noqa: N818 -- a state of the world, said in a sentence
    """The set-up cannot go on; the text says why and what to do. What was done stays, and the next try goes on."""


class SetupStep(NamedTuple):
    """One thing that was looked at: ``changed`` is whether it had to be made or corrected."""

    changed: bool
    said: str


def kept_s(settings: Influxdb) -> Mapping[str, int]:
    """How long each bucket keeps its points, in seconds; 0 is for ever."""
    return MappingProxyType(
        {
            settings.bucket: settings.raw_days * DAY_S,
            settings.hourly_bucket: HOURLY_DAYS * DAY_S,
            settings.daily_bucket: 0,
        }
    )


def set_up(settings: Influxdb, admin_file: Path) -> Iterator[SetupStep]:
    """Makes what is missing, step by step; ``Unfinished`` or ``SettingsFault`` where it cannot go on."""
    with _server(settings, "") as nobody:
        answer, version = nobody.version()
        _passed(answer, settings, "be reached")
        bar = stranger(version, settings)
        if bar is not None:
            raise Unfinished(f"{bar.state}; {bar.remedy}")
        yield SetupStep(changed=False, said=f"InfluxDB {version} at {settings.url}")
        yield _onboarded(nobody, settings, admin_file)
    with _server(settings, read_secret(admin_file, "--admin-token-file")) as admin:
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


def _server(settings: Influxdb, token: str) -> Server:
    return Server(settings, token)


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
    kept = f"{seconds // DAY_S} days" if seconds else "for ever"
    _, said = admin.ask("GET", "/api/v2/buckets", name=name, orgID=org)
    found = said.get("buckets", []) if isinstance(said, dict) else []
    if not found:
        answer, made = admin.ask("POST", "/api/v2/buckets", {"orgID": org, "name": name, "retentionRules": rules})
        _passed(answer, settings, f"make the bucket {name}")
        return str(made["id"]), SetupStep(changed=True, said=f"bucket {name} made, keeps points {kept}")
    bucket = str(found[0]["id"])
    if sum(rule.get("everySeconds", 0) for rule in found[0]["retentionRules"]) == seconds:
        return bucket, SetupStep(changed=False, said=f"bucket {name} keeps points {kept}")
    answer, _ = admin.ask("PATCH", f"/api/v2/buckets/{bucket}", {"retentionRules": rules})
    _passed(answer, settings, f"change the bucket {name}")
    return bucket, SetupStep(changed=True, said=f"bucket {name} now keeps points {kept}")


def _database(admin: Server, settings: Influxdb, org: str, name: str, bucket: str) -> SetupStep:
    """InfluxQL asks a database; one of the bucket's own name leads to it."""
    _, said = admin.ask("GET", "/api/v2/dbrps", orgID=org, db=name)
    for found in said.get("content", []) if isinstance(said, dict) else []:
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
    _, said = admin.ask("GET", "/api/v2/authorizations", orgID=org)
    before = [each for each in said.get("authorizations", []) if each["description"] == purpose]
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
    with _server(settings, token) as server:
        return all(
            verdict(server.write(name, ())) is WriteVerdict.STORED if action == "write" else sees(server, name)
            for name in kept_s(settings)
        )


def sees(server: Server, bucket: str) -> bool:
    """Whether a reading token may read the bucket."""
    _, said = server.ask("GET", "/api/v2/buckets", name=bucket)
    return isinstance(said, dict) and bool(said.get("buckets"))


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
