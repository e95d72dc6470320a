"""Runs of architectural experiment types describe their architecture.

Why: a result about an architecture that nobody wrote down cannot be compared. Experiment types ask for
it with `requires: [architecture.variant]`.
Fix: log the architecture's variant and whatever makes it what it is.
Example: a dual-pass run without `architecture`.
"""

from __future__ import annotations

from collections.abc import Iterator

from nsm_gate.checks.check import EntryCheck, Subject
from nsm_gate.checks.required import required
from nsm_gate.model import Problem, Severity
from nsm_gate.pointers import pointer
from nsm_gate.records import ABSENT


def run(subject: Subject) -> Iterator[Problem]:
    """Yield a problem for each member of the architecture that the type requires."""
    record, kind = subject.record, subject.experiment_type
    path = record.kind.architecture
    if path is None or kind is None:
        return
    names = required(subject, path)
    wanted = bool(names) or ".".join(path[len(record.kind.run) :]) in kind.requires
    holder = record.at(path)
    if wanted and (holder is ABSENT or holder is None):
        fact = f"{'.'.join(path)} is {'absent' if holder is ABSENT else 'null'}: {kind.name} asks for it"
        short = path[len(record.kind.run) :]
        hint = f"log {' and '.join('.'.join((*short, name)) for name in names) or '.'.join(short)}"
        yield Problem("missing-architecture", fact, hint, record.line, pointer=pointer(*path))
        return
    for name in names:
        value = record.at((*path, name))
        if isinstance(holder, dict) and (value is ABSENT or value is None):
            what = "absent" if value is ABSENT else "null"
            fact = f"{'.'.join((*path, name))} is {what}: {kind.name} asks for it"
            yield Problem(
                "missing-architecture", fact, f"log {name}", record.line, pointer=pointer(*path, name)
            )


CHECK = EntryCheck("missing-architecture", __doc__, Severity.ERROR, run, owns=True)
