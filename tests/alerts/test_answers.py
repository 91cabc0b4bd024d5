"""One grammar for everybody: what a digit means, and which text it answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.answers import LONGEST, UNCLEAR, WITHIN_MS, Asked, Meaning, Understood, find_asked, reply, understand

NOW_MS = 1_795_334_400_000


def asked(episode: str, ago_ms: int = 0, kind: str = "first", template: str = "overflow", code: str = "") -> Asked:
    return Asked(episode, "cleaner-li", template, kind, NOW_MS - ago_ms, code)


@pytest.mark.parametrize(
    ("text", "meaning", "code"),
    [
        ("1", Meaning.DONE, ""),
        (" 2 ", Meaning.DECLINED, ""),
        ("３。", Meaning.DOUBTED, ""),
        ("0\r\n", Meaning.CALLBACK, ""),
        ("清了", Meaning.DONE, ""),
        ("已清了！", Meaning.DONE, ""),
        ("107", Meaning.DONE, "07"),
        ("1 07", Meaning.DONE, "07"),
        ("２　１２", Meaning.DECLINED, "12"),
    ],
)
def test_digits_blanks_and_two_words_are_understood(text: str, meaning: Meaning, code: str) -> None:
    assert understand(text) == Understood(meaning, code)


@pytest.mark.parametrize("text", ["", "4", "10", "1071", "11 月", "没清了", "去了没有", "😀", "1 2 3 4", "一", "²"])
def test_what_is_not_certain_is_not_understood(text: str) -> None:
    assert understand(text) in (UNCLEAR, Understood(Meaning.DECLINED)) if text == "²" else understand(text) == UNCLEAR


@given(st.text(max_size=2_000))
def test_no_text_raises_and_what_is_kept_is_bounded_and_printable(text: str) -> None:
    understand(text)
    kept = reply("gammu", "1", text, text, NOW_MS)
    assert len(kept.text) <= LONGEST
    assert kept.text.isprintable()
    assert kept.phone.isdigit() or not kept.phone
    assert understand(kept.text) == understand(text) or len(text) > LONGEST or not text.isprintable()


@given(st.binary(max_size=200))
def test_halves_of_characters_are_dropped(raw: bytes) -> None:
    reply(
        "gammu", "1", "1", raw.decode("utf-16-be", "surrogatepass") if len(raw) % 2 == 0 else "", NOW_MS
    ).text.encode()


@pytest.mark.parametrize("phone", ["13900000001", "+86 139 0000 0001", "8613900000001", "0086-13900000001"])
def test_a_number_is_the_inventorys_however_it_is_written(phone: str) -> None:
    assert reply("gammu", "1", phone, "1", NOW_MS).phone == "13900000001"


def test_a_bare_digit_means_the_last_text_that_asked_something_within_a_day() -> None:
    texts = [
        asked("", 1, "notice", "not_understood"),
        asked("a", 2, "notice", "declined_thanks"),
        asked("b", 3, "cleared"),
        asked("c", 4),
        asked("d", 5),
    ]
    found = find_asked(Understood(Meaning.DONE), texts, NOW_MS)
    assert found is not None
    assert found.episode == "c"
    assert find_asked(Understood(Meaning.DONE), [asked("old", WITHIN_MS)], NOW_MS) is None


def test_a_code_means_the_text_that_carried_it_and_nothing_else() -> None:
    texts = [asked("a", 1, code="07"), asked("b", 2, code="08")]
    found = find_asked(Understood(Meaning.DONE, "08"), texts, NOW_MS)
    assert found is not None
    assert found.episode == "b"
    assert find_asked(Understood(Meaning.DONE, "09"), texts, NOW_MS) is None
