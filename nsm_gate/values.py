"""The values of the rule language, and how two of them compare.

Three-valued: what is missing, null or of the wrong type is `UNKNOWN`. Numbers compare as they are written:
arithmetic is done in decimals, so that `0.60 >= 0.55 + 0.05` holds.
"""

from __future__ import annotations

import math
from decimal import Context, Decimal

from nsm_gate.nouns import Any, Final

CONTEXT = Context(prec=34)
"""Arithmetic: IEEE 754-2008 decimal128's precision, and its errors as exceptions."""


class Unknown:
    """The third truth value."""

    def __repr__(self) -> str:
        """Return `unknown`."""
        return "unknown"

    def __bool__(self) -> bool:
        """Return False: what is unknown never passes."""
        return False


UNKNOWN: Final = Unknown()

Value = Any
"""bool, int, float, Decimal, str, list, dict or UNKNOWN; never None."""


def is_number(value: Value) -> bool:
    """Return whether a value counts as a number: never a bool, never NaN or infinite."""
    kind = type(value)
    if kind is float:
        return math.isfinite(value)
    if kind is Decimal:
        return bool(value.is_finite())
    return kind is int


def decimal(value: Value) -> Decimal:
    """Return a number as the decimal that a person would write it as."""
    if type(value) is float:
        return Decimal(repr(value))
    return value if type(value) is Decimal else Decimal(value)


def rounded(value: Value) -> str:
    """Return a number as a sentence gives it: six decimals at most, no exponent where it is short."""
    if abs(value) >= 10**12 or (value and abs(value) < Decimal("1e-6")):
        return f"{float(value):.6g}"
    text = f"{value:.6f}".rstrip("0").rstrip(".")
    exact = str(value)
    return exact if len(exact) <= len(text) and "E" not in exact else text


def order(one: Value, other: Value) -> int | Unknown:
    """Return -1, 0 or 1, or UNKNOWN where the two cannot be ordered."""
    if is_number(one) and is_number(other):
        if type(one) is Decimal or type(other) is Decimal:
            one, other = decimal(one), decimal(other)
        return int(one > other) - int(one < other)
    if type(one) is str and type(other) is str:
        return int(one > other) - int(one < other)
    return UNKNOWN


def equal(one: Value, other: Value) -> bool | Unknown:
    """Return whether two values are equal; UNKNOWN where their types differ."""
    if type(one) is bool and type(other) is bool:
        return bool(one == other)
    ranked = order(one, other)
    return UNKNOWN if isinstance(ranked, Unknown) else ranked == 0


def contained(one: Value, other: Value) -> bool | Unknown:
    """Return whether a text is in a text, or a value in a list."""
    if type(one) is str and type(other) is str:
        return one in other
    if type(other) is not list or one is UNKNOWN:
        return UNKNOWN
    results = [equal(one, item) for item in other]
    if any(result is True for result in results):
        return True
    return False if all(result is False for result in results) else UNKNOWN


def negated(value: bool | Unknown) -> bool | Unknown:
    """Return the negation; unknown stays unknown."""
    return UNKNOWN if isinstance(value, Unknown) else not value


def test(operator: str, one: Value, other: Value) -> bool | Unknown:
    """Return whether `one operator other` holds."""
    if operator == "in":
        return contained(one, other)
    if operator == "not in":
        return negated(contained(one, other))
    if operator == "==":
        return equal(one, other)
    if operator == "!=":
        return negated(equal(one, other))
    ranked = order(one, other)
    if isinstance(ranked, Unknown):
        return UNKNOWN
    if operator == "<":
        return ranked < 0
    if operator == "<=":
        return ranked <= 0
    if operator == ">":
        return ranked > 0
    return ranked >= 0
