"""What a machine mends of a physical line: its ending, and a line that holds nothing."""

from __future__ import annotations

from nsm_gate.edits import Edit, Fix
from nsm_gate.fixes.site import Site


def blank(site: Site) -> Fix | None:
    """Take a blank line out, with its newline."""
    return Fix(True, "blank line removed", site.removed())


def ending(site: Site) -> Fix | None:
    """End the line with a newline alone."""
    end = len(site.text) + 1
    if not site.line.terminated:
        return Fix(True, "newline added", (Edit(site.line.number, end, end, "\n"),))
    start = len(site.text.rstrip("\r")) + 1
    if start == end:
        return None
    return Fix(True, "CRLF becomes a newline alone", (Edit(site.line.number, start, end, ""),))
