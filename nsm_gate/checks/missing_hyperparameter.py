"""Every hyperparameter is written down, defaults too, the seed above all.

Why: defaults change; a run whose seed nobody wrote down cannot be repeated.
Fix: log the full configuration that the trainer used, not only what was set by hand.
Example: no `"seed"` in hyperparameters.
"""

from __future__ import annotations

from collections.abc import Iterator

from nsm_gate.checks.check import EntryCheck, Subject
from nsm_gate.checks.required import required
from nsm_gate.model import Problem, Severity
from nsm_gate.pointers import pointer
from nsm_gate.records import ABSENT


def run(subject: Subject) -> Iterator[Problem]:
    """Yield a problem for each hyperparameter that is absent or null."""
    record = subject.record
    path = record.kind.hyperparameters
    if path is None:
        return
    holder = record.at(path)
    names = [*record.kind.required_hyperparameters, *required(subject, path)]
    if holder is ABSENT or holder is None:
        if names:
            fact = f"{'.'.join(path)} is {'absent' if holder is ABSENT else 'null'}"
            hint = f"log {', '.join(names)}"
            yield Problem("missing-hyperparameter", fact, hint, record.line, pointer=pointer(*path))
        return
    for name in dict.fromkeys(names):
        value = record.at((*path, name))
        if isinstance(holder, dict) and (value is ABSENT or value is None):
            what = "absent" if value is ABSENT else "null"
            fact = f"hyperparameter {name!r} is {what}"
            hint = (
                "log the seed: without it the run cannot be repeated"
                if name == "seed"
                else f"log {name}, even where it is the default"
            )
            at = pointer(*path, name)
            yield Problem("missing-hyperparameter", fact, hint, record.line, pointer=at)


CHECK = EntryCheck("missing-hyperparameter", __doc__, Severity.ERROR, run, owns=True)
