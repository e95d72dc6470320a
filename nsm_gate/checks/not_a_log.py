"""A log is a regular file that holds entries of its log kind.

Why: a symbolic link, a Git LFS pointer or a submodule keeps the lines out of git's history, where the
gate compares them; and a file of another project that happens to have the name is not ours to judge.
Fix: commit the log itself as a plain file, or tell the gate about your logs in `nsm-gate.yaml`.
Example: `training_log.jsonl` is tracked by Git LFS.
"""

from __future__ import annotations

from collections.abc import Iterator

from nsm_gate.checks.check import LogCheck, LogContext
from nsm_gate.model import Problem, Severity


def run(log: LogContext) -> Iterator[Problem]:
    """Yield one problem where the file is not a log at all."""
    if log.fault is not None:
        fact, hint = log.fault
        yield Problem("not-a-log", fact, hint, 1, columns=(1, 2))


CHECK = LogCheck("not-a-log", __doc__, Severity.ERROR, run)
