"""A time is written in ISO 8601, and exists.

Why: `21.10.2025`, `2025-10-21 09:00` and 31 February sort wrongly or fail in every other tool.
Fix: write `datetime.now(timezone.utc).isoformat()`.
Example: `"start_time": "2025-02-30T10:00:00Z"`.
"""

from __future__ import annotations

from collections.abc import Iterator

from nsm_gate.checks.check import EntryCheck, Subject
from nsm_gate.model import Problem, Severity
from nsm_gate.pointers import pointer, show
from nsm_gate.timestamps import parse


def run(subject: Subject) -> Iterator[Problem]:
    """Yield a problem for each time stamp that is no date-time."""
    record = subject.record
    for path in record.kind.times:
        text = record.text(path)
        fault = parse(text) if text is not None else None
        if isinstance(fault, str):
            fact = f"{'.'.join(path)} is {show(text)}: {fault}"
            hint = "write YYYY-MM-DDTHH:MM:SSZ, in UTC"
            yield Problem("timestamp-invalid", fact, hint, record.line, pointer=pointer(*path))


CHECK = EntryCheck("timestamp-invalid", __doc__, Severity.ERROR, run, owns=True)
