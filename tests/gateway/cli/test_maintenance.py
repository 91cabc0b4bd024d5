"""``cunjing maintenance`` and its API, against a county that decides: declared, listed, taken back, refused."""

import json
import tomllib
from collections.abc import Callable

import httpx
import pytest

from gateway import start
from gateway.client import token_file
from gateway.commands.command import NotDurable
from gateway.commands.maintenance import DeclareWindow, EndWindow, ListWindows
from gateway.replay import Memory
from telemetry.inventory.file import parse
from tests.acting import do
from tests.gateway.cli.installation import Cunjing, Installation
from tests.gateway.cli.test_cases import gateway
from tests.scenario_file import FOLDER
from tests.scenario_run import policy_files

NOW = 1_795_395_600_000  # 2026-11-23 09:00 in Shanghai
UNTIL = "2026-11-23T12:00:00+08:00"


@pytest.fixture
def answer() -> Callable[[object], object]:
    """What the loop would say, of the scenarios' village at nine in the morning."""
    file = FOLDER / "counties" / "village.yaml"
    inventory = parse(file.read_text("utf-8"), file.name, frozenset({"native"})).inventory
    assert inventory is not None
    pipeline = start.anew(inventory, policy_files(), Memory(), NOW)
    pipeline.county.listen(NOW, None, pipeline.changes, started=True)

    def say(item: object) -> object:
        assert isinstance(item, DeclareWindow | EndWindow | ListWindows)
        return do(item, pipeline, NOW)

    return say


def test_a_window_is_declared_listed_and_taken_back(
    cunjing: Cunjing, installation: Installation, answer: Callable[[object], object]
) -> None:
    with gateway(installation, answer) as seen:
        added = cunjing(f"maintenance add plant --until {UNTIL} --reason 换泵 --by dispatch-wu --config gateway.toml")
        assert added.exit_code == 0, added.stderr
        window = json.loads(added.stdout)
        cut = cunjing(
            f"maintenance add east --planned-cut --from 2026-11-23T10:00:00+08:00 --until {UNTIL}"
            " --reason 供电所通知 --by leader-he --config gateway.toml"
        )
        listed = cunjing("maintenance list --config gateway.toml")
        ended = cunjing(f"maintenance end {window['window']} --by dispatch-wu --config gateway.toml")
        left = cunjing("maintenance list --config gateway.toml")
    assert window == {
        "window": "maintenance/plant/20261123T010000Z",
        "work": "maintenance",
        "subject": "plant",
        "since": "2026-11-23T01:00:00Z",
        "until": "2026-11-23T04:00:00Z",
        "reason": "换泵",
        "by": "dispatch-wu",
        "begun": True,
        "assets": ["plant"],
    }
    assert json.loads(cut.stdout)["assets"] == ["east-plant", "east-mill"]
    found = [json.loads(line) for line in listed.stdout.splitlines()]
    assert [(one["window"], one["begun"]) for one in found] == [
        ("maintenance/plant/20261123T010000Z", True),
        ("planned_cut/east/20261123T010000Z", False),
    ]
    assert ended.exit_code == 0, ended.stderr
    assert [json.loads(line)["subject"] for line in left.stdout.splitlines()] == ["east"]
    first = seen[0]
    assert isinstance(first, DeclareWindow)
    assert (first.channel, first.origin) == ("cli", "127.0.0.1")


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (f"add nowhere --until {UNTIL} --reason 换泵 --by dispatch-wu", "no asset, and no area with assets, nowhere"),
        (f"add plant --until {UNTIL} --reason 换泵 --by cleaner-li", "cleaner-li may not declare this"),
        (f"add plant --until {UNTIL} --reason 换泵 --by nobody", "the inventory has no person nobody"),
        ("add plant --until 2026-11-23T08:00:00+08:00 --reason 换泵 --by dispatch-wu", "in the past"),
        ("end maintenance/plant/never --by dispatch-wu", "there is no window maintenance/plant/never"),
    ],
)
def test_what_cannot_be_ends_in_a_sentence(
    cunjing: Cunjing, installation: Installation, answer: Callable[[object], object], asked: str, says: str
) -> None:
    with gateway(installation, answer):
        said = cunjing(f"maintenance {asked} --config gateway.toml")
    assert said.exit_code == 1
    assert said.stdout == ""
    assert says in said.stderr


def test_what_is_not_durable_is_not_said_to_be(cunjing: Cunjing, installation: Installation) -> None:
    with gateway(installation, lambda _: NotDurable("the journal's disk is full")):
        added = cunjing(f"maintenance add plant --until {UNTIL} --reason 换泵 --by dispatch-wu --config gateway.toml")
        listed = cunjing("maintenance list --config gateway.toml")
    assert (added.exit_code, listed.exit_code) == (1, 1)
    assert "disk is full" in added.stderr
    assert "disk is full" in listed.stderr


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"reason": ""}, 422),
        ({"reason": "x" * 61}, 422),
        ({"reason": "a\nb"}, 422),
        ({"until": "2026-11-23T12:00:00"}, 422),
        ({"work": "holiday"}, 422),
        ({"more": 1}, 422),
        ({"work": "planned_cut"}, 409),
    ],
)
def test_the_api_refuses_by_name_what_makes_no_sense(
    installation: Installation, answer: Callable[[object], object], body: dict[str, object], status: int
) -> None:
    whole = {"subject": "plant", "until": UNTIL, "reason": "换泵", "by": "dispatch-wu"}
    with gateway(installation, answer):
        listen = tomllib.loads((installation.folder / "gateway.toml").read_text("utf-8"))["desk"]["listen"]
        url = f"http://{listen}/api/v1/maintenance"
        permit = {"Authorization": f"Bearer {token_file(installation.journal_path).read_text('ascii').strip()}"}
        sent = {**whole, **body} if body else {}
        refused = httpx.post(url, json=sent, headers=permit, trust_env=False)
        stranger = httpx.post(url, json=whole, trust_env=False)
    assert refused.status_code == status, refused.text
    assert refused.headers["content-type"] == "application/problem+json"
    assert stranger.status_code == 401
