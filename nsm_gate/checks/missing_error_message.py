"""A failed run says what went wrong.

Why: the next person runs into the same wall.
Fix: log the error and where it happened.
Example: `"status": "failed", "error_message": null`; better: "CUDA out of memory at epoch 7, batch 42".
"""

from __future__ import annotations

from collections.abc import Iterator

from nsm_gate.checks.check import EntryCheck, Subject
from nsm_gate.model import Problem, Severity
from nsm_gate.pointers import pointer
from nsm_gate.records import ABSENT


def run(subject: Subject) -> Iterator[Problem]:
    """Yield a problem where a failed run has no error message."""
    record = subject.record
    path = record.kind.error_message
    if path is None or record.status != "failed":
        return
    value = record.at(path)
    if value is ABSENT or value is None or (isinstance(value, str) and not value.strip()):
        what = "absent" if value is ABSENT else "null" if value is None else "blank"
        fact = f"the run failed, and {'.'.join(path)} is {what}"
        hint = "log the error, and where in the run it came"
        yield Problem("missing-error-message", fact, hint, record.line, pointer=pointer(*path))


CHECK = EntryCheck("missing-error-message", __doc__, Severity.ERROR, run, owns=True)
