"""The card to hand over: their own pools, what the digits mean, one page each, and nothing that a name could inject."""

from collections.abc import Callable
from dataclasses import replace

import httpx

from gateway.commands.welcome import Welcome, Welcomed
from gateway.desk.pages.card import MOST_NAMED, card, document
from gateway.inbox import Answer
from tests.desk_gateway import DeskGateway, inventory

Enter = Callable[..., httpx.Client]


def test_a_card_names_their_pools_by_landmark_and_the_digits() -> None:
    page = document(inventory(), ["mei"])
    for said in (
        "梅大姐",
        "13900001001",
        "梅岭1号池（祠堂对面）",
        "梅岭2号池（小卖部旁）",
        "去不了",
        "【禾湾环卫】",
        "119",
    ):
        assert said in page
    assert "竹园集市" not in page
    assert "<style>" in page, "it is opened from a folder: nothing else is beside it"
    assert "http" not in page.replace("http-equiv", "")


def test_who_is_reached_on_another_telephone_is_told_whose() -> None:
    county = inventory()
    people = dict(county.people) | {"mei": replace(county.people["mei"], relay="mei-head")}
    page = document(replace(county, people=people), ["mei"])
    assert "13900001006" in page
    assert "（梅书记的手机）" in page


def test_a_crew_reads_of_plants() -> None:
    page = document(inventory(), ["he"])
    assert "梅岭站" in page
    assert "您管的站" in page


def test_a_script_in_a_name_is_text() -> None:
    county = inventory()
    people = dict(county.people) | {"mei": replace(county.people["mei"], name="<script>alert(1)</script>")}
    page = document(replace(county, people=people), ["mei"])
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_many_places_are_counted_and_not_a_second_page() -> None:
    county = inventory()
    bin_ = county.assets["meiling-01"]
    many = {f"more-{n}": replace(bin_, id=f"more-{n}", short=f"多{n}号") for n in range(40)}
    made = card(county.people["mei"], replace(county, assets={**county.assets, **many}))
    assert (len(made.places), made.more) == (MOST_NAMED, 42 - MOST_NAMED)


def test_the_desk_shows_it_to_who_may_see_numbers(gateway: DeskGateway, visitor: Enter) -> None:
    assert gateway.url
    page = visitor("lin").get("/people/mei/card")
    assert (page.status_code, "梅大姐" in page.text) == (200, True)
    assert "style-src 'self'" in page.headers["content-security-policy"]
    assert "<style>" not in page.text
    assert visitor("lin").get("/static/card.css").status_code == 200
    assert visitor("guest").get("/people/mei/card").status_code == 403
    assert visitor("lin").get("/people/nobody/card").status_code == 404
    assert visitor("shi").get("/people/zhu/card").status_code == 404, "another town's people are not to be seen"
    assert 'href="/people/mei/card"' in visitor("lin").get("/duty").text


def test_the_roster_names_who_never_got_a_first_text(gateway: DeskGateway, visitor: Enter) -> None:
    def named(user: str) -> bool:
        return "还没发过首条短信" in visitor(user).get("/duty").text

    assert named("lin")
    assert not named("guest"), "it is nothing for who may only look"
    answer = gateway.desk.inbox.post(Welcome(("mei", "zhu")))
    assert isinstance(answer, Answer)
    assert isinstance(answer.wait(120), Welcomed)
    assert not named("lin")
