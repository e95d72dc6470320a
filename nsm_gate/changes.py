"""Base lines and head lines -> appended, inserted and lost lines.

A log is a sequence of lines: not a byte prefix (`{"a":1}` without a newline is a prefix of
`{"a":1}{"b":2}`), and not a set (a copy of an old line is a new line). Every line of the base must
still be in the head, in order. What is kept is a longest common subsequence, so the fewest lines
count as lost; a head line that belongs to none of the bases is new.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from nsm_gate.lines import Lines as Text
from nsm_gate.nouns import NamedTuple, dataclass, replace

Lines = Sequence[bytes]

_PAIRS = 4_000_000
"""Candidate pairs above which lines are matched greedily, to bound time and memory."""
_GONE = -1
"""Stands in a match for the place of a line that the head no longer has."""
_Chain = tuple[int, int, "_Chain | None"]
"""A base index, a head index, and the chain that goes before."""


@dataclass(frozen=True, slots=True)
class Lost:
    """A line of the base that the head no longer has.

    Attributes:
        index: In the base, from 0.
        raw: Its bytes.
        replaced_by: Index in the head of the line that stands in its place, if there is one.
        moved_to: Index in the head of a new line that is this one, out of its order.
    """

    index: int
    raw: bytes
    replaced_by: int | None
    moved_to: int | None = None


class Change(NamedTuple):
    """What happened to one log between its bases and its head.

    Attributes:
        appended: Head indices after the last line kept from any base, in order.
        inserted: Head indices of new lines before it, in order.
        lost: Published lines that are gone or changed.
        replaced: Head indices of new lines that stand in place of a line of a base.
        moved: Head indices of lines that are lost ones, out of their order.
        kept: For each base, the head indices of the lines kept from it.
    """

    appended: tuple[int, ...]
    inserted: tuple[int, ...]
    lost: tuple[Lost, ...]
    kept: tuple[frozenset[int] | range, ...]
    replaced: frozenset[int] = frozenset()
    moved: frozenset[int] = frozenset()

    @property
    def judged(self) -> tuple[int, ...]:
        """Return the head indices that are new, in order: not of lines that only moved."""
        new = self.inserted + self.appended
        return tuple(index for index in new if index not in self.moved) if self.moved else new

    def mask(self, index: int) -> int:
        """Return which bases hold a head line, one bit a base; 0 for a new line.

        Two lines whose masks share a bit already stood together. A line that moved was there, too.
        """
        if index in self.moved:
            return (1 << len(self.kept)) - 1
        return sum(1 << bit for bit, kept in enumerate(self.kept) if index in kept)


def compare(bases: Sequence[Lines], published: Sequence[Lines], head: Lines) -> Change:
    """Compare a log's head with its bases (several for a merge) and with what is published.

    Args:
        bases: What counts as old: lines in none of them are new. Empty: every line is new.
        published: What must still be there, in order.
        head: The log as it is now.
    """
    matches = {id(lines): _match(lines, head) for lines in (*bases, *published)}
    kept = tuple(_kept(matches[id(base)]) for base in bases)
    last = max((max(indices, default=-1) for indices in kept), default=-1)
    appended = tuple(range(last + 1, len(head)))
    # All that the head begins with is old: most logs only grow, and then no line has to be looked up.
    begun = max((len(indices) for indices in kept if isinstance(indices, range)), default=0)
    old = frozenset[int]().union(*(indices for indices in kept if not isinstance(indices, range)))
    inserted = tuple(i for i in range(begun, last + 1) if i not in old)
    lost = _lost([(lines, matches[id(lines)]) for lines in published], len(head))
    # A local line may be amended where it stands: what stands there now was not inserted.
    amended = _lost([(lines, matches[id(lines)]) for lines in bases], len(head))
    replaced = frozenset(item.replaced_by for item in (*lost, *amended) if item.replaced_by is not None)
    lost = _moved(lost, (*inserted, *appended), head)
    moved = frozenset(item.moved_to for item in lost if item.moved_to is not None)
    return Change(appended, inserted, lost, kept, replaced, moved)


def _moved(lost: tuple[Lost, ...], new: Sequence[int], head: Lines) -> tuple[Lost, ...]:
    """Say of each lost line where it went, if a new line is the same."""
    if not lost:
        return lost
    places: dict[bytes, list[int]] = {}
    for index in reversed(new):
        places.setdefault(head[index], []).append(index)
    return tuple(
        replace(item, moved_to=places[item.raw].pop()) if places.get(item.raw) else item for item in lost
    )


def _kept(match: Sequence[int]) -> frozenset[int] | range:
    return match if isinstance(match, range) else frozenset(i for i in match if i >= 0)


def _match(base: Lines, head: Lines) -> Sequence[int]:
    """Return, for each base line, the head index that keeps it, or _GONE.

    The kept pairs are a longest common subsequence; of a base that is wholly there, the leftmost
    embedding, so that a copy of the last line counts as appended.
    """
    if isinstance(base, Text) and isinstance(head, Text):
        if head.begins_with(base):
            return range(len(base))
    elif base == head[: len(base)]:
        return range(len(base))
    size = min(len(base), len(head))
    start = 0
    while start < size and base[start] == head[start]:
        start += 1
    greedy = _leftmost(base, head, start)
    if greedy is not None:
        return greedy
    end = 0
    while end < size - start and base[-1 - end] == head[-1 - end]:
        end += 1
    middle = _longest(base[start : len(base) - end], head[start : len(head) - end])
    match = [*range(start), *(i + start if i >= 0 else _GONE for i in middle)]
    match += range(len(head) - end, len(head))
    return match


def _leftmost(base: Lines, head: Lines, start: int) -> list[int] | None:
    """Return the leftmost embedding of the whole base in the head, or None if there is none."""
    match = list(range(start))
    at = start
    for line in base[start:]:
        while at < len(head) and head[at] != line:
            at += 1
        if at == len(head):
            return None
        match.append(at)
        at += 1
    return match


def _longest(base: Lines, head: Lines) -> list[int]:
    """Return the matches of a longest common subsequence (Hunt and Szymanski, 1977)."""
    places: dict[bytes, list[int]] = {}
    for index, line in enumerate(head):
        places.setdefault(line, []).append(index)
    if sum(len(places.get(line, ())) for line in base) > _PAIRS:
        return _greedily(base, places)
    tails: list[int] = []
    chains: list[_Chain | None] = [None]  # of each length, the one that ends first in the head
    for index, line in enumerate(base):
        # From the right, so that two places of one line never follow each other in a chain.
        for place in reversed(places.get(line, [])):
            length = bisect_left(tails, place)
            if length < len(tails) and tails[length] == place:
                continue
            tails[length : length + 1] = [place]
            chains[length + 1 : length + 2] = [(index, place, chains[length])]
    match = [_GONE] * len(base)
    chain = chains[-1]
    while chain:
        index, place, chain = chain
        match[index] = place
    return match


def _greedily(base: Lines, places: dict[bytes, list[int]]) -> list[int]:
    """Match each line with its next place: linear, and exact where it is repeats that are many."""
    match: list[int] = []
    free = 0
    for line in base:
        found = places.get(line, [])
        at = bisect_left(found, free)
        match.append(found[at] if at < len(found) else _GONE)
        free = max(free, match[-1] + 1)
    return match


def _lost(published: Sequence[tuple[Lines, Sequence[int]]], end: int) -> tuple[Lost, ...]:
    """Return what the head lost of the published lines, each once, with what replaced it."""
    lost: dict[tuple[int, bytes], Lost] = {}
    for lines, match in published:
        if isinstance(match, range):
            continue
        gone: list[int] = []
        slot = 0
        for index, place in enumerate([*match, end]):
            if place < 0:
                gone.append(index)
                continue
            # The gap between two lines that are kept: its new lines stand in for the lost ones, one for one.
            for old in gone:
                there = slot if slot < place else None
                lost.setdefault((old, lines[old]), Lost(old, lines[old], there))
                slot += 1
            gone, slot = [], place + 1
    return tuple(lost.values())
