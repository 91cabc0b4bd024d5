"""Whatever the inventory lets in, every text fits, and what the linter passes can always be sent (T8)."""

import re
from collections.abc import Mapping
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.channels.aliyun import Approved, faults, too_long
from alerts.notify import texts
from alerts.notify.texts import DOUBT, FACTS, SHORTENED
from telemetry.inventory.fields import LANDMARK_MOST, NAME_MOST, PERSON_MOST, SHORT_MOST
from telemetry.segments import fits, units
from tests.alerts.notify.test_texts import FOR_SEVERAL, LONGEST, NAMES, catalogue

SIGNS: Final = "柳潭小学门口北3号𬇕𠮷"
ROOM: Final = {1: 70, 2: 134}
"""Units in so many segments; here they are counted as the network does it, since what counts them may be wrong."""
_COUNTED: Final = re.compile(r"等([0-9]+)[处件项人]")


def name(most: int) -> st.SearchStrategy[str]:
    """A name that the inventory takes: so many units, often all of them, rare signs among them."""
    longest = st.sampled_from(["柳" * most, "𬇕" * (most // 2), f"{'池' * (most - 2)}𠮷"])
    return st.one_of(longest, st.text(SIGNS, min_size=1, max_size=most).map(lambda text: _cut(text, most)))


def is_carried(text: str, segments: int) -> bool:
    return fits(text, segments) and len(text.encode("utf-16-be")) // 2 <= ROOM[segments]


def _cut(text: str, most: int) -> str:
    while units(text) > most:
        text = text[:-1]
    return text or "柳"


def place() -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(name(SHORT_MOST), name(LANDMARK_MOST)).map(lambda two: f"{two[0]}池（{two[1]}）"), name(NAME_MOST)
    )


def lists(of: st.SearchStrategy[str], unit: str) -> st.SearchStrategy[str]:
    several = st.one_of(st.lists(of, min_size=1, max_size=3), st.lists(of, min_size=8, max_size=10))
    return several.map(lambda found: texts.listed(found, unit))


COUNTS: Final = st.integers(0, 99_999).map(str)
FACTS_OF_A_COUNTY: Final = st.fixed_dictionaries(
    {
        **{fact: st.just(longest) for fact, longest in LONGEST.items()},
        "place": place(),
        "short": st.one_of(name(SHORT_MOST), name(NAME_MOST)),
        "gateway": name(NAME_MOST),
        "area": st.one_of(name(NAME_MOST), lists(name(NAME_MOST), "处")),
        "feeder": name(NAME_MOST),
        "person": name(PERSON_MOST),
        "stand_in": name(PERSON_MOST),
        "owner": name(PERSON_MOST),
        "told": st.lists(name(PERSON_MOST), min_size=1, max_size=5).map("、".join),
        "names": lists(place(), "处"),
        "items": st.one_of(
            lists(st.tuples(name(SHORT_MOST), st.sampled_from(["满溢", "数据忽高忽低"])).map("".join), "件"),
            st.lists(st.sampled_from(["停机120", "手机收不到短信12", "过线99"]), min_size=1, max_size=12).map(
                "，".join
            ),
        ),
        **dict.fromkeys(("count", "over", "full", "stopped", "silent", "due", "done", "left"), COUNTS),
    }
)


@given(st.sampled_from(NAMES), FACTS_OF_A_COUNTY, st.sampled_from(["", "欧阳大姐", "𬇕大姐"]))
def test_every_text_fits_whatever_the_names_are(which: str, facts: Mapping[str, str], who: str) -> None:
    segments = 2 if which in FOR_SEVERAL else 1
    text = catalogue().compose(which, facts, who, segments=segments)
    assert is_carried(text, segments), text
    said = catalogue().word(which, facts, segments=segments)
    assert is_carried(said.text, segments), said.text
    for fact in ("level", "deadline", "deadline_time", "deadline_part", "day"):
        assert fact not in said.variables or said.variables[fact] == facts[fact]


@given(st.lists(name(SHORT_MOST), min_size=1, max_size=30), st.integers(12, 60))
def test_a_list_that_is_cut_says_how_many_there_are(names: list[str], most: int) -> None:
    cut = texts.shortened(texts.listed(names), most, "names")
    assert units(cut) <= most
    found = _COUNTED.search(cut)
    if found:
        assert int(found[1]) == len(names)
        shown = cut[: found.start()].split("、")
        assert shown[:-1] == names[: len(shown) - 1]
    else:
        assert cut == "、".join(names)


SPOKEN: Final = st.lists(
    st.one_of(
        st.sampled_from(["{names}", "{items}", "{area}", "{gateway}", "{place}", "{short}", "{told}"]),
        st.sampled_from([*(f"{{{fact}}}" for fact in sorted(FACTS)), "共", "处", "，已有", "𬇕"]),
    ),
    min_size=1,
    max_size=2,
)


@given(st.sampled_from(NAMES), FACTS_OF_A_COUNTY, SPOKEN, st.sampled_from([6, 12, 20, 35]))
def test_what_the_linter_passes_is_never_too_long_to_be_sent(
    which: str, facts: Mapping[str, str], spoken: list[str], most: int
) -> None:
    approved = Approved(code="SMS_1", text="一${a}二", variables={"a": "".join(spoken)})
    if list(faults("here", approved, most)):
        return
    said = catalogue().word(which, facts, segments=2 if which in FOR_SEVERAL else 1)
    assert too_long(approved.filled(said.variables, most), most) == ""


@pytest.mark.parametrize("fact", sorted(FACTS - SHORTENED.keys()))
def test_the_linter_knows_how_long_a_fact_that_is_not_cut_can_get(fact: str) -> None:
    """Each one alone: which of them chance puts into a template is luck."""
    longest = units({**LONGEST, DOUBT: "诸葛师傅说没这回事"}.get(fact, ""))
    approved = Approved(code="SMS_1", text="一${a}二", variables={"a": f"{{{fact}}}"})
    assert list(faults("here", approved, longest - 1)) != []
