"""A run ends after it starts.

Why: an end before the start is a mix-up of fields or of time zones.
Fix: log both times in UTC, from one clock.
Example: start 10:00:00Z, end 09:58:12Z.
"""

from __future__ import annotations

from collections.abc import Iterator

from nsm_gate.checks.check import EntryCheck, Subject
from nsm_gate.model import Problem, Severity
from nsm_gate.pointers import pointer, show
from nsm_gate.timestamps import Instant, parse


def run(subject: Subject) -> Iterator[Problem]:
    """Yield a problem where the end lies before the start."""
    record = subject.record
    start, end = (parse(record.text(path) or "") for path in (record.kind.start, record.kind.end))
    if isinstance(start, Instant) and isinstance(end, Instant) and end.utc < start.utc:
        path = record.kind.end or ()
        begin = f"{'.'.join(record.kind.start or ())} {show(record.text(record.kind.start))}"
        fact = f"{'.'.join(path)} {show(record.text(path))} is before {begin}"
        hint = "log both times in UTC, from one clock"
        yield Problem("time-span", fact, hint, record.line, pointer=pointer(*path))


CHECK = EntryCheck("time-span", __doc__, Severity.ERROR, run)
