"""The tool that puts small faults into a file: its ids are stable, and the page that it makes says what is kept."""

from collections import Counter

from tests.mirror import ROOT
from tests.mutation.mutants import ids, make
from tests.mutation.page import NONE_LEFT, PAGE, equal, page, results

SHORTEST_REASON = 20
TEXT = """
TABLE = {"a": 1, "b": 2}

def least(one: int, other: int) -> int:
    \"\"\"A sentence.\"\"\"
    if one < other and one:
        one += 1
        return one
    return min(one, other)
"""
LATER = "# a comment\n\nX = 0\n" + TEXT


def becomes(text: str) -> dict[str, str]:
    return {each.id: each.becomes for each in make("f.py", text)}


def test_each_operator_makes_its_mutants_with_an_id_of_their_own() -> None:
    found = becomes(TEXT)
    assert found["f.py:-:swap:1"] == "{'a': 2, 'b': 1}"
    assert [found[f"f.py:least:compare:{number}"] for number in (1, 2)] == ["one <= other", "one >= other"]
    assert found["f.py:least:boolean:1"] == "one < other or one"
    assert found["f.py:least:arithmetic:1"] == "one -= 1"
    assert found["f.py:least:call:1"] == "max(one, other)"
    kinds = Counter(each.split(":")[2] for each in found)
    assert kinds == {
        "swap": 1,
        "number": 6,
        "compare": 2,
        "boolean": 1,
        "condition": 2,
        "drop": 1,
        "arithmetic": 1,
        "none": 2,
        "call": 1,
    }


def test_an_edit_elsewhere_changes_no_id() -> None:
    own = {name: other for name, other in becomes(LATER).items() if ":least:" in name}
    assert own == {name: other for name, other in becomes(TEXT).items() if ":least:" in name}


def test_every_mutant_is_a_file_that_differs_and_can_be_read() -> None:
    made = list(make("f.py", TEXT))
    sources = [each.source for each in made]
    assert len(set(sources)) == len(sources)
    assert [each.id for each in made] == list(ids("f.py", TEXT))
    for source in sources:
        compile(source, "f.py", "exec")
    last = made[-1]
    assert list(make("f.py", TEXT, {last.id})) == [last]


def test_every_mutant_that_is_known_to_be_equal_is_one_and_says_why() -> None:
    made = {each for file in results() for each in ids(file, (ROOT / file).read_text("utf-8"))}
    assert [each for each in equal() if each not in made] == []
    assert [each for each, why in equal().items() if len(why) < SHORTEST_REASON] == []


def test_the_page_says_what_the_last_runs_came_to() -> None:
    assert PAGE.read_text("utf-8") == page()
    assert [file for file in NONE_LEFT if set(results()[file].survivors) - equal().keys()] == []
