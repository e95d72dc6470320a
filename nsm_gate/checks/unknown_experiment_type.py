"""A run's experiment type is one that the rules define.

Why: a typo in the type would switch every criterion off, silently.
Fix: correct the name, or add a YAML file that defines the type.
Example: `"experiment_type": "dual_pass_validaton"`.
"""

from __future__ import annotations

from collections.abc import Iterator

from nsm_gate.checks.check import EntryCheck, Subject
from nsm_gate.model import Problem, Severity
from nsm_gate.names import nearest
from nsm_gate.pointers import pointer, show


def run(subject: Subject) -> Iterator[Problem]:
    """Yield a problem where no rule defines the named type."""
    record = subject.record
    path, name = record.kind.experiment_type, record.experiment_type
    if path is None or not name or not name.strip() or subject.experiment_type is not None:
        return
    near = nearest(name, subject.policy.experiment_types)
    known = ", ".join(subject.policy.experiment_types) or "none"
    hint = f"did you mean {near!r}?" if near else f"known types: {known}; or add a rules file"
    fact = f"no rule defines the experiment type {show(name)}"
    yield Problem("unknown-experiment-type", fact, hint, record.line, pointer=pointer(*path))


CHECK = EntryCheck("unknown-experiment-type", __doc__, Severity.ERROR, run, owns=True)
