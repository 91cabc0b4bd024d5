"""What is wrong with TLS is said by every end that speaks it: real servers, real certificates, one remedy for each."""

from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from alerts.channels import Failed, Message
from alerts.channels.aliyun import asked
from alerts.channels.webhook import Webhook, WebhookSettings
from dashboards.push import Grafana, GrafanaAccess, GrafanaUnserved
from gateway.client import beat
from gateway.doctor import broker
from gateway.influx.answers import trouble
from gateway.influx.server import Server
from gateway.settings import Influxdb, Mqtt, Watch
from telemetry.tls_faults import TlsEnd, TlsTrouble, kind_in, worded
from tests.conftest import require_mosquitto
from tests.own_mosquitto import own_mosquitto
from tests.tls_ends import Papers, papers, serving

SAID = {
    "expired": ("证书已过期", "换新证书"),
    "not_yet_valid": ("还没有生效", "日期和时间"),
    "wrong_host": ("主机名", "改成证书上的名字"),
    "self_signed": ("自签名", "CA 证书存成文件"),
    "unknown_issuer": ("不认识签发", "CA 的证书写到"),
    "plain": ("不讲 TLS", "端口"),
}
CA_SAID = {
    "missing": ("CA 文件不存在", "改正"),
    "empty": ("CA 文件里没有证书", "PEM"),
}


def ca_file(folder: Path, kind: str) -> Path:
    """A CA file that is none."""
    path = folder / "nowhere.pem"
    if kind == "empty":
        path.write_text("no certificate\n", "ascii")
    return path


def said_by_broker(port: int, ca: Path) -> str:
    url = f"mqtts://127.0.0.1:{port}"
    part = broker(Mqtt.model_validate({"url": url, "topics": ["a"], "ca_file": ca}))
    assert not part.ready
    return f"{part.state}; {part.remedy}"


def said_by_influxdb(port: int, ca: Path, folder: Path) -> str:
    keys = {"org": "o", "bucket": "b", "token_file": folder / "token", "ca_file": ca}
    settings = Influxdb.model_validate({"url": f"https://127.0.0.1:{port}", **keys})
    with Server(settings, "token") as server:
        part = trouble(server.version()[0], settings, "b")
    return f"{part.state}; {part.remedy}"


def said_by_grafana(port: int, ca: Path, _folder: Path) -> str:
    grafana = Grafana(GrafanaAccess(f"https://127.0.0.1:{port}", "secret", "secret file", ca_file=str(ca)))
    with pytest.raises(GrafanaUnserved) as refused:
        grafana.get("/org", "look")
    return str(refused.value)


@pytest.mark.broker
@pytest.mark.parametrize("kind", SAID)
def test_the_broker_says_what_is_wrong_with_its_tls(kind: str, tmp_path: Path) -> None:
    require_mosquitto()
    shown = papers(tmp_path / "papers", kind)
    lines = () if kind == "plain" else (f"certfile {shown.certificate}", f"keyfile {shown.key}")
    with own_mosquitto(tmp_path / "broker", *lines) as mosquitto:
        said = said_by_broker(mosquitto.port, shown.ca)
    for word in SAID[kind]:
        assert word in said
    assert "whether the broker runs" not in said


@pytest.mark.broker
def test_with_good_papers_it_lets_us_in(tmp_path: Path) -> None:
    require_mosquitto()
    shown = papers(tmp_path / "papers", "good")
    with own_mosquitto(tmp_path / "broker", f"certfile {shown.certificate}", f"keyfile {shown.key}") as mosquitto:
        url = f"mqtts://127.0.0.1:{mosquitto.port}"
        assert broker(Mqtt.model_validate({"url": url, "topics": ["a"], "ca_file": shown.ca})).ready


@pytest.mark.broker
def test_a_port_of_tls_that_is_asked_plainly_is_suspected(tmp_path: Path) -> None:
    require_mosquitto()
    shown = papers(tmp_path / "papers", "good")
    with own_mosquitto(tmp_path / "broker", f"certfile {shown.certificate}", f"keyfile {shown.key}") as mosquitto:
        part = broker(Mqtt.model_validate({"url": f"mqtt://127.0.0.1:{mosquitto.port}", "topics": ["a"]}))
    assert "mqtts://" in part.remedy


@pytest.mark.parametrize("kind", CA_SAID)
def test_a_ca_file_that_is_none_is_named(kind: str, tmp_path: Path) -> None:
    ca = ca_file(tmp_path, kind)
    with serving(papers(tmp_path / "papers", "good")) as port:
        for said in (
            said_by_broker(port, ca),
            said_by_influxdb(port, ca, tmp_path),
            said_by_grafana(port, ca, tmp_path),
        ):
            for word in CA_SAID[kind]:
                assert word in said
            assert "start it" not in said


@pytest.mark.parametrize("ask", [said_by_influxdb, said_by_grafana])
@pytest.mark.parametrize("kind", SAID)
def test_a_web_server_is_told_what_is_wrong_with_its_tls(
    ask: Callable[[int, Path, Path], str], kind: str, tmp_path: Path
) -> None:
    shown = papers(tmp_path / "papers", kind)
    with serving(None if kind == "plain" else shown) as port:
        said = ask(port, shown.ca, tmp_path)
    for word in SAID[kind]:
        assert word in said
    assert "start it" not in said


@pytest.mark.parametrize(("kind", "as_seen"), [("expired", "expired"), ("good", "unknown_issuer"), ("plain", "plain")])
def test_a_heartbeat_that_is_not_trusted_says_why(kind: str, as_seen: str, tmp_path: Path) -> None:
    """Whom the machine does not know is refused for that before anything else is looked at, so both words are right."""
    shown: Papers | None = None if kind == "plain" else papers(tmp_path / "papers", kind)
    with serving(shown) as port:
        said = beat(Watch.model_validate({"url": f"https://127.0.0.1:{port}", "timeout_s": 5}), {})
    assert SAID[as_seen][0] in said or SAID["unknown_issuer"][0] in said


@pytest.mark.parametrize(("kind", "reason"), [("expired", "tls_expired"), ("good", "tls_unknown_issuer")])
def test_a_provider_and_a_chat_that_are_not_trusted_are_told_by_their_reason(
    kind: str, reason: str, tmp_path: Path
) -> None:
    """Whom the machine does not know is refused for that before anything else is looked at."""
    reasons = {reason, TlsTrouble.UNKNOWN_ISSUER, TlsTrouble.SELF_SIGNED}
    message = Message("key", "episode", "person", "13900000001", "text", "2026-11-24T08:00:00Z")
    with serving(papers(tmp_path / "papers", kind)) as port:
        said = asked(lambda: requests.get(f"https://127.0.0.1:{port}", timeout=120))
        assert isinstance(said, Failed)
        assert said.reason in reasons
        (tmp_path / "url").write_text(f"jsons://127.0.0.1:{port}/\n", "utf-8")
        sent = Webhook(WebhookSettings(url_file=tmp_path / "url")).send(message)
        assert isinstance(sent, Failed)
        assert sent.reason in reasons


def test_a_library_that_keeps_only_words_is_understood() -> None:
    failed = "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: {} (_ssl.c:1006)"
    assert kind_in(failed.format("certificate has expired")) is TlsTrouble.EXPIRED
    assert kind_in(failed.format("self-signed certificate in certificate chain")) is TlsTrouble.SELF_SIGNED
    assert kind_in(failed.format("Hostname mismatch, certificate is not valid for 'a'")) is TlsTrouble.WRONG_HOST
    assert kind_in(failed.format("something new")) is TlsTrouble.UNTRUSTED
    assert kind_in("SSLError(1, '[SSL: WRONG_VERSION_NUMBER] wrong version number')") is TlsTrouble.PLAIN
    assert kind_in("Connection refused") is None


def test_every_trouble_has_words_and_a_remedy_in_chinese() -> None:
    end = TlsEnd("https://a", "[x] url", "[x] ca_file", "http://")
    for kind in TlsTrouble:
        fault = worded(kind, end, "ca.pem")
        assert any("一" <= sign <= "鿿" for sign in fault.state)
        assert any("一" <= sign <= "鿿" for sign in fault.remedy)
