"""What a machine mends of a time: the same instant, written in UTC with a Z."""

from __future__ import annotations

import json
from collections.abc import Iterator

from nsm_gate.edits import Edit, Fix
from nsm_gate.fixes.site import Site
from nsm_gate.model import Line
from nsm_gate.pointers import pointer
from nsm_gate.policy import LogKind
from nsm_gate.scanner import Place
from nsm_gate.timestamps import Instant, parse, written

UTC_OFFSET = "utc-offset"
"""Name of the fix that no rule asks for: `+00:00` is UTC, and written as Z it sorts as text."""


def naive(site: Site) -> Fix | None:
    """Add the Z, where the log kind says that a time without an offset is UTC."""
    instant = _instant(site.token)
    if instant is None or instant.offset is not None or not site.kind.naive_is_utc:
        return None
    text = str(json.loads(site.token))
    return Fix(True, f"{_name(site)} gets its Z", site.instead(f'"{text}Z"'))


def offset(site: Site) -> Fix | None:
    """Convert to UTC. Unsafe: where the run was, in time zones, is lost."""
    instant = _instant(site.token)
    if instant is None or instant.offset is None or instant.is_utc:
        return None
    utc = written(instant.utc, instant.fraction)
    return Fix(False, f"{_name(site)} is {utc} in UTC", site.instead(f'"{utc}"'))


def utc_offsets(line: Line, text: str, kind: LogKind, found: dict[str, Place]) -> Iterator[Fix]:
    """Yield a fix for each time of an entry that says UTC as `+00:00`.

    Args:
        line: The line.
        text: The line, decoded.
        kind: Its log kind, which knows where times stand.
        found: The places of its values.
    """
    for path in kind.times:
        place = found.get(pointer(*path))
        token = text[place.value[0] - 1 : place.value[1] - 1] if place else ""
        instant = _instant(token)
        if place and instant is not None and instant.offset == "+00:00":
            whole = str(json.loads(token)).removesuffix("+00:00")
            edit = Edit(line.number, *place.value, f'"{whole}Z"')
            yield Fix(True, f"{'.'.join(path)} says UTC with a Z", (edit,))


def _instant(token: str) -> Instant | None:
    """Return the time that a JSON string holds, if it holds one."""
    if not token.startswith('"'):
        return None
    try:
        parsed = parse(str(json.loads(token)))
    except ValueError:
        return None
    return parsed if isinstance(parsed, Instant) else None


def _name(site: Site) -> str:
    return (site.finding.pointer or "").removeprefix("/").replace("/", ".") or "the time"
