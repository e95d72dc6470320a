"""A line of a log as a block of rows, one member a row: what `git diff` shows instead of one long line.

Every byte counts: the heading carries the line's digest, so that lines which differ in white space, in the
order of members or in what was cut for length differ here too. No line number: one line more would change
every block below it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

from nsm_gate.jsonl import decode, text
from nsm_gate.model import Entry, Json, Line, Path
from nsm_gate.policy import LogKind
from nsm_gate.records import Record
from nsm_gate.render.untrusted import plain

_LONGEST = 2000
_DIGITS = 12


def block(raw: bytes, kind: LogKind | None, terminated: bool = True) -> str:
    """Return the rows of one physical line, each safe for a terminal, and an empty row behind them.

    Args:
        raw: The line without its newline.
        kind: The log kind, or None where it is not known.
        terminated: Whether a newline ends the line.
    """
    digest = f"sha256 {hashlib.sha256(raw).hexdigest()[:_DIGITS]}"
    decoded = decode(Line(1, raw, terminated), max(len(raw), 1))
    if isinstance(decoded, Entry):
        record = Record(decoded, kind, "") if kind else None
        name = record.name if record else None
        rows = [f"run {name} · {digest}" if name else f"entry · {digest}"]
        rows += [f"  {row}" for row in _members(decoded.value, kind)]
    else:
        rows = [f"no entry: {decoded.reason} · {digest}", f"  {text(raw)}"]
    if not terminated:
        rows.append("  (no newline ends this line)")
    return "".join(f"{plain(row, _LONGEST)}\n" for row in (*rows, ""))


def _members(value: Json, kind: LogKind | None) -> Iterator[str]:
    leaves = sorted(_leaves(value, ()), key=lambda leaf: (_rank(leaf[0], kind), leaf[0]))
    run = kind.run if kind else ()
    for path, leaf in leaves:
        # As rules and criteria call it: from the run on, or `entry.` for what stands beside the run.
        inside = path[: len(run)] == run and len(path) > len(run)
        name = ".".join(path[len(run) :] if inside else ("entry", *path))
        yield f"{name}: {json.dumps(leaf, ensure_ascii=False, sort_keys=True)}"


def _leaves(value: Json, path: Path) -> Iterator[tuple[Path, Json]]:
    if isinstance(value, dict) and value:
        for member, inner in value.items():
            yield from _leaves(inner, (*path, member))
    elif isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value):
        last = path[-1] if path else ""
        for index, item in enumerate(value):
            # Padded: the order of text is the order of the list.
            yield (*path[:-1], f"{last}[{index:0{len(str(len(value) - 1))}}]"), item
    else:
        yield path, value


def _rank(path: Path, kind: LogKind | None) -> int:
    """Return the group that a member is shown in: what the run is, what it measured, the rest."""
    if kind is None:
        return 0
    first = (kind.experiment_type, kind.domain, kind.status, kind.logged, kind.findings)
    if path in first:
        return first.index(path)
    return len(first) + (kind.results is None or path[: len(kind.results)] != kind.results)
