"""What proofs ask of texts and times: quick answers that are never wrong where they say yes."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

from nsm_gate.checks.missing_findings import LEAST, is_placeholder
from nsm_gate.checks.run_id_format import NAME

_REMEMBERED = 4096
_BEGINS = re.compile(
    r"(?!to|tb[ad]|fix|xxx|n/?a|none|null|nothing|placeholder|lorem|fill|add|findings|human)[a-z0-9]",
    re.IGNORECASE | re.ASCII,
).match
"""Matches texts that begin otherwise than any placeholder does: such a text, its first word and its first
sentence are none."""


def says_something() -> Callable[[str], bool]:
    """Return a test that holds for findings that no check complains of."""
    known: set[str] = set()

    def holds(text: str) -> bool:
        if len(text.strip()) < LEAST:
            return False
        first = text.partition(" ")[0]
        if first in known:
            return True
        if _BEGINS(first) and len(set(first.lower()) - _NO_LETTERS) > 1:
            if len(known) < _REMEMBERED:
                known.add(first)
            return True
        return not is_placeholder(text)

    return holds


_NO_LETTERS = frozenset(" .-_")


class Dates(dict[str, bool]):
    """YYYYMMDD -> whether there is such a day; remembers the days that it was asked for."""

    def __missing__(self, text: str) -> bool:
        """Look a text up that was not asked for before."""
        try:
            exists = text.isascii() and text.isdigit() and len(text) == 8
            exists = exists and bool(date(int(text[:4]), int(text[4:6]), int(text[6:])))
        except ValueError:
            exists = False
        if len(self) < _REMEMBERED:
            self[text] = exists
        return exists


def is_dated_name(name: str, dates: Dates = Dates()) -> bool:  # noqa: B008
    """Return whether a run id is words and a date that exists; never wrongly True."""
    if not dates[name[-8:]] or len(name) > 500:
        return False
    # Between two of them, it is words joined by _ where none is empty.
    words = f"_{name[:-8]}"
    if words.isascii() and words.isidentifier() and "__" not in words:
        return words[-1] == "_" != words
    return NAME.fullmatch(name) is not None


FORM = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{3}(?:[0-9]{3})?)?Z"
).fullmatch
"""Matches times that every version of the interpreter's own parser reads, once they are without the Z."""
