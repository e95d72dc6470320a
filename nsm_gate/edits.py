"""Edits of a log: a span of a line and what stands there instead. Nothing else of the line changes.

Lines and columns count from 1, columns in Unicode code points; the newline that ends a line is its last
column, so that an edit can take a line out whole or end one that no newline ends.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from nsm_gate.nouns import NamedTuple


class Edit(NamedTuple):
    """A span of one line, and what stands there instead.

    Attributes:
        line: Number of the physical line.
        column: Where the span begins.
        end_column: Where it ends, exclusive; the same as `column` where text is only put in.
        replacement: The new text; empty where the span is taken out.
    """

    line: int
    column: int
    end_column: int
    replacement: str

    @property
    def removes_line(self) -> bool:
        """Return whether it takes the whole line out: no other fix leaves nothing of a line's beginning."""
        return self.column == 1 and not self.replacement


class Fix(NamedTuple):
    """How a finding is mended by machine.

    Attributes:
        safe: Whether the entry says the same afterwards; else a person is to ask for it.
        message: What it does, in words that follow a line number.
        edits: In the order of their places; none overlaps another. They belong together.
    """

    safe: bool
    message: str
    edits: tuple[Edit, ...]

    @property
    def applicability(self) -> str:
        """Return `safe` or `unsafe`, as the JSON output says it."""
        return "safe" if self.safe else "unsafe"


def compatible(fixes: Iterable[Fix]) -> list[Fix]:
    """Return the fixes that can be made in one go: of two that overlap, the first."""
    # In order: of spans that do not overlap, only the neighbours can overlap another one.
    taken: dict[int, list[tuple[int, int]]] = {}
    kept: list[Fix] = []
    for fix in fixes:
        if not any(_clashes(edit, taken.get(edit.line, ())) for edit in fix.edits):
            kept.append(fix)
            for edit in fix.edits:
                taken.setdefault(edit.line, []).append((edit.column, edit.end_column))
            for line in {edit.line for edit in fix.edits}:
                taken[line].sort()
    return kept


def _clashes(edit: Edit, taken: Sequence[tuple[int, int]]) -> bool:
    span = (edit.column, edit.end_column)
    at = bisect_left(taken, span)
    return any(_overlap(span, other) for other in taken[max(0, at - 1) : at + 1])


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    # Two insertions at one place have no order of their own.
    return one == other or (one[0] < other[1] and other[0] < one[1])


def edited(raw: bytes, terminated: bool, edits: Sequence[Edit]) -> bytes:
    """Return a line with its newline after edits of it that do not overlap.

    Args:
        raw: The line without its newline, in UTF-8.
        terminated: Whether a newline follows.
        edits: Those of this line.
    """
    text = raw.decode("utf-8") + "\n" * terminated
    pieces: list[str] = []
    at = 0
    # What is put in before a span stands before what replaces it.
    for edit in sorted(edits, key=lambda edit: (edit.column, edit.end_column)):
        pieces += (text[at : edit.column - 1], edit.replacement)
        at = edit.end_column - 1
    return "".join((*pieces, text[at:])).encode("utf-8")
