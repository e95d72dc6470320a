"""What a machine mends of a value that JSON has no word for: it becomes null."""

from __future__ import annotations

import math
import re

from nsm_gate.edits import Edit, Fix, edited
from nsm_gate.fixes.site import Site
from nsm_gate.jsonl import decode
from nsm_gate.model import Entry, Line

# A string that nothing ends matches too: else a line of escaped quotes would be scanned from each of them.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"?|[^\s"{}\[\],:]+')
_WORDS = {"nan", "inf", "infinity"}
_BEYOND = re.compile(r"-?[0-9]+(?:\.[0-9]+)?[eE]\+?[0-9]+|-?[0-9]{309,}\.[0-9]+")


def null(site: Site) -> Fix | None:
    """Write null for NaN, for infinities, and for numbers that no float holds.

    Unsafe: that the value was not a number is lost. Only where the line holds an entry afterwards.
    """
    tokens = [found for found in _TOKEN.finditer(site.text) if _no_number(found[0])]
    if not tokens:
        return None
    edits = tuple(Edit(site.line.number, f.start() + 1, f.end() + 1, "null") for f in tokens)
    made = edited(site.line.raw, False, edits)
    if not isinstance(decode(Line(site.line.number, made, site.line.terminated), len(made)), Entry):
        return None
    words = dict.fromkeys(found[0] if len(found[0]) <= 12 else f"{found[0][:11]}…" for found in tokens)
    shown = ", ".join(list(words)[:3])
    return Fix(False, f"{shown} becomes null", edits)


def _no_number(token: str) -> bool:
    if token.lstrip("+-").lower() in _WORDS:
        return True
    return bool(_BEYOND.fullmatch(token)) and math.isinf(float(token))
