"""Every spelling of a number has one key and one way to dial it; whatever is written, both are of a fixed form."""

from itertools import combinations
from pathlib import Path
from typing import Final

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from telemetry.phone import dialled, is_mobile, is_same, number_key

GOLDEN: Final[list[dict[str, str]]] = yaml.safe_load(
    (Path(__file__).parents[1] / "golden" / "phones.yaml").read_text("utf-8")
)
SPELLINGS = st.one_of(
    st.text(max_size=80),
    st.text(alphabet="0123456789+ -86()（）１3９转;", max_size=40),
    st.sampled_from([row["written"] for row in GOLDEN]),
)


@pytest.mark.parametrize("row", GOLDEN, ids=lambda row: row["written"])
def test_a_spelling_has_its_key_and_is_dialled_so(row: dict[str, str]) -> None:
    assert (number_key(row["written"]), dialled(row["written"])) == (row["key"], row["dialled"])


def test_two_spellings_are_one_number_exactly_where_their_keys_are_one() -> None:
    for one, other in combinations(GOLDEN, 2):
        same = bool(one["key"]) and one["key"] == other["key"]
        assert is_same(one["written"], other["written"]) is same


def test_what_is_no_number_is_nobodys() -> None:
    assert not is_same("", "")
    assert not is_same("中国移动", "中国电信")


@given(SPELLINGS)
def test_a_key_is_its_own_key_and_what_is_dialled_leads_back_to_it(written: str) -> None:
    key, digits = number_key(written), dialled(written)
    assert number_key(key) == key
    assert number_key(digits) == key
    assert dialled(digits) == digits
    assert digits.isdigit() or not digits
    assert digits.isascii()
    assert len(digits) <= 20


@given(
    st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True),
    st.sampled_from(["", "+86", "86", "0086", "+86 ", "tel:+86-", "0", "17951"]),
    st.sampled_from(["", " ", "-", "\u00a0", "\u2011", "　"]),
)
def test_a_mobile_is_the_same_in_every_dress(mobile: str, before: str, between: str) -> None:
    written = f"{before}{mobile[:3]}{between}{mobile[3:7]}{between}{mobile[7:]}"
    wide = "".join(chr(ord(sign) + 0xFEE0) if sign.isdigit() else sign for sign in written)
    assert {number_key(written), number_key(wide)} == {f"+86{mobile}"}
    assert dialled(wide) == mobile
    assert is_mobile(wide)
