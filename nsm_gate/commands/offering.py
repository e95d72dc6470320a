"""The fixes of a report's findings: for agents as edits, for people as a word in the hint."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nsm_gate.edge.bases import Comparison
from nsm_gate.edge.git import Git
from nsm_gate.edge.logged import Logged
from nsm_gate.fixable import Fixable, with_fixes
from nsm_gate.history import Book, LogInput
from nsm_gate.model import Report


def offered(
    report: Report,
    inputs: Sequence[LogInput],
    books_of: Callable[[str], Sequence[Book]],
    comparison: Comparison | None,
    git: Git | None,
    limit: int,
) -> Report:
    """Return the report with a fix beside each finding that a machine can mend.

    Args:
        report: What was found.
        inputs: The judged logs.
        books_of: Every log of a kind.
        comparison: What was compared; None where there is no history.
        git: The repository, or None outside of one.
        limit: Bytes of a log that are read at most.
    """
    books = {log.book.path: log.book for log in inputs if log.gone is None and log.fault is None}
    logged = Logged(git, comparison, limit) if comparison is not None else lambda _path, _lines: ()
    fixable = Fixable(books, books_of, logged)
    if report.lots is not None:
        fixable.prepare()
    return with_fixes(report, fixable)
