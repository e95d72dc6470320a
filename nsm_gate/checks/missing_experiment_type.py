"""A run names its experiment type.

Why: success criteria belong to experiment types; a run without one is judged by none.
Fix: add `experiment_type`.
Example: a line that was logged before types were introduced.
"""

from __future__ import annotations

from collections.abc import Iterator

from nsm_gate.checks.check import EntryCheck, Subject
from nsm_gate.model import Problem, Severity
from nsm_gate.pointers import pointer
from nsm_gate.records import ABSENT


def run(subject: Subject) -> Iterator[Problem]:
    """Yield a problem where the experiment type is absent, null or blank."""
    record = subject.record
    path = record.kind.experiment_type
    if path is None:
        return
    value = record.at(path)
    if value is ABSENT or value is None or (isinstance(value, str) and not value.strip()):
        what = "absent" if value is ABSENT else "null" if value is None else "blank"
        fact = f"{'.'.join(path)} is {what}: it is judged by no type's criteria"
        hint = f"add one of {', '.join(subject.policy.experiment_types)}"
        yield Problem("missing-experiment-type", fact, hint, record.line, pointer=pointer(*path))


CHECK = EntryCheck("missing-experiment-type", __doc__, Severity.WARNING, run, owns=True)
