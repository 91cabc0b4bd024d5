"""A dead number on the page of today: whose it is, among what needs a decision."""

from collections.abc import Callable
from pathlib import Path

from alerts.channels import SendRefused
from tests.desk_gateway import DeskGateway, desk_gateway, on_demand
from tests.gateway.desk.conftest import MORNING, Visitor


def test_whose_number_is_dead_stands_among_what_needs_a_decision(
    tmp_path: Path, visitor_at: Callable[[DeskGateway, str], Visitor]
) -> None:
    with desk_gateway(tmp_path, MORNING, county=on_demand()) as gateway:
        gateway.channel.answer = lambda _message: SendRefused("no_such_number", dead_number=True)
        gateway.filled("bin-0101", 97)
        page = visitor_at(gateway, "lin").see("/").text
    assert "号码要核对" in page
    assert "<h3>梅大姐</h3>" in page
    assert "手机收不到短信" in page
