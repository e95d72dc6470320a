"""A time says its offset from UTC.

Why: a time without an offset is local to a machine that nobody remembers. Where a log kind says that
such times are UTC (training_log: the guide writes `utcnow().isoformat()`), this is a warning.
Fix: add the Z, if the time is UTC: `datetime.now(timezone.utc).isoformat()` writes it right.
Example: `"timestamp": "2025-10-21T00:00:00.000000"`.
"""

from __future__ import annotations

from collections.abc import Iterator

from nsm_gate.checks.check import EntryCheck, Subject
from nsm_gate.model import Problem, Severity
from nsm_gate.pointers import pointer
from nsm_gate.timestamps import Instant, parse


def run(subject: Subject) -> Iterator[Problem]:
    """Yield a problem for each time stamp without an offset."""
    record = subject.record
    for path in record.kind.times:
        text = record.text(path) or ""
        instant = parse(text)
        if isinstance(instant, Instant) and instant.offset is None:
            fact = f"{'.'.join(path)} has no offset from UTC"
            hint = f"write {text}Z" if record.kind.naive_is_utc else f"write {text}Z, if it is UTC"
            yield Problem("timestamp-naive", fact, hint, record.line, pointer=pointer(*path))


CHECK = EntryCheck("timestamp-naive", __doc__, Severity.ERROR, run, owns=True)
