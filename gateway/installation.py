"""What ``cunjing init`` makes, in one straight line: the folders, secrets and files that ``docker-compose.yml`` mounts.

What is there is kept, and its rights are put right where they are too wide. Which container may read what is decided by
the folders: a container gets the folders it needs and no other. Secrets are made from the system's own randomness, and
one that is there is never overwritten. Nothing is started here.
"""

import os
import secrets
import stat
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

from gateway.files import read_text, write_secret
from gateway.mosquitto_passwords import fits, hashed
from gateway.settings import SettingsFault, read_secret, tell_why
from gateway.shipped import config_folder

FOLDER_MODE: Final = 0o700
SECRET_MODE: Final = 0o600


class StepOutcome(StrEnum):
    """What became of one thing."""

    MADE = "made"
    KEPT = "kept"
    MENDED = "mended"


class InstallationStep(NamedTuple):
    """One thing of the installation, by its path in the folder, and what it is."""

    done: StepOutcome
    path: str
    what: str


class Owner(NamedTuple):
    """Whose the files are: the user and group under whose numbers the containers run."""

    uid: int
    gid: int


class InstallationFolder:
    """A folder, and who owns what is made in it. ``SettingsFault`` where a thing must stay as it is, or ``OSError``."""

    def __init__(self, folder: Path, owner: Owner) -> None:
        self._folder = folder
        self._owner = owner

    def private_folder(self, path: str, what: str) -> InstallationStep:
        """A folder that only its owner may enter."""
        place = self._folder / path
        if not place.exists():
            place.mkdir(FOLDER_MODE, parents=True)
            self._hand_over(place)
            return InstallationStep(StepOutcome.MADE, path, what)
        if not place.is_dir():
            raise SettingsFault([f"{place} is not a folder; move it away, a folder of this name is needed"])
        return self._kept(path, what, FOLDER_MODE)

    def secret(self, path: str, what: str, secret: str) -> InstallationStep:
        """A secret in a file that only its owner may read; one that is there stays, whatever it is."""
        place = self._folder / path
        if not place.exists():
            write_secret(place, secret)
            self._hand_over(place)
            return InstallationStep(StepOutcome.MADE, path, what)
        read_secret(place, path)
        return self._kept(path, what, SECRET_MODE)

    def listing(self, path: str, what: str) -> InstallationStep:
        """A file of secrets that others fill, entry by entry; it may be empty."""
        place = self._folder / path
        if place.exists():
            return self._kept(path, what, SECRET_MODE)
        place.touch(SECRET_MODE, exist_ok=False)
        self._hand_over(place)
        return InstallationStep(StepOutcome.MADE, path, what)

    def replace_secret(self, path: str, what: str, text: str) -> InstallationStep:
        """A file of secrets that the caller has read and extended, written anew with its owner's rights."""
        place = self._folder / path
        done = StepOutcome.MENDED if place.exists() else StepOutcome.MADE
        write_secret(place, text)
        self._hand_over(place)
        return InstallationStep(done, path, what)

    def text(self, path: str, what: str, text: str) -> InstallationStep:
        """A file that holds no secret and is the operator's to change; one that is there stays."""
        place = self._folder / path
        if place.exists():
            return InstallationStep(StepOutcome.KEPT, path, what)
        if not place.parent.exists():
            place.parent.mkdir(parents=True)
            self._hand_over(place.parent)
        with place.open("x", encoding="utf-8") as made:
            made.write(text)
        self._hand_over(place)
        return InstallationStep(StepOutcome.MADE, path, what)

    def _kept(self, path: str, what: str, mode: int) -> InstallationStep:
        place = self._folder / path
        found = place.stat()
        if found.st_uid != self._owner.uid and os.geteuid() != 0:
            remedy = f"make it theirs: sudo chown -R {self._owner.uid}:{self._owner.gid} {place}"
            whose = f"{place} belongs to user {found.st_uid}, and the containers run as {self._owner.uid}"
            raise SettingsFault([f"{whose}; {remedy}"])
        theirs = found.st_gid == self._owner.gid or os.geteuid() != 0
        if stat.S_IMODE(found.st_mode) == mode and found.st_uid == self._owner.uid and theirs:
            return InstallationStep(StepOutcome.KEPT, path, what)
        place.chmod(mode)
        self._hand_over(place)
        return InstallationStep(
            StepOutcome.MENDED, path, f"{what}; what it holds was kept, its rights are {mode:o} now"
        )

    def _hand_over(self, place: Path) -> None:
        """Only root can give away; anybody else is the owner already."""
        if os.geteuid() == 0:
            os.chown(place, *self._owner)


NO_ACCOUNT: Final = Owner(10_001, 10_001)
"""Whose the files are when root installs and nobody stands behind it: a number that no account of the machine has."""

FOLDERS: Final = MappingProxyType(
    {
        "secrets": "every secret, for its owner alone",
        "secrets/gateway": "what the gateway may read",
        "secrets/grafana": "what Grafana may read, and the gateway too",
        "secrets/mosquitto": "what the broker may read",
        "secrets/operator": "what only the set-up of InfluxDB may read",
        "data/gateway": "the journal and the texts: back it up",
        "data/mosquitto": "what the broker keeps for who is away",
        "data/influxdb": "the time series",
        "data/grafana": "Grafana's users and settings",
    }
)

NO_OUTLINE: Final = '{"type": "FeatureCollection", "features": []}\n'
"""What Grafana's map shows behind the markers until somebody has drawn the county."""

GATEWAY_PASSWORD: Final = "secrets/gateway/mqtt"  # noqa: S105 where it is, not what it is
HEALTH_OPTIONS: Final = "secrets/mosquitto/health"
DEVICES: Final = "secrets/mosquitto/passwords"
"""Whom the broker lets in where devices come in; filled by ``mosquitto_passwd``."""
PASSWORDS: Final = "secrets/mosquitto/house"
"""Whom it lets in on the listener of the house: ours, and never a device."""
SECRETS: Final = MappingProxyType(
    {
        GATEWAY_PASSWORD: "the gateway's password for the broker",
        "secrets/operator/influxdb": "the operator's token for InfluxDB, which may do everything",
        "secrets/operator/influxdb-password": "the password of its user cunjing",
        "secrets/grafana/admin": "the password of Grafana's user admin",
        "secrets/grafana/secret-key": "what Grafana locks its own secrets with",
    }
)

GATEWAY_USER: Final = "gateway"
HEALTH_USER: Final = "health"
"""Whom the health check of the broker comes in as; it may read how long the broker runs, and nothing else."""

ENVIRONMENT: Final = ".env"
_NUMBERS: Final = ("CUNJING_UID", "CUNJING_GID")
_ENVIRONMENT_TEXT: Final = """\
# Read by docker compose; no secret stands here. The containers run under the numbers of who owns secrets/ and data/.
CUNJING_UID={uid}
CUNJING_GID={gid}

# Where the three things listen that are for others. The desk and Grafana are for this machine alone as long as nothing
# in front of them speaks TLS; devices must reach the broker, so it listens on every address.
# CUNJING_DESK_ADDRESS=127.0.0.1
# CUNJING_DESK_PORT=8080
# CUNJING_GRAFANA_ADDRESS=127.0.0.1
# CUNJING_GRAFANA_PORT=3000
# CUNJING_MQTT_ADDRESS=0.0.0.0
# CUNJING_MQTT_PORT=1883
"""


class _User(NamedTuple):
    """A user of the broker: where the password is for who comes in as it, and how it stands there."""

    name: str
    path: str
    password: Callable[[str], str]


_USERS: Final = (
    _User(GATEWAY_USER, GATEWAY_PASSWORD, str.strip),
    _User(HEALTH_USER, HEALTH_OPTIONS, lambda text: text.rpartition("-P ")[2].strip()),
)


def installed(folder: Path, environment: Mapping[str, str] = os.environ) -> Iterator[InstallationStep]:
    """Makes what is missing, step by step; ``SettingsFault`` where it cannot go on. What was made stays."""
    try:
        yield from _steps(folder, environment)
    except OSError as error:
        why = tell_why(error)
        remedy = "check its folder and its rights, and run it again"
        raise SettingsFault([f"{error.filename or folder} cannot be made or read: {why}; {remedy}"]) from None


def _steps(folder: Path, environment: Mapping[str, str]) -> Iterator[InstallationStep]:
    owner = _owner(folder, environment)
    site = InstallationFolder(folder, owner)
    known = _known_users(folder)
    for path, what in FOLDERS.items():
        yield site.private_folder(path, what)
    for path, what in SECRETS.items():
        yield site.secret(path, what, secrets.token_urlsafe(32))
    options = f"-u {HEALTH_USER}\n-P {secrets.token_hex(32)}"
    yield site.secret(HEALTH_OPTIONS, "whom the broker's health check comes in as", options)
    yield _passwords(site, folder, known)
    yield site.listing(DEVICES, "devices of the broker, with hashed passwords")
    shipped = config_folder()
    gateway, county = shipped / "gateway.compose.toml", shipped / "inventory.example.yaml"
    yield site.text("config/gateway.toml", "the gateway's configuration", read_text(gateway))
    yield site.text("config/inventory.yaml", "an invented county: put your own in", read_text(county))
    yield site.text("config/outline.geojson", "the map's villages; `cunjing boards outline` draws them", NO_OUTLINE)
    yield _environment(site, folder, owner)


def _owner(folder: Path, environment: Mapping[str, str]) -> Owner:
    """Whoever ``.env`` names; else whoever runs this, or stands behind ``sudo``; for root itself nobody's number."""
    me = Owner(os.geteuid(), os.getegid())
    named = _named_owner(folder / ENVIRONMENT)
    if named is not None:
        if me.uid not in (0, named.uid):
            whose = f"{folder / ENVIRONMENT} says CUNJING_UID={named.uid}, and you are user {me.uid}"
            raise SettingsFault([f"{whose}; run it as that user or as root, or correct the file"])
        return named
    if me.uid != 0:
        return me
    behind = tuple(environment.get(name, "") for name in ("SUDO_UID", "SUDO_GID"))
    return Owner(*map(int, behind)) if all(each.isdecimal() and int(each) > 0 for each in behind) else NO_ACCOUNT


def _named_owner(path: Path) -> Owner | None:
    if not path.exists():
        return None
    lines = (line.partition("=") for line in read_text(path).splitlines())
    values = {name.strip(): value.strip() for name, _, value in lines}
    numbers = [values.get(name, "") for name in _NUMBERS]
    if not any(numbers):
        return None
    if not all(number.isdecimal() for number in numbers):
        raise SettingsFault(
            [f"{path}: CUNJING_UID and CUNJING_GID are both whole numbers; correct them, or remove both"]
        )
    return Owner(*map(int, numbers))


def _known_users(folder: Path) -> dict[str, str]:
    """Whom the broker knows already. One of ours whose password is not here any more would be locked out silently."""
    path = folder / PASSWORDS
    if not path.exists():
        return {}
    entries = (line.partition(":") for line in read_text(path).splitlines() if line.strip())
    known = {name: kept for name, _, kept in entries}
    for user in _USERS:
        if user.name not in known:
            continue
        remedy = f"remove the line of {user.name} in {path}, and run it again"
        if not (folder / user.path).exists():
            raise SettingsFault([f"{path} has a user {user.name}, whose password should be in {user.path}; {remedy}"])
        if not fits(known[user.name], user.password(read_text(folder / user.path))):
            raise SettingsFault([f"the password in {user.path} is not the one that {path} has; {remedy}"])
    return known


def _passwords(site: InstallationFolder, folder: Path, known: dict[str, str]) -> InstallationStep:
    """The broker's own file: our users are added to those that are there."""
    what = "the house's own users of the broker, with hashed passwords"
    new = {user.name: hashed(user.password(read_text(folder / user.path))) for user in _USERS if user.name not in known}
    if not new:
        return site.secret(PASSWORDS, what, "")
    return site.replace_secret(PASSWORDS, what, "\n".join(f"{name}:{kept}" for name, kept in {**known, **new}.items()))


def _environment(site: InstallationFolder, folder: Path, owner: Owner) -> InstallationStep:
    what = f"containers run as {owner.uid}:{owner.gid}; addresses and ports"
    path = folder / ENVIRONMENT
    text = _ENVIRONMENT_TEXT.format(uid=owner.uid, gid=owner.gid)
    if not path.exists() or _named_owner(path) is not None:
        return site.text(ENVIRONMENT, what, text)
    with path.open("a", encoding="utf-8") as kept:
        kept.write(f"\n{text}")
    return InstallationStep(StepOutcome.MENDED, ENVIRONMENT, what)
