"""Times are in UTC.

Why: the guide asks for UTC, and times with different offsets sort wrongly as text.
Fix: convert: the hint gives the same instant in UTC.
Example: `"start_time": "2025-11-03T12:15:00+02:00"`.
"""

from __future__ import annotations

from collections.abc import Iterator

from nsm_gate.checks.check import EntryCheck, Subject
from nsm_gate.model import Problem, Severity
from nsm_gate.pointers import pointer
from nsm_gate.timestamps import Instant, parse, written


def run(subject: Subject) -> Iterator[Problem]:
    """Yield a problem for each time stamp with another offset than UTC's."""
    record = subject.record
    for path in record.kind.times:
        instant = parse(record.text(path) or "")
        if isinstance(instant, Instant) and instant.offset is not None and not instant.is_utc:
            fact = f"{'.'.join(path)} is {instant.offset}, not UTC"
            hint = f"write it in UTC: {written(instant.utc, instant.fraction)}"
            yield Problem("timestamp-not-utc", fact, hint, record.line, pointer=pointer(*path))


CHECK = EntryCheck("timestamp-not-utc", __doc__, Severity.ERROR, run, owns=True)
