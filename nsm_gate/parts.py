"""What looking at the lines of a log gives, part by part: what those who put them in order need to know."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any  # noqa: TID251  # imported for long logs alone

from nsm_gate.history import Digest, Key
from nsm_gate.nouns import NamedTuple
from nsm_gate.tallies import Row

PART = 2048
"""Lines that are looked at in one go."""


class Facts(NamedTuple):
    """What later lines need to know of a line, and what it comes to by itself.

    Attributes:
        row: Number of the row in the part's table.
        known: IN_ORDER, UNLESS_REPEATED or FOR_GOOD.
        corrected: Whether it corrects an earlier line as it should.
        candidates: (number of the reference, what must agree, strength) for references that may pick it.
        needs: (number of the need, the run's value, what must agree, time) for criteria that compare.
    """

    row: int
    known: int
    key: Key | None
    digest: Digest | None
    status: str | None
    corrected: bool
    candidates: tuple[Any, ...]
    needs: tuple[Any, ...]


IN_ORDER, UNLESS_REPEATED, FOR_GOOD = range(3)
"""When a line is judged: in full, once its place among the others is known; by itself, but in full after
all where an earlier line has its key or its results; by itself, and what such a line means is only added."""


class Part(NamedTuple):
    """What looking at some of the lines gave: plain values alone, since it may come from another process.

    Attributes:
        rows: What lines come to.
        groups: Number of what must agree -> its text, for the numbers that facts name.
        facts: Of each line, in order.
        used: Waivers that accepted something.
    """

    rows: list[Row]
    groups: dict[int, str]
    facts: list[tuple[Any, ...]]
    used: set[int]


class Parts:
    """Parts as they come, kept for those who want all of them."""

    def __init__(self, source: Iterator[Part]) -> None:
        self._source = source
        self._come: list[Part] = []

    def __iter__(self) -> Iterator[Part]:
        at = 0
        while at < len(self._come) or self._next():
            yield self._come[at]
            at += 1

    def _next(self) -> bool:
        part = next(self._source, None)
        if part is not None:
            self._come.append(part)
        return part is not None

    def all(self) -> list[Part]:
        """Wait for all of them."""
        while self._next():
            pass
        return self._come


def stretches(count: int) -> list[tuple[int, int]]:
    """Return where parts of so many lines start and stop."""
    return [(start, min(start + PART, count)) for start in range(0, count, PART)]
