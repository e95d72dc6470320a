"""What the judgement is at, noted where it outlives the process that judges.

A process that hangs in compiled code, or that is killed, cannot say what it was at. So it keeps notes of the
log, the line and what it does there, in memory that its parent shares and reads afterwards. Notes are written
and never read by what judges: they decide nothing. Without a parent they go into memory of the process's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from nsm_gate.nouns import Any, Final, NamedTuple

CELL: Final = 1024
"""Bytes of one process's notes: the line's number, what is done, the file."""

_NUMBER = 8
_DOING = 504
_UNUSED = 16
_FILE = CELL - _NUMBER - _DOING - _UNUSED


class Place(NamedTuple):
    """What a process was at.

    Attributes:
        file: The log or other file, or an empty string.
        line: Its line, from 1; 0 where it was at none.
        doing: What it did there, in words, or an empty string.
    """

    file: str
    line: int
    doing: str


class Notes:
    """One process's notes. Each method costs a fraction of a microsecond."""

    def __init__(self, memory: Any, cell: int = 0) -> None:
        """Write into a cell of memory: a bytearray, or a mapping that processes share."""
        self.share(memory, cell)

    def share(self, memory: Any, cell: int) -> None:
        """Write into another memory from now on; what was noted stays where it is."""
        start = cell * CELL
        self._memory = memory
        # One write begins a line and forgets what was done on the one before it.
        self._line = slice(start, start + _NUMBER + 1)
        self._doing = slice(start + _NUMBER, start + _NUMBER + _DOING)
        self._file = slice(start + _NUMBER + _DOING, start + CELL - _UNUSED)
        self._unused = slice(start + CELL - _UNUSED, start + CELL - _UNUSED + _NUMBER + 1)

    def file(self, path: str) -> None:
        """Note the file that is at work; no line of it yet."""
        self._memory[self._file] = _field(path, _FILE)
        self.line(0)

    def line(self, number: int) -> None:
        """Note the line that is judged."""
        self._memory[self._line] = number.to_bytes(9, "little")

    def doing(self, words: bytes) -> None:
        """Note what is done there: `mark(...)` makes the words."""
        self._memory[self._doing] = words

    @contextmanager
    def busy(self, words: str) -> Iterator[None]:
        """Note what is done while it is done, where that is rare."""
        before = bytes(self._memory[self._doing])
        self.doing(mark(words))
        try:
            yield
        finally:
            self.doing(before)

    @contextmanager
    def instead(self, path: str, line: int) -> Iterator[None]:
        """Note a line of a file while it is at work, also where it is judged as a log that is made up."""
        before, cell = self._line, slice(self._line.start, self._line.start + CELL)
        noted = bytes(self._memory[cell]) if before is not self._unused else b""
        self.file(path)
        self.line(line)
        self._line = self._unused
        try:
            yield
        finally:
            self._line = before
            if noted:
                self._memory[cell] = noted


def mark(words: str) -> bytes:
    """Return words as `Notes.doing` takes them."""
    return _field(words, _DOING)


def _field(text: str, size: int) -> bytes:
    return text.encode("utf-8", "replace")[:size].ljust(size, b"\0")


def read(memory: Any, cell: int) -> Place:
    """Return what a process noted."""
    data = bytes(memory[cell * CELL : (cell + 1) * CELL])
    number, doing, file = data[:_NUMBER], data[_NUMBER : _NUMBER + _DOING], data[_NUMBER + _DOING : -_UNUSED]
    return Place(_text(file), int.from_bytes(number, "little"), _text(doing))


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "replace")


HERE: Final = Notes(bytearray(CELL))
"""The notes of this process."""
