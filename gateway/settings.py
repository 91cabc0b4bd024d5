"""The gateway's configuration: one TOML file, environment variables over it, every fault said in one sentence.

Read once at start and frozen; what one key may be, and how a refusal says where, what and what to do, stands first.
Relative paths are relative to the working directory, as in the shell that starts the gateway. Secrets are named here by
the file that holds them and read only when they are used.
"""

import os
import re
import tomllib
from collections.abc import Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple, TypeAlias
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from alerts.policy import DayTime


def _beat_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError('write it as "http://host:port/path", or with https')
    if parts.username or parts.password:
        raise ValueError("user and password do not belong in the URL; use token_file")
    _ = parts.port  # raises for a port that cannot be
    return value


BeatUrl = Annotated[str, AfterValidator(_beat_url)]
Phone = Annotated[str, Field(pattern=r"^[0-9]{5,15}$")]


class Watch(BaseModel):
    """``[watch]``: what the gateway says of itself to the outside, and how long it bears to hear no device.

    ``url`` is asked every ``every_s`` while the house works, ``phone`` gets one text a day at ``daily_at``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    url: BeatUrl | None = None
    method: Literal["POST", "GET"] = "POST"
    token_file: Path | None = None
    every_s: Annotated[float, Field(gt=0, le=3_600)] = 60.0
    timeout_s: Annotated[float, Field(gt=0, le=60)] = 10.0
    phone: Phone | None = None
    daily_at: DayTime = Field(default="07:30", validate_default=True)
    deaf_minutes: Annotated[float, Field(gt=0, le=1_440)] = 10.0

    @model_validator(mode="after")
    def _token_has_a_url(self) -> "Watch":
        if self.token_file is not None and self.url is None:
            raise ValueError("token_file is for the url: give one, or leave both out")
        return self


PORTS: Final = {"mqtt": 1883, "mqtts": 8883}
"""Which schemes a broker's URL may have, and the port each is on where none is named."""
PLACE_OF_A_TILE: Final = ("{z}", "{x}", "{y}")
"""What a browser fills in; nothing else may stand in braces."""
_NAMED_HOST: Final = re.compile(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?")


class Endpoint(NamedTuple):
    """A host and a port."""

    host: str
    port: int


class Tiles(NamedTuple):
    """The pictures of land that lie under the map, and whose they are."""

    url: str
    credit: str

    @property
    def origin(self) -> str:
        """Where a browser must be allowed to ask for them; empty where that is the desk's own address."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


def _broker_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in PORTS or not parts.hostname:
        raise ValueError('write it as "mqtt://host:1883", or "mqtts://host:8883" for TLS')
    if parts.username or parts.password:
        raise ValueError("user and password do not belong in the URL; use username and password_file")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("nothing may follow the port")
    _ = parts.port  # raises for a port that cannot be
    return value


def _server_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError('write it as "http://host:port", or with https')
    if parts.username or parts.password:
        raise ValueError("user and password do not belong in the URL; a token file is enough")
    _ = parts.port  # raises for a port that cannot be
    return value.rstrip("/")


def _tile_url(value: str) -> str:
    example = '"http://tiles.example/{z}/{x}/{y}.png", or as a path beginning with one /'
    bare = value
    for place in PLACE_OF_A_TILE:
        if place not in value:
            raise ValueError(f"{place} is missing, which says which tile; write it as {example}")
        bare = bare.replace(place, "0")
    if not bare.isascii() or not bare.isprintable() or set(bare) & set(" \\\"'<>{}[]"):
        raise ValueError(f"it holds what no browser fills in; only {{z}}, {{x}} and {{y}} may change: {example}")
    parts = urlsplit(value)
    if bare.startswith("/") and not parts.netloc:
        return value
    if parts.scheme not in ("http", "https") or not _NAMED_HOST.fullmatch(parts.netloc):
        raise ValueError(f"write it as {example}; the host is a name or an IPv4 address, without user and password")
    _ = parts.port  # raises for a port that cannot be
    return value


def _topic_filter(value: str) -> str:
    levels = value.split("/")
    if not value or "\0" in value or len(value.encode()) > 65_535:  # noqa: PLR2004 an MQTT string's two length bytes
        raise ValueError("a topic filter is 1 to 65535 bytes without NUL")
    if "#" in "".join(levels[:-1]) or any(len(level) > 1 and ("+" in level or "#" in level) for level in levels):
        raise ValueError('"+" and "#" stand alone between slashes, and "#" only at the end')
    return value


def _listen(value: object) -> object:
    if not isinstance(value, str):
        return value
    host, colon, port = value.rpartition(":")
    if not colon or not host or not port.isdecimal() or not 0 <= int(port) <= 65_535:  # noqa: PLR2004 TCP's own limit
        raise ValueError('write it as "host:port", for example "127.0.0.1:8080"')
    return Endpoint(host.strip("[]"), int(port))


def _network(value: str) -> str:
    try:
        found = ip_network(value)
    except ValueError:
        raise ValueError('write a proxy as an address, "10.0.0.5", or its network, "10.0.0.0/24"') from None
    if found.prefixlen == 0:
        raise ValueError("that is everybody: whoever is believed may call himself what he likes; name the proxy alone")
    return str(found)


BrokerUrl: TypeAlias = Annotated[str, AfterValidator(_broker_url)]
ServerUrl: TypeAlias = Annotated[str, AfterValidator(_server_url)]
TileUrl: TypeAlias = Annotated[str, AfterValidator(_tile_url)]
TopicFilter: TypeAlias = Annotated[str, AfterValidator(_topic_filter)]
Network: TypeAlias = Annotated[str, AfterValidator(_network)]
Listen: TypeAlias = Annotated[Endpoint, BeforeValidator(_listen)]


class SettingsFault(Exception):  # noqa: N818 a fault in what was written, in the words of the papers
    """Why the gateway cannot start: one clear sentence a fault, each with its remedy."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))


def sentence(error: ErrorDetails, file: str, model: type[BaseModel], environment: Mapping[str, str]) -> str:
    """One of pydantic's findings as a sentence; ``environment`` maps ``table.key`` to the variable that set it."""
    names = [str(part) for part in error["loc"] if not str(part).startswith("function-")]
    where = f"{environment.get('.'.join(names[:2]).lower()) or file}: {_spoken(names)}"
    match error["type"]:
        case "extra_forbidden":
            near = get_close_matches(names[-1], _keys(model, names[:-1]), 1)
            known = ", ".join(_keys(model, names[:-1]))
            return f"{where}: unknown key; " + (f'did you mean "{near[0]}"?' if near else f"known are: {known}")
        case "missing":
            return f"{where} is missing; add it (see gateway.example.toml)"
        case "value_error" if not names:
            return f"{file}: {error['ctx']['error']}"
        case "value_error" if len(names) == 1:
            return f"{where}: {error['ctx']['error']}"
        case "value_error":
            return f"{where} = {error['input']!r}: {error['ctx']['error']}"
        case _:
            return f"{where} = {error['input']!r}: {error['msg'].lower()}"


def strange_variables(environment: Mapping[str, str], prefix: str, tables: Sequence[str]) -> list[str]:
    """A sentence for each variable that looks like ours and names no table."""
    found = []
    for name in sorted(environment):
        table, nested, _ = name.upper().removeprefix(prefix).partition("__")
        if name.upper().startswith(prefix) and nested and table.lower() not in tables:
            near = get_close_matches(table.lower(), tables, 1)
            hint = f'did you mean "{prefix}{near[0].upper()}__…"?' if near else f"known tables are: {', '.join(tables)}"
            found.append(f"environment variable {name}: there is no table [{table.lower()}]; {hint}")
    return found


def _spoken(names: Sequence[str]) -> str:
    match names:
        case [table]:
            return f"[{table}]"
        case [table, *keys]:
            return f"[{table}] {'.'.join(keys)}"
        case _:
            return "the file"


def _keys(model: type[BaseModel], path: Sequence[str]) -> list[str]:
    for name in path:
        model = _table(model.model_fields[name].annotation)
    return list(model.model_fields)


def _table(annotation: Any) -> type[BaseModel]:  # noqa: ANN401 an annotation may be anything
    parts = getattr(annotation, "__args__", (annotation,))
    return next(part for part in parts if isinstance(part, type) and issubclass(part, BaseModel))


ENV_PREFIX: Final = "CUNJING_"


class SettingsTable(BaseModel):
    """A table of a TOML file: a key that nobody knows is a fault."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Mqtt(SettingsTable):
    """``[mqtt]``: where the broker is and who we are to it. ``client_id`` is fixed, the session hangs on it."""

    url: BrokerUrl
    client_id: Annotated[str, Field(min_length=1, max_length=128)] = "cunjing-gateway"
    username: str | None = None
    password: SecretStr | None = None
    password_file: Path | None = None
    topics: Annotated[tuple[TopicFilter, ...], Field(min_length=1)]
    protocol: Literal["auto", "5", "3.1.1"] = "auto"
    ca_file: Path | None = None

    @property
    def endpoint(self) -> Endpoint:
        """Host and port of ``url``; 1883 and 8883 are understood."""
        parts = urlsplit(self.url)
        return Endpoint(parts.hostname or "", parts.port or PORTS[parts.scheme])

    @property
    def tls(self) -> bool:
        """Whether the URL asks for TLS."""
        return self.url.startswith("mqtts:")

    def read_password(self) -> str | None:
        """The password, read now; ``SettingsFault`` when its file cannot be read."""
        if self.password is not None:
            return self.password.get_secret_value()
        return read_secret(self.password_file, "[mqtt] password_file") if self.password_file else None


class JournalSettings(SettingsTable):
    """``[journal]``: the one SQLite file; raw readings are kept ``keep_days``, the file may grow to ``max_mb``."""

    path: Path
    keep_days: Annotated[int, Field(ge=1)] = 14
    max_mb: Annotated[int, Field(ge=64)] | None = None


class InventoryFile(SettingsTable):
    """``[inventory]``: the file that is imported when it changed."""

    path: Path


class Alerts(SettingsTable):
    """``[alerts]``: files that replace the built-in defaults."""

    rules: Path | None = None
    escalation: Path | None = None
    texts: Path | None = None


class Sms(BaseModel):
    """``[sms]``: the first channel by name; every further key belongs to it and is checked by it (``own``).

    ``then`` names the channels that are tried after it, in their order, ``voice`` those that call.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    channel: str = "outbox"
    then: tuple[str, ...] = ()
    voice: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Every channel that is named, once, in the order of trying."""
        return tuple(dict.fromkeys((self.channel, *self.then, *self.voice)))

    @property
    def own(self) -> dict[str, Any]:
        """The keys that are the channel's own, unchecked."""
        return dict(self.model_extra or {})


class Influxdb(SettingsTable):
    """``[influxdb]``: left out, the journal alone keeps the readings.

    The gateway writes with ``token_file``; ``reader_token_file`` is Grafana's and the doctor's, and reads. ``raw_days``
    is how long the raw bucket keeps points: ``influx setup`` makes it so, and older points are not sent.
    """

    url: ServerUrl
    org: Annotated[str, Field(min_length=1)]
    bucket: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,60}$")]
    token_file: Path
    reader_token_file: Path | None = None
    ca_file: Path | None = None
    raw_days: Annotated[int, Field(ge=1)] = 90

    @property
    def reader_file(self) -> Path:
        """Where the reading token is: as named, else beside the writing one."""
        return self.reader_token_file or self.token_file.with_name(f"{self.token_file.name}-read")

    @property
    def hourly_bucket(self) -> str:
        """Where the hourly rollups go."""
        return f"{self.bucket}_1h"

    @property
    def daily_bucket(self) -> str:
        """Where the daily rollups go, and what ids are called."""
        return f"{self.bucket}_1d"


class GrafanaSettings(SettingsTable):
    """``[grafana]``: where ``boards push`` puts the boards; left out, nothing is pushed. ``ca_file`` is who is trusted.

    Either a service account's ``token_file``, or ``username`` and ``password_file``. ``influxdb_url`` and ``desk_url``
    are what Grafana's own machine and people's browsers call the two, where that differs. ``org_id`` says in which
    organisation of Grafana's they are: left out, a user's are in the first, whatever he looks at, a token's in its own.
    """

    url: ServerUrl
    token_file: Path | None = None
    username: str | None = None
    password_file: Path | None = None
    ca_file: Path | None = None
    influxdb_url: ServerUrl | None = None
    desk_url: ServerUrl | None = None
    org_id: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _one_way_in(self) -> "GrafanaSettings":
        named = self.username is not None and self.password_file is not None
        if (self.token_file is not None) == named or (self.username is None) != (self.password_file is None):
            raise ValueError("give token_file, or username and password_file, and not both")
        return self


class DeskSettings(SettingsTable):
    """``[desk]``: where the web page and the HTTP API listen, behind which proxies, and what lies under its map.

    ``trusted_proxies`` are believed about who asks and whether it is over TLS; ``https`` says the latter once for all.
    """

    listen: Annotated[Listen, NoDecode] = Endpoint("127.0.0.1", 8080)
    trusted_proxies: Annotated[tuple[Network, ...], Field(max_length=32)] = ()
    https: bool = False
    tiles: TileUrl | None = None
    tiles_credit: Annotated[str, Field(min_length=1, max_length=120)] | None = None

    @model_validator(mode="after")
    def _credited(self) -> "DeskSettings":
        if (self.tiles is None) != (self.tiles_credit is None):
            there, missing = ("tiles", "tiles_credit") if self.tiles else ("tiles_credit", "tiles")
            raise ValueError(
                f"{there} needs {missing}: whose map it is stands under it; add {missing}, or drop {there}"
            )
        return self

    @property
    def proxies(self) -> list[IPv4Network | IPv6Network]:
        """The networks whose word is believed."""
        return [ip_network(network) for network in self.trusted_proxies]

    @property
    def ground(self) -> Tiles | None:
        """What lies under the map; nothing is asked for where this is ``None``."""
        return Tiles(self.tiles, self.tiles_credit) if self.tiles and self.tiles_credit else None


class Settings(BaseSettings):
    """Everything that the operator decides. Made by ``load``; environment variables win over the file."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True, case_sensitive=False
    )

    mqtt: Mqtt
    journal: JournalSettings
    inventory: InventoryFile
    alerts: Alerts = Alerts()
    sms: Sms = Sms()
    channels: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """``[channels.NAME]``: a channel's own keys."""
    influxdb: Influxdb | None = None
    grafana: GrafanaSettings | None = None
    desk: DeskSettings = DeskSettings()
    watch: Watch = Watch()
    hooks: dict[str, Path] = Field(default_factory=dict)
    """``[hooks]``: by a channel's name, the file of the secret that its provider bears when it pushes."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment over the file, and nothing else."""
        _ = settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings


def load(path: Path, channels: Collection[str] = ("outbox",)) -> Settings:
    """The settings of ``path`` and the environment; ``SettingsFault`` with a sentence for each fault.

    ``channels`` are the names that ``[sms]`` may use.
    """
    document = read_toml(path, "copy config/gateway.example.toml there, or name another file with --config")
    environment = {name.upper(): value for name, value in os.environ.items() if name.upper().startswith(ENV_PREFIX)}
    faults = strange_variables(environment, ENV_PREFIX, list(Settings.model_fields))
    if isinstance(mqtt := document.get("mqtt"), dict) and "password" in mqtt:
        faults.append(
            f"{path}: [mqtt] password: no secrets in this file; put it into a file and name that as password_file"
        )
    try:
        settings = Settings(**document)
    except ValidationError as errors:
        set_by = {
            ".".join(name.removeprefix(ENV_PREFIX).split("__")[:2]).lower(): f"environment variable {name}"
            for name in environment
        }
        faults += [sentence(error, str(path), Settings, set_by) for error in errors.errors()]
        raise SettingsFault(faults) from None
    except SettingsError as error:
        raise SettingsFault([*faults, f"environment: {error}; lists are written as JSON"]) from None
    known = ", ".join(sorted(channels))
    faults += [
        f"{path}: [sms] {key} = {name!r}: there is no such channel; known are: {known}"
        for key, names in (
            ("channel", (settings.sms.channel,)),
            ("then", settings.sms.then),
            ("voice", settings.sms.voice),
        )
        for name in names
        if name not in channels
    ]
    faults += [
        f"{path}: [channels.{name}]: no key of [sms] names it; name it as channel, or in then or voice"
        for name in settings.channels
        if name not in settings.sms.names
    ]
    if faults:
        raise SettingsFault(faults)
    return settings


def read_secret(path: Path, key: str) -> str:
    """The first line of a secret's file; ``SettingsFault`` naming ``key`` when there is none."""
    try:
        secret = path.read_text("utf-8").partition("\n")[0].strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsFault([f"{key} = {str(path)!r} cannot be read: {tell_why(error)}"]) from None
    if not secret:
        raise SettingsFault([f"{key} = {str(path)!r} is empty; write the secret on its first line"])
    return secret


def read_toml(path: Path, remedy: str) -> dict[str, Any]:
    """What stands in a TOML file; ``SettingsFault`` when it cannot be read, with what to do then."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsFault([f"{path} cannot be read: {tell_why(error)}; {remedy}"]) from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsFault([f"{path} is not valid TOML: {error}"]) from None


def tell_why(error: OSError | UnicodeDecodeError) -> str:
    """Why a file or an address cannot be used, as it stands in a sentence."""
    return (error.strerror or str(error)).lower() if isinstance(error, OSError) else "it is not UTF-8"
