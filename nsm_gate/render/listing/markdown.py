"""The table in GitHub's Markdown, for a comment or an issue. What comes from a log stands in `<code>`."""

from __future__ import annotations

from collections.abc import Iterator

from nsm_gate.listing import Listing
from nsm_gate.render.cells import code, escaped
from nsm_gate.render.listing.cells import MISSING, is_measure, said
from nsm_gate.render.style import Style
from nsm_gate.render.untrusted import plain
from nsm_gate.values import is_number

_CELL = 120


def render(listing: Listing, style: Style) -> Iterator[str]:
    """Yield the table and the facts below it."""
    names = listing.shown
    if listing.values:
        columns = [[row[name] for row in listing.values] for name in names]
        right = [is_measure(name, values) for name, values in zip(names, columns, strict=True)]
        yield f"| {' | '.join(code(name, _CELL) for name in names)} |\n"
        yield f"|{'|'.join('--:' if is_right else '---' for is_right in right)}|\n"
        for row in listing.values:
            yield f"| {' | '.join(_cell(row[name]) for name in names)} |\n"
        yield "\n"
    for fact in listing.facts:
        yield f"{escaped(plain(fact))}  \n"


def _cell(value: object) -> str:
    text = said(value)
    return text if text == MISSING or is_number(value) or isinstance(value, bool) else code(text, _CELL)
