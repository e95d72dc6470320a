"""Entries with every number exactly as the log has it, and JSON made of them.

A float keeps 17 digits at most, and forgets how its number was written. What is handed on to other programs
goes through decimals instead: `0.2960` stays `0.2960`.
"""

from __future__ import annotations

import json
from decimal import Decimal

import jiter

from nsm_gate.model import Json
from nsm_gate.nouns import Any
from nsm_gate.values import UNKNOWN, Value


def load(raw: bytes) -> dict[str, Any]:
    """Return the object of a line that decodes, its numbers as int or Decimal."""
    value: dict[str, Any] = jiter.from_json(raw, float_mode="decimal")
    return value


def text_of(value: Value) -> str:
    """Return a value as JSON on one line; what is unknown is null."""
    if type(value) is Decimal or type(value) is int:
        return str(value)
    if isinstance(value, dict):
        members = (f"{json.dumps(name, ensure_ascii=False)}: {text_of(v)}" for name, v in value.items())
        return f"{{{', '.join(members)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(text_of, value))}]"
    if value is None or value is UNKNOWN:
        return "null"
    if type(value) is bool:
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False)


def canonical(value: Json | Value) -> str:
    """Return text that is the same for equal values: 400.0 and 400 are, true and 1 are not."""
    if isinstance(value, dict):
        return f"{{{','.join(f'{json.dumps(name)}:{canonical(value[name])}' for name in sorted(value))}}}"
    if isinstance(value, list):
        return f"[{','.join(map(canonical, value))}]"
    if type(value) is float:
        value = Decimal(repr(value))
    if type(value) is Decimal:
        whole = value == value.to_integral_value() if value.is_finite() else False
        return str(int(value)) if whole and abs(value) < 10**18 else str(value.normalize())
    return text_of(value)
