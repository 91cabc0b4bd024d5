"""The configuration: the example of the papers loads, and each fault is one sentence with its remedy."""

from pathlib import Path

import pytest

from gateway.settings import Endpoint, Settings, SettingsFault, load

EXAMPLE = """
[mqtt]
url = "mqtt://127.0.0.1:1883"
client_id = "cunjing-gateway"
username = "gateway"
password_file = "secrets/mqtt"
topics = ["cunjing/v1/+/+/+", "application/+/device/+/event/up"]
[journal]
path = "data/journal.db"
keep_days = 14
[inventory]
path = "config/inventory.yaml"
[alerts]
rules = "config/rules.yaml"
[sms]
channel = "outbox"
outbox_folder = "data/outbox"
[influxdb]
url = "http://127.0.0.1:8086"
org = "cunjing"
bucket = "telemetry"
token_file = "secrets/influxdb"
[desk]
listen = "127.0.0.1:8080"
"""


def loaded(folder: Path, text: str) -> Settings:
    (folder / "gateway.toml").write_text(text, "utf-8")
    return load(folder / "gateway.toml")


def faults(folder: Path, text: str) -> tuple[str, ...]:
    with pytest.raises(SettingsFault) as caught:
        loaded(folder, text)
    return caught.value.faults


def test_the_example_of_the_contract_loads(tmp_path: Path) -> None:
    settings = loaded(tmp_path, EXAMPLE)
    assert settings.mqtt.endpoint == Endpoint("127.0.0.1", 1883)
    assert settings.mqtt.topics == ("cunjing/v1/+/+/+", "application/+/device/+/event/up")
    assert settings.sms.own == {"outbox_folder": "data/outbox"}
    assert settings.desk.listen == ("127.0.0.1", 8080)
    assert settings.influxdb is not None
    assert settings.influxdb.bucket == "telemetry"


def test_an_environment_variable_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUNJING_MQTT__URL", "mqtts://broker.example")
    monkeypatch.setenv("CUNJING_JOURNAL__KEEP_DAYS", "30")
    monkeypatch.setenv("CUNJING_SMS__OUTBOX_FOLDER", "elsewhere")
    monkeypatch.setenv("CUNJING_DESK__LISTEN", "127.0.0.1:8081")
    monkeypatch.setenv("CUNJING_MOSQUITTO", "none")
    settings = loaded(tmp_path, EXAMPLE)
    assert settings.desk.listen == ("127.0.0.1", 8081)
    assert settings.mqtt.endpoint == Endpoint("broker.example", 8883)
    assert settings.mqtt.tls
    assert settings.mqtt.username == "gateway"
    assert settings.journal.keep_days == 30
    assert settings.sms.own == {"outbox_folder": "elsewhere"}


def test_an_unknown_key_is_named_with_its_file_and_the_near_one(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, EXAMPLE.replace("keep_days = 14", "kep_days = 14"))
    assert fault == f'{tmp_path / "gateway.toml"}: [journal] kep_days: unknown key; did you mean "keep_days"?'


def test_an_unknown_table_is_named(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, EXAMPLE.replace("[desk]", "[dsk]"))
    assert fault == f'{tmp_path / "gateway.toml"}: [dsk]: unknown key; did you mean "desk"?'


def test_an_unknown_variable_is_named_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUNJING_MQTT__URLL", "mqtt://a")
    monkeypatch.setenv("CUNJING_MQQT__URL", "mqtt://a")
    assert faults(tmp_path, EXAMPLE) == (
        'environment variable CUNJING_MQQT__URL: there is no table [mqqt]; did you mean "CUNJING_MQTT__…"?',
        'environment variable CUNJING_MQTT__URLL: [mqtt] urll: unknown key; did you mean "url"?',
    )


@pytest.mark.parametrize(
    ("was", "becomes", "says"),
    [
        ("mqtt://127.0.0.1:1883", "127.0.0.1:1883", 'write it as "mqtt://host:1883"'),
        ("mqtt://127.0.0.1:1883", "mqtt://u:p@127.0.0.1", "use username and password_file"),
        ("mqtt://127.0.0.1:1883", "mqtt://127.0.0.1:99999", "Port out of range"),
        ("cunjing/v1/+/+/+", "cunjing/#/+", '"#" only at the end'),
        ("127.0.0.1:8080", "8080", '"127.0.0.1:8080"'),
        ("127.0.0.1:8080", "127.0.0.1:80800", '"127.0.0.1:8080"'),
        ("keep_days = 14", "keep_days = 0", "greater than or equal to 1"),
        ('channel = "outbox"', 'channel = "pigeon"', "there is no such channel; known are: outbox"),
        ('username = "gateway"', 'password = "secret"', "no secrets in this file"),
        ('[journal]\npath = "data/journal.db"', "[journal]", "[journal] path is missing"),
        ("keep_days = 14", "keep_days = ", "is not valid TOML"),
        ("http://127.0.0.1:8086", "127.0.0.1:8086", 'write it as "http://host:port"'),
        ("http://127.0.0.1:8086", "http://u:p@127.0.0.1:8086", "a token file is enough"),
        ('bucket = "telemetry"', 'bucket = "a b"', "[influxdb] bucket"),
        ("[desk]", '[grafana]\nurl = "http://127.0.0.1:3000"\n[desk]', "token_file, or username and password_file"),
        ("[desk]", '[grafana]\nurl = "x:3000"\ntoken_file = "t"\n[desk]', 'write it as "http://host:port"'),
        ("[desk]", '[desk]\ntiles = "http://t/{z}/{x}/{y}.png"', "tiles needs tiles_credit"),
        ("[desk]", '[desk]\ntiles_credit = "© 某某"', "tiles_credit needs tiles"),
        ("[desk]", '[desk]\ntrusted_proxies = ["proxy"]', 'write a proxy as an address, "10.0.0.5", or its network'),
        ("[desk]", '[desk]\ntrusted_proxies = ["10.0.0.5/24"]', "write a proxy as an address"),
        ("[desk]", '[desk]\ntrusted_proxies = ["::/0"]', "that is everybody"),
        ("[desk]", '[desk]\ntiles_credit = ""\ntiles = "/t/{z}/{x}/{y}.png"', "[desk] tiles_credit"),
    ],
)
def test_a_wrong_value_is_said_with_its_remedy(tmp_path: Path, was: str, becomes: str, says: str) -> None:
    assert was in EXAMPLE
    (fault,) = faults(tmp_path, EXAMPLE.replace(was, becomes))
    assert says in fault
    assert str(tmp_path / "gateway.toml") in fault


@pytest.mark.parametrize(
    ("tiles", "says"),
    [
        ("http://t.example/{z}/{x}.png", "{y} is missing"),
        ("http://t.example/tile.png", "{z} is missing"),
        ("ftp://t.example/{z}/{x}/{y}.png", "http://tiles.example/{z}/{x}/{y}.png"),
        ("t/{z}/{x}/{y}.png", "a path beginning with one /"),
        ("//t.example/{z}/{x}/{y}.png", "a path beginning with one /"),
        ("/\\\\t.example/{z}/{x}/{y}.png", "only {z}, {x} and {y} may change"),
        ("http://{s}.t.example/{z}/{x}/{y}.png", "only {z}, {x} and {y} may change"),
        ("http://t.example;script-src/{z}/{x}/{y}.png", "a name or an IPv4 address"),
        ("http://{z}.example/{x}/{y}.png", "a name or an IPv4 address"),
        ("http://u:p@t.example/{z}/{x}/{y}.png", "without user and password"),
        ("http://t.example:99999/{z}/{x}/{y}.png", "Port out of range"),
        ("http://t.example/{z}/{x}/{y}.png 2x", "only {z}, {x} and {y} may change"),
    ],
)
def test_tiles_that_no_browser_could_ask_for_are_refused_with_the_remedy(tmp_path: Path, tiles: str, says: str) -> None:
    (fault,) = faults(tmp_path, EXAMPLE + f'tiles = "{tiles}"\ntiles_credit = "© 某某"\n')
    assert f"{tmp_path / 'gateway.toml'}: [desk] tiles = " in fault
    assert says in fault


@pytest.mark.parametrize(
    ("tiles", "origin"),
    [
        ("http://t.example/{z}/{x}/{y}.png", "http://t.example"),
        ("https://t.example:8443/wmts?x={x}&y={y}&l={z}&tk=1", "https://t.example:8443"),
        ("/tiles/{z}/{x}/{y}.png", ""),
    ],
)
def test_tiles_come_from_one_origin(tmp_path: Path, tiles: str, origin: str) -> None:
    ground = loaded(tmp_path, EXAMPLE + f'tiles = "{tiles}"\ntiles_credit = "© 某某"\n').desk.ground
    assert ground is not None
    assert (ground.url, ground.credit, ground.origin) == (tiles, "© 某某", origin)
    assert loaded(tmp_path, EXAMPLE).desk.ground is None


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    assert (
        len(faults(tmp_path, EXAMPLE.replace("client_id", "clientid").replace("keep_days = 14", "keep_days = 0"))) == 2
    )


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(SettingsFault, match="cannot be read: no such file or directory; copy"):
        load(tmp_path / "none.toml")


def test_the_password_is_read_only_when_it_is_used(tmp_path: Path) -> None:
    secret = tmp_path / "mqtt"
    settings = loaded(tmp_path, EXAMPLE.replace("secrets/mqtt", str(secret)))
    with pytest.raises(SettingsFault, match="password_file"):
        settings.mqtt.read_password()
    secret.write_text("hush\n")
    assert settings.mqtt.read_password() == "hush"


def test_the_password_does_not_show_in_print(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUNJING_MQTT__PASSWORD", "hush")
    settings = loaded(tmp_path, EXAMPLE)
    assert settings.mqtt.read_password() == "hush"
    assert "hush" not in repr(settings)


def test_settings_come_back_from_the_form_in_which_they_are_handed_on(tmp_path: Path) -> None:
    settings = loaded(tmp_path, EXAMPLE)
    handed = tmp_path / "settings.json"
    handed.write_text(settings.model_dump_json(), "utf-8")
    assert Settings.model_validate_json(handed.read_text("utf-8")) == settings
