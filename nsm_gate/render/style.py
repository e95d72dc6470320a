"""How a report may look: colours and width are arguments, never asked of a terminal."""

from __future__ import annotations

import unicodedata

from nsm_gate.nouns import NamedTuple

COMMENT = 65_000
"""Bytes of Markdown that fit into a comment, which may have 65,536 characters."""

STDIN = "<stdin>"
"""What stands for a path where standard input is judged."""

_CODES = {"error": "1;31", "warning": "33", "notice": "36", "good": "32", "dim": "2", "bold": "1"}


class Style(NamedTuple):
    """What the output may use.

    Attributes:
        color: Whether escape sequences for colours are written.
        width: Columns of the line.
        verbose: Whether criteria that do not apply and all runs are shown in full.
        quiet: Whether a clean report prints nothing.
        runs: How many runs are shown in full before the rest is only counted.
        rows: How many rows the text may have, for a hook's screenful; None for any.
        blob: Address under which the files of the judged commit are shown; empty for none.
        limit: Bytes that Markdown may have; 0 for what a job summary may.
    """

    color: bool = False
    width: int = 100
    verbose: bool = False
    quiet: bool = False
    runs: int = 60
    rows: int | None = None
    blob: str = ""
    limit: int = 0

    def paint(self, text: str, role: str) -> str:
        """Return text in the role's colour."""
        return f"\x1b[{_CODES[role]}m{text}\x1b[0m" if self.color and text else text


def columns_of(text: str) -> int:
    """Return how many terminal columns a text takes."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return len(text) + wide - sum(bool(unicodedata.combining(char)) for char in text)
