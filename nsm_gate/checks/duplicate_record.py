"""Two runs do not share every result and setting.

Why: the same non-null final metrics from the same configuration under another run id is a copy: it counts
one experiment twice.
Fix: remove the copy; or log what differs (seed, data, configuration).
Example: a run is pasted and only its run id is changed.
"""

from __future__ import annotations

from collections.abc import Iterator

from nsm_gate.checks.check import EntryCheck, Subject
from nsm_gate.model import Problem, Severity
from nsm_gate.pointers import pointer


def run(subject: Subject) -> Iterator[Problem]:
    """Yield a problem where an earlier run has the same results and configuration."""
    record, twin = subject.record, subject.twin
    if twin is None or record.kind.results is None:
        return
    where = f"line {twin.line}" + (f" of {twin.path}" if twin.path != record.path else "")
    fact = f"same results and configuration as {twin.name or 'the run'} on {where}"
    hint = "remove the copy, or log what differs"
    at = pointer(*record.kind.results)
    yield Problem("duplicate-record", fact, hint, record.line, pointer=at)


CHECK = EntryCheck("duplicate-record", __doc__, Severity.WARNING, run)
