"""What is known of a device's counter and clock: as bytes, as a frame is told by it, and as stored readings give it."""

from collections.abc import Callable

import pytest

from gateway.tracks import SOON_MS, UNTRACKED, Counted, Track, counted, followed, pack_track, unpack_track
from telemetry import clock, sequence
from telemetry.reading import Millis, Reading, Sample, TimeSource, Values
from telemetry.sequence import (
    BOOTS_HELD,
    EPOCH,
    NONE_STORED,
    REMEMBERED_MS,
    SPAN,
    UNCOUNTED,
    UNHEARD,
    Mark,
    SeqWindows,
    fingerprint,
    mark,
)

NOW_MS: Millis = 1_795_390_200_000
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
INTERVAL = 20 * MINUTE
SESSION = 0x01A2B3C4
LEVEL = Values(distance_mm=800.0)


class Stored:
    """What a journal remembers of frames, and what it was asked."""

    def __init__(self, *marks: tuple[int, Mark], newest: int | None = None, highest: int = NONE_STORED) -> None:
        self._marks = marks
        self._newest = newest
        self._highest = highest
        self.readings: set[tuple[str, int, int]] = set()
        self.asked: list[str] = []

    def seen(self, device: str, boot: int, seq: int) -> bool:
        self.asked.append("seen")
        return (device, boot, seq) in self.readings

    def highest_seq(self, device: str, boot: int, through: int | None = None) -> int:
        self.asked.append(f"highest of {device} {boot // EPOCH} {through}")
        return self._highest

    def marks(self, device: str, session: int, seq: int, since_ms: Millis) -> list[Mark]:
        self.asked.append(f"marks of {device} since {NOW_MS - since_ms}")
        return [
            one
            for count, one in self._marks
            if (count, one.boot % EPOCH) == (seq, session) and one.received_ms >= since_ms
        ]

    def newest_epoch(self, device: str, session: int) -> int | None:
        self.asked.append(f"newest of {device} {session:08x}")
        return self._newest


def frame(seq: int, payload: bytes = b"new", time_ms: Millis | None = None) -> Sample:
    return Sample(SESSION, seq, LEVEL, time_ms, fingerprint=fingerprint("", payload))


def came(payload: bytes, ago_ms: Millis, boot: int = SESSION, time_ms: Millis | None = None) -> Mark:
    return Mark(boot, NOW_MS - ago_ms, time_ms, fingerprint("", payload))


def told(windows: SeqWindows, said: Sample, stored: Stored, *waiting: Mark) -> Counted | None:
    return counted(windows, "s-pool", said, NOW_MS, waiting, stored)


def marked(*counts: tuple[int, int]) -> SeqWindows:
    windows = UNHEARD
    for boot, seq in counts:
        windows = mark(windows, boot, seq)
    return windows


def dropped() -> SeqWindows:
    """Windows that hold none of the session's and have let a boot go."""
    return marked(*((boot, 1) for boot in range(10, 11 + BOOTS_HELD)))


# --- as bytes


def test_a_track_comes_back_from_its_bytes() -> None:
    many = marked((3, 5), (3, 70_000), (4, 1), (2**32 - 1, 2**32 - 1), (3 + 5 * EPOCH, 0))
    heard, state = Sample(3, 1, LEVEL, NOW_MS - 1), clock.UNHEARD
    for number in range(4):
        _, state = clock.judge(state, (heard,), (heard,), NOW_MS + number * INTERVAL, INTERVAL)
    for track in (UNTRACKED, Track(many), Track(dropped(), clock.stepped(state, HOUR))):
        assert unpack_track(pack_track(track)) == track


def test_a_window_full_of_marks_is_longer_than_any_number_of_the_encoding() -> None:
    full = marked(*((1, seq) for seq in range(2 * SPAN)))
    assert full.marks.bit_length() > 64
    assert unpack_track(pack_track(Track(full))).windows == full


# --- a frame of a counter that nobody reads twice


def test_the_next_frame_is_told_without_a_question() -> None:
    stored = Stored()
    windows = marked((SESSION, 1))
    assert told(windows, frame(2), stored) == Counted(SESSION, mark(windows, SESSION, 2))
    assert stored.asked == []


def test_a_frame_that_waits_for_the_commit_is_known_without_a_question() -> None:
    stored = Stored()
    assert told(marked((SESSION, 2)), frame(2), stored, came(b"new", MINUTE)) is None
    assert stored.asked == []


def test_a_frame_of_another_session_is_none_of_this_one() -> None:
    other = came(b"new", MINUTE, boot=SESSION + 1)
    found = told(marked((SESSION, 2)), frame(2), Stored(), other)
    assert found is not None
    assert found.restarted


@pytest.mark.parametrize(
    ("ago_ms", "time_ms", "asked"),
    [
        (MINUTE, None, [SOON_MS]),
        (SOON_MS, NOW_MS - DAY, [SOON_MS]),
        (SOON_MS + 1, NOW_MS - DAY, [SOON_MS, REMEMBERED_MS]),
        (REMEMBERED_MS, NOW_MS - DAY, [SOON_MS, REMEMBERED_MS]),
    ],
)
def test_a_repeat_is_looked_for_in_the_last_hour_first_and_in_a_week(
    ago_ms: Millis, time_ms: Millis | None, asked: list[Millis]
) -> None:
    stored = Stored((2, came(b"new", ago_ms, time_ms=time_ms)))
    assert told(marked((SESSION, 2)), frame(2, time_ms=time_ms), stored) is None
    assert stored.asked == [f"marks of s-pool since {since}" for since in asked]


def test_what_came_more_than_a_week_ago_is_another_frame() -> None:
    stored = Stored((2, came(b"new", REMEMBERED_MS + 1, time_ms=NOW_MS - DAY)))
    found = told(marked((SESSION, 2)), frame(2, time_ms=NOW_MS - DAY), stored)
    assert found is not None
    assert found.restarted


def test_a_count_that_was_taken_begins_the_next_epoch() -> None:
    windows = marked((SESSION, 2))
    found = told(windows, frame(2), Stored((2, came(b"old", HOUR))))
    assert found == Counted(SESSION + EPOCH, mark(windows, SESSION + EPOCH, 2), restarted=True)


def test_a_frame_between_two_of_the_newest_epoch_belongs_to_it() -> None:
    windows = marked((SESSION, 9), (SESSION + EPOCH, 1), (SESSION + EPOCH, 3))
    found = told(windows, frame(2), Stored())
    assert found == Counted(SESSION + EPOCH, mark(windows, SESSION + EPOCH, 2))


def test_a_frame_that_is_new_to_the_newest_epoch_but_was_in_an_earlier_one_goes_on() -> None:
    """The newest epoch has not come to this count yet, and the mark is one of the epoch before."""
    windows = marked((SESSION, 2), (SESSION + EPOCH, 1))
    stored = Stored((2, came(b"old", HOUR)))
    assert told(windows, frame(2), stored) == Counted(SESSION + EPOCH, mark(windows, SESSION + EPOCH, 2))
    assert "seen" not in stored.asked


def test_a_session_of_which_nothing_is_left_in_memory_goes_on_in_its_newest_stored_epoch() -> None:
    windows, newest = dropped(), SESSION + 3 * EPOCH
    stored = Stored(newest=newest, highest=40)
    assert told(windows, frame(2), stored) == Counted(newest, mark(windows, newest, 2, 40))
    assert stored.asked[2:] == [f"newest of s-pool {SESSION:08x}", "seen", "highest of s-pool 3 None"]


def test_a_session_that_nobody_has_heard_of_begins() -> None:
    windows = dropped()
    assert told(windows, frame(2), Stored()) == Counted(SESSION, mark(windows, SESSION, 2))


def test_below_the_window_a_mark_of_that_epoch_says_that_the_count_was_taken() -> None:
    windows, newest = dropped(), SESSION + 3 * EPOCH
    stored = Stored((2, came(b"old", 2 * DAY, boot=newest)), newest=newest)
    found = told(windows, frame(2), stored)
    assert found == Counted(newest + EPOCH, mark(windows, newest + EPOCH, 2), restarted=True)
    assert "seen" not in stored.asked


def test_below_the_window_a_mark_that_waits_says_so_too() -> None:
    windows, newest = dropped(), SESSION + 3 * EPOCH
    found = told(windows, frame(2), Stored(newest=newest), came(b"old", MINUTE, boot=newest))
    assert found is not None
    assert (found.boot, found.restarted) == (newest + EPOCH, True)


def test_below_the_window_a_mark_of_an_earlier_epoch_says_nothing() -> None:
    windows, newest = dropped(), SESSION + 3 * EPOCH
    found = told(windows, frame(2), Stored((2, came(b"old", 2 * DAY)), newest=newest, highest=40))
    assert found is not None
    assert (found.boot, found.restarted) == (newest, False)


def test_below_the_window_a_reading_of_that_count_says_that_it_was_taken() -> None:
    """Its mark is more than a week old, and its reading is kept."""
    windows, newest = dropped(), SESSION + 3 * EPOCH
    stored = Stored(newest=newest)
    stored.readings.add(("s-pool", newest, 2))
    found = told(windows, frame(2), stored)
    assert found is not None
    assert (found.boot, found.restarted) == (newest + EPOCH, True)


def test_a_join_has_no_count_and_changes_no_window() -> None:
    windows = marked((SESSION, 2))
    join = frame(UNCOUNTED)
    assert told(windows, join, Stored()) == Counted(SESSION, windows)
    assert told(windows, join, Stored((UNCOUNTED, came(b"new", MINUTE)))) is None
    assert told(windows, join, Stored((UNCOUNTED, came(b"old", MINUTE)))) == Counted(SESSION, windows)


# --- as it follows from stored readings


def reading(boot: int, seq: int, after_ms: Millis, device_ms: Millis | None = None) -> Reading:
    received_ms = NOW_MS + after_ms
    return Reading(
        "s-pool",
        "pool",
        boot,
        seq,
        received_ms,
        received_ms,
        TimeSource.OK,
        False,  # noqa: FBT003 -- on time
        LEVEL,
        device_ms,
        None,
        b"",
    )


def never_asked(device: str, boot: int) -> int:
    raise AssertionError((device, boot))


def follow(readings: list[Reading], highest_seq: Callable[[str, int], int] = never_asked) -> Track:
    track = UNTRACKED
    for each in readings:
        track = followed(track, each, INTERVAL, highest_seq)
    return track


def test_a_track_follows_from_its_readings() -> None:
    readings = [
        reading(1, seq, place * INTERVAL, NOW_MS + place * INTERVAL - seq) for place, seq in enumerate((1, 2, 4, 3))
    ]
    track = follow(readings)
    assert track.windows == marked((1, 1), (1, 2), (1, 4), (1, 3))
    assert track.clock == clock.restore(
        [clock.Stored(each.boot, each.received_ms, each.device_ms) for each in readings], INTERVAL
    )
    assert track.clock.lags_ms == (1, 2, 4, 3)


def test_a_reading_without_a_time_of_its_own_says_nothing_of_the_clock() -> None:
    assert follow([reading(1, 1, 0)]).clock == clock.UNHEARD


def test_a_boot_that_had_been_let_go_is_held_again_as_the_journal_stood_before_that_reading() -> None:
    asked: list[tuple[str, int]] = []

    def highest(device: str, boot: int) -> int:
        asked.append((device, boot))
        return 50

    boots = [reading(boot, 1, boot * MINUTE) for boot in range(1, 2 + BOOTS_HELD)]
    before = follow(boots)
    again = reading(1, 20, DAY)
    after = followed(before, again, INTERVAL, highest)
    assert asked == [("s-pool", 1)]
    assert after.windows == mark(before.windows, 1, 20, 50)
    assert sequence.judge(after.windows, 1, 30) is sequence.SeqVerdict.BELOW_WINDOW, "one up to fifty may be stored"
