"""JSON Lines: an object a line, as logs are written and as jq and pandas read them."""

from __future__ import annotations

from collections.abc import Iterator

from nsm_gate.listing import Listing
from nsm_gate.render.listing.objects import objects
from nsm_gate.render.style import Style


def render(listing: Listing, style: Style) -> Iterator[str]:
    """Yield the lines."""
    for text in objects(listing):
        yield f"{text}\n"
