"""No full number of a telephone leaves for whoever may only look: every page, every part of one, every file is read."""

import re
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

import pytest
from fastapi.routing import APIRoute
from hypothesis import given
from hypothesis import strategies as st

from gateway.desk import login_page
from gateway.desk.auth import Gate
from gateway.desk.masking import digits_of, without_numbers
from gateway.desk.pages import pages
from gateway.desk.users import UserRole
from tests.desk_gateway import DeskGateway, at
from tests.gateway.desk.conftest import Visitor
from tests.gateway.desk.pages.test_cases import CASE, register, send, step
from tests.photographs import JPEG

Enter = Callable[[str], Visitor]
CALLER: Final = "139 0000 7777"
WRITTEN: Final = {
    "spaced": "138-1234-5678",
    "abroad": "+86 137 1234 5678",
    "landline": "0732-85551234",
    "short": "85551234",
}
NOTE: Final = f"打了{WRITTEN['spaced']}、{WRITTEN['abroad']}，办公室（0732）85551234，{WRITTEN['landline']}。"
QUERIES: Final = (
    "",
    "?show=all",
    "?days=1",
    "?q=7777&show=all",
    "?to=mei",
    "?verb=ack&episode=x",
    "?of=mei",
    "?where=梅",
)
NEVER_ENDING: Final = {"/live"}


def addresses(gateway: DeskGateway) -> Iterator[str]:
    """Everything that a browser can be shown, of a bin, a plant, a person and a case, asked for in every way."""
    ids = ["meiling-01", "meiling-plant", "mei", CASE]
    doors = login_page.routes(gateway.desk, Gate(gateway.desk, UserRole.VIEWER, whole=False))
    for router in (doors, *(page.router(gateway.desk) for page in pages())):
        for route in router.routes:
            if not isinstance(route, APIRoute) or "GET" not in (route.methods or ()) or route.path in NEVER_ENDING:
                continue
            first, second = [*re.findall(r"{[^}]+}", route.path), "", ""][:2]
            if not first:
                yield from (route.path + query for query in QUERIES)
            else:
                yield from (route.path.replace(first, each).replace(second or "#", "note") for each in ids)
    yield from ("/readyz", "/metrics", "/healthz", "/nowhere/13900001001")


def bare(text: str) -> str:
    """As somebody reads it who looks for digits in a row."""
    return re.sub(r"[ \-()（）]|%20", "", text)


def test_whoever_may_only_look_reads_no_number_whole_anywhere(gateway: DeskGateway, visitor: Enter) -> None:
    lin, guest = visitor("lin"), visitor("guest")
    photo = re.search(r'name="photo" value="([^"]+)"', send(lin, JPEG).text)
    assert photo
    register(lin, caller_name="王大爷", caller_phone=CALLER, what=f"路边倒了垃圾，{NOTE}", photo=photo[1])
    step(lin, "assign", to="mei")
    step(lin, "note", reason=NOTE)
    gateway.filled("bin-0101", 72)
    gateway.at(at(24, 11, 31))
    (episode,) = gateway.open_rules()
    lin.act(verb="note", episode=episode, reason=NOTE)
    gateway.answered("mei", "我的新号是13812345678")
    inventory = gateway.desk.present.inventory
    numbers = {bare(person.phone) for person in inventory.people.values()} | {bare(CALLER)}
    numbers |= {"13812345678", "13712345678", "073285551234"}
    shown: dict[str, set[str]] = {"lin": set(), "guest": set()}
    looked = 0
    some = ("/duty", "/texts", "/assets/meiling-01", f"/cases/{CASE}", "/cases.xlsx", "/assets/meiling-plant")
    asked = [("guest", guest, path) for path in addresses(gateway)] + [("lin", lin, path) for path in some]
    for name, who, path in asked:
        page = who.get(path, headers={"accept": "text/html"})
        looked += page.status_code == HTTPStatus.OK
        if "image/" not in page.headers["content-type"]:
            said = bare(page.text + repr(page.headers))
            shown[name] |= {f"{number} {path}" for number in numbers if number in said}
    assert looked > 60, "or the walk has lost its way"
    assert len({each.partition(" ")[0] for each in shown["lin"]}) > 5, "else nothing was there to be masked"
    assert shown["guest"] == set()
    assert "139****1001" in guest.see("/assets/meiling-01").text


@pytest.mark.parametrize("number", [CALLER, "0000 7777", "13900007777", "+8613900007777"])
def test_a_number_cannot_be_found_out_by_looking_for_it(number: str, gateway: DeskGateway, visitor: Enter) -> None:
    lin, guest = visitor("lin"), visitor("guest")
    register(lin, caller_name="王大爷", caller_phone=CALLER, what="路边倒了垃圾")
    gateway.settle()
    assert f'href="/cases/{CASE}"' in lin.see(f"/cases?show=all&q={quote(number)}").text
    assert f'href="/cases/{CASE}"' not in guest.see(f"/cases?show=all&q={quote(number)}").text
    assert f'href="/cases/{CASE}"' in guest.see("/cases?show=all&q=路边").text


@pytest.mark.parametrize(
    "number", ["13900001001", "139 0000 1001", "139-0000-1001", "+8613900001001", "86 13900001001"]
)
@pytest.mark.parametrize(
    "around", ["{}", "电话{}。", 'href="tel:{}"', "call.{}", "({}),", '"{}"', "a{}b", "{}.5", "5 {} 6"]
)
def test_a_number_is_masked_wherever_it_stands(number: str, around: str) -> None:
    said = without_numbers(around.format(number))
    assert "00001001" not in bare(said)
    assert "****1001" in said


@pytest.mark.parametrize(
    "text",
    [
        "1795334400123",
        "2026-11-24 08:00:12",
        "20261124-shiqiao-001",
        "30.13900001001",
        "over/bin-1/1795334400123",
        "0.0712345678",
    ],
)
def test_what_is_no_number_stays_as_it_is(text: str) -> None:
    assert without_numbers(text, digits_of(["13900001001"])) == text


def test_a_number_of_the_county_is_known_however_short_it_is() -> None:
    known = digits_of(["8555 1234", "+861064001"])
    assert without_numbers("打85551234，或 1064001。", known) == "打855****1234，或 ****。"
    assert without_numbers("第85551235号", known) == "第85551235号"


@given(st.text(max_size=40), st.text(max_size=40), st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True))
def test_no_text_around_a_number_lets_it_through(before: str, after: str, number: str) -> None:
    """Unless digits follow or precede it, and it is another number."""
    if re.search(r"\d\.?$", before) or re.match(r"\d", after):
        return
    assert number not in without_numbers(before + number + after)
