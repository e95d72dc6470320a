"""One JSON document: `{"runs": [...]}`, or `{"groups": [...]}`, an object a line."""

from __future__ import annotations

from collections.abc import Iterator

from nsm_gate.listing import Listing
from nsm_gate.render.listing.objects import objects
from nsm_gate.render.style import Style


def render(listing: Listing, style: Style) -> Iterator[str]:
    """Yield the document."""
    before = f'{{"{listing.word}": ['
    for text in objects(listing):
        yield f"{before}\n{text}"
        before = ","
    yield f"{before}]}}\n" if before != "," else "\n]}\n"
