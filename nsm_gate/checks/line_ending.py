"""Every line ends with a newline, and with nothing else.

Why: without the last newline the next append lands on the same line and destroys both. A carriage
return before the newline (Windows text mode) makes the same entry other bytes on another machine; that
is a warning.
Fix: end the file with one newline; write with `newline="\\n"`.
Example: an editor that strips the final newline.
"""

from __future__ import annotations

from collections.abc import Iterator

from nsm_gate.checks.check import LineCheck
from nsm_gate.jsonl import text
from nsm_gate.model import Entry, Line, Malformed, Problem, Severity


def run(line: Line, decoded: Entry | Malformed) -> Iterator[Problem]:
    """Yield a problem for a missing final newline, and for a carriage return."""
    # A torn line says so itself, and a blank one is to be removed, not mended.
    torn = isinstance(decoded, Malformed)
    end = len(text(line.raw)) + 1
    if not line.terminated and not torn:
        fact = "the last line has no newline"
        hint = "end the file with a newline, or the next append lands on this line"
        yield Problem("line-ending", fact, hint, line.number, columns=(end, end + 1))
    elif line.raw.endswith(b"\r") and not torn:
        yield Problem(
            "line-ending",
            "line ends in CRLF",
            "end lines with a newline alone: open the log with newline='\\n'",
            line.number,
            columns=(end - 1, end),
            severity=Severity.WARNING,
        )


CHECK = LineCheck("line-ending", __doc__, Severity.ERROR, run)
