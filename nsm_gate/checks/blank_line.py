"""A log has no blank lines.

Why: readers that call a JSON parser on every line stop at a blank one.
Fix: remove it.
Example: an editor left an empty line at the end.
"""

from __future__ import annotations

from collections.abc import Iterator

from nsm_gate.checks.check import LineCheck
from nsm_gate.model import Entry, Line, Malformed, Problem, Severity


def run(line: Line, decoded: Entry | Malformed) -> Iterator[Problem]:
    """Yield the reason why the line holds no entry, where it is this one."""
    match decoded:
        case Malformed(rule="blank-line"):
            columns = (decoded.column, decoded.end_column)
            yield Problem("blank-line", decoded.reason, decoded.hint, line.number, columns=columns)


CHECK = LineCheck("blank-line", __doc__, Severity.WARNING, run)
