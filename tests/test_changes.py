"""Lines are compared as a sequence: `nsm_gate.changes.compare` against a naive oracle, and by example."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given as hypothesis_given
from hypothesis import settings
from hypothesis import strategies as st

from nsm_gate import changes
from nsm_gate.changes import Change, Lost, compare
from nsm_gate.jsonl import split
from nsm_gate.lines import Lines as Text

Lines = list[bytes]


def given(*strategies: st.SearchStrategy[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Like hypothesis's, without a deadline: a busy machine is no failure."""
    return lambda test: settings(deadline=None)(hypothesis_given(*strategies)(test))


# Few letters, so that copies, swaps and several equally long subsequences are common.
log = st.lists(st.sampled_from([b"a", b"b", b"c", b"d"]), max_size=9)
logs = st.lists(log, max_size=3)


@st.composite
def grown(draw: st.DrawFn) -> tuple[Lines, Lines]:
    """Return a base, and a head that holds all of it in order among other lines."""
    base: Lines = draw(log)
    head = list(base)
    for line in draw(log):
        head.insert(draw(st.integers(0, len(head))), line)
    return base, head


def longest(one: Sequence[bytes], other: Sequence[bytes]) -> int:
    """Return the length of a longest common subsequence, by the textbook's table."""
    table = [[0] * (len(other) + 1) for _ in range(len(one) + 1)]
    for i, left in enumerate(one):
        for j, right in enumerate(other):
            same = table[i][j] + 1 if left == right else 0
            table[i + 1][j + 1] = max(same, table[i][j + 1], table[i + 1][j])
    return table[-1][-1]


def leftmost(base: Sequence[bytes], head: Sequence[bytes]) -> list[int] | None:
    """Return where the base stands in the head, each line as early as it can; None where it does not."""
    places: list[int] = []
    for line in base:
        start = places[-1] + 1 if places else 0
        if line not in head[start:]:
            return None
        places.append(head.index(line, start))
    return places


def one(base: Lines, head: Lines) -> Change:
    """Compare with one base, all of it published."""
    return compare([base], [base], head)


def lost(change: Change) -> list[int]:
    return [line.index for line in change.lost]


def new(change: Change) -> tuple[int, ...]:
    return change.inserted + change.appended


# --- one base ---------------------------------------------------------------------------------------


@given(log, log)
def test_the_fewest_lines_are_lost(base: Lines, head: Lines) -> None:
    change = one(base, head)
    assert len(change.lost) == len(base) - longest(base, head)
    assert len(new(change)) == len(head) - longest(base, head)


@given(log, log)
def test_what_is_not_lost_is_kept_in_order(base: Lines, head: Lines) -> None:
    change = one(base, head)
    gone = lost(change)
    assert gone == sorted(set(gone))
    assert [line.raw for line in change.lost] == [base[index] for index in gone]
    staying = [line for index, line in enumerate(base) if index not in gone]
    assert [head[index] for index in sorted(change.kept[0])] == staying


@given(grown())
def test_a_base_that_is_wholly_there_loses_nothing_and_stands_as_early_as_it_can(
    pair: tuple[Lines, Lines],
) -> None:
    base, head = pair
    change = one(base, head)
    assert change.lost == ()
    assert sorted(change.kept[0]) == leftmost(base, head)


@given(log, log)
def test_every_line_of_the_head_is_kept_appended_or_inserted(base: Lines, head: Lines) -> None:
    change = one(base, head)
    last = max(change.kept[0], default=-1)
    assert change.appended == tuple(range(last + 1, len(head)))
    assert change.inserted == tuple(i for i in range(last) if i not in change.kept[0])


@given(log, log)
def test_only_lines_added_at_the_end_are_appended_and_nothing_else(base: Lines, more: Lines) -> None:
    change = one(base, base + more)
    assert change.appended == tuple(range(len(base), len(base) + len(more)))
    assert (change.inserted, change.lost) == ((), ())
    # Logs are long, and this is what happens to them: what is kept must not be held line by line.
    assert change.kept == (range(len(base)),)


@given(log, log)
def test_a_log_is_compared_alike_as_bytes_and_as_a_list_of_lines(base: Lines, head: Lines) -> None:
    def seen(base: Sequence[bytes], head: Sequence[bytes]) -> tuple[object, ...]:
        change = compare([base], [base], head)
        return change._replace(kept=tuple(map(frozenset, change.kept)))

    texts = [Text(b"".join(line + b"\n" for line in lines)) for lines in (base, head)]
    assert seen(texts[0], texts[1]) == seen(texts[0], head) == seen(base, texts[1]) == seen(base, head)


@given(log, log)
def test_what_replaces_a_lost_line_is_new_and_stands_in_its_gap(base: Lines, head: Lines) -> None:
    change = one(base, head)
    kept = sorted(change.kept[0])
    replacing = [line.replaced_by for line in change.lost if line.replaced_by is not None]
    assert len(set(replacing)) == len(replacing)
    assert change.replaced == set(replacing)
    gone = set(lost(change))
    for line in change.lost:
        before = sum(index not in gone for index in range(line.index))
        gap = range(kept[before - 1] + 1 if before else 0, kept[before] if before < len(kept) else len(head))
        # The n-th lost line of a gap is replaced by the gap's n-th new line, as long as there is one.
        rank = 0
        while line.index - rank - 1 in gone:
            rank += 1
        assert line.replaced_by == (gap[rank] if rank < len(gap) else None)


@given(log)
def test_without_a_base_every_line_is_appended(head: Lines) -> None:
    change = compare([], [], head)
    assert (change.appended, change.inserted, change.lost) == (tuple(range(len(head))), (), ())


@given(log)
def test_an_unchanged_log_has_no_new_line(base: Lines) -> None:
    change = one(base, list(base))
    assert (new(change), change.lost) == ((), ())


@given(log, log)
def test_a_lost_line_that_stands_elsewhere_was_moved_there(base: Lines, head: Lines) -> None:
    change = one(base, head)
    free = list(new(change))
    for line in change.lost:
        place = next((index for index in free if head[index] == line.raw), None)
        assert line.moved_to == place
        if place is not None:
            free.remove(place)
    assert sorted(change.moved) == sorted(set(new(change)) - set(free))
    # It was judged when it was logged, and the lost line says what happened.
    assert change.judged == tuple(free)


@given(log, log)
def test_lines_are_lost_only_where_they_are_published(base: Lines, head: Lines) -> None:
    local = compare([base], [], head)
    assert local.lost == ()
    assert new(local) == local.judged == new(one(base, head))


@given(log, log, st.integers(0, 9))
def test_a_line_that_only_the_base_has_may_go(base: Lines, head: Lines, size: int) -> None:
    published = base[:size]
    change = compare([base], [published], head)
    assert len(change.lost) == len(published) - longest(published, head)
    assert new(change) == new(compare([base], [base], head))


# --- several bases, several published ---------------------------------------------------------------


@given(logs, log)
def test_a_line_is_new_if_no_base_holds_it(bases: list[Lines], head: Lines) -> None:
    change = compare(bases, [], head)
    alone = [set(compare([base], [], head).kept[0]) for base in bases]
    assert [set(kept) for kept in change.kept] == alone
    old = set().union(*alone)
    assert sorted(change.judged) == [index for index in range(len(head)) if index not in old]
    last = max(old, default=-1)
    assert change.appended == tuple(range(last + 1, len(head)))
    assert all(index < last for index in change.inserted)


@given(logs, log)
def test_a_mask_says_which_bases_hold_a_line(bases: list[Lines], head: Lines) -> None:
    change = compare(bases, [], head)
    for index in range(len(head)):
        holders = [number for number, kept in enumerate(change.kept) if index in kept]
        assert change.mask(index) == sum(2**number for number in holders)
        assert (change.mask(index) == 0) == (index in new(change))


@given(logs, log)
def test_a_line_is_lost_if_any_published_history_holds_it_and_is_reported_once(
    published: list[Lines], head: Lines
) -> None:
    change = compare([], published, head)
    found = [(line.index, line.raw) for line in change.lost]
    alone = {(line.index, line.raw) for lines in published for line in compare([], [lines], head).lost}
    assert len(found) == len(set(found))
    assert set(found) == alone


@given(log, log, log)
def test_a_merge_that_keeps_both_sides_has_nothing_new(old: Lines, ours: Lines, theirs: Lines) -> None:
    ours, theirs = [b"ours " + line for line in ours], [b"theirs " + line for line in theirs]
    for head in (old + ours + theirs, old + theirs + ours):
        change = compare([old + ours, old + theirs], [old], head)
        assert (change.judged, change.lost) == ((), ())


@given(log, log, log)
def test_a_side_that_a_merge_drops_is_lost_only_where_it_was_published(
    old: Lines, ours: Lines, theirs: Lines
) -> None:
    head = old + ours
    change = compare([old + ours, old + theirs], [old + ours, old], head)
    assert (change.judged, change.lost) == ((), ())
    dropped = compare([old + ours, old + theirs], [old + ours, old + theirs], head)
    assert len(dropped.lost) == len(old + theirs) - longest(old + theirs, head)


# --- worked examples --------------------------------------------------------------------------------


def of(data: bytes) -> Lines:
    return split(data)[0]


def test_a_longer_line_does_not_contain_the_line_that_it_begins_with() -> None:
    change = one(of(b'{"a":1}'), of(b'{"a":1}{"b":2}\n'))
    assert change.lost == (Lost(0, b'{"a":1}', 0),)
    assert change.judged == (0,)


def test_a_last_line_that_only_gets_its_newline_is_the_same_line() -> None:
    change = one(of(b'{"a":1}\n{"b":2}'), of(b'{"a":1}\n{"b":2}\n{"c":3}\n'))
    assert (change.appended, change.inserted, change.lost) == ((2,), (), ())


def test_a_torn_last_line_that_is_completed_is_another_line() -> None:
    change = one(of(b'{"a":1}\n{"b"'), of(b'{"a":1}\n{"b":2}\n'))
    assert change.lost == (Lost(1, b'{"b"', 1),)
    assert change.judged == (1,)


def test_a_copy_of_the_last_line_is_appended() -> None:
    change = one([b"a", b"b"], [b"a", b"b", b"b"])
    assert (change.appended, change.inserted, change.lost) == ((2,), (), ())


def test_a_copy_of_an_older_line_is_new() -> None:
    change = one([b"a", b"b"], [b"a", b"b", b"a"])
    assert (change.appended, change.inserted, change.lost) == ((2,), (), ())


def test_a_copy_before_the_last_line_is_inserted() -> None:
    change = one([b"a", b"b"], [b"a", b"a", b"b"])
    assert (change.appended, change.inserted, change.lost) == ((), (1,), ())


def test_an_amended_last_line_is_lost_and_judged_anew() -> None:
    change = one([b"a", b"b"], [b"a", b"B"])
    assert (change.appended, change.inserted, change.lost) == ((1,), (), (Lost(1, b"b", 1),))


def test_an_amended_last_line_is_merely_judged_anew_while_it_is_local() -> None:
    change = compare([[b"a", b"b"]], [[b"a"]], [b"a", b"B"])
    assert (change.appended, change.inserted, change.lost, change.replaced) == ((1,), (), (), {1})


def test_an_amended_line_in_the_middle_is_lost_and_says_what_replaced_it() -> None:
    change = one([b"a", b"b", b"c"], [b"a", b"B", b"c", b"d"])
    assert (change.appended, change.inserted, change.lost) == ((3,), (1,), (Lost(1, b"b", 1),))


def test_a_line_added_above_all_others_is_inserted() -> None:
    change = one([b"a", b"b"], [b"x", b"a", b"b"])
    assert (change.appended, change.inserted, change.lost) == ((), (0,), ())


def test_a_dropped_line_is_lost_and_nothing_replaced_it() -> None:
    change = one([b"a", b"b", b"c"], [b"a", b"c"])
    assert (change.judged, change.lost) == ((), (Lost(1, b"b", None),))


def test_two_lines_that_change_places_cost_one() -> None:
    change = one([b"a", b"b"], [b"b", b"a"])
    assert len(change.lost) == 1
    assert change.lost[0].moved_to == new(change)[0]
    assert change.judged == ()


def test_a_line_that_was_moved_beyond_a_new_one_is_not_new() -> None:
    change = one([b"a", b"b", b"c"], [b"b", b"c", b"new", b"a"])
    assert change.lost == (Lost(0, b"a", None, moved_to=3),)
    assert (change.appended, change.judged) == ((2, 3), (2,))


def test_a_second_copy_of_a_line_that_was_moved_is_new() -> None:
    change = one([b"a", b"b", b"c"], [b"b", b"c", b"a", b"a"])
    assert (lost(change), change.lost[0].moved_to, change.judged) == ([0], 2, (3,))


def test_a_line_that_was_moved_stood_in_every_base() -> None:
    old = [b"a", b"b", b"c"]
    for bases in ([old], [old, old]):
        change = compare(bases, [old], [b"b", b"c", b"a"])
        assert [change.mask(index) for index in range(3)] == [2 ** len(bases) - 1] * 3


def test_the_last_line_is_kept_where_it_is_still_the_last() -> None:
    change = one([b"b", b"a"], [b"a", b"c", b"a"])
    assert (change.appended, change.inserted, change.lost) == ((), (0, 1), (Lost(0, b"b", 0),))


def test_a_line_that_comes_again_is_tried_at_its_earlier_place_too() -> None:
    # The second "a" of the base has its later place already, and only its earlier one leaves room for "y".
    change = one([b"x", b"a", b"q", b"a", b"y"], [b"q", b"a", b"y", b"x", b"a"])
    assert (lost(change), sorted(change.kept[0])) == ([0, 1], [0, 1, 2])


def test_an_emptied_log_lost_every_line() -> None:
    change = one([b"a", b"b"], [])
    assert change.lost == (Lost(0, b"a", None), Lost(1, b"b", None))


def test_a_carriage_return_makes_another_line() -> None:
    change = one(of(b"{}\n"), of(b"{}\r\n"))
    assert (len(change.lost), change.judged) == (1, (0,))


def test_a_line_separator_of_unicode_does_not_split_a_line() -> None:
    line = '{"a":"\u2028\x85\r"}'.encode()
    assert of(line + b"\n" + line) == [line, line]


@pytest.mark.parametrize("ours_first", [True, False])
def test_a_union_merge_in_either_order_has_nothing_new(ours_first: bool) -> None:
    ours, theirs = [b"old", b"ours"], [b"old", b"theirs"]
    head = [b"old", b"ours", b"theirs"] if ours_first else [b"old", b"theirs", b"ours"]
    change = compare([ours, theirs], [[b"old"]], head)
    assert (change.judged, change.lost) == ((), ())
    assert sorted(change.mask(index) for index in range(3)) == [1, 2, 3]


def test_a_line_that_a_merge_makes_up_is_new() -> None:
    ours, theirs = [b"old", b"ours"], [b"old", b"theirs"]
    change = compare([ours, theirs], [[b"old"]], [b"old", b"ours", b"made up", b"theirs", b"more"])
    assert (change.inserted, change.appended, change.lost) == ((2,), (4,), ())


# --- sizes ------------------------------------------------------------------------------------------

SIZE = 20_000


def numbered(prefix: str, size: int = SIZE) -> Lines:
    return [f"{prefix}{number}".encode() for number in range(size)]


def test_a_log_whose_every_line_changed_is_compared() -> None:
    change = one(numbered("old "), numbered("new "))
    assert (len(change.lost), len(change.appended)) == (SIZE, SIZE)
    assert change.lost[-1].replaced_by == SIZE - 1


def test_a_log_turned_upside_down_is_compared() -> None:
    base = numbered("line ")
    assert len(one(base, base[::-1]).lost) == SIZE - 1


def test_a_log_whose_every_other_line_changed_is_compared() -> None:
    base = numbered("line ")
    head = [b"new " + line if number % 2 else line for number, line in enumerate(base)]
    change = one(base, head)
    assert lost(change) == list(range(1, SIZE, 2))
    assert all(line.replaced_by == line.index for line in change.lost)


def test_identical_lines_are_compared() -> None:
    change = one([b"x"] * 3000, [b"x"] * 3000 + [b"x"] * 5)
    assert (change.appended, change.inserted, change.lost) == (tuple(range(3000, 3005)), (), ())


def test_identical_lines_of_which_some_are_gone_are_compared() -> None:
    # Neither end is shared, so that all 3,000 x 2,000 pairs are candidates.
    change = one([b"x"] * 3000, [b"first", *[b"x"] * 2000, b"last"])
    assert (len(change.lost), change.inserted, change.appended) == (1000, (0,), (2001,))


def test_one_line_lost_among_identical_lines_is_one_line_lost() -> None:
    change = one([*[b"x"] * 3000, b"edited"], [b"first", *[b"x"] * 3000])
    assert lost(change) == [3000]


@pytest.mark.parametrize("pairs, gone, kept", [(4, [0], [0, 1, 3]), (3, [1, 2], [2, 3])])
def test_beyond_so_many_pairs_lines_are_matched_with_their_next_places(
    pairs: int, gone: list[int], kept: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "_PAIRS", pairs)
    change = one([b"z", b"a", b"b", b"c", b"old"], [b"a", b"b", b"z", b"c", b"new"])
    assert (lost(change), sorted(change.kept[0])) == ([*gone, 4], kept)
    # A line that is lost keeps none of the next from its place.
    assert lost(one([b"old", *numbered("", 5)], [*numbered("", 5), b"new"])) == [0]
