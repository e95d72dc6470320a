"""Values as people read them: short, and a number to six decimals at most."""

from __future__ import annotations

from nsm_gate.exact import text_of
from nsm_gate.values import UNKNOWN, Value, decimal, is_number, rounded

MISSING = "–"


def said(value: Value) -> str:
    """Return a value in words, not yet safe to print."""
    if value is None or value is UNKNOWN:
        return MISSING
    if is_number(value):
        return rounded(decimal(value))
    if isinstance(value, list) and len(value) > 1 and all(is_number(item) for item in value):
        return f"{said(value[0])} → {said(value[-1])} over {len(value)} values"
    if isinstance(value, list) and len(value) > 2 and any(isinstance(item, (dict, list)) for item in value):
        return f"a list of {len(value)} items"
    return value if isinstance(value, str) else text_of(value)


def is_measure(column: str, values: list[Value]) -> bool:
    """Return whether a column holds numbers, which stand to the right."""
    known = [value for value in values if value is not None and value is not UNKNOWN]
    return bool(known) and all(is_number(value) for value in known)
