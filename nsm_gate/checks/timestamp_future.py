"""A time does not lie in the future.

Why: a run cannot have been logged tomorrow: a clock was wrong, or local time was written as UTC. Five
minutes are allowed for clocks that differ.
Fix: write the time in UTC; check the clock of the machine.
Example: 23:00 in Tokyo, logged as `23:00:00Z`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from nsm_gate.checks.check import EntryCheck, Subject
from nsm_gate.model import Problem, Severity
from nsm_gate.pointers import pointer
from nsm_gate.timestamps import Instant, parse, written

SKEW = timedelta(minutes=5)


def run(subject: Subject) -> Iterator[Problem]:
    """Yield a problem for each time stamp later than now."""
    record = subject.record
    for path in record.kind.times:
        instant = parse(record.text(path) or "")
        if isinstance(instant, Instant) and instant.utc > subject.now + SKEW:
            fact = (
                f"{'.'.join(path)} lies in the future: now is {written(subject.now.replace(microsecond=0))}"
            )
            hint = "write UTC, not local time, and check the machine's clock"
            yield Problem("timestamp-future", fact, hint, record.line, pointer=pointer(*path))


CHECK = EntryCheck("timestamp-future", __doc__, Severity.ERROR, run)
