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
    edits = nulls_for_no_numbers(site.line.raw, site.line.number)
    if not edits:
        return None
    made = edited(site.line.raw, False, edits)
    if not isinstance(decode(Line(site.line.number, made, site.line.terminated), len(made)), Entry):
        return None
    tokens = [site.text[edit.column - 1 : edit.end_column - 1] for edit in edits]
    words = dict.fromkeys(token if len(token) <= 12 else f"{token[:11]}…" for token in tokens)
    shown = ", ".join(list(words)[:3])
    return Fix(False, f"{shown} becomes null", edits)


def nulls_for_no_numbers(raw: bytes, line: int) -> tuple[Edit, ...]:
    """Return the edits that write null for what JSON has no number for; none where the line is no text."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return ()
    tokens = (found for found in _TOKEN.finditer(text) if _no_number(found[0]))
    return tuple(Edit(line, found.start() + 1, found.end() + 1, "null") for found in tokens)


def _no_number(token: str) -> bool:
    if token.lstrip("+-").lower() in _WORDS:
        return True
    return bool(_BEYOND.fullmatch(token)) and math.isinf(float(token))
