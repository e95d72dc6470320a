"""A run id is words joined by `_`, then the date: `{experiment_type}_{variant}_{date}`.

Why: the guide's naming convention lets people and globs find a run by what it was and when.
Fix: name it like `dual_pass_equal_fusion_20251021`.
Example: `run7`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from nsm_gate.checks.check import EntryCheck, Subject
from nsm_gate.model import Problem, Severity
from nsm_gate.pointers import pointer, show

NAME = re.compile(
    r"[A-Za-z0-9]+(?:[.-][A-Za-z0-9]+)*(?:_[A-Za-z0-9]+(?:[.-][A-Za-z0-9]+)*)*_([0-9]{8})", re.ASCII
)


def run(subject: Subject) -> Iterator[Problem]:
    """Yield a problem where the run id is not words and a date that exists."""
    record = subject.record
    # Only run ids end in a date: baselines are keyed by branch, commit and experiment.
    if record.kind.run_id is None or record.kind.key != (record.kind.run_id,):
        return
    name = record.name
    if not name:
        return
    found = NAME.fullmatch(name[:500])
    fact = f"run id {show(name)} is not words joined by _ and a date"
    if found:
        try:
            date(int(found[1][:4]), int(found[1][4:6]), int(found[1][6:]))
        except ValueError:
            fact = f"run id {show(name)} ends in {found[1]}, which is no date"
        else:
            return
    at = pointer(*record.kind.run_id)
    hint = "name it {experiment_type}_{variant}_YYYYMMDD"
    yield Problem("run-id-format", fact, hint, record.line, pointer=at)


CHECK = EntryCheck("run-id-format", __doc__, Severity.WARNING, run)
