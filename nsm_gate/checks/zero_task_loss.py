"""A completed run has learned with a task loss above zero.

Why: a task loss of exactly zero means that the task's labels or its loss never took part (all labels
equal, or the loss multiplied by zero).
Fix: look at the labels and at the loss's weight before believing the accuracy.
Example: `"task_loss": 0.0`.
"""

from __future__ import annotations

from collections.abc import Iterator

from nsm_gate.checks.check import EntryCheck, Subject
from nsm_gate.model import Problem, Severity
from nsm_gate.pointers import pointer
from nsm_gate.values import is_number


def run(subject: Subject) -> Iterator[Problem]:
    """Yield a problem where the task loss of a completed run is zero."""
    record = subject.record
    path = record.kind.task_loss
    value = record.at(path)
    if path and record.status == "completed" and is_number(value) and value == 0:
        fact = f"{'.'.join(path)} is exactly 0"
        hint = "check that the labels differ and that the task loss takes part in training"
        yield Problem("zero-task-loss", fact, hint, record.line, pointer=pointer(*path))


CHECK = EntryCheck("zero-task-loss", __doc__, Severity.WARNING, run)
