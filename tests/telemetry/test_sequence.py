from telemetry.sequence import BOOTS_HELD, SPAN, UNHEARD, SeqVerdict, SeqWindows, judge, mark, restore


def marked(*samples: tuple[int, int]) -> SeqWindows:
    windows = UNHEARD
    for boot, seq in samples:
        windows = mark(windows, boot, seq)
    return windows


def test_everything_is_new_from_a_device_that_was_never_heard() -> None:
    assert judge(UNHEARD, 0, 0) == SeqVerdict.NEW
    assert judge(UNHEARD, 2**32 - 1, 2**32 - 1) == SeqVerdict.NEW


def test_the_same_sample_again_is_a_duplicate() -> None:
    assert judge(marked((17, 5)), 17, 5) == SeqVerdict.DUPLICATE


def test_backfill_below_the_highest_seq_is_new_until_it_is_marked() -> None:
    windows = marked((1, 10), (1, 30))
    assert judge(windows, 1, 20) == SeqVerdict.NEW
    assert judge(mark(windows, 1, 20), 1, 20) == SeqVerdict.DUPLICATE
    assert judge(mark(windows, 1, 20), 1, 10) == SeqVerdict.DUPLICATE


def test_the_window_reaches_1024_below_the_highest_seq_and_no_further() -> None:
    windows = marked((1, 976), (1, 975), (1, 2_000))
    assert judge(windows, 1, 2_000 - SPAN) == SeqVerdict.DUPLICATE
    assert judge(windows, 1, 2_000 - SPAN + 1) == SeqVerdict.NEW
    assert judge(windows, 1, 2_000 - SPAN - 1) == SeqVerdict.BELOW_WINDOW


def test_too_old_is_never_called_a_duplicate_and_marking_it_changes_nothing() -> None:
    windows = marked((1, 5_000))
    assert judge(windows, 1, 3) == SeqVerdict.BELOW_WINDOW
    assert mark(windows, 1, 3) == windows


def test_a_jump_of_two_to_the_32_costs_no_memory() -> None:
    windows = marked((1, 0), (1, 2**32 - 1))
    assert windows.marks == 1
    assert judge(windows, 1, 0) == SeqVerdict.BELOW_WINDOW
    assert judge(windows, 1, 2**32 - 1) == SeqVerdict.DUPLICATE


def test_a_reboot_starts_a_window_of_its_own_and_keeps_the_old_one() -> None:
    windows = marked((1, 7), (2, 0))
    assert judge(windows, 2, 7) == SeqVerdict.NEW
    assert judge(windows, 1, 7) == SeqVerdict.DUPLICATE
    assert judge(windows, 1, 6) == SeqVerdict.NEW


def test_a_boot_may_go_down() -> None:
    windows = marked((900, 7), (3, 7))
    assert judge(windows, 3, 8) == SeqVerdict.NEW
    assert judge(windows, 900, 7) == SeqVerdict.DUPLICATE


def test_once_a_boot_was_dropped_an_unknown_boot_is_looked_up() -> None:
    held = marked(*((boot, 1) for boot in range(BOOTS_HELD)))
    assert judge(held, 99, 1) == SeqVerdict.NEW
    dropped = mark(held, 99, 1)
    assert judge(dropped, 0, 1) == SeqVerdict.BELOW_WINDOW
    assert judge(dropped, 1, 1) == SeqVerdict.DUPLICATE


def test_the_boot_that_was_marked_longest_ago_is_dropped_first() -> None:
    windows = marked((0, 1), (1, 1), (2, 1), (3, 1), (0, 2), (4, 1))
    assert judge(windows, 0, 1) == SeqVerdict.DUPLICATE
    assert judge(windows, 1, 1) == SeqVerdict.BELOW_WINDOW


def test_a_dropped_boot_is_held_again_up_to_what_the_journal_holds_of_it() -> None:
    windows = marked((0, 500), *((boot, 1) for boot in range(1, 9)))
    assert judge(windows, 0, 300) == SeqVerdict.BELOW_WINDOW
    windows = mark(windows, 0, 300, stored_top=500)
    assert judge(windows, 0, 300) == SeqVerdict.DUPLICATE
    assert judge(windows, 0, 500) == SeqVerdict.DUPLICATE
    assert judge(windows, 0, 400) == SeqVerdict.BELOW_WINDOW
    assert judge(windows, 0, 501) == SeqVerdict.NEW


def test_windows_restored_from_the_last_rows_ask_for_the_holes_among_them() -> None:
    windows = restore([(1, 90), (1, 100)], complete=False)
    assert judge(windows, 1, 90) == SeqVerdict.DUPLICATE
    assert judge(windows, 1, 95) == SeqVerdict.BELOW_WINDOW
    assert judge(windows, 1, 101) == SeqVerdict.NEW
    assert judge(windows, 2, 0) == SeqVerdict.BELOW_WINDOW


def test_windows_restored_from_all_rows_are_those_that_were() -> None:
    rows = [(1, 90), (1, 100), (2, 1)]
    assert restore(rows, complete=True) == marked(*rows)
