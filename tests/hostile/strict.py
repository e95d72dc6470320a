"""The standard library's JSON, held to the law of the log: the oracle that the gate is compared with."""

from __future__ import annotations

import json
import math
from typing import Any

from nsm_gate.scanner import MAX_DEPTH

LIMIT = 1 << 20


def entry_of(raw: bytes, limit: int = LIMIT) -> dict[str, Any] | None:
    """Return the object that a line holds, or None where a strict reading refuses it.

    Strict is RFC 8259 in UTF-8 without a byte order mark, NaN, infinities, lone surrogates and duplicate
    members; an object at most `MAX_DEPTH` deep, and at most `limit` bytes.
    """
    if len(raw) > limit:
        return None
    try:
        text = raw.decode("utf-8")
        if text.startswith("\ufeff"):
            return None
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse, parse_float=_finite)
        return value if isinstance(value, dict) and _sound(value) else None
    except (ValueError, RecursionError):
        return None


def _unique(members: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in members}) != len(members):
        raise ValueError("duplicate member")
    return dict(members)


def _refuse(word: str) -> Any:
    raise ValueError(word)


def _finite(token: str) -> float:
    number = float(token)
    if math.isinf(number):
        raise ValueError(token)
    return number


def _sound(value: Any) -> bool:
    """Return whether a value nests within the limit and all its text is text."""
    pending = [(value, 1)]
    while pending:
        node, depth = pending.pop()
        if isinstance(node, str):
            node.encode("utf-8")  # a lone surrogate is no character
        elif isinstance(node, (dict, list)):
            if depth > MAX_DEPTH:
                return False
            pending += [(inner, depth + 1) for inner in (node.values() if isinstance(node, dict) else node)]
            pending += [(name, depth + 1) for name in node] if isinstance(node, dict) else []
    return True
