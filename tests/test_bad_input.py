"""docs/bad-input.md is what the commands really say: made here, compared on each run, rewritten with REWRITE_DOCS=1."""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, chdir, closing, contextmanager
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import Final, NamedTuple

import httpx
import pytest
from fastapi import FastAPI
from msgspec.structs import replace
from typer.testing import CliRunner

from alerts.answers import reply
from alerts.build import assemble
from alerts.channels import channels
from alerts.model import Owed
from alerts.policy import PolicyFault
from gateway import app as gateway_app
from gateway import imports, shipped, start
from gateway.cli import app
from gateway.commands.replies import InboundSms
from gateway.desk.api import api
from gateway.desk.cases import serve_cases
from gateway.desk.commands_api import serve_commands
from gateway.desk.hooks import Hooks, serve_hooks
from gateway.desk.login import AT_ONCE, TRIES, WAITING
from gateway.desk.photos import COMING_EACH
from gateway.desk.problems import answer_with_problems
from gateway.desk.server import bind, serving
from gateway.embedded_broker import Embedded
from gateway.health import Health
from gateway.inbox import Inbox
from gateway.journal.database import JournalUnavailable
from gateway.journal.entry import InventoryBody
from gateway.journal.writer import Journal
from gateway.lines import Pushed
from gateway.metrics import Metrics
from gateway.mqtt.broker_words import refused, taken_over, tls_end, undialled
from gateway.mqtt.source import Untrusted
from gateway.replay import Memory
from gateway.settings import Endpoint, SettingsFault, load
from telemetry.tls_faults import TlsTrouble, worded
from telemetry.wire import Uplink
from tests.acting import do
from tests.desk_gateway import at, desk_gateway
from tests.fakes import Silence
from tests.gateway.cli.installation import Installation
from tests.gateway.desk.conftest import Visitor
from tests.grafana_thirteen import TOKEN, Answer, edited_on_its_page, thirteen
from tests.photographs import JPEG, claiming
from tests.proxy import Fault, proxied
from tests.servers import free_port

PAGE: Final = Path(__file__).parents[1] / "docs" / "bad-input.md"
TOPIC: Final = "cunjing/v1/xiang/bin-0003/telemetry"
RECEIVED_MS: Final = 1_795_305_600_000
SAMPLE: Final = '{{"v":1,"boot":3,"seq":{seq},"ts":{ts},"readings":{{"distance_mm":{distance}}}}}'
MEBIBYTE: Final = 2**20
BROKER: Final = "mqtt://127.0.0.1:1883"

_OUTCOME: Final = re.compile(r'<div id="outcome".*?</div>', re.DOTALL)
_SAID: Final = re.compile(r'<p class="no"[^>]*>.*?</p>|<div class="warn".*?</div>', re.DOTALL)
_SHOWN: Final = "HTTP 200; the browser shows it and runs nothing."
_WORDS: Final = re.compile(r"[\u4e00-\u9fff]|[^\W\u4e00-\u9fff]+")
"""A Chinese sign says as much as a word."""

OPENING: Final = """\
# Bad input

What each kind of bad input looks like to the person who meets it. This page is made by `tests/test_bad_input.py` from
what the commands really say; `REWRITE_DOCS=1` makes it anew. Exit code 1 means that a problem was found, 2 wrong use.
"""


class Case(NamedTuple):
    """One bad input: what is wrong, the line that meets it or the situation in words, and what is shown."""

    title: str
    wrong: str
    line: str
    shown: str
    ends: str = ""

    def __str__(self) -> str:
        prompt = f"$ {self.line}\n" if self.line else ""
        ends = f"\n\n{self.ends}" if self.ends else ""
        return f"## {self.title}\n\n{self.wrong}\n\n```text\n{prompt}{self.shown}\n```{ends}\n"


def run(line: str, stdin: str = "") -> tuple[str, str]:
    """What a command shows on both streams, and how it ends."""
    words = line.partition("<")[0].split()[1:]
    said = CliRunner().invoke(app, words, input=stdin, prog_name="cunjing")
    return said.output.rstrip("\n"), f"Exit code {int(said.exit_code)}."


def met(title: str, wrong: str, line: str, stdin: str = "") -> Case:
    shown, ends = run(line, stdin)
    shown = "\n".join(said for said in shown.splitlines() if '"timestamp": ' not in said)  # the log tells the time
    return Case(title, wrong, line, shown, ends)


def sentence(act: Callable[[], object]) -> str:
    with pytest.raises((SettingsFault, PolicyFault, JournalUnavailable)) as caught:
        act()
    return str(caught.value)


def quarantined(home: Installation, topic: str, payload: bytes) -> str:
    """What ``cunjing export quarantine`` shows of one uplink after the gateway took it in; its payload is left out."""
    _take(home, topic, payload)
    row = json.loads(run("cunjing export quarantine --config gateway.toml")[0].splitlines()[-1])
    return json.dumps({key: row[key] for key in ("topic", "reason", "detail")}, ensure_ascii=False)


def stored(home: Installation, payload: str) -> str:
    """What ``cunjing export readings`` shows of one uplink after the gateway took it in."""
    _take(home, TOPIC, payload.encode())
    row = json.loads(run("cunjing export readings --config gateway.toml")[0].splitlines()[-1])
    return json.dumps({key: row[key] for key in ("device", "seq", "observed_at", "received_at", "clock", "values")})


def _take(home: Installation, topic: str, payload: bytes) -> None:
    county = imports.checked(home.folder / "inventory.yaml")
    pipeline = start.anew(county, shipped.policy_files(), Memory(), RECEIVED_MS)
    pipeline.take(Uplink(RECEIVED_MS, topic, payload))
    entry, _ = pipeline.finish()
    with home.journal() as journal:
        journal.commit(entry)


@contextmanager
def without_rights(folder: Path) -> Iterator[None]:
    """As a user who may not write ``folder``; skips where nobody can be one."""
    folder.chmod(0o555)
    is_root = os.geteuid() == 0
    try:
        if is_root:
            os.seteuid(65_534)
    except OSError:
        pytest.skip("this machine has no user without rights")
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)
        folder.chmod(0o755)


def wrong_files(home: Installation) -> Iterator[Case]:
    config = home.folder / "gateway.toml"
    good = config.read_text("utf-8")
    config.write_text(good.replace('path = "data/journal.db"', "path = data/journal.db"), "utf-8")
    yield met("Malformed configuration", "A text without its quotes.", "cunjing gateway --config gateway.toml")
    config.write_text(good.replace("[inventory]", "kep_days = 14\n[inventory]"), "utf-8")
    yield met("Unknown key", "`kep_days` in `[journal]`.", "cunjing gateway --config gateway.toml")
    for title, wrong, proxies in (
        ("A proxy by its name", "An address is what is seen of it.", "proxy.example"),
        ("Everybody a trusted proxy", "A stranger would choose his own address.", "0.0.0.0/0"),
    ):
        config.write_text(good.replace("[desk]", f'[desk]\ntrusted_proxies = ["{proxies}"]'), "utf-8")
        yield met(title, wrong, "cunjing gateway --config gateway.toml")
    config.write_text(good.replace("[desk]", '[desk]\ntiles = "http://tiles.example/{z}/{x}.png"'), "utf-8")
    yield met(
        "Tiles that cannot be asked for", "`[desk] tiles` without `{y}`.", "cunjing gateway --config gateway.toml"
    )
    config.write_text(good, "utf-8")
    yield from catalogues_of_ones_own()

    county = home.folder / "inventory.yaml"
    rows = county.read_text("utf-8")
    county.write_text(
        rows.replace("area: ytan\n    location: {lat: 27.6102", "area: ytam\n    location: {lat: 276.102")
    )
    line = "cunjing inventory check inventory.yaml"
    yield met("Wrong row in the inventory", "An area that does not exist and a latitude that cannot be.", line)
    other = rows.replace("ytan-03", "ytan-33")
    county.write_text(other, "utf-8")
    done = imports.imported(county, InventoryBody(RECEIVED_MS, "", rows), None, RECEIVED_MS)
    part = imports.report(done, Path("inventory.yaml"))
    met_by = "A pool has another id at the next start. Is it the same one? The gateway goes on with the version before."
    shown = f"inventory: {part.state}; {part.remedy}"
    yield Case("An id that changed", met_by, "curl -s 127.0.0.1:8080/readyz", shown, "")
    yield from retired_by_half(county, rows)
    county.write_text(rows, "utf-8")

    uplink = {"received_at": "2026-11-22T00:00:01Z", "topic": TOPIC, "payload": "{}"}
    (home.folder / "uplinks.jsonl").write_text(f"{json.dumps(uplink)}\nnonsense\n", "utf-8")
    line = "cunjing replay uplinks.jsonl --inventory inventory.yaml"
    yield met("Unreadable recording", "The second line is no JSON.", line)


def catalogues_of_ones_own() -> Iterator[Case]:
    """Texts that somebody changed: one from before the program had all of these, and a condition on nothing."""
    ships, line = shipped.policy_files(), "cunjing gateway --config gateway.toml"
    county = imports.checked(Path("inventory.yaml"))
    for title, wrong, text in (
        (
            "A catalogue of texts from before",
            "One's own, without a text that the program needs by now.",
            ships.texts.replace("answered_over:", "answered:"),
        ),
        (
            "A rule without a word for its end",
            "A plant's trouble is told, and a text about several that are over has no word for it.",
            ships.texts.replace("  over_stopped: 恢复运行\n", ""),
        ),
        (
            "A condition on a part that is not there",
            "`when` names `knows`; the part is called `known`.",
            ships.texts.replace("when: {known: village}", "when: {knows: village}"),
        ),
    ):
        mine = replace(ships, texts=text, texts_name="texts.yaml")
        shown = sentence(partial(assemble, county, mine))
        yield Case(title, wrong, line, shown, "Exit code 1.")


def retired_by_half(county: Path, rows: str) -> Iterator[Case]:
    """A pool that is retired while its sensor still hangs there, and one that is renamed while it still stands."""
    head = "  - id: ytan-03\n"
    assert head in rows
    county.write_text(rows.replace(head, f"{head}    retired: true\n    renamed_from: ytan-03\n"), "utf-8")
    line = "cunjing inventory check inventory.yaml"
    yield met("Retired by half", "A retired pool that a sensor still hangs on, and that was itself before.", line)


def wrong_names() -> Iterator[Case]:
    """What a visitor may not call the demo's county and towns."""
    wrong = "Names of the demo that could not stand in a text: each is named with what is wrong, nothing is started."
    line = "cunjing demo --county Xiang --towns 石桥,石桥镇,镇"
    yield met("A demo with names that are none", wrong, line)


def wrong_surroundings(home: Installation) -> Iterator[Case]:
    port = free_port()
    shown, ends = run(f"cunjing record --broker mqtt://127.0.0.1:{port}")
    shown = re.sub(r"\[Errno \d+\] ", "", shown.replace(f":{port}", ":1883"))
    yield Case("Broker not there", "Nobody listens.", f"cunjing record --broker {BROKER}", shown, ends)

    part = refused(BROKER, "gateway", 0x87, "Not authorized")
    line = f"cunjing record --broker {BROKER} --username gateway --password-file wrong"
    gateway = "`/readyz` and `cunjing doctor` say the same; the gateway keeps trying, ever less often."
    yield Case("Wrong password", "The broker refuses us.", line, f"{part.state}; {part.remedy}", f"{ends} {gateway}")

    line, secured = "cunjing doctor --config gateway.toml", BROKER.replace("mqtt:", "mqtts:")
    for title, kind in (
        ("TLS: certificate expired", TlsTrouble.EXPIRED),
        ("TLS: certificate self-signed", TlsTrouble.SELF_SIGNED),
        ("TLS: certificate for another host", TlsTrouble.WRONG_HOST),
        ("TLS: no CA file", TlsTrouble.CA_MISSING),
        ("TLS: a port that does not speak it", TlsTrouble.PLAIN),
    ):
        part = undialled(secured, Untrusted(worded(kind, tls_end(secured), "secrets/ca.pem")))
        wrong = "The broker's; InfluxDB, Grafana, the heartbeat and the channels say the same with their own keys."
        yield Case(title, wrong, line, f"PROBLEM  broker     {part.state}; {part.remedy}", "Exit code 1.")

    part = taken_over(BROKER, "cunjing-gateway", said=True)
    wrong = "Two gateways under one `client_id` throw each other out."
    yield Case("Client id used twice", wrong, line, f"PROBLEM  gateway    broker: {part.state}; {part.remedy}", gateway)

    with bind(Endpoint("127.0.0.1", 0)) as taken:
        desk = Endpoint("127.0.0.1", taken.getsockname()[1])
        shown = sentence(lambda: bind(desk)).replace(str(desk.port), "8080")
    line = "cunjing gateway --config gateway.toml"
    yield Case("Port taken", "Something else listens where the desk would.", line, shown, "Exit code 1.")

    settings = load(home.folder / "gateway.toml")
    with without_rights(home.folder):
        shown = sentence(lambda: gateway_app._token(settings))
    yield Case("Read-only data folder", "The gateway's user may not write it.", line, shown, "Exit code 1.")
    for title, wrong, spoil in SPOILT:
        shutil.rmtree(home.journal_path.parent, ignore_errors=True)
        home.journal_path.parent.mkdir()
        spoil(settings.journal.path)
        shown = sentence(lambda: Journal.open(settings.journal.path))
        yield Case(title, wrong, line, shown, "Exit code 1. `cunjing doctor` says the same; the file is left as it is.")
    shutil.rmtree(home.journal_path.parent)


def foreign(journal: Path) -> None:
    with closing(sqlite3.connect(journal)) as made:
        made.execute("CREATE TABLE songs (title TEXT)")


def newer(journal: Path) -> None:
    Journal.open(journal).close()
    with closing(sqlite3.connect(journal)) as made, made:
        made.execute("INSERT INTO migration VALUES ('0999_of_next_year.sql', '2027-11-29T00:00:00.000Z')")


def left_behind(journal: Path) -> None:
    journal.with_name(f"{journal.name}-wal").write_bytes(b"what was committed last")


SPOILT: Final = (
    ("Empty journal", "A disk that failed, or a copy that broke off.", Path.touch),
    ("Journal of another program", "A wrong path.", foreign),
    ("Journal of a newer version", "The program was set back, and its data were not.", newer),
    ("Log without its journal", "`journal.db` was deleted after a crash, `journal.db-wal` was not.", left_behind),
)


SERVER: Final = "http://127.0.0.1:8086"
PAGES: Final = "http://127.0.0.1:3000"
INFLUXDB: Final = """
[influxdb]
url = "{url}"
org = "cunjing"
bucket = "telemetry"
token_file = "influxdb"
"""


@contextmanager
def answering(home: Installation, faults: Mapping[str, Fault]) -> Iterator[str]:
    """An installation beside a server that answers so on these paths, and as InfluxDB 2 would on any other."""
    well = Fault(204, b"", {"X-Influxdb-Version": "v2.7.12"})
    with proxied("http://127.0.0.1:1") as proxy:
        proxy.fault = lambda path, _size: faults.get(path, well)
        home.configure(more=INFLUXDB.format(url=proxy.url))
        yield proxy.url


def examined(url: str) -> tuple[str, str]:
    """What ``doctor`` says of InfluxDB: the first thing that is wrong with it."""
    lines = run(DOCTOR)[0].splitlines()
    first = next(line for line in lines if line.startswith("PROBLEM  influxdb"))
    return first.replace(url, SERVER), "Exit code 1. The gateway's log and `/readyz` say the same."


def wrong_influxdb(home: Installation) -> Iterator[Case]:
    setup = "cunjing influx setup --config gateway.toml --admin-token-file admin"
    (home.folder / "admin").write_text("guessed\n", "ascii")
    (home.folder / "influxdb").write_text("guessed\n", "ascii")
    yield met("InfluxDB not configured", "There is no `[influxdb]`.", setup)

    home.configure(more=INFLUXDB.format(url="http://127.0.0.1:1"))
    shown, ends = run(setup)
    yield Case("InfluxDB not there", "Nobody listens.", setup, shown, ends)

    unknown = Fault(401, b'{"code":"unauthorized","message":"unauthorized access"}')
    with answering(home, {"/api/v2/setup": Fault(200, b'{"allowed": false}'), "/api/v2/orgs": unknown}) as url:
        shown, ends = run(setup)
    yield Case("Not the operator's token", "InfluxDB does not know it.", setup, shown.replace(url, SERVER), ends)

    missing = Fault(404, b'{"code":"not found","message":"bucket \\"telemetry\\" not found"}')
    for title, wrong, faults in (
        ("Wrong InfluxDB token", "It was revoked, or another server's.", {"/api/v2/write": unknown}),
        ("Wrong InfluxDB bucket or organisation", "It is not there.", {"/api/v2/write": missing}),
        ("InfluxDB 3", "An image was pulled anew.", {"/ping": Fault(204, b"", {"X-Influxdb-Version": "3.9.0"})}),
    ):
        with answering(home, faults) as url:
            yield Case(title, wrong, DOCTOR, *examined(url))
    home.configure()


GRAFANA: Final = """
[grafana]
url = "{url}"
token_file = "grafana"
"""
DOCTOR: Final = "cunjing doctor --config gateway.toml"
PUSH: Final = "cunjing boards push --config gateway.toml"


def wrong_grafana(home: Installation) -> Iterator[Case]:
    """Against a Grafana 13 that answers by order of the test."""
    (home.folder / "influxdb-read").write_text("reads\n", "ascii")
    (home.folder / "grafana").write_text(f"{TOKEN}\n", "ascii")
    yield met("Grafana not configured", "There is no `[grafana]`.", PUSH)

    url = f"http://127.0.0.1:{free_port()}"
    home.configure(more=INFLUXDB.format(url=SERVER) + GRAFANA.format(url=url))
    shown, ends = run(PUSH)
    shown = re.sub(r"\[Errno \d+\] ", "", shown.replace(url, PAGES))
    yield Case("Grafana not there", "Nobody listens.", PUSH, shown, ends)

    with thirteen() as double:
        home.configure(more=INFLUXDB.format(url=SERVER) + GRAFANA.format(url=double.url))

        def pushed(answer: Answer | None = None, at: str = "") -> tuple[str, str]:
            double.refuses = lambda method, path: answer if answer and f"{method} {path}".startswith(at) else None
            shown, ends = run(PUSH)
            ailing = [line for line in shown.splitlines() if not line.startswith(("ok ", "made "))]
            return "\n".join(ailing).replace(double.url, PAGES), ends

        elsewhere = (200, {"id": 2, "name": "别的县"})
        home.configure(more=INFLUXDB.format(url=SERVER) + GRAFANA.format(url=double.url) + "org_id = 1\n")
        wrong = "`[grafana] org_id` names one organisation of Grafana's, and the token belongs to another."
        yield Case("Boards in another organisation", wrong, PUSH, *pushed(elsewhere, "GET /api/org"))
        home.configure(more=INFLUXDB.format(url=SERVER) + GRAFANA.format(url=double.url))

        unknown = (401, {"message": "Invalid API key"})
        yield Case("Wrong Grafana token", "It was deleted, or is another Grafana's.", PUSH, *pushed(unknown))
        forbidden = (403, {"message": "You'll need additional permissions to perform this action"})
        wrong = "A service account that may only look."
        yield Case("Grafana token without rights", wrong, PUSH, *pushed(forbidden))
        gone = (404, {"message": "dashboard not found"})
        wrong = "Somebody deleted it, or its folder, while it was pushed. One that was deleted earlier is made again."
        yield Case("Board deleted underneath", wrong, PUSH, *pushed(gone, "POST /api/dashboards/db"))
        pushed()
        edited_on_its_page(double, "cunjing-county")
        wrong = "It is reported and left alone; every other board is pushed."
        yield Case("Board edited by hand", wrong, PUSH, *pushed())

        def examined() -> tuple[str, str]:
            shown, _ = run(DOCTOR)
            said = [line for line in shown.splitlines() if "grafana" in line and line.startswith("PROBLEM")]
            return "\n".join(said).replace(double.url, PAGES), "The other parts are examined as well."

        wrong = "`doctor` finds what a push would: a board deleted, another edited by hand."
        double.boards.pop("cunjing-plants")
        yield Case("Boards in Grafana are not as they were pushed", wrong, DOCTOR, *examined())
    home.configure()


def wrong_uplinks(home: Installation) -> Iterator[Case]:
    kept = "cunjing export quarantine --config gateway.toml"
    sample = SAMPLE.format(seq=1, ts=RECEIVED_MS, distance=412)
    shown = quarantined(home, TOPIC.replace("bin-0003", "bin-9999"), sample.encode())
    yield Case("Unknown device", "It is not in the inventory. Its bytes are kept, with the reason.", kept, shown)

    line = "cunjing decode --envelope native < payload"
    shown, ends = run(line, " " * MEBIBYTE)
    after = quarantined(home, TOPIC, b" " * MEBIBYTE)
    wrong = (
        "A broker set up as in [operations.md](operations.md) hangs up on it (`max_packet_size 131072`).\n"
        "Where one lets it pass, and in a recording, it is in the quarantine by its size, with its first 4096 bytes."
    )
    yield Case("Payload of 1 MiB", wrong, line, f"{shown}\n$ {kept}\n{after}", f"{ends} `replay` ends with 0.")

    for title, distance in (("NaN", "NaN"), ("Infinity", "1e999")):
        payload = SAMPLE.format(seq=1, ts=RECEIVED_MS, distance=distance)
        yield met(title, f"`{payload}`", line, payload)

    said = '{"v":1,"boot":3,"seq":1,"ts":null,"readings":{"distance_mm":412,"battery_pct":101}}'
    wrong = f"`{said}`: each is refused alone and shown at its device on the desk; the rest counts."
    yield met("A value that cannot be, a time that cannot be read", wrong, line, said)
    nested = '{"v":1,"x":' + "[" * 101 + "]" * 101 + "}"
    yield met("Lists in lists without end", "A key we do not know, 101 lists deep.", line, nested)

    line = "cunjing decode --envelope chirpstack --profile milesight-em400 < payload"
    whose = {"deviceInfo": {"devEui": "24e124713b000004"}, "devAddr": "01a2b3c4", "fPort": 85, "data": "AXVc"}
    locked = json.dumps(whose | {"joinServerContext": {"sessionKeyId": "0a"}})
    yield met("A frame that ChirpStack cannot decrypt", "Its join server keeps the AppSKey to itself.", line, locked)
    wrong = (
        "Nothing is measured there. The device lives, and its asset's page says so; `settings: {f_port: 2}` mends it."
    )
    yield met("A report on another port", wrong, line, json.dumps(whose | {"fPort": 2}))
    wrong = "`devAddr` is missing: nobody could tell the frame from another that counts the same."
    nameless = {key: value for key, value in whose.items() if key != "devAddr"}
    yield met("A frame without an address", wrong, line, json.dumps(nameless))

    for year, ts in ((1970, 0), (2036, 2_085_978_496_000)):
        wrong = f"`ts` is {ts}. The sample counts, with our time instead of the device's: `clock` is `server`."
        shown = stored(home, SAMPLE.format(seq=year, ts=ts, distance=412))
        yield Case(f"Clock of {year}", wrong, "cunjing export readings --config gateway.toml", shown)


FIRE: Final = """
[sms]
then = ["aliyun"]
outbox_folder = "outbox"
[channels.aliyun]
signature = "湘阳环卫"
access_key_id_file = "id"
access_key_secret_file = "secret"
[channels.aliyun.templates.fire]
code = "SMS_100000001"
text = "火警：${day}${place}${heat}℃。"
variables = {day = "{day}", place = "{place}"}
"""


HOOK: Final = "0123456789abcdef0123"


def wrong_telephone(home: Installation) -> Iterator[Case]:
    config = home.folder / "gateway.toml"
    good = config.read_text("utf-8")
    config.write_text(good + '[sms]\nchannel = "gamu"\n', "utf-8")
    line = "cunjing sms test cleaner-li --config gateway.toml"
    yield met("Unknown channel", "`gamu` for `gammu`.", line)
    config.write_text(good + FIRE, "utf-8")
    yield met("A template that the provider refuses", "Variables that touch, ℃, and one that is not filled.", line)
    config.write_text(good, "utf-8")
    for title, phone, text in (
        ("A reply of 1,200 characters", "13900000001", "长" * 1_200),
        ("A reply in pictures", "13900000001", "😀👍"),
        ("A reply that is no text", "13900000001", "\x00\x1b[31m\ud83d\x07"),
        ("A digit that no text has asked for", "13900000001", "2"),
        ("A reply from a stranger", "+86 139 1111 2222", "你是谁"),
        ("A reply from a machine", "10086", "您的话费不足"),
    ):
        pipeline = start.anew(imports.checked(Path("inventory.yaml")), shipped.policy_files(), Memory(), RECEIVED_MS)
        InboundSms(pipeline, Silence()).reply(reply("gammu", "7", phone, text, RECEIVED_MS), RECEIVED_MS)
        (kept,) = pipeline.entry.answers
        said = [owed.text for owed in pipeline.list_said() if isinstance(owed, Owed)]
        row = {"phone": kept.reply.phone, "kept": len(kept.reply.text), "text": kept.reply.text[:12]}
        row |= {"meaning": str(kept.meaning), "person": kept.person, "answered": said}
        yield Case(title, "Kept, and answered at most once an hour.", "", json.dumps(row, ensure_ascii=False))


def wrong_pushes(home: Installation) -> Iterator[Case]:
    """What a provider, or somebody who pretends to be one, is answered over HTTP."""
    config = home.folder / "gateway.toml"
    good = config.read_text("utf-8")
    (home.folder / "hook").write_text("guessable\n", "ascii")
    for title, wrong, pushed in (
        ("A secret that can be guessed", "Nine letters.", "aliyun"),
        ("A push for a channel that gets none", "smsd is asked, it does not push.", "gammu"),
    ):
        mended = FIRE.replace("${day}${place}${heat}℃", "${day}，${place}")
        config.write_text(f'{good}{mended}[hooks]\n{pushed} = "hook"\n', "utf-8")
        yield met(title, wrong, "cunjing sms test cleaner-li --config gateway.toml")
    config.write_text(good, "utf-8")
    hook = channels()["aliyun"].hook
    assert hook is not None
    app = FastAPI()
    answer_with_problems(app)
    inbox: Inbox = Inbox(capacity=1)
    serve_hooks(app, inbox, Hooks({"aliyun": Pushed(hook, HOOK)}, Metrics(), lambda: RECEIVED_MS), 0.01)
    bound = bind(Endpoint("127.0.0.1", 0))
    url = f"http://127.0.0.1:{bound.getsockname()[1]}"
    report = b'[{"biz_id": "9001", "success": true, "phone_number": "13900000001"}]'
    with serving(app, bound), httpx.Client(base_url=url, trust_env=False) as http:
        for title, wrong, path, body in (
            ("A forged receipt", "It bears no secret, or a wrong one.", "aliyun", report),
            ("A receipt from a provider that we do not have", "Nobody is told which there are.", "tencent", report),
            ("A push that is not one", "`success` is a word.", f"aliyun/{HOOK}", report.replace(b"true", b'"yes"')),
            ("A push of binary", "It is no JSON.", f"aliyun/{HOOK}", bytes(range(256))),
            ("A push of a mebibyte", "Read no further than the bound.", f"aliyun/{HOOK}", b" " * MEBIBYTE),
            ("A push while the journal takes nothing", "The provider pushes it again.", f"aliyun/{HOOK}", report),
        ):
            said = http.post(f"/api/v1/hooks/{path}", content=body)
            shown = f"POST /api/v1/hooks/{path.replace(HOOK, 'SECRET')}", said.json()["detail"]
            yield Case(title, wrong, *shown, f"HTTP {said.status_code}, as problem+json.")
    inbox.close()


WATCH: Final = """
[listen]
token_file = "token"
[alarm]
to = ["13900000000"]
"""


def wrong_bodies(_home: Installation) -> Iterator[Case]:
    """What the API answers before it has read anything."""
    inbox: Inbox = Inbox(capacity=1)
    bound = bind(Endpoint("127.0.0.1", 0))
    url = f"http://127.0.0.1:{bound.getsockname()[1]}"
    app = api(inbox, Health((), lambda: 0.0), Metrics(), "hush")
    with serving(app, bound), httpx.Client(base_url=url, trust_env=False) as http:
        for title, wrong, token in (
            ("A command without the token", "Not a byte of it is read.", "guess"),
            ("A command of two mebibytes", "Read no further than the bound.", "hush"),
        ):
            headers = {"Authorization": f"Bearer {token}"}
            said = http.post("/api/v1/commands", content=b" " * 2 * MEBIBYTE, headers=headers)
            yield Case(
                title,
                wrong,
                "POST /api/v1/commands",
                said.json()["detail"],
                f"HTTP {said.status_code}, as problem+json.",
            )
    inbox.close()


def wrong_watch(home: Installation) -> Iterator[Case]:
    """What the watcher on another machine says of its configuration."""
    line = "cunjing watch --config watch.toml"
    for title, wrong, text in (
        ("A watcher that hears nothing", "Neither `[listen]` nor `[poll]`.", '[alarm]\ncommand = ["ring"]\n'),
        (
            "A watcher that reaches nobody",
            "Neither a command nor a number.",
            '[listen]\ntoken_file = "token"\n[alarm]\n',
        ),
        ("A watcher with numbers and no channel", "`[sms]` is missing.", WATCH),
        (
            "A watcher without its secret",
            "The file is not there.",
            f'{WATCH}signature = "湘阳环卫"\n[sms]\noutbox_folder = "o"\n',
        ),
    ):
        (home.folder / "watch.toml").write_text(text, "utf-8")
        yield met(title, wrong, line)


FIGURE: Final = {
    "place": "asset",
    "name": "ytan-03",
    "by": "dispatch-wu",
    "reason": "赶集",
    "rule": "over_two_thirds",
    "figure": "raise_pct",
    "value": 120,
}
WRONG_FIGURES: Final[tuple[tuple[str, str, Mapping[str, object]], ...]] = (
    ("Figure out of bounds", "No bin is fuller than full.", {}),
    (
        "Figure of a rule for others",
        "A bin has no power to lose.",
        {"rule": "no_power", "figure": "off_delay_s", "value": 60},
    ),
    ("Figure by a cleaner", "Only the place's dispatchers set it.", {"value": 60, "by": "cleaner-li"}),
)
WORK: Final = {"subject": "ytan-03", "until": "2026-11-22T16:00:00+08:00", "reason": "修池", "by": "dispatch-wu"}
WRONG_WORK: Final = (
    ("Work declared by who may not", "A cleaner may keep one alert quiet, not a place.", {"by": "cleaner-li"}),
    ("Work that would be over already", "The year is wrong.", {"until": "2025-11-22T16:00:00+08:00"}),
    ("Power cut of what is no feeder", "The word of another list.", {"work": "planned_cut"}),
)


def wrong_cases(home: Installation) -> Iterator[Case]:
    """What the ledger and figures answer over HTTP, with the gateway's own loop behind it."""
    county = imports.checked(home.folder / "inventory.yaml")
    pipeline = start.anew(county, shipped.policy_files(), Memory(), RECEIVED_MS)
    inbox: Inbox = Inbox()
    app = FastAPI()
    answer_with_problems(app)
    serve_cases(app, inbox, home.folder / "data" / "journal.db", "hush", lambda: RECEIVED_MS)
    serve_commands(app, inbox, "hush", range(100))
    ended = Event()

    def turn() -> None:
        while not ended.is_set():
            for posted in inbox.take():
                posted.answer.resolve(do(posted.item, pipeline, RECEIVED_MS))
            ended.wait(0.005)

    bound = bind(Endpoint("127.0.0.1", 0))
    url, permit = f"http://127.0.0.1:{bound.getsockname()[1]}", {"Authorization": "Bearer hush"}
    thread = Thread(target=turn)
    thread.start()
    try:
        with serving(app, bound), httpx.Client(base_url=url, trust_env=False, headers=permit) as http:

            def asked(path: str, body: Mapping[str, object], to: str = "cases") -> tuple[str, str, str]:
                said = http.post(f"/api/v1/{to}{path}", json=body)
                line = f"POST /api/v1/{to}{path} {json.dumps(body, ensure_ascii=False)}"
                return line, said.json()["detail"], f"HTTP {said.status_code}, as problem+json."

            call = {"what": "路边有垃圾", "by": "dispatch-wu"}
            yield Case("Case without a place", "Neither an asset nor an area.", *asked("", call))
            long = {**call, "area": "ytan", "place": "桥头\n" * 2}
            yield Case("Line break in a place", "It would be read as two.", *asked("", long))
            http.post("/api/v1/cases", json={**call, "area": "ytan"})
            path = "/20261122-wushi-001"
            wrong = "Only what is verified is closed (销号)."
            yield Case("Case closed too early", wrong, *asked(f"{path}/close", {"by": "dispatch-wu"}))
            body = {"by": "dispatch-wu", "until": "2026-11-25T00:00:00+08:00"}
            yield Case("Deferral without a reason", "备案 needs a reason and a day.", *asked(f"{path}/defer", body))
            for title, wrong, changed in WRONG_FIGURES:
                yield Case(title, wrong, *asked("", {**FIGURE, **changed}, "figures"))
            body = {"person": "dispatch-wu", "ends": "2036-11-25T00:00:00+08:00", "by": "dispatch-wu"}
            yield Case("Absence of ten years", "Nobody would be told meanwhile.", *asked("", body, "absences"))
            body = {"place": "nowhere", "ends": "2026-11-22T13:00:00+08:00", "by": "dispatch-wu"}
            yield Case("Extra round nowhere", "No such area or bin.", *asked("", body, "extra-rounds"))
            for title, wrong, changed in WRONG_WORK:
                yield Case(title, wrong, *asked("", {**WORK, **changed}, "maintenance"))
    finally:
        ended.set()
        thread.join()
        inbox.close()


def wrong_forms(home: Installation) -> Iterator[Case]:
    """What the desk says to a person, in Chinese as they see it."""
    folder = home.folder / "desk"
    folder.mkdir()
    with desk_gateway(folder, at(24, 8)) as gateway, Visitor(base_url=gateway.url, trust_env=False) as lin:
        lin.log_in("lin")
        lin.see("/register")
        registered = {"csrf": lin.csrf, "where": "梅岭1号", "rule": "litter", "key": "1"}
        case = lin.post("/register", data=registered).headers["location"].partition("?")[0]

        def shown(said: httpx.Response) -> tuple[str, str]:
            words = re.sub(r"<[^>]+>|\s+", " ", (_OUTCOME.search(said.text) or _SAID.search(said.text) or [""])[0])
            return " ".join(words.split()), f"HTTP {said.status_code}, as a page."

        note = f"POST {case}/note"
        forged = lin.post(f"{case}/note", data={"csrf": "guessed", "reason": "x"})
        yield Case("Form without its token", "Another page sent it, or an old one.", note, *shown(forged))
        long = lin.post(f"{case}/note", data={"csrf": lin.csrf, "reason": "x" * 10_000})
        yield Case("Note of 10,000 characters", "Nothing of it is kept.", note, *shown(long))
        photo = lin.post("/register/photo", content=b"MZ not a photo", headers={"x-csrf": lin.csrf})
        wrong = "A program that is called photo.jpg; what was typed stays in the form."
        yield Case("Photograph that is none", wrong, "POST /register/photo", *shown(photo))
        huge = lin.post("/register/photo", content=claiming(20_000, 20_000), headers={"x-csrf": lin.csrf})
        wrong = "Whoever looked at it would need 1.6 gigabytes."
        yield Case("Photograph of 20,000 × 20,000", wrong, "POST /register/photo", *shown(huge))
        gateway.desk.photos._coming["lin"] = COMING_EACH
        many = lin.post("/register/photo", content=JPEG, headers={"x-csrf": lin.csrf})
        wrong = "Two of one person are on their way already."
        yield Case("A third photograph at once", wrong, "POST /register/photo", *shown(many))
        nowhere = lin.post("/register", data={**registered, "where": "月球", "key": "2"})
        yield Case(
            "Case at a place that nobody knows", "登记 with the name of no village.", "POST /register", *shown(nowhere)
        )
        script = "<script>alert(1)</script>"
        lin.post("/register", data={**registered, "where": "梅岭村", "detail": script, "key": "3"})
        (place,) = re.findall(r"[^>]*&lt;script[^<]*", lin.see("/cases?q=alert").text)[:1]
        yield Case("Script in a name", "Shown as the text that it is, everywhere.", "GET /cases", place.strip(), _SHOWN)
        gateway.bin("bin-0101", 30.0, 78.0)
        gateway.settle()
        fire = {"csrf": lin.csrf, "verb": "finish", "episode": next(iter(gateway.open_rules()))}
        for title, wrong, more in (
            ("Fire that is done, and nobody has looked", "Without a name.", {"reason": "灭了"}),
            ("Fire that is done, and nothing was seen", "Without a reason.", {"looked": "梅大姐"}),
            ("Fire that is done and still burns", "At 78 degrees.", {"looked": "梅大姐", "reason": "灭了"}),
        ):
            yield Case(title, wrong, "POST /act", *shown(lin.post("/act", data={**fire, **more})))
        twice = lin.post("/called", data={"csrf": lin.csrf, "caller": "sms:1"})
        yield Case("Call back to who waits no more", "Somebody has called already.", "POST /called", *shown(twice))


def wrong_passwords(home: Installation) -> Iterator[Case]:
    """What the desk's door says, and the page on which a password is changed."""
    folder = home.folder / "door"
    folder.mkdir()

    def shown(said: httpx.Response) -> tuple[str, str]:
        words = re.sub(r"<[^>]+>|\s+", " ", (_SAID.search(said.text) or [""])[0])
        return " ".join(words.split()), f"HTTP {said.status_code}, as a page."

    with desk_gateway(folder, at(24, 8)) as gateway, Visitor(base_url=gateway.url, trust_env=False) as lin:
        lin.log_in("lin")
        lin.see("/password")
        form = {"csrf": lin.csrf, "old": "guess", "new": "long enough", "again": "long enough"}
        for title, wrong, changed in (
            ("Another's password changed", "The old one is not known.", {}),
            ("A new password of five letters", "Ten at least.", {"new": "short", "again": "short"}),
            ("A new password that is typed differently", "The two are not the same.", {"again": "long enouhg"}),
        ):
            yield Case(title, wrong, "POST /password", *shown(lin.post("/password", data={**form, **changed})))
        lin.cookies.clear()
        for _ in range(TRIES):
            refused = lin.log_in("lin", "guess")
        yield Case("Wrong password at the desk", "Or a name that is none.", "POST /login", *shown(refused))
        wrong = "For one name from one address; a browser in which somebody has logged in is counted for itself."
        yield Case("A sixth wrong password", wrong, "POST /login", *shown(lin.log_in("lin")))
        with ExitStack() as crowd:
            for _ in range(AT_ONCE + WAITING):
                crowd.enter_context(gateway.desk.authenticator._queue())
            wrong = "Two are verified at once, and eight more wait."
            yield Case("Sixty log-ins at once", wrong, "POST /login", *shown(lin.log_in("guest")))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installation:
    monkeypatch.chdir(tmp_path)
    return Installation(tmp_path)


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> list[Case]:
    folder = tmp_path_factory.mktemp("bad-input")
    with chdir(folder):
        home = Installation(folder)
        return [
            *wrong_files(home),
            *wrong_names(),
            *wrong_surroundings(home),
            *wrong_influxdb(home),
            *wrong_grafana(home),
            *wrong_uplinks(home),
            *wrong_telephone(home),
            *wrong_pushes(home),
            *wrong_bodies(home),
            *wrong_watch(home),
            *wrong_cases(home),
            *wrong_forms(home),
            *wrong_passwords(home),
        ]


def test_the_page_shows_what_is_really_said(cases: list[Case]) -> None:
    page = "\n".join([OPENING, *map(str, cases)])
    if os.environ.get("REWRITE_DOCS"):
        PAGE.write_text(page, "utf-8")
    assert PAGE.read_text("utf-8") == page, "docs/bad-input.md is old; make it anew with REWRITE_DOCS=1"


def test_no_message_shows_a_traceback_or_a_path_of_this_machine(cases: list[Case], tmp_path: Path) -> None:
    folders = str(tmp_path.parents[1])
    for case in cases:
        assert case.shown
        assert "Traceback" not in case.shown
        assert folders not in case.shown


def test_every_message_says_more_than_that_it_failed(cases: list[Case]) -> None:
    """Where and what: a place, a number or a name, in at least seven words."""
    assert [case.title for case in cases if len(_WORDS.findall(case.shown)) < 7] == []


@pytest.mark.broker
def test_the_real_broker_refuses_a_wrong_password_in_the_words_of_the_page(
    home: Installation, mosquitto: Embedded, cases: list[Case]
) -> None:
    (home.folder / "wrong").write_text("guessed\n", "ascii")
    shown, ends = run(f"cunjing record --broker {mosquitto.url} --username gateway --password-file wrong")
    (page,) = [case for case in cases if case.title == "Wrong password"]
    assert shown.replace(mosquitto.url, BROKER) == page.shown
    assert page.ends.startswith(ends)


def test_a_real_gateway_ends_in_the_words_of_the_page_when_its_port_is_taken(
    home: Installation, cases: list[Case]
) -> None:
    with bind(Endpoint("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        home.configure(port=port)
        command = [sys.executable, "-m", "gateway.cli", "gateway", "--config", "gateway.toml"]
        environment = {**os.environ, "PYTHONPATH": str(PAGE.parents[1])}
        said = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=240, check=False)
    (page,) = [case for case in cases if case.title == "Port taken"]
    assert said.stderr == f"{page.shown}\n".replace(":8080", f":{port}")
    assert page.ends == f"Exit code {said.returncode}."
