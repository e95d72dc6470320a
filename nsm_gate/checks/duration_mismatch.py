"""The training time agrees with start and end.

Why: when the seconds and the two times disagree, one of them is wrong. The difference may be 1 second or
5 percent of the span, whichever is more: the times of many logs are whole seconds.
Fix: measure both with one clock.
Example: 34 seconds of training between 10:00:00Z and 10:07:00Z.
"""

from __future__ import annotations

from collections.abc import Iterator

from nsm_gate.checks.check import EntryCheck, Subject
from nsm_gate.model import Problem, Severity
from nsm_gate.pointers import pointer, show
from nsm_gate.timestamps import Instant, parse
from nsm_gate.values import decimal, is_number


def run(subject: Subject) -> Iterator[Problem]:
    """Yield a problem where seconds and end - start differ by more than the allowance."""
    record = subject.record
    start, end = (parse(record.text(path) or "") for path in (record.kind.start, record.kind.end))
    seconds = record.at(record.kind.seconds)
    if not (isinstance(start, Instant) and isinstance(end, Instant) and is_number(seconds)):
        return
    span = (end.utc - start.utc).total_seconds()
    # In decimals: a whole number may be larger than any float.
    if span >= 0 and abs(decimal(seconds) - decimal(span)) > decimal(max(1.0, 0.05 * span)):
        path = record.kind.seconds or ()
        fact = f"{'.'.join(path)} is {show(seconds)}, but start and end are {_seconds(span)} seconds apart"
        hint = "measure the time and its ends with one clock"
        yield Problem("duration-mismatch", fact, hint, record.line, pointer=pointer(*path))


def _seconds(span: float) -> str:
    return f"{span:.6f}".rstrip("0").rstrip(".")


CHECK = EntryCheck("duration-mismatch", __doc__, Severity.WARNING, run)
