"""The table that a person reads: as wide as it needs to be, or as the terminal is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nsm_gate.listing import Listing
from nsm_gate.render.listing.cells import is_measure, said
from nsm_gate.render.style import Style, columns_of
from nsm_gate.render.untrusted import plain

_LONGEST = 60
_NARROWEST = 12
_ROLES = {"failed": "error", "running": "notice", "missed": "warning", "met": "good"}


def render(listing: Listing, style: Style) -> Iterator[str]:
    """Yield the table and the facts below it."""
    names = listing.shown
    if listing.values:
        columns = [[row[name] for row in listing.values] for name in names]
        right = [is_measure(name, values) for name, values in zip(names, columns, strict=True)]
        cells = [
            [plain(said(value), 500 if style.verbose else _LONGEST) for value in values] for values in columns
        ]
        heads = [plain(name, _LONGEST) for name in names]
        widths = [max(map(columns_of, (head, *column))) for head, column in zip(heads, cells, strict=True)]
        _narrow(widths, right, style)
        yield f"{style.paint(_line(heads, widths, right), 'dim')}\n"
        for row in zip(*cells, strict=True):
            yield f"{_line(row, widths, right, style)}\n"
        yield "\n"
    for fact in listing.facts:
        yield f"{plain(fact)}\n"


def _narrow(widths: list[int], right: Sequence[bool], style: Style) -> None:
    """Take from the widest columns of text what the terminal has no room for."""
    over = sum(widths) + 2 * (len(widths) - 1) - style.width if style.width else 0
    while over > 0:
        texts = [i for i, is_right in enumerate(right) if not is_right and widths[i] > _NARROWEST]
        if not texts:
            return
        widest = max(texts, key=lambda i: widths[i])
        widths[widest] -= 1
        over -= 1


def _line(
    cells: Sequence[str], widths: Sequence[int], right: Sequence[bool], style: Style | None = None
) -> str:
    made = []
    for cell, width, is_right in zip(cells, widths, right, strict=True):
        text = _cut(cell, width)
        gap = " " * (width - columns_of(text))
        role = _ROLES.get(cell) if style is not None else None
        shown = style.paint(text, role) if style is not None and role else text
        made.append(f"{gap}{shown}" if is_right else f"{shown}{gap}")
    return "  ".join(made).rstrip()


def _cut(cell: str, width: int) -> str:
    if columns_of(cell) <= width:
        return cell
    while columns_of(cell) > width - 1:
        cell = cell[:-1]
    return f"{cell}…"
