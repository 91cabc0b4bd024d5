"""谁会收到: the sheet of a site says who would be told, when, and whether in time."""

import sqlite3
from collections.abc import Callable
from contextlib import closing

from tests.desk_gateway import DeskGateway
from tests.gateway.desk.conftest import Visitor


def test_a_dispatcher_sees_who_would_hear_of_it(gateway: DeskGateway, visitor: Callable[[str], Visitor]) -> None:
    page = visitor("lin").see("/assets/meiling-01/who?rule=overflow")
    assert page.status_code == 200
    assert "就有人收到" in page.text
    assert "短信 → " in page.text
    with closing(sqlite3.connect(gateway.journal)) as journal:
        assert journal.execute("SELECT count(*) FROM notification").fetchone() == (0,), "nothing is sent"


def test_a_viewer_is_not_told_and_an_unknown_site_is_not_there(visitor: Callable[[str], Visitor]) -> None:
    assert visitor("guest").see("/assets/meiling-01/who").status_code == 403
    assert visitor("lin").see("/assets/nowhere/who").status_code == 404
    assert visitor("shi").see("/assets/zhuyuan-01/who").status_code == 404, "it is another town's"
