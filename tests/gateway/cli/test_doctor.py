"""``doctor``: each part a line with state and remedy; one ailing part is enough for exit code 1."""

from contextlib import closing

import pytest
from fastapi import FastAPI

from gateway import doctor, lines
from gateway.cli.installation import _shown
from gateway.desk.api import api
from gateway.desk.server import bind, serving
from gateway.doctor import Diagnosis
from gateway.health import Health, Part
from gateway.inbox import Inbox
from gateway.metrics import Metrics
from gateway.settings import Endpoint, Settings, load
from tests.gateway.cli.installation import Cunjing, Installation
from tests.gateway.journal.entries import NOW_MS, full_entry


@pytest.fixture
def settings(installation: Installation) -> Settings:
    return load(installation.folder / "gateway.toml")


@pytest.mark.usefixtures("installation")
def test_every_part_has_its_line_and_one_that_ails_ends_with_one(cunjing: Cunjing) -> None:
    said = cunjing("doctor --config gateway.toml")
    assert said.exit_code == 1
    lines = said.stdout.splitlines()
    named = [line.split()[1] for line in lines if not line.startswith(" ")]
    assert list(dict.fromkeys(named)) == ["broker", "journal", "texts", "inventory", "clock", "disk", "gateway"]
    assert lines[0].startswith("PROBLEM  broker     the broker at mqtt://127.0.0.1:1 cannot be reached: ")
    assert all(line.startswith("ok ") for line in lines[1:])


def test_a_line_says_state_and_remedy_and_its_notes_below() -> None:
    part = Part(ready=False, state="it burns", remedy="put it out", notes=("smoke",))
    assert list(_shown(Diagnosis("shed", part))) == [
        "PROBLEM  shed       it burns; put it out",
        f"{' ' * 20}note: smoke",
    ]


def test_a_journal_that_is_not_there_yet_is_no_problem(settings: Settings) -> None:
    part = doctor.journal(settings)
    assert part.ready
    assert "not there yet" in part.state


def test_a_whole_journal_is_told_with_its_size(settings: Settings, installation: Installation) -> None:
    with installation.journal() as journal:
        journal.commit(full_entry())
        part = doctor.journal(settings)
    assert part.ready
    assert "is whole" in part.state


def test_a_damaged_journal_is_a_problem_with_a_remedy(settings: Settings, installation: Installation) -> None:
    with installation.journal() as journal:
        journal.commit(full_entry(3_000))
    with installation.journal_path.open("r+b") as file:
        file.seek(installation.journal_path.stat().st_size // 2)
        file.write(bytes(range(256)) * 160)
    part = doctor.journal(settings)
    assert not part.ready
    assert "is damaged" in part.state
    assert "restore a backup" in f"{part.state}; {part.remedy}"


def test_a_folder_that_cannot_be_one_is_a_problem(installation: Installation) -> None:
    (installation.folder / "data").write_text("a file\n", "utf-8")
    settings = load(installation.folder / "gateway.toml")
    for part in (doctor.journal(settings), *lines.examined(settings)):
        assert not part.ready
        assert "is not a folder" in part.state
        assert "name another [" in part.remedy


def test_a_strange_key_of_the_channel_is_named(installation: Installation) -> None:
    with (installation.folder / "gateway.toml").open("a", encoding="utf-8") as config:
        config.write('[sms]\nchannel = "outbox"\noutbox_foldr = "x"\n')
    (part,) = lines.examined(load(installation.folder / "gateway.toml"))
    assert not part.ready
    assert "outbox_foldr" in part.state


def test_a_warning_of_the_inventory_is_told_and_an_error_is_a_problem(
    settings: Settings, installation: Installation
) -> None:
    assert all(part.ready for part in doctor.inventory(settings))
    path = installation.folder / "inventory.yaml"
    path.write_text(path.read_text("utf-8").replace("area: ytan\n", "area: ytam\n"), "utf-8")
    ailing = [part.state for part in doctor.inventory(settings) if not part.ready]
    assert len(ailing) == 2
    assert "did you mean 'ytan'?" in ailing[0]


def test_a_policy_file_that_does_not_fit_is_a_problem(installation: Installation) -> None:
    (installation.folder / "rules.yaml").write_text("assets: {nowhere: {}}\n", "utf-8")
    with (installation.folder / "gateway.toml").open("a", encoding="utf-8") as config:
        config.write('[alerts]\nrules = "rules.yaml"\n')
    (last,) = [
        part for part in doctor.inventory(load(installation.folder / "gateway.toml")) if "rules.yaml" in part.state
    ]
    assert not last.ready


@pytest.mark.parametrize(("now_ms", "plausible"), [(0, False), (NOW_MS, True), (4_102_444_800_000, False)])
def test_a_clock_that_cannot_be_right_is_a_problem(now_ms: int, plausible: bool) -> None:  # noqa: FBT001 pytest passes it by name
    assert doctor.clock(now_ms).ready is plausible


def test_a_stranger_on_the_gateways_port_is_a_problem(installation: Installation) -> None:
    with bind(Endpoint("127.0.0.1", 0)) as bound, serving(FastAPI(), bound):
        installation.configure(port=bound.getsockname()[1])
        part = doctor.running(load(installation.folder / "gateway.toml"))
    assert not part.ready
    assert "is not a gateway" in part.state


def test_a_gateway_that_is_not_ready_is_told_with_its_reasons(installation: Installation) -> None:
    health = Health(("broker",), lambda: 0.0)
    health.report("broker", Part(ready=False, state="away", remedy="wait"))
    inbox: Inbox = Inbox()
    with closing(inbox), bind(Endpoint("127.0.0.1", 0)) as bound:
        installation.configure(port=bound.getsockname()[1])
        with serving(api(inbox, health, Metrics(), "hush"), bound):
            part = doctor.running(load(installation.folder / "gateway.toml"))
    assert not part.ready
    assert part.notes == ("broker: away; wait",)
