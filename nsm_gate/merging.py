"""Join the lines that two branches appended to one log: a three-way merge of sequences of lines.

What comes out holds every line of the base, of ours and of theirs once, and each of the three as a
subsequence: nothing is lost, nothing doubled, no order changed. Where that cannot be had, it is refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from datetime import datetime

from nsm_gate.nouns import dataclass

OURS, THEIRS = "ours", "theirs"


@dataclass(frozen=True, slots=True)
class Reading:
    """What the merge knows of a new line.

    Attributes:
        time: When it was logged, in UTC; None where no time can be read.
        key: What identifies its run, or None.
        name: The run, as messages call it.
        fault: Why the line holds no entry, or an empty string.
    """

    time: datetime | None = None
    key: Hashable = None
    name: str = ""
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """The two sides are not joined, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class _Added:
    """A new line of one side."""

    raw: bytes
    reading: Reading
    number: int


_Gaps = list[list[_Added]]
"""The new lines of a side before each line of the base, and after the last."""


def join(
    base: Sequence[bytes],
    ours: Sequence[bytes],
    theirs: Sequence[bytes],
    read: Callable[[bytes], Reading],
    *,
    by_time: bool = True,
) -> list[bytes] | Refused:
    """Return the merged lines, without newlines.

    Both sides hold every line of the base in order. One of the two may hold new lines between them, as
    the second commit of a rebase finds it; the other only appends.

    Args:
        base: Lines of the common ancestor.
        ours: Lines of our side.
        theirs: Lines of their side.
        read: Tells time and key of a new line.
        by_time: Whether the older line comes first; otherwise ours come before theirs.
    """
    sides: list[_Gaps] = []
    for side, lines in ((OURS, ours), (THEIRS, theirs)):
        gaps = _gaps(base, lines, read)
        if isinstance(gaps, int):
            return Refused(f"{side} changed or dropped line {gaps} of the common history")
        sides.append(gaps)
        broken = next((added for gap in gaps for added in gap if added.reading.fault), None)
        if broken is not None:
            return Refused(f"line {broken.number} of {side} is no entry: {broken.reading.fault}")
    mine, other = sides
    between = [any(gaps[:-1]) for gaps in sides]
    if all(between):
        return Refused("both sides added lines between those of the common history")
    merged: list[bytes] = []
    for place, (one, two) in enumerate(zip(mine, other, strict=True)):
        tail = _tails(one, two, by_time)
        if isinstance(tail, Refused):
            return tail
        merged += tail
        merged += base[place : place + 1]
    return _clash(mine, other) or merged


def marked(ours: Iterable[bytes], theirs: Iterable[bytes]) -> Iterator[bytes]:
    """Yield both sides as git's conflict markers show them: what they begin with alike, then one block.

    Args:
        ours: Lines with their newlines, as a file yields them.
        theirs: Likewise.
    """
    one, two = iter(ours), iter(theirs)
    mine, other = next(one, b""), next(two, b"")
    while mine and mine == other and mine.endswith(b"\n"):
        yield mine
        mine, other = next(one, b""), next(two, b"")
    yield b"<<<<<<< ours\n"
    yield from _terminated(mine, one)
    yield b"=======\n"
    yield from _terminated(other, two)
    yield b">>>>>>> theirs\n"


def _terminated(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    line = first
    while line:
        # A marker stands at the beginning of a line, also behind a torn one.
        yield line if line.endswith(b"\n") else line + b"\n"
        line = next(rest, b"")


def _gaps(base: Sequence[bytes], lines: Sequence[bytes], read: Callable[[bytes], Reading]) -> _Gaps | int:
    """Return a side's new lines by where they stand, or the number of the base's line that it lacks."""
    gaps: _Gaps = [[] for _ in range(len(base) + 1)]
    at = 0
    for number, raw in enumerate(lines, 1):
        if at < len(base) and raw == base[at]:
            at += 1
        else:
            gaps[at].append(_Added(raw, read(raw), number))
    return gaps if at == len(base) else at + 1


def _tails(ours: list[_Added], theirs: list[_Added], by_time: bool) -> list[bytes] | Refused:
    """Return two tails as one: what both hold stays in place once, and between that they are interleaved."""
    if not ours or not theirs:
        return [added.raw for added in ours or theirs]
    shared = Counter(added.raw for added in ours) & Counter(added.raw for added in theirs)
    mine, other = _marked_shared(ours, shared), _marked_shared(theirs, shared)
    anchors = [added.raw for added, both in mine if both]
    if anchors != [added.raw for added, both in other if both]:
        return Refused("both sides added the same lines, in different orders")
    merged: list[bytes] = []
    one, two = _timed(mine, by_time), _timed(other, by_time)
    for anchor in (*anchors, None):
        merged += _by_time(_until_shared(one), _until_shared(two))
        if anchor is not None:
            merged.append(anchor)
    return merged


_Timed = tuple[bytes, datetime | None, bool]


def _marked_shared(tail: list[_Added], shared: Counter[bytes]) -> list[tuple[_Added, bool]]:
    left = Counter(shared)
    found = []
    for added in tail:
        both = left[added.raw] > 0
        left[added.raw] -= both
        found.append((added, both))
    return found


def _timed(tail: list[tuple[_Added, bool]], by_time: bool) -> Iterator[_Timed]:
    """Yield lines with their times; a line without one goes with the line before it."""
    time: datetime | None = None
    for added, both in tail:
        time = (added.reading.time or time) if by_time else None
        yield added.raw, time, both


def _until_shared(tail: Iterator[_Timed]) -> list[_Timed]:
    found: list[_Timed] = []
    for item in tail:
        if item[2]:
            break
        found.append(item)
    return found


def _by_time(ours: list[_Timed], theirs: list[_Timed]) -> Iterator[bytes]:
    """Yield the older of the two next lines, ours where they are as old or no time is known."""
    mine = 0
    for raw, time, _ in theirs:
        while mine < len(ours):
            own = ours[mine][1]
            if own is not None and time is not None and time < own:
                break
            yield ours[mine][0]
            mine += 1
        yield raw
    yield from (raw for raw, _, _ in ours[mine:])


def _clash(ours: _Gaps, theirs: _Gaps) -> Refused | None:
    """Return why two sides that can be interleaved must not be."""
    sides = [[added for gap in gaps for added in gap] for gaps in (ours, theirs)]
    lines = [Counter(added.raw for added in side) for side in sides]
    shared = lines[0] & lines[1]
    in_place: Counter[bytes] = Counter()
    for one, two in zip(ours, theirs, strict=True):
        if one and two:
            in_place += Counter(added.raw for added in one) & Counter(added.raw for added in two)
    if shared != in_place:
        return Refused("both sides added the same line, in different places")
    only = [[added for added in side if not shared[added.raw]] for side in sides]
    keys = {added.reading.key: added for added in only[0] if added.reading.key is not None}
    for added in only[1]:
        if added.reading.key is not None and added.reading.key in keys:
            first = keys[added.reading.key]
            where = f"line {first.number} of ours and line {added.number} of theirs"
            return Refused(f"both sides added {added.reading.name} with different content: {where}")
    return None
