"""A member name appears once in its object.

Why: JSON leaves open which of two counts; Python takes the last, other readers the first. A run with
two accuracies has none.
Fix: keep the right one.
Example: `{"accuracy": 0.5, "accuracy": 0.9}`.
"""

from __future__ import annotations

from collections.abc import Iterator

from nsm_gate.checks.check import LineCheck
from nsm_gate.model import Entry, Line, Malformed, Problem, Severity


def run(line: Line, decoded: Entry | Malformed) -> Iterator[Problem]:
    """Yield the reason why the line holds no entry, where it is this one."""
    match decoded:
        case Malformed(rule="duplicate-member"):
            columns = (decoded.column, decoded.end_column)
            yield Problem("duplicate-member", decoded.reason, decoded.hint, line.number, columns=columns)


CHECK = LineCheck("duplicate-member", __doc__, Severity.ERROR, run)
