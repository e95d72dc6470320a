"""A run is logged once.

Why: two lines with one run id are two stories about one run. Keys are unique across all logs of a log
kind, and across the branches that a merge joins. Two things are legal: a line that ends a `running`
run, and a line that names the run in `corrects` and says why in `reason`.
Fix: choose a new run id; or, where the old line was wrong, add `corrects` and `reason`.
Example: a script that logs its run again after a retry.
"""

from __future__ import annotations

from collections.abc import Iterator

from nsm_gate.checks.check import EntryCheck, Subject
from nsm_gate.model import Problem, Severity
from nsm_gate.pointers import pointer, show
from nsm_gate.records import Record


def run(subject: Subject) -> Iterator[Problem]:
    """Yield a problem where an earlier line has the key and this one neither ends nor corrects it."""
    record = subject.record
    earlier = subject.same_key
    if earlier is None:
        return
    if earlier.status == "running" and record.status in ("completed", "failed"):
        return
    if corrects(record):
        return
    where = f"line {earlier.line}"
    if earlier.path != record.path:
        where += f" of {earlier.path}"
    names = [".".join(path[len(record.kind.run) :]) for path in record.kind.key]
    shown = ", ".join(f"{name} {show(part)}" for name, part in zip(names, record.key or (), strict=False))
    hint = "choose a new id; or name the run in corrects and say why in reason"
    if earlier.status == "running" and record.status == "running":
        hint = "the run is already logged as running: log its end, or choose a new id"
    elif record.at(record.kind.corrects) == record.name and record.kind.reason:
        hint = "a correction says why: add a reason"
    at = pointer(*(record.kind.run_id or record.kind.key[-1]))
    told = [pointer(*path) for path in (record.kind.corrects, record.kind.reason) if path]
    fact = f"{shown} already used on {where}"
    yield Problem("duplicate-run", fact, hint, record.line, pointer=at, covers=tuple(told))


def corrects(record: Record) -> bool:
    """Return whether a line names its own run in `corrects`, and says why."""
    reason = record.text(record.kind.reason)
    named = record.text(record.kind.corrects)
    return named is not None and named == record.name and bool(reason and reason.strip())


CHECK = EntryCheck("duplicate-run", __doc__, Severity.ERROR, run)
