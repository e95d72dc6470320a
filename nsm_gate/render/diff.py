"""A unified diff of lines that were changed where they stand, or taken out.

To be read: what could act on a terminal or in a CI log is escaped, so that it is no patch for every line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nsm_gate.render.style import Style
from nsm_gate.render.untrusted import plain

_CONTEXT = 3
_NO_NEWLINE = "\\ No newline at end of file"


def render(path: str, before: Sequence[bytes], after: Sequence[bytes | None], style: Style) -> str:
    """Return the diff of one log, or an empty text where nothing differs.

    Args:
        path: The log.
        before: Its lines, each with its newline if it has one.
        after: What each of them becomes; None where it is taken out.
        style: Whether colours are written.
    """
    changed = [i for i, (one, other) in enumerate(zip(before, after, strict=True)) if one != other]
    if not changed:
        return ""
    rows = [style.paint(plain(f"--- a/{path}"), "bold"), style.paint(plain(f"+++ b/{path}"), "bold")]
    shift = 0
    for first, last in _hunks(changed, len(before)):
        gone = sum(after[index] is None for index in range(first, last))
        old, new = last - first, last - first - gone
        start = first + shift + (new > 0)
        rows.append(style.paint(f"@@ -{_range(first + 1, old)} +{_range(start, new)} @@", "notice"))
        rows += _rows(before[first:last], after[first:last], style)
        shift -= gone
    return "".join(f"{row}\n" for row in rows)


def _hunks(changed: Sequence[int], size: int) -> Iterator[tuple[int, int]]:
    """Yield the first line of each hunk and the one behind its last."""
    first = last = changed[0]
    for index in changed[1:]:
        if index - last > 2 * _CONTEXT:
            yield max(0, first - _CONTEXT), min(size, last + 1 + _CONTEXT)
            first = index
        last = index
    yield max(0, first - _CONTEXT), min(size, last + 1 + _CONTEXT)


def _range(start: int, count: int) -> str:
    return str(start) if count == 1 else f"{start},{count}"


def _rows(before: Sequence[bytes], after: Sequence[bytes | None], style: Style) -> Iterator[str]:
    put: list[bytes] = []
    for one, other in zip(before, after, strict=True):
        if one == other:
            yield from _signed("+", put, "good", style)
            put = []
            yield from _signed(" ", [one], "", style)
        else:
            yield from _signed("-", [one], "error", style)
            put += [] if other is None else [other]
    yield from _signed("+", put, "good", style)


def _signed(sign: str, lines: Sequence[bytes], role: str, style: Style) -> Iterator[str]:
    for line in lines:
        text = line.decode("utf-8", "replace")
        row = sign + plain(text.removesuffix("\n"), len(text) + 1)
        yield style.paint(row, role) if role else row
        if not text.endswith("\n"):
            yield _NO_NEWLINE
