"""A text's length is counted in one way: units, segments of 70, parts of 67, and no sign is torn apart (T8)."""

from hypothesis import given
from hypothesis import strategies as st

from telemetry.segments import PART, SEGMENT, clipped, fits, parts, units

TEXTS = st.text(alphabet="柳潭池3，。𬇕𠮷😀", max_size=300)


def test_seventy_signs_of_which_some_are_rare_are_two_segments() -> None:
    text = "𬇕" * 5 + "池" * 65
    assert (len(text), units(text)) == (70, 75)
    assert not fits(text)
    assert [units(part) for part in parts(text)] == [67, 8]
    assert fits(text, 2)


def test_a_rare_sign_at_the_edge_goes_whole_into_the_next_part() -> None:
    text = "池" * 66 + "𬇕" + "池" * 66
    assert units(text) == 2 * PART
    assert [units(part) for part in parts(text)] == [66, 67, 1]
    assert not fits(text, 2), "its units alone would say that it fits"


@given(TEXTS)
def test_parts_are_the_text_and_each_is_carried(text: str) -> None:
    found = parts(text)
    assert "".join(found) == text
    assert units(text) == len(text.encode("utf-16-be")) // 2
    assert all(units(part) <= (SEGMENT if len(found) == 1 else PART) for part in found)
    assert all(units(part) >= PART - 1 for part in found[:-1]), "no part is left half empty"
    assert [fits(text, segments) for segments in (len(found) - 1, len(found)) if segments] == [False, True][
        -min(len(found), 2) :
    ]


@given(TEXTS, st.integers(0, 80))
def test_what_is_clipped_fits_and_says_that_it_is(text: str, most: int) -> None:
    cut = clipped(text, most)
    assert units(cut) <= most
    assert cut == text or most == 0 or (cut.endswith("…") and text.startswith(cut[:-1]))
