"""Declared work on a real gateway: durable before it is answered, on the asset's page, in the audit, gone when over."""

from collections.abc import Callable
from contextlib import closing

import httpx

from alerts.build import assemble
from alerts.conditions.state import unpack
from gateway import shipped
from gateway.desk.projection import Projection
from gateway.journal.database import open_for_reading
from gateway.journal.restore import restore
from tests.desk_gateway import DeskGateway, at, inventory
from tests.gateway.desk.conftest import Visitor

Enter = Callable[[str], Visitor]
PERMIT = {"Authorization": "Bearer hush"}
WISH = {"subject": "meiling-plant", "until": "2026-11-24T10:00:00+08:00", "reason": "换<b>泵", "by": "lin"}


def ask(gateway: DeskGateway, path: str, body: dict[str, str]) -> httpx.Response:
    answer = httpx.post(f"{gateway.url}/api/v1/maintenance{path}", json=body, headers=PERMIT, trust_env=False)
    gateway.settle()
    return answer


def test_an_assets_page_says_until_when_it_is_worked_on(gateway: DeskGateway, visitor: Enter) -> None:
    lin = visitor("lin")
    declared = ask(gateway, "", WISH)
    assert declared.status_code == httpx.codes.CREATED, declared.text
    page = lin.see("/assets/meiling-plant").text
    assert "<b>检修</b> 到" in page
    assert "10:00：换&lt;b&gt;泵" in page
    audit = lin.see("/audit").text
    assert "报了检修或停电" in audit
    assert "检修 梅岭站（08:00—10:00）：换&lt;b&gt;泵" in audit
    assert "127.0.0.1" in audit
    gateway.at(at(24, 10, 30))
    over = lin.see("/assets/meiling-plant").text
    assert "<b>检修</b> 到" not in over
    assert "检修或停电结束" in over


def test_what_is_taken_back_is_gone_and_another_town_is_nobodys_to_close(gateway: DeskGateway, visitor: Enter) -> None:
    lin = visitor("lin")
    window = ask(gateway, "", WISH).json()["window"]
    assert ask(gateway, "/end", {"window": window, "by": "song"}).status_code == httpx.codes.CONFLICT
    assert ask(gateway, "/end", {"window": window, "by": "lin"}).status_code == httpx.codes.OK
    assert ask(gateway, "/end", {"window": window, "by": "lin"}).status_code == httpx.codes.CONFLICT
    assert "<b>检修</b> 到" not in lin.see("/assets/meiling-plant").text
    ask(gateway, "", {**WISH, "subject": "meiling"})
    audit = lin.see("/audit").text
    assert "提前结束检修或停电" in audit
    assert "检修 梅岭村（08:00—10:00）" in audit


def test_a_start_finds_it_in_the_journal_and_shows_it_again(gateway: DeskGateway) -> None:
    ask(gateway, "", WISH)
    with closing(open_for_reading(gateway.journal)) as connection:
        restored = restore(connection, gateway.journal, 0)
        blob = restored.states["meiling-plant"].blob
    county = assemble(inventory(), shipped.policy_files())[0]
    state = unpack(county.plans["meiling-plant"], blob, dict.fromkeys(inventory().devices, 0))
    shown = Projection.of(inventory(), {"meiling-plant": state}, ()).assets["meiling-plant"]
    assert shown.run == "maintenance"
    assert [(work.work, work.until_ms, work.reason) for work in shown.works] == [("maintenance", at(24, 10), "换<b>泵")]
