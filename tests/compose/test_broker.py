"""The shipped configuration on a real mosquitto: who is let in, who may say and hear what, and what waits for whom."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.installation import installed
from tests.compose.broker import Broker, Guest
from tests.compose.compose_file import ROOT, SERVICES
from tests.conftest import require_mosquitto

pytestmark = pytest.mark.broker

CONFIGURATION = ROOT / "config/mosquitto"


@pytest.fixture
def installation(tmp_path: Path) -> Path:
    (tmp_path / "installation").mkdir()
    list(installed(tmp_path / "installation", {}))
    return tmp_path / "installation"


@pytest.fixture
def resting(installation: Path, tmp_path: Path) -> Broker:
    """The broker with two devices, not yet started."""
    require_mosquitto()
    (tmp_path / "mosquitto").mkdir()
    broker = Broker(installation, tmp_path / "mosquitto")
    broker.admit("bin-0101", "one")
    broker.admit("bin-0102", "two")
    return broker


@pytest.fixture
def broker(resting: Broker) -> Iterator[Broker]:
    with resting.running():
        yield resting


@pytest.fixture
def password(installation: Path) -> str:
    return (installation / "secrets/gateway/mqtt").read_text("ascii").strip()


def gateway(broker: Broker, password: str) -> Guest:
    return Guest(broker.house, "cunjing-gateway", "gateway", password, lasting=True)


def topic(device: str, kind: str = "telemetry") -> str:
    return f"cunjing/v1/hewan/{device}/{kind}"


def test_the_gateway_hears_what_a_device_says_of_itself(broker: Broker, password: str) -> None:
    ours = gateway(broker, password).hears("cunjing/v1/+/+/+")
    device = Guest(broker.devices, "bin-0101", "bin-0101", "one")
    device.says(topic("bin-0101"), b"reading").says(topic("bin-0101", "status"), b"online", retain=True)
    assert ours.until_heard(2) == [(topic("bin-0101"), b"reading"), (topic("bin-0101", "status"), b"online")]


@pytest.mark.parametrize(
    ("user", "password"),
    [(None, ""), ("gateway", "guessed"), ("bin-0101", "two"), ("bin-9999", "one"), ("chirpstack", ""), ("health", "")],
)
def test_nobody_else_is_let_in(broker: Broker, user: str | None, password: str) -> None:
    for port in (broker.devices, broker.house):
        assert Guest(port, "stranger", user, password).let_in is False


@pytest.mark.parametrize("user", ["bin-0101", "bin-0102"])
def test_a_device_is_let_in_where_devices_come_in_and_nowhere_else(broker: Broker, user: str) -> None:
    own = {"bin-0101": "one", "bin-0102": "two"}[user]
    assert Guest(broker.devices, user, user, own).let_in
    assert Guest(broker.house, user, user, own).let_in is False


def test_a_device_can_say_nothing_for_another_and_give_no_commands(broker: Broker, password: str) -> None:
    """Each from a connection of its own: a 2.0.11 hangs up on who tries."""
    ours = gateway(broker, password).hears("cunjing/v1/#").hears("application/#")
    lies = (topic("bin-0102"), topic("bin-0102", "status"), topic("bin-0101", "cmd"), topic("bin-0101", "telemetry/x"))
    for lie in (*lies, "cunjing/v1/hewan/bin-0101", "application/1/device/24e124713b000102/event/up"):
        Guest(broker.devices, "bin-0101", "bin-0101", "one").says(lie, b"lie")
    Guest(broker.devices, "bin-0101", "bin-0101", "one").says(topic("bin-0101"), b"the truth")
    assert ours.until_heard(1) == ours.wait() == [(topic("bin-0101"), b"the truth")]


def test_a_device_hears_nothing_of_another(broker: Broker) -> None:
    curious = Guest(broker.devices, "bin-0102", "bin-0102", "two").hears("cunjing/v1/#").hears("#").hears("$SYS/#")
    Guest(broker.devices, "bin-0101", "bin-0101", "one").says(topic("bin-0101"), b"reading")
    assert curious.wait() == []


def test_the_gateway_can_say_nothing(broker: Broker, password: str) -> None:
    device = Guest(broker.devices, "bin-0101", "bin-0101", "one").hears(topic("bin-0101", "cmd"))
    Guest(broker.house, "cunjing-doctor-1", "gateway", password).says(topic("bin-0101", "cmd"), b"hello")
    assert device.wait() == []


def test_the_health_check_may_hear_how_long_the_broker_runs_and_nothing_else(
    broker: Broker, installation: Path
) -> None:
    options = (installation / "secrets/mosquitto/health").read_text("ascii").split()
    command = SERVICES["mosquitto"]["healthcheck"]["test"]
    assert command[command.index("-t") + 1] == "$$SYS/broker/uptime"
    assert command[command.index("-p") + 1] == "1884"
    asking = Guest(broker.house, "health", options[1], options[3]).hears("$SYS/broker/uptime").hears("cunjing/v1/#")
    Guest(broker.devices, "bin-0101", "bin-0101", "one").says(topic("bin-0101"), b"reading")
    assert {name for name, _ in asking.until_heard(1)} == {"$SYS/broker/uptime"}
    assert {name for name, _ in asking.wait()} == {"$SYS/broker/uptime"}


def test_more_than_the_default_thousand_wait_for_a_gateway_that_is_away(broker: Broker, password: str) -> None:
    """Trap B1: ``max_queued_messages`` drops the rest silently unless it is 0."""
    gateway(broker, password).hears("cunjing/v1/+/+/+").leaves()
    Guest(broker.devices, "bin-0101", "bin-0101", "one").says(topic("bin-0101"), *(b"%d" % n for n in range(1_200)))
    returned = gateway(broker, password)
    assert returned.session_present
    assert [payload for _, payload in returned.until_heard(1_200)] == [b"%d" % n for n in range(1_200)]


def test_what_nobody_asked_to_be_acknowledged_waits_too(broker: Broker, password: str) -> None:
    """A network server may publish at QoS 0; while the gateway is away that would be lost."""
    gateway(broker, password).hears("cunjing/v1/+/+/+").leaves()
    Guest(broker.devices, "bin-0101", "bin-0101", "one").says(topic("bin-0101"), b"reading", qos=0).leaves()
    assert gateway(broker, password).until_heard(1) == [(topic("bin-0101"), b"reading")]


def test_the_queue_and_the_session_survive_a_restart_of_the_broker(resting: Broker, password: str) -> None:
    with resting.running():
        gateway(resting, password).hears("cunjing/v1/+/+/+").leaves()
        Guest(resting.devices, "bin-0101", "bin-0101", "one").says(topic("bin-0101"), b"before")
    with resting.running():
        returned = gateway(resting, password)
        assert returned.session_present
        assert returned.until_heard(1) == [(topic("bin-0101"), b"before")]


def test_a_device_cannot_take_the_gateways_queue_by_giving_its_id(broker: Broker, password: str) -> None:
    """One device's password would be enough to lose everybody's messages; ``use_username_as_clientid`` bars it."""
    gateway(broker, password).hears("cunjing/v1/+/+/+").leaves()
    Guest(broker.devices, "bin-0101", "bin-0101", "one").says(topic("bin-0101"), b"reading")
    thief = Guest(broker.devices, "cunjing-gateway", "bin-0102", "two", lasting=True)
    assert (thief.session_present, thief.wait()) == (False, [])
    thief.leaves()
    assert gateway(broker, password).until_heard(1) == [(topic("bin-0101"), b"reading")]


@pytest.mark.parametrize("lasting", [False, True])
def test_a_devices_password_is_no_good_where_ids_are_believed(broker: Broker, password: str, lasting: bool) -> None:  # noqa: FBT001 parametrised
    """On the listener of the house a clean start under the gateway's id would end its session with all that waits."""
    gateway(broker, password).hears("cunjing/v1/+/+/+").leaves()
    Guest(broker.devices, "bin-0101", "bin-0101", "one").says(topic("bin-0101"), b"reading")
    thief = Guest(broker.house, "cunjing-gateway", "bin-0102", "two", lasting=lasting)
    assert (thief.let_in, thief.session_present) == (False, False)
    assert gateway(broker, password).until_heard(1) == [(topic("bin-0101"), b"reading")]


def test_a_gateway_that_listens_is_not_put_out_by_a_device(broker: Broker, password: str) -> None:
    ours = gateway(broker, password).hears("cunjing/v1/+/+/+")
    for port in (broker.devices, broker.house):
        Guest(port, "cunjing-gateway", "bin-0102", "two")
    Guest(broker.devices, "bin-0101", "bin-0101", "one").says(topic("bin-0101"), b"reading")
    assert ours.until_heard(1) == [(topic("bin-0101"), b"reading")]
    assert not ours.put_out


def test_the_control_who_knows_the_houses_password_takes_the_queue(broker: Broker, password: str) -> None:
    """Why the listener of the house has users of its own: whoever is let in there is believed."""
    gateway(broker, password).hears("cunjing/v1/+/+/+").leaves()
    Guest(broker.devices, "bin-0101", "bin-0101", "one").says(topic("bin-0101"), b"reading")
    Guest(broker.house, "cunjing-gateway", "gateway", password).leaves()
    assert not gateway(broker, password).session_present


def test_the_house_listens_on_this_machine_alone() -> None:
    """The test puts its own port there, so the line itself is looked at; a container's port is not published."""
    lines = (CONFIGURATION / "mosquitto-2.0.conf").read_text("utf-8").splitlines()
    assert [line for line in lines if line.startswith("listener ")] == ["listener 1883", "listener 1884 127.0.0.1"]
    published = [port.rpartition(":")[2] for port in SERVICES["mosquitto"]["ports"]]
    assert published == ["1883"]


def test_no_listener_has_the_users_of_another(broker: Broker, password: str, installation: Path) -> None:
    health = (installation / "secrets/mosquitto/health").read_text("ascii").split()
    assert Guest(broker.house, "cunjing-gateway", "gateway", password).let_in
    assert Guest(broker.house, "health", health[1], health[3]).let_in
    assert Guest(broker.devices, "x", "gateway", password).let_in is False
    assert Guest(broker.devices, "x", health[1], health[3]).let_in is False


def test_a_packet_larger_than_anything_we_accept_is_refused(broker: Broker) -> None:
    device = Guest(broker.devices, "bin-0101", "bin-0101", "one")
    assert device.says(topic("bin-0101"), b" " * 131_072).put_out


def test_a_payload_as_large_as_may_be_read_passes_and_a_larger_one_is_ours_to_name(
    broker: Broker, password: str
) -> None:
    """With a limit of 65,536 for the packet, the first was refused for its topic and nobody heard of the second."""
    ours = gateway(broker, password).hears("cunjing/v1/+/+/+")
    device = Guest(broker.devices, "bin-0101", "bin-0101", "one")
    assert not device.says(topic("bin-0101"), b" " * 65_536, b" " * 131_000).put_out
    assert [len(payload) for _, payload in ours.until_heard(2)] == [65_536, 131_000]


def test_the_broker_has_nothing_to_complain_about(broker: Broker) -> None:
    said = [line for line in broker.log().splitlines() if "root" not in line]
    assert [line for line in said if "Loading config file" not in line] == []


def test_what_is_only_for_2_1_has_nothing_that_2_1_deprecates_or_refuses() -> None:
    lines = (CONFIGURATION / "mosquitto-2.1.conf").read_text("utf-8").splitlines()
    options = [line.split() for line in lines if line and not line.startswith("#")]
    assert {name for name, *_ in options} == {
        "include_dir",
        "global_plugin",
        "plugin_load",
        "plugin_use",
        "plugin_opt_password_file",
        "plugin_opt_acl_file",
        "listener",
        "use_username_as_clientid",
        "listener_allow_anonymous",
        "persistence_location",
        "plugin_opt_sync",
        "plugin_opt_flush_period",
    }
    assert ["plugin_opt_sync", "full"] in options
    assert ["plugin_opt_flush_period", "0"] in options
    assert [words[1] for words in options if words[0] == "global_plugin"] == [
        f"/usr/lib/mosquitto_{kind}.so" for kind in ("acl_file", "persist_sqlite")
    ]
    assert [words[1:] for words in options if words[0] == "plugin_load"] == [
        [name, "/usr/lib/mosquitto_password_file.so"] for name in ("devices", "house")
    ]
    for name, file in (("devices", "secrets/passwords"), ("house", "secrets/house")):
        loaded = options.index(["plugin_load", name, "/usr/lib/mosquitto_password_file.so"])
        assert options[loaded + 1] == ["plugin_opt_password_file", file]
        assert options.index(["plugin_use", name]) > loaded


LISTENER_OPTIONS = {"password_file", "use_username_as_clientid", "allow_anonymous", "listener_allow_anonymous"}


def told(version: str) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """What is told to all and what to each listener, by port; a plugin's option of 2.1 as the option that 2.0 has."""
    whole: dict[str, str] = {}
    listeners: dict[str, dict[str, str]] = {}
    loaded: dict[str, str] = {}
    here, loading = whole, ""
    for line in (CONFIGURATION / f"mosquitto-{version}.conf").read_text("utf-8").splitlines():
        name, _, value = line.partition(" ")
        if name == "listener":
            here = listeners.setdefault(value.split()[0], {})
        elif name == "plugin_load":
            loading = value.split()[0]
        elif name == "plugin_opt_password_file":
            loaded[loading] = value
        elif name == "plugin_use":
            here["password_file"] = loaded[value]
        elif name in LISTENER_OPTIONS:
            here[name.removeprefix("listener_")] = value
        elif name in {"acl_file", "plugin_opt_acl_file", "persistence_location", "include_dir"}:
            whole[name.removeprefix("plugin_opt_")] = value
    return whole, listeners


def test_both_versions_are_told_the_same_users_topics_and_data() -> None:
    (whole, listeners), newer = told("2.0"), told("2.1")
    assert (
        listeners
        == newer[1]
        == {
            "1883": {
                "use_username_as_clientid": "true",
                "allow_anonymous": "false",
                "password_file": "secrets/passwords",
            },
            "1884": {"allow_anonymous": "false", "password_file": "secrets/house"},
        }
    )
    assert whole == newer[0]
    assert whole == {"include_dir": "config/shared", "acl_file": "config/acl", "persistence_location": "data/"}
