"""Where a finding stands, as far as a fix has to look at it."""

from __future__ import annotations

from collections.abc import Callable

from nsm_gate.edits import Edit, Fix
from nsm_gate.model import Finding, Line
from nsm_gate.nouns import NamedTuple
from nsm_gate.policy import LogKind


class Site(NamedTuple):
    """A finding and its line.

    Attributes:
        text: The line, decoded.
        kind: The log kind.
        fresh: Run id -> one like it that no line of the log kind has; a second call gives another.
        original: Number of the first line of the log that is the same, byte for byte.
    """

    finding: Finding
    line: Line
    text: str
    kind: LogKind
    fresh: Callable[[str], str]
    original: Callable[[], int]

    @property
    def token(self) -> str:
        """Return what the finding points at, as it is written."""
        return self.text[self.finding.column - 1 : self.finding.end_column - 1]

    def removed(self) -> tuple[Edit, ...]:
        """Return the edit that takes the line out, with its newline."""
        return (Edit(self.line.number, 1, len(self.text) + 1 + self.line.terminated, ""),)

    def instead(self, replacement: str) -> tuple[Edit, ...]:
        """Return the edit that puts something in the place of what the finding points at."""
        return (Edit(self.line.number, self.finding.column, self.finding.end_column, replacement),)


Mend = Callable[[Site], "Fix | None"]
"""Returns how the finding is mended, or None where no machine can."""
