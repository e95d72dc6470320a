"""What the entry of a failed run says, and what may still be missing from one that has not begun."""

from __future__ import annotations

import os
from collections.abc import Mapping

from nsm_gate.model import Finding, Json
from nsm_gate.policy import LogKind
from nsm_gate.schema import resolved

_MOST = 1000  # characters of an error message


def said_of(error: BaseException) -> str:
    """Return what went wrong, and where: `RuntimeError: CUDA out of memory (model.py:118)`."""
    if isinstance(error, SystemExit):
        text = f"the program ended itself, with exit code {error.code!r}"
    elif isinstance(error, KeyboardInterrupt):
        text = "interrupted"
    else:
        try:
            text = str(error)
        except Exception:  # an exception that cannot even say what it is
            text = ""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f" ({os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno})" if trace else ""
    name = type(error).__name__
    said = f"{name}: {text.strip()}" if text.strip() else name
    said = said if len(said) <= _MOST else f"{said[: _MOST - 1]}…"
    return (said + place).encode("utf-8", "backslashreplace").decode()


def is_given(finding: Finding, entry: Json) -> bool:
    """Return whether a finding is about something that is there, and not about what may come yet."""
    value = entry
    for step in (finding.pointer or "").split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        value = value.get(name) if isinstance(value, dict) else None
    return value is not None


def knows(kind: LogKind, member: str) -> bool:
    """Return whether the runs of a log kind may have a member."""
    node = resolved(kind.schema, kind.schema)
    for name in kind.run:
        inner = node.get("properties")
        node = resolved(inner.get(name) if isinstance(inner, Mapping) else None, kind.schema)
    members = node.get("properties")
    return isinstance(members, Mapping) and member in members


def nulls(members: dict[str, Json]) -> dict[str, Json]:
    """Return an object with null for NaN."""
    return {name: _null(value) for name, value in members.items()}


def _null(value: Json) -> Json:
    if isinstance(value, dict):
        return nulls(value)
    if isinstance(value, list):
        return [_null(item) for item in value]
    return None if value != value else value
