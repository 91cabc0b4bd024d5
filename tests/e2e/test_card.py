"""The card on paper: a real browser prints it, one A4 page a person however many pools they have."""

import re
from dataclasses import replace

import pytest
from playwright.sync_api import Browser

from gateway.desk.pages.card import document
from telemetry.inventory import Inventory
from tests.desk_gateway import inventory

pytestmark = [pytest.mark.e2e, pytest.mark.browser]


def county(pools: int) -> Inventory:
    """One whose cleaner has so many pools more, all with the longest names that there may be."""
    found = inventory()
    pool = found.assets["meiling-01"]
    more = {
        f"more-{n}": replace(pool, id=f"more-{n}", short="梅岭小学北池", landmark="村部东侧路口") for n in range(pools)
    }
    office = replace(found.county, office_phone="073155661234")
    return replace(found, assets={**found.assets, **more}, county=office)


@pytest.mark.parametrize("pools", [0, 2, 6, 60])
def test_it_is_one_page_a_person(browser: Browser, pools: int) -> None:
    page = browser.new_page()
    page.set_content(document(county(pools), ["mei", "zhu", "he"]))
    printed = page.pdf(prefer_css_page_size=True)
    page.close()
    assert len(re.findall(rb"/Type /Page\b", printed)) == 3
