"""A line is not older than the line just before it.

Why: an append-only log grows in the order of time; a step back says that a line was backdated, or that two
machines disagree about the time. Equal times pass.
Fix: write the time at which the line is appended.
Example: a run of yesterday is logged after one of today.
"""

from __future__ import annotations

from collections.abc import Iterator

from nsm_gate.checks.check import EntryCheck, Subject
from nsm_gate.model import Problem, Severity
from nsm_gate.pointers import pointer
from nsm_gate.timestamps import written


def run(subject: Subject) -> Iterator[Problem]:
    """Yield a problem where the line just before was logged later."""
    record, previous = subject.record, subject.previous
    if previous is None or record.kind.logged is None:
        return
    now, before = record.instant, previous.instant
    if now is not None and before is not None and now.utc < before.utc:
        fact = f"{'.'.join(record.kind.logged)} is earlier than {written(before.utc)} on line {previous.line}"
        hint = "log the time at which the line is written"
        at = pointer(*record.kind.logged)
        yield Problem("timestamp-order", fact, hint, record.line, pointer=at)


CHECK = EntryCheck("timestamp-order", __doc__, Severity.WARNING, run)
