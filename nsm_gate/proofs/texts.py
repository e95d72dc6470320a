"""What proofs ask of texts and times: quick answers that are never wrong where they say yes."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

from nsm_gate.checks.missing_findings import LEAST, is_placeholder
from nsm_gate.checks.run_id_format import NAME

_WORD = re.compile(r"[a-z]{2,}(?:-[a-z]+)*")
_REMEMBERED = 4096
# What placeholders begin with, and first words of those that have several: a text that begins with another
# word is none.
_VAGUE = ("todo", "tba", "tbd", "fixme", "xxx", "na", "none", "null", "nothing", "placeholder", "lorem",
          "findings", "human")  # fmt: skip
_VAGUE_WORDS = frozenset({"to", "fix", "fill", "add"})


def says_something() -> Callable[[str], bool]:
    """Return a test that holds for findings that no check complains of."""
    known: set[str] = set()

    def holds(text: str) -> bool:
        if len(text.strip()) < LEAST:
            return False
        first = text.partition(" ")[0]
        if first in known:
            return True
        plain = first.rstrip(".,;:").lower()
        word = _WORD.fullmatch(plain)
        if (
            word is not None
            and not plain.startswith(_VAGUE)
            and plain not in _VAGUE_WORDS
            and len(set(plain)) > 1
        ):
            if len(known) < _REMEMBERED:
                known.add(first)
            return True
        return not is_placeholder(text)

    return holds


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
    words = name[:-9]
    if not words or name[-9] != "_" or not dates[name[-8:]] or len(name) > 500:
        return False
    if words.isascii() and words.replace("_", "").isalnum():
        return "__" not in words and words[0] != "_" != words[-1]
    return NAME.fullmatch(name) is not None


FORM = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{3}(?:[0-9]{3})?)?Z"
).fullmatch
"""Matches times that every version of the interpreter's own parser reads, once they are without the Z."""
