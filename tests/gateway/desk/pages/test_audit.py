"""审计: what was asked at the desk reads as a sentence of words, whatever the command, and names what it is about."""

from collections.abc import Callable

import pytest

from gateway.desk.users import AuditRecord
from tests.desk_gateway import DeskGateway
from tests.gateway.desk.conftest import MORNING, Visitor

Enter = Callable[[str], Visitor]


@pytest.mark.parametrize(
    ("what", "detail", "line"),
    [
        ("away", "absence_added mei absence_added", "请假 梅大姐：已记下请假"),
        ("extra", "extra_ordered bin-0101 extra_ordered", "加收 梅岭1号：已加收"),
        ("any_other", "shelved bin-0101 shelved", "搁置 梅岭1号：已搁置"),
        ("any_other", "never_heard bin-0101 shelved", "never_heard bin-0101 shelved"),
        ("user_kept", "dispatcher", "dispatcher"),
    ],
)
def test_a_line_of_the_door_is_made_of_words(
    gateway: DeskGateway, visitor: Enter, what: str, detail: str, line: str
) -> None:
    gateway.desk.users.note(AuditRecord(MORNING, "lin", "127.0.0.1", what, detail))
    assert f"<small>{line}" in visitor("lin").see("/audit").text
