"""Edits of a line: none overlaps another, whatever their number, and each does what it says."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from nsm_gate.edits import Edit, Fix, compatible, edited

TEXT = "0123456789é✓"


@st.composite
def _spans(draw: st.DrawFn) -> tuple[Edit, ...]:
    """Return edits of one fix, in the order of their places."""
    marks = sorted(draw(st.lists(st.integers(1, len(TEXT) + 1), min_size=2, max_size=6)))
    pairs = zip(marks[::2], marks[1::2], strict=False)
    return tuple(
        dict.fromkeys(
            Edit(draw(st.sampled_from([1, 2])), a, b, draw(st.text("xy", max_size=2))) for a, b in pairs
        )
    )


def overlap(one: Edit, other: Edit) -> bool:
    """Say it once more, by the characters that a span covers; an insertion covers the gap that it fills."""
    if one.line != other.line:
        return False

    def halves(edit: Edit) -> set[int]:
        if edit.column == edit.end_column:
            return {2 * edit.column - 1}
        return set(range(2 * edit.column, 2 * edit.end_column - 1))

    return not halves(one).isdisjoint(halves(other))


def whole(fix: Fix) -> bool:
    return not any(overlap(a, b) for n, a in enumerate(fix.edits) for b in fix.edits[n + 1 :])


@settings(max_examples=300, deadline=None)
@given(st.lists(_spans().map(lambda edits: Fix(True, "mends", edits)).filter(whole), max_size=6))
def test_of_two_that_overlap_the_first_is_kept(fixes: list[Fix]) -> None:
    kept: list[Fix] = []
    for fix in fixes:
        if not any(overlap(a, b) for a in fix.edits for other in kept for b in other.edits):
            kept.append(fix)
    assert compatible(fixes) == kept


@settings(max_examples=300, deadline=None)
@given(_spans().map(lambda edits: Fix(True, "mends", edits)).filter(whole))
def test_an_edit_changes_its_span_and_nothing_else(fix: Fix) -> None:
    edits = [edit for edit in fix.edits if edit.line == 1 and edit.end_column <= len(TEXT) + 1]
    made = edited(TEXT.encode(), False, edits).decode()
    expected = ""
    for column in range(1, len(TEXT) + 2):
        expected += "".join(edit.replacement for edit in edits if edit.column == column == edit.end_column)
        starts = [edit for edit in edits if edit.column == column < edit.end_column]
        expected += "".join(edit.replacement for edit in starts)
        covered = any(edit.column <= column < edit.end_column for edit in edits)
        expected += "" if covered or column > len(TEXT) else TEXT[column - 1]
    assert made == expected


def test_very_many_edits_of_a_line_are_made_soon() -> None:
    count = 150_000
    fixes = [
        Fix(True, "mends", tuple(Edit(1, 4 * n + shift, 4 * n + shift + 1, "y") for n in range(count)))
        for shift in (1, 3)
    ]
    assert compatible([*fixes, fixes[0]]) == fixes
    made = edited(b"abcd" * count, True, [edit for fix in fixes for edit in fix.edits])
    assert made == b"ybyd" * count + b"\n"
