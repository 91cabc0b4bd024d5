"""Two-digit codes: one a question, its own while a digit may answer it, printed only where there is more than one."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from alerts.answers import WITHIN_MS, Asked, find_asked, understand
from alerts.model import MessageKind, Owed
from alerts.notify import texts
from alerts.notify.mailbox import Question, coded
from telemetry.segments import SEGMENT, units

CATALOGUE = texts.load((Path(__file__).parents[3] / "config" / "texts.zh-CN.yaml").read_text("utf-8"), "t", "湘阳环卫")
NOON = 1_795_320_000_000
HOUR = 3_600_000
FACTS = {"day": "22日", "since_day": "22日", "short": "禾田站", "deadline_time": "16:20", "time": "12:00"}


def text(episode: str, name: str = "level_high", at_ms: int = NOON) -> Owed:
    said = CATALOGUE.word(name, FACTS)
    return Owed(
        at_ms=at_ms,
        rule=name,
        asset=episode,
        episode=episode,
        severity="P2",
        kind=MessageKind.FIRST,
        step=0,
        repeat=0,
        to="crew-chen",
        phone="13900000003",
        channel="sms",
        text=said.text,
        template=said.template,
        variables=said.variables,
    )


@given(st.lists(st.tuples(st.integers(0, 120), st.integers(0, 3 * HOUR)), max_size=150))
def test_no_two_questions_that_a_digit_may_answer_share_a_code_and_each_keeps_its_own(
    asks: list[tuple[int, int]],
) -> None:
    questions: tuple[Question, ...] = ()
    at_ms, codes = NOON, dict[tuple[str, ...], int]()
    for number, later in asks:
        at_ms += later
        before = {each.episodes: each.code for each in questions if each.at_ms > at_ms - WITHIN_MS}
        (sent,), questions = coded([text(f"e{number}", at_ms=at_ms)], questions, lambda _: True, CATALOGUE, at_ms)
        codes = {each.episodes: each.code for each in questions}
        assert len(set(codes.values())) == len(codes) <= 99
        assert all(1 <= code <= 99 for code in codes.values())
        assert codes[f"e{number}",] == before.get((f"e{number}",), codes[f"e{number}",])
        assert ("code" in sent.variables) == (len(codes) > 1)
        assert units(sent.text) <= SEGMENT


def test_a_code_names_the_question_and_a_bare_digit_the_last() -> None:
    (first, second), _ = coded([text("a"), text("b")], (), lambda _: True, CATALOGUE, NOON)
    assert first.text.endswith("去回101，去不了回201。")
    got = [
        Asked(each.episode, each.to, each.template, each.kind, NOON, each.variables["code"]) for each in (second, first)
    ]
    meant = {said: find_asked(understand(said), got, NOON + 1) for said in ("101", "1 01", "２ ０１", "102", "1")}
    assert {said: asked and asked.episode for said, asked in meant.items()} == {
        "101": "a",
        "1 01": "a",
        "２ ０１": "a",
        "102": "b",
        "1": "b",
    }


def test_what_is_over_or_asks_nothing_makes_no_code() -> None:
    _, asked = coded([text("a")], (), lambda _: True, CATALOGUE, NOON)
    (over,), _ = coded([text("b")], asked, lambda episode: episode == "b", CATALOGUE, NOON)
    assert over.text == text("b").text
    (told,), after = coded([text("c", "power_back")], asked, lambda _: True, CATALOGUE, NOON)
    assert (told, after) == (text("c", "power_back"), asked)
