"""The registry of the formats that runs are listed in: a module each, imported when it is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping

from nsm_gate.listing import Listing
from nsm_gate.render.style import Style

Render = Callable[[Listing, Style], Iterator[str]]
"""Yields the text in pieces: a log may be large."""

_PEOPLE = ("table", "markdown")


def _late(name: str) -> Render:
    def render(listing: Listing, style: Style) -> Iterator[str]:
        made: Iterator[str] = importlib.import_module(f"nsm_gate.render.listing.{name}").render(
            listing, style
        )
        return made

    return render


FORMATS: Mapping[str, Render] = {name: _late(name) for name in ("table", "json", "jsonl", "csv", "markdown")}


def is_exact(name: str) -> bool:
    """Return whether a format is for machines: it gives numbers as the log has them."""
    return name not in _PEOPLE
