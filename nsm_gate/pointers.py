"""Names for places in an entry, and words for the values that stand there."""

from __future__ import annotations

import json

from nsm_gate.model import Json, Path


def pointer(*members: str | int) -> str:
    """Return the JSON pointer (RFC 6901) to a path of member names and indices."""
    return "".join("/" + str(m).replace("~", "~0").replace("/", "~1") for m in members)


EVERYWHERE = "*"
"""Stands among the pointers of refused values where more are refused than are listed: it might be any."""

COUNT = "count()"
"""Stands before the last member of a path that means the count of examples behind a rate."""


def dotted(path: Path) -> str:
    """Return a path of the rules as people write it."""
    if COUNT in path:
        at = path.index(COUNT)
        return f"count({'.'.join((*path[:at], *path[at + 1 :]))})"
    return ".".join(path)


def show(value: Json, limit: int = 60) -> str:
    """Return a value as a message quotes it: JSON, shortened."""
    if isinstance(value, dict):
        return f"an object of {len(value)} member{'s' * (len(value) != 1)}"
    if isinstance(value, list):
        return f"a list of {len(value)} item{'s' * (len(value) != 1)}"
    if isinstance(value, str):
        return "'" + (value if len(value) <= limit else value[: limit - 1] + "…") + "'"
    text = json.dumps(value, default=str)
    return text if len(text) <= limit else text[: limit - 1] + "…"
