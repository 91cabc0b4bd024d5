"""The gateway's configuration: one TOML file, environment variables over it, every fault said in one sentence.

Read once at start and frozen. Relative paths are relative to the working directory, as in the shell that starts
the gateway. Secrets are named here by the file that holds them and read only when they are used.
"""

import os
import tomllib
from collections.abc import Collection
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from gateway.settings_faults import SettingsFault, sentence, strange_variables
from gateway.settings_fields import PORTS, BrokerUrl, Endpoint, Listen, Network, ServerUrl, Tiles, TileUrl, TopicFilter
from gateway.settings_watch import Watch

ENV_PREFIX: Final = "CUNJING_"


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Mqtt(_Table):
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


class Journal(_Table):
    """``[journal]``: the one SQLite file; raw readings are kept ``keep_days``, the file may grow to ``max_mb``."""

    path: Path
    keep_days: Annotated[int, Field(ge=1)] = 14
    max_mb: Annotated[int, Field(ge=64)] | None = None


class InventoryFile(_Table):
    """``[inventory]``: the file that is imported when it changed."""

    path: Path


class Alerts(_Table):
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


class Influxdb(_Table):
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


class Grafana(_Table):
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
    def _one_way_in(self) -> "Grafana":
        named = self.username is not None and self.password_file is not None
        if (self.token_file is not None) == named or (self.username is None) != (self.password_file is None):
            raise ValueError("give token_file, or username and password_file, and not both")
        return self


class Desk(_Table):
    """``[desk]``: where the web page and the HTTP API listen, behind which proxies, and what lies under its map.

    ``trusted_proxies`` are believed about who asks and whether it is over TLS; ``https`` says the latter once for all.
    """

    listen: Annotated[Listen, NoDecode] = Endpoint("127.0.0.1", 8080)
    trusted_proxies: Annotated[tuple[Network, ...], Field(max_length=32)] = ()
    https: bool = False
    tiles: TileUrl | None = None
    tiles_credit: Annotated[str, Field(min_length=1, max_length=120)] | None = None

    @model_validator(mode="after")
    def _credited(self) -> "Desk":
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
    journal: Journal
    inventory: InventoryFile
    alerts: Alerts = Alerts()
    sms: Sms = Sms()
    channels: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """``[channels.NAME]``: a channel's own keys."""
    influxdb: Influxdb | None = None
    grafana: Grafana | None = None
    desk: Desk = Desk()
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
    document = _read(path)
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
        raise SettingsFault([f"{key} = {str(path)!r} cannot be read: {_why(error)}"]) from None
    if not secret:
        raise SettingsFault([f"{key} = {str(path)!r} is empty; write the secret on its first line"])
    return secret


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        remedy = "copy config/gateway.example.toml there, or name another file with --config"
        raise SettingsFault([f"{path} cannot be read: {_why(error)}; {remedy}"]) from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsFault([f"{path} is not valid TOML: {error}"]) from None


def _why(error: OSError | UnicodeDecodeError) -> str:
    return (error.strerror or str(error)).lower() if isinstance(error, OSError) else "it is not UTF-8"
