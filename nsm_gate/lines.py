"""The physical lines of a log, over the log's bytes as they are: no line is copied before it is asked for."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from nsm_gate.nouns import Any


class Lines(Sequence[bytes]):
    """The lines of a log, without their newlines.

    Splits on newlines only. Not splitlines(): U+2028 and a bare CR are legal inside a JSON string or between
    tokens, and would move every later line number.

    Attributes:
        data: The log's bytes; those behind the last line may be another log's.
        terminated: Whether the last line ends with a newline.
    """

    __slots__ = ("_ends", "data", "terminated")

    def __init__(self, data: bytes) -> None:
        """Find where each line ends."""
        ends = array("Q")
        find, add = data.find, ends.append
        at = find(b"\n")
        while at >= 0:
            add(at)
            at = find(b"\n", at + 1)
        self.terminated = not data or data.endswith(b"\n")
        if not self.terminated:
            add(len(data))
        self.data = data
        self._ends = ends

    def first(self, size: int) -> Lines | None:
        """Return the lines of the first so many bytes, over them; None where they end inside a line."""
        if size and self.data[size - 1 : size] != b"\n" and self.data[size : size + 1] not in (b"", b"\n"):
            return None
        made = Lines.__new__(Lines)
        made.data = self.data
        made.terminated = not size or self.data[size - 1 : size] == b"\n"
        count = self.data.count(b"\n", 0, size) + (not made.terminated)
        made._ends = self._ends[:count]
        return made

    def begins_with(self, other: Lines) -> bool:
        """Return whether the first lines are those of another log."""
        count = len(other)
        if count > len(self):
            return False
        if not count:
            return True
        end = self._ends[count - 1]
        if other._ends[count - 1] != end:
            return False
        if self.data is other.data:
            return True
        return self.data[:end] == other.data[:end]

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, index: Any) -> Any:
        ends = self._ends
        if isinstance(index, slice):
            start, stop, step = index.indices(len(ends))
            if step != 1 or stop <= start:
                return [self[at] for at in range(start, stop, step)]
            return self.data[ends[start - 1] + 1 if start else 0 : ends[stop - 1]].split(b"\n")
        if index < 0:
            index += len(ends)
        return self.data[ends[index - 1] + 1 if index > 0 else 0 : ends[index]]
