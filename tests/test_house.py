"""The habits of this house, held to by reading its own files; nothing here imports or runs the code.

A habit that a linter already holds (ruff, mypy, import-linter) is not repeated here.
"""

import ast
import re
import tomllib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from statistics import median
from typing import Any, Final

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT: Final = Path(__file__).parents[1]
PACKAGES: Final = ("telemetry", "alerts", "dashboards", "firmware_sim", "gateway")
SOURCES: Final = sorted(chain.from_iterable((ROOT / room).rglob("*.py") for room in (*PACKAGES, "benchmarks")))
TESTS: Final = sorted((ROOT / "tests").rglob("*.py"))

IO_IN_ALERTS: Final = ("alerts/delivery/courier.py", "alerts/channels/")

BARRIERS: Final = {
    "alerts/delivery/courier.py",  # a channel
    "gateway/barrier.py",  # one input of the loop
    "gateway/desk/feed.py",  # a commit on its way to the desk
    "gateway/rollups/closing.py",  # an asset's rollup
    "gateway/influx/streams.py",  # a row on its way to InfluxDB
}
"""Where our own mistakes are caught, each around one thing, logged with their traceback and counted."""

HOMES: Final = {
    "amqtt": ("gateway/broker_amqtt.py",),
    "alibabacloud_dysmsapi20170525": ("alerts/channels/aliyun.py",),
    "alibabacloud_dyvmsapi20170525": ("alerts/channels/aliyun_voice.py",),
    "apprise": ("alerts/channels/webhook.py",),
    "argon2": ("gateway/desk/users.py",),
    "apscheduler": ("gateway/timer.py",),
    "borax": ("alerts/calendars.py",),
    "fastapi": ("gateway/desk/",),
    "grafana_api": ("dashboards/push.py",),
    "httpx": ("gateway/client.py",),
    "jinja2": ("gateway/desk/view.py",),
    "influxdb_client": ("gateway/influx/", "benchmarks/"),
    "paho": ("gateway/mqtt/source.py", "firmware_sim/publish.py", "benchmarks/"),
    "prometheus_client": ("gateway/metrics.py",),
    "pydantic_settings": ("gateway/settings.py",),
    "sqlite3": ("gateway/journal/", "gateway/desk/users.py", "alerts/channels/gammu.py", "benchmarks/"),
    "starlette": ("gateway/desk/",),
    "structlog": ("gateway/logs.py", "alerts/delivery/courier.py"),
    "typer": ("gateway/cli/",),
    "uvicorn": ("gateway/desk/",),
    "xlsxwriter": ("gateway/exporting.py",),
}
"""Where a library may be imported, so that replacing it is one file; a name that ends in a slash is a folder."""

CALENDARS: Final = {
    "alerts/build.py",  # the county's, with its extra rounds
    "gateway/desk/projection.py",  # the same for whoever looks on, from what is durable
    "gateway/rollups/scope.py",  # the days and hours of rollups: local time alone
    "gateway/cli/",  # a process of its own that prints local times
    "gateway/demo/stage.py",  # the demo's clock: local time alone
    "benchmarks/",
}
"""Who may make a calendar; everybody else is handed one, or would not know of an extra round (case J6)."""

BANNED: Final = {
    "grafana-client": "another library of the same purpose and nearly the same name is meant: grafana-api",
    "lunardate": "GPL; borax knows the lunar calendar",
    "python-gammu": "GPL; gammu-smsd is another process and is spoken to through its database",
}

CRUMBS: Final = {
    "gateway/broker_amqtt.py": "the one home of amqtt, an extra that many installations lack",
}
"""Files of fewer than 80 lines whose only importer lies beside them, and why each is one; the list only shrinks."""

CRUMB_LINES: Final = 80
MEDIAN_LINES: Final = (110, 220)

VAGUE: Final = frozenset(
    {"base", "common", "data", "helper", "helpers", "info", "manager", "misc", "processor", "service", "util", "utils"}
)


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def _lives_in(path: Path, homes: tuple[str, ...]) -> bool:
    return any(_name(path).startswith(home) if home.endswith("/") else _name(path) == home for home in homes)


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None and node.level == 0:
            yield node.module.partition(".")[0]


def _modules(tree: ast.Module) -> Iterator[str]:
    """The files of this house that a module imports, wherever in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module is not None and node.level == 0:
            inside = [f"{node.module}.{alias.name}".replace(".", "/") + ".py" for alias in node.names]
            yield from (name for name in inside if (ROOT / name).exists())
            yield f"{node.module}".replace(".", "/") + ".py"
        elif isinstance(node, ast.Import):
            yield from (alias.name.replace(".", "/") + ".py" for alias in node.names)


def _pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def _wanted(*extras: str) -> dict[str, Requirement]:
    project = _pyproject()["project"]
    lines = chain(project["dependencies"], *(project["optional-dependencies"][extra] for extra in extras))
    return {canonicalize_name(Requirement(line).name): Requirement(line) for line in lines}


PIN: Final = re.compile(r"(?P<name>[a-z0-9-]+)==(?P<version>[a-z0-9.]+) \\")
HASH: Final = re.compile(r" {4}--hash=sha256:[0-9a-f]{64}( \\)?")
REASON: Final = re.compile(
    r" {4}# {1,3}(via)?( ?[a-z0-9-]+( \(pyproject\.toml[a-z:.-]*\))?|-c requirements/runtime\.txt)?"
)


def _pins(name: str) -> dict[str, str]:
    lines = (ROOT / "requirements" / name).read_text(encoding="utf-8").splitlines()
    return {pin["name"]: pin["version"] for pin in map(PIN.fullmatch, lines) if pin is not None}


def _direct(name: str) -> set[str]:
    """Names that a requirement file says are wanted by the project itself, not by another package."""
    direct, current = set(), ""
    for line in (ROOT / "requirements" / name).read_text(encoding="utf-8").splitlines():
        if pin := PIN.fullmatch(line):
            current = pin["name"]
        elif "cunjing (pyproject.toml" in line:
            direct.add(current)
    return direct


def test_every_file_opens_with_a_sentence_that_says_what_it_is() -> None:
    silent = [_name(path) for path in SOURCES if not re.search(r"\w.*[.!?]", ast.get_docstring(_tree(path)) or "")]
    assert silent == []


def test_every_library_is_imported_only_in_its_home() -> None:
    strays = [
        f"{_name(path)} imports {library}, whose home is {' or '.join(HOMES[library])}"
        for path in SOURCES
        for library in sorted(set(_imported(_tree(path))) & HOMES.keys())
        if not _lives_in(path, HOMES[library])
    ]
    assert strays == []


def test_a_calendar_is_handed_in() -> None:
    made = [
        _name(path)
        for path in SOURCES
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"Calendar.of", "Calendar"}
        if not _lives_in(path, tuple(CALENDARS))
    ]
    assert made == []


def test_a_crumb_belongs_into_the_file_that_alone_uses_it() -> None:
    users: dict[str, set[str]] = {}
    for path in SOURCES:
        for name in set(_modules(_tree(path))):
            users.setdefault(name, set()).add(_name(path))
    crumbs = [
        name
        for path in SOURCES
        for name in [_name(path)]
        if path.stem != "__init__"
        and not name.startswith("benchmarks/")
        and len(path.read_text(encoding="utf-8").splitlines()) < CRUMB_LINES
        if len(used := users.get(name, set())) == 1 and Path(next(iter(used))).parent == path.relative_to(ROOT).parent
    ]
    assert sorted(set(crumbs) - CRUMBS.keys()) == [], "fold it into its only importer"
    assert sorted(CRUMBS.keys() - set(crumbs)) == [], "strike it from the list"


@pytest.mark.parametrize("room", ["alerts", "gateway"])
def test_files_are_boulders_and_not_gravel(room: str) -> None:
    lengths = [
        len(path.read_text(encoding="utf-8").splitlines())
        for path in SOURCES
        if path.is_relative_to(ROOT / room) and path.stem != "__init__"
    ]
    least, most = MEDIAN_LINES
    assert least <= median(lengths) <= most


def test_no_file_has_a_vague_name() -> None:
    assert [_name(path) for path in SOURCES if VAGUE & set(path.stem.split("_"))] == []


def test_pure_files_open_print_and_read_nothing() -> None:
    doing_io = {"open", "print", "input", "read_text", "read_bytes", "write_text", "write_bytes"}
    found = [
        f"{_name(path)}:{call.lineno} calls {called}"
        for path in SOURCES
        if _name(path).startswith(("telemetry/", "alerts/")) and not _lives_in(path, IO_IN_ALERTS)
        for call in ast.walk(_tree(path))
        if isinstance(call, ast.Call)
        for called in [getattr(call.func, "id", getattr(call.func, "attr", ""))]
        if called in doing_io
    ]
    assert found == []


def test_only_the_barriers_around_one_thing_catch_everything() -> None:
    found = [
        f"{_name(path)}:{handler.lineno}"
        for path in SOURCES
        if _name(path) not in BARRIERS
        for handler in ast.walk(_tree(path))
        if isinstance(handler, ast.ExceptHandler)
        if handler.type is None
        or {"Exception", "BaseException"} & {getattr(n, "id", "") for n in ast.walk(handler.type)}
    ]
    assert found == []


def test_nothing_is_set_into_the_line_from_outside() -> None:
    """A line is told by its methods; of its entry, too, no attribute is another's to set."""
    held = re.compile(r"(^|[._])pipeline(\.|$)")
    found = [
        f"{_name(path)}:{node.lineno} sets {ast.unparse(target)}"
        for path in SOURCES
        if _name(path).startswith("gateway/")
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Attribute) and held.search(ast.unparse(target.value))
    ]
    assert found == []


def test_every_silenced_warning_says_why() -> None:
    silenced = re.compile(r"#\s*(noqa(: ?[A-Z0-9, ]+)?|type: ?ignore(\[[a-z-, ]+\])?)\s*$")
    found = [
        f"{_name(path)}:{number}"
        for path in (*SOURCES, *TESTS)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if silenced.search(line)
    ]
    assert found == []


def test_every_linter_rule_that_is_ignored_says_why() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    section = text[text.index("[tool.ruff.lint]") : text.index("[tool.ruff.lint.flake8")]
    section += text[text.index("[tool.ruff.lint.per-file-ignores]") :].partition("\n\n")[0]
    codes = [line for line in section.splitlines() if re.match(r"\s*(\"[A-Z]+[0-9]*\",|\"\S+\" = \[\")", line)]
    assert len(codes) > 10
    assert [line for line in codes if "#" not in line] == []


def test_tests_use_fakes_and_patch_no_code() -> None:
    found = [
        f"{_name(path)}:{node.lineno}"
        for path in TESTS
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Attribute) and node.attr in {"setattr", "setitem", "delattr"}
        if getattr(node.value, "id", "") == "monkeypatch"
    ]
    assert found == []


def test_a_requirement_file_holds_pins_hashes_and_reasons_and_no_address() -> None:
    for path in sorted((ROOT / "requirements").glob("*.txt")):
        lines = path.read_text(encoding="utf-8").splitlines()
        strange = [line for line in lines if not any(shape.fullmatch(line) for shape in (PIN, HASH, REASON))]
        assert strange == [], _name(path)


def test_every_wanted_package_is_pinned_and_every_pin_fits_what_is_wanted() -> None:
    for name, extras in (("runtime.txt", ("demo",)), ("dev.txt", ("aliyun", "demo", "dev", "webhook"))):
        wanted, pins = _wanted(*extras), _pins(name)
        assert wanted.keys() == _direct(name), f"run `make lock`: requirements/{name} and pyproject.toml differ"
        misfits = [str(line) for package, line in wanted.items() if not line.specifier.contains(pins[package])]
        assert misfits == [], f"run `make lock`: requirements/{name} has other versions"


def test_every_extra_is_pinned() -> None:
    assert set(_pyproject()["project"]["optional-dependencies"]) == {"aliyun", "demo", "dev", "webhook"}


def test_a_package_has_one_version_in_all_requirement_files() -> None:
    dev = _pins("dev.txt")
    assert _pins("runtime.txt").items() <= dev.items()
    build = _pins("build.txt")
    assert {package: build[package] for package in build.keys() & dev.keys()}.items() <= dev.items()


def test_a_banned_package_is_not_wanted_by_anything() -> None:
    pinned = set(chain.from_iterable(_pins(path.name) for path in (ROOT / "requirements").glob("*.txt")))
    assert {
        name: BANNED[name] for name in BANNED.keys() & (pinned | _wanted("aliyun", "demo", "dev", "webhook").keys())
    } == {}


def test_ci_runs_the_readmes_own_test_command() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    for verb in ("make check", "make test"):
        assert re.search(rf"^{verb}\b", readme, re.MULTILINE), f"README.md shows `{verb}` on a line of its own"
        assert re.search(rf"\b{verb}\b", ci), f".ci/run calls `{verb}`"
