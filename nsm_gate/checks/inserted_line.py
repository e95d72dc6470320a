"""New lines go to the end of the log.

Why: a line between old ones hides in the middle of a diff, and looks as if it had been there before.
It is judged like an appended line as well. In a merge it is a warning: joining two branches' lines in
the order of time may put one between others.
Fix: move the line to the end of the log.
Example: a run is added above last week's runs.
"""

from __future__ import annotations

from collections.abc import Iterator

from nsm_gate.checks.check import LogCheck, LogContext
from nsm_gate.jsonl import decode
from nsm_gate.model import Entry, Line, Problem, Severity


def run(log: LogContext) -> Iterator[Problem]:
    """Yield a problem for each new line before the last old one that does not replace another."""
    for index in log.change.inserted:
        known = index in log.change.replaced or index in log.change.moved
        # A line that holds no entry says so itself.
        if not known and isinstance(decode(Line(index + 1, log.head[index])), Entry):
            yield Problem(
                "inserted-line",
                "new line stands before lines that were logged earlier",
                "move it to the end of the log",
                index + 1,
                columns=(1, 2),
                severity=Severity.WARNING if log.merge else None,
            )


CHECK = LogCheck("inserted-line", __doc__, Severity.ERROR, run)
