"""What a page says of itself is what happens: the menu has it for whom it is, and its gate lets nobody else in."""

import re
from collections.abc import Callable, Iterator

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from gateway.desk.auth import Gate
from gateway.desk.pages import Page, pages
from gateway.desk.users import UserRole
from tests.desk_gateway import DeskGateway
from tests.gateway.desk.conftest import Visitor

Enter = Callable[[str], Visitor]
SEEN_BY_ALL = ["今天", "地图", "台账", "资产", "短信", "值班", "试运行"]
TO_ANYBODY = {"/register/places"}
"""What is offered while one types: no more than a viewer may look up."""


def routes_of(page: Page, gateway: DeskGateway) -> Iterator[APIRoute]:
    for route in page.router(gateway.desk).routes:
        assert isinstance(route, APIRoute)
        yield route


def passes_a_gate(dependant: Dependant) -> bool:
    """Whether it depends on who stands before it, itself or through what it depends on."""
    return isinstance(getattr(dependant.call, "__self__", None), Gate) or any(
        passes_a_gate(each) for each in dependant.dependencies
    )


@pytest.mark.parametrize(
    ("name", "menu"),
    [
        ("guest", SEEN_BY_ALL),
        ("gang", ["今天", "地图", "登记", "台账", "资产", "短信", "值班", "试运行"]),
        ("lin", ["今天", "地图", "登记", "台账", "资产", "短信", "值班", "试运行", "隔离", "审计"]),
        ("shi", ["今天", "地图", "登记", "台账", "资产", "短信", "值班", "试运行"]),
    ],
)
def test_the_menu_has_what_is_for_somebody_in_its_order(visitor: Enter, name: str, menu: list[str]) -> None:
    found = re.search(r'<nav class="menu".*?</nav>', visitor(name).see("/").text, re.DOTALL)
    assert found
    assert re.findall(r">([^<>\s]+)</a>", found[0]) == menu
    assert found[0].count('aria-current="page"') == 1


def test_a_page_that_forgets_its_role_is_none() -> None:
    with pytest.raises(TypeError, match="role"):
        Page(path="/new", routes=pages()[0].routes)  # type: ignore[call-arg] # that is what is forgotten


def test_no_two_pages_have_the_same_path_or_the_same_place_in_the_menu() -> None:
    assert len({page.path for page in pages()}) == len(pages())
    entries = [page.menu for page in pages() if page.menu is not None]
    assert len({entry.place for entry in entries}) == len(entries)


def test_every_page_is_where_it_says_and_every_route_of_it_stands_behind_a_gate(gateway: DeskGateway) -> None:
    for page in pages():
        routes = list(routes_of(page, gateway))
        assert page.path in {route.path for route in routes}
        assert [route.path for route in routes if not passes_a_gate(route.dependant)] == []


@pytest.mark.parametrize("role", [UserRole.VIEWER, UserRole.CREW])
def test_nobody_below_its_role_comes_in(gateway: DeskGateway, visitor: Enter, role: UserRole) -> None:
    below = visitor("guest" if role is UserRole.VIEWER else "gang")
    closed = [page for page in pages() if not role.reaches(page.role)]
    assert len(closed) > 5, "else nothing is asked"
    for route in (route for page in closed for route in routes_of(page, gateway)):
        path = re.sub(r"{[^}]+}", "meiling-01", route.path)
        for method in (route.methods or set()) - ({"GET"} if path in TO_ANYBODY else set()):
            answer = below.request(method, path, data={"csrf": below.csrf} if method == "POST" else None)
            assert answer.status_code == 403, f"{method} {path}"
