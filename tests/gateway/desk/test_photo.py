"""What counts as a photograph: whole ones of three kinds, and nothing else, whatever the bytes are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.desk.photos import LONGEST_SIDE, MOST_PARTS, MOST_PIXELS, PhotoFormat, kind_of
from tests.photographs import JPEG, PNG, WEBP, claiming, of_segments, png

WHOLE = {PhotoFormat.JPEG: JPEG, PhotoFormat.PNG: PNG, PhotoFormat.WEBP: WEBP}


@pytest.mark.parametrize("kind", WHOLE)
def test_a_whole_one_is_known_for_what_it_is(kind: PhotoFormat) -> None:
    assert kind_of(WHOLE[kind]) is kind


@pytest.mark.parametrize("kind", WHOLE)
def test_the_beginning_of_one_is_none(kind: PhotoFormat) -> None:
    """A broken upload is told at once, and not when somebody looks at the case."""
    assert [cut for cut in range(len(WHOLE[kind])) if kind_of(WHOLE[kind][:cut]) is not None] == []


def test_one_that_no_browser_can_show_is_none() -> None:
    assert kind_of(png(LONGEST_SIDE + 1, 1)) is None
    assert kind_of(png(1, 0)) is None


def test_one_that_would_fill_the_memory_of_who_looks_is_none() -> None:
    assert kind_of(claiming(20_000, 20_000)) is None
    assert kind_of(claiming(LONGEST_SIDE, MOST_PIXELS // LONGEST_SIDE + 1)) is None
    assert kind_of(claiming(9_248, 6_944)) is PhotoFormat.PNG, "as many as telephones have"


def test_parts_that_say_nothing_are_gone_through_no_further_than_the_bound() -> None:
    """A file of six megabytes of them is refused after as many as any telephone's."""
    assert kind_of(claiming(48, 32, MOST_PARTS - 3)) is PhotoFormat.PNG
    assert kind_of(claiming(48, 32, MOST_PARTS - 2)) is None
    assert kind_of(claiming(48, 32, 500_000)) is None
    assert kind_of(of_segments(MOST_PARTS - 3)) is PhotoFormat.JPEG
    assert kind_of(of_segments(MOST_PARTS)) is None
    assert kind_of(JPEG[:2] + b"\xff" * 8_000_000) is None


@given(st.binary(max_size=200), st.sampled_from([b"", *(whole[:12] for whole in WHOLE.values())]))
def test_any_bytes_are_answered_and_none_of_them_is_taken_for_one(bytes_: bytes, head: bytes) -> None:
    """Whatever follows a right beginning: it never raises, and what it takes has a size and an end."""
    kind = kind_of(head + bytes_)
    assert (
        kind is None
        or (kind is PhotoFormat.JPEG and b"\xff\xd9" in bytes_)
        or (kind is PhotoFormat.WEBP and len(bytes_) >= 18)
    )
