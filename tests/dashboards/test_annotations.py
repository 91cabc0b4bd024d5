"""What Grafana is owed of the episodes: every one once, its end when it has one, and nothing of anybody else's."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dashboards.annotations import TAG, Closed, Episode, Opened, oldest_ms, owed

NOW_MS = 1_795_334_400_000
EPISODES = st.lists(
    st.builds(
        Episode,
        episode=st.integers(0, 30).map(lambda number: f"fire/bin-{number}/1"),
        severity=st.sampled_from(("P1", "P2")),
        raised_ms=st.integers(NOW_MS - 10**9, NOW_MS),
        cleared_ms=st.none(),
        text=st.just("火警"),
    ),
    max_size=20,
    unique_by=lambda each: each.episode,
)


def carried_out(deeds: list[Opened | Closed], there: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What Grafana has afterwards."""
    notes = [dict(note) for note in there]
    for deed in deeds:
        match deed:
            case Opened(body):
                notes.append({"timeEnd": body["time"], **body, "id": len(notes) + 1})
            case Closed(number, body):
                notes[number - 1] |= body
    return notes


@given(EPISODES)
def test_after_it_is_carried_out_nothing_is_owed(episodes: list[Episode]) -> None:
    there = carried_out(list(owed(episodes, [])), [])
    assert len(there) == len(episodes)
    assert list(owed(episodes, there)) == []


@given(EPISODES, st.integers(1, 10**8))
def test_an_end_is_owed_once(episodes: list[Episode], after_ms: int) -> None:
    there = carried_out(list(owed(episodes, [])), [])
    over = [each._replace(cleared_ms=each.raised_ms + after_ms) for each in episodes]
    deeds = list(owed(over, there))
    assert all(isinstance(deed, Closed) for deed in deeds)
    assert len(deeds) == len(episodes)
    there = carried_out(deeds, there)
    assert list(owed(over, there)) == []
    assert {note["timeEnd"] for note in there} == {each.cleared_ms for each in over}


@given(EPISODES, EPISODES)
def test_what_others_noted_is_not_ours(episodes: list[Episode], other: list[Episode]) -> None:
    theirs = [
        {"id": number, "time": each.raised_ms, "timeEnd": each.raised_ms, "tags": [each.episode], "text": "手写"}
        for number, each in enumerate(other, start=1)
    ]
    assert all(isinstance(deed, Opened) for deed in owed(episodes, theirs))


def test_an_episode_of_no_length_needs_no_end() -> None:
    short = Episode("fire/a/1", "P1", NOW_MS, NOW_MS, "火警")
    (opened,) = owed([short], [])
    assert isinstance(opened, Opened)
    assert list(owed([short], carried_out([opened], []))) == []


def test_an_annotation_says_what_and_is_found_by_its_tags() -> None:
    (opened,) = owed([Episode("fire/a/1", "P1", NOW_MS, None, "火警：柳潭3号池（村部东侧）")], [])
    assert opened == Opened({"time": NOW_MS, "tags": [TAG, "P1", "fire/a/1"], "text": "火警：柳潭3号池（村部东侧）"})


def test_grafana_is_asked_from_the_oldest_on() -> None:
    assert oldest_ms([], NOW_MS) == NOW_MS
    assert oldest_ms([Episode("a/b/1", "P1", 5, None, ""), Episode("a/b/2", "P1", 3, None, "")], NOW_MS) == 3
