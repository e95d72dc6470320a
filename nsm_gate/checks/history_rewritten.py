"""Lines already logged never change.

Why: a log that can be rewritten is not evidence. Every published line must still be there, in order,
byte for byte; a line that only this clone has may still be amended.
Fix: restore the line, then append a corrected one: same run id, `corrects` naming the run, and a `reason`.
Example: the accuracy of a run that was logged last week is edited in place.
"""

from __future__ import annotations

from collections.abc import Iterator

from nsm_gate.checks.check import LogCheck, LogContext
from nsm_gate.jsonl import decode
from nsm_gate.model import Entry, Json, Line, Problem, Severity
from nsm_gate.names import plural
from nsm_gate.pointers import pointer, show


def run(log: LogContext) -> Iterator[Problem]:
    """Yield a problem for each published line that is gone or changed, or one for a whole log."""
    if log.gone is not None:
        yield _gone(log, log.gone)
        return
    for lost in log.change.lost:
        name = log.name(lost.raw)
        line = lost.index + 1
        if lost.moved_to is not None:
            fact = f"line was moved to line {lost.moved_to + 1}"
            hint = "put it back: lines that were logged keep their order"
            yield Problem("history-rewritten", fact, hint, line, run=name, lost=lost.raw)
            continue
        changed = None
        if lost.replaced_by is not None and lost.replaced_by < len(log.head):
            changed = _difference(lost.raw, log.head[lost.replaced_by])
        where, fact = changed or (None, "line is gone from the log")
        hint = f"restore it as in {_commit(log)}, then append a correction with corrects and reason"
        yield Problem("history-rewritten", fact, hint, line, pointer=where, run=name, lost=lost.raw)


def _commit(log: LogContext) -> str:
    """Return the commit at the end of the base's words (`merge base of main: 1a2b3c4`)."""
    return log.base.rpartition(": ")[2]


def _gone(log: LogContext, lines: int) -> Problem:
    if log.moved_to:
        fact = f"the log was renamed to {log.moved_to}, with {plural(lines, 'published line')}"
        hint = f"move it back to {log.path}: a log keeps its place"
    else:
        fact = f"the log was deleted, with {plural(lines, 'published line')}"
        hint = f"restore it: git checkout {_commit(log)} -- {log.path}"
    return Problem("history-rewritten", fact, hint, 1, columns=(1, 2))


def _difference(old: bytes, new: bytes) -> tuple[str | None, str] | None:
    """Return the first place where two lines differ, and how; None where they are different runs."""
    before, after = decode(Line(1, old)), decode(Line(1, new))
    if not isinstance(before, Entry) or not isinstance(after, Entry):
        return None, "line was changed"
    changes = list(_changes(before.value, after.value, ()))
    if not changes:
        return None, "line was rewritten: the same values in other bytes"
    if len(changes) > 3:
        return None
    path, one, other = changes[0]
    more = f", and {len(changes) - 1} more" if len(changes) > 1 else ""
    return pointer(*path), f"{'.'.join(map(str, path))} was {one}, is now {other}{more}"


_ABSENT = object()


def _changes(
    old: Json, new: Json, path: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
    if isinstance(old, dict) and isinstance(new, dict):
        for member in {**old, **new}:
            yield from _changes(old.get(member, _ABSENT), new.get(member, _ABSENT), (*path, member))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from _changes(one, other, (*path, index))
    elif isinstance(old, str) and isinstance(new, str) and old != new:
        start = next(
            (i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new))
        )
        cut = max(0, start - 20) if max(len(old), len(new)) > 60 else 0
        dots = "…" if cut else ""
        yield path, show(dots + old[cut:]), show(dots + new[cut:])
    elif type(old) is not type(new) or old != new:
        yield path, _words(old), _words(new)


def _words(value: Json) -> str:
    return "absent" if value is _ABSENT else show(value)


CHECK = LogCheck("history-rewritten", __doc__, Severity.ERROR, run)
