"""docker-compose.yml and the Dockerfile as a test reads them: services, mounts, variables. Nothing is started here."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

ROOT: Final = Path(__file__).parents[2]
FILE: Final = ROOT / "docker-compose.yml"
TEXT: Final = FILE.read_text("utf-8")
DOCUMENT: Final[dict[str, Any]] = yaml.safe_load(TEXT)
SERVICES: Final[dict[str, dict[str, Any]]] = DOCUMENT["services"]
DOCKERFILE: Final = (ROOT / "Dockerfile").read_text("utf-8")

ONE_SHOT: Final = frozenset({"influxdb-setup"})

_VARIABLE: Final = re.compile(r"\$\$|\$\{(?P<name>[A-Z_]+)(?::(?P<how>[-?])(?P<rest>[^}]*))?\}")


class Mount(NamedTuple):
    """A folder of the host in a container."""

    source: str
    target: str
    read_only: bool


def mounts(service: str) -> list[Mount]:
    """What a service sees of the host."""
    found = []
    for volume in SERVICES[service].get("volumes", ()):
        assert volume["type"] == "bind", volume
        found.append(Mount(volume["source"], volume["target"], volume.get("read_only", False)))
    return found


def variables(text: str = TEXT) -> dict[str, str | None]:
    """Each variable that is asked for, and what it is where nobody sets it; ``None`` where that is an error."""
    found: dict[str, str | None] = {}
    for match in _VARIABLE.finditer(text):
        if match["name"]:
            found[match["name"]] = match["rest"] if match["how"] == "-" else None
    return found


def expanded(text: str, environment: Mapping[str, str]) -> str:
    """The text as docker compose understands it under these variables."""

    def value(match: re.Match[str]) -> str:
        if not match["name"]:
            return "$"
        given = environment.get(match["name"], "")
        if given or match["how"] != "?":
            return given or match["rest"] or ""
        raise KeyError(match["name"])

    return _VARIABLE.sub(value, text)


def environment_file(path: Path) -> dict[str, str]:
    """The variables of an ``.env``."""
    lines = path.read_text("utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def instructions(name: str) -> Iterator[str]:
    """What follows an instruction of the Dockerfile, each time it stands there; continued lines are one."""
    for line in re.sub(r"\\\n\s*", "", DOCKERFILE).splitlines():
        if line.startswith(f"{name} "):
            yield line.removeprefix(f"{name} ")


def image_health_check() -> list[str]:
    """The command of the image's own health check."""
    (check,) = instructions("HEALTHCHECK")
    command: list[str] = json.loads(check.partition(" CMD ")[2])
    return command
