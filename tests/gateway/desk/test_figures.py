"""A figure on a real gateway: over HTTP into the loop, onto the pages, into the audit, and into the rollups' scope."""

from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Final

import httpx

from gateway import shipped
from gateway.replay import Memory
from gateway.rollups.scope import RollupScope
from gateway.start import anew
from tests.desk_gateway import DeskGateway, at, inventory
from tests.gateway.desk.conftest import Visitor

Enter = Callable[[str], Visitor]

PERMIT: Final = {"Authorization": "Bearer hush"}
LINE: Final = {"place": "area", "name": "meiling", "rule": "over_two_thirds", "figure": "raise_pct", "value": 58}
WHO: Final = {"by": "lin", "reason": "<b>赶集</b>"}


def asked(gateway: DeskGateway, **other: object) -> httpx.Response:
    with httpx.Client(base_url=gateway.url, trust_env=False, headers=PERMIT) as http:
        answer = http.post("/api/v1/figures", json={**LINE, **WHO, **other})
    gateway.settle()
    return answer


def test_a_line_set_for_a_village_raises_there_and_nowhere_else(gateway: DeskGateway) -> None:
    for device in ("bin-0101", "bin-0201"):
        gateway.levels[device] = 62.0
    gateway.filled("bin-0102", 30.0)
    assert gateway.open_rules() == {}
    assert asked(gateway).json() == {"event": "figure_set", "at_ms": gateway.clock.now}
    gateway.filled("bin-0102", 30.0)
    assert [episode.split("/")[:2] for episode in gateway.open_rules()] == [["over_two_thirds", "meiling-01"]]


def test_the_pages_draw_the_new_line_and_the_audit_says_who_and_why(gateway: DeskGateway, visitor: Enter) -> None:
    gateway.at(at(24, 9))
    assert asked(gateway).status_code == HTTPStatus.OK
    assert gateway.desk.present.arrangements.lines_pct["meiling-01"] == 58
    assert gateway.desk.present.arrangements.lines_pct["zhuyuan-01"] == 66.7
    audit = visitor("lin").see("/audit").text
    assert "meiling 过三分之二 raise_pct：66.7 → 58.0，&lt;b&gt;赶集&lt;/b&gt;" in audit
    assert "林调度" in audit
    assert "改指标" in audit
    assert "127.0.0.1" in audit


def test_a_dispatcher_of_another_town_is_refused(gateway: DeskGateway) -> None:
    refused = asked(gateway, by="song")
    assert (refused.status_code, "song is no dispatcher of area meiling" in refused.json()["detail"]) == (409, True)
    assert gateway.desk.present.arrangements.lines_pct["meiling-01"] == 66.7


def test_rollups_follow_the_plans_that_changed() -> None:
    county = anew(inventory(), shipped.policy_files(), Memory(), at(24, 9)).county
    scope = RollupScope.of(inventory(), dict(county.plans), dict.fromkeys(inventory().devices, 0))
    before = scope.followed["meiling-01"]
    other = replace(county.plans["meiling-01"], layout=county.plans["meiling-02"].layout)
    scope.replan({"meiling-01": other, "of-no-device": other})
    assert scope.followed["meiling-01"].plan is other
    assert scope.followed["meiling-01"].known_ms is before.known_ms
    assert "of-no-device" not in scope.followed
