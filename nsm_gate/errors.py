"""What is wrong with the set-up, as opposed to what is wrong with a log.

Bad data is never an exception: it becomes a finding. A `GateError` says that the gate could not
judge, and ends the command with exit code 2.
"""

from __future__ import annotations

from nsm_gate.nouns import dataclass


@dataclass
class GateError(Exception):
    """The gate could not judge.

    Attributes:
        message: The fact, in one line.
        hint: The remedy, or an empty string.
        path: The file at fault, where there is one.
        line: Line in that file, from 1.
        column: Column in that line, from 1, in code points.
    """

    message: str
    hint: str = ""
    path: str | None = None
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        """Return `path:line:column: message`, as far as it is known."""
        place = ":".join(str(part) for part in (self.path, self.line, self.column) if part)
        return f"{place}: {self.message}" if place else self.message


@dataclass
class GateErrors(Exception):
    """Several mistakes of one set-up, reported together."""

    errors: tuple[GateError, ...]

    def __str__(self) -> str:
        """Return one mistake a line."""
        return "\n".join(str(error) for error in self.errors)


class Unwritten(GateErrors):
    """The gate has judged and published its report, but an output of it cannot be written."""


class Misread(Exception):
    """The command line cannot be read; its words say why, and how commands are written."""
