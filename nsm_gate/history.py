"""What was logged before a judged line: the lines of a log, its keys and its twins."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence

from nsm_gate.changes import Change
from nsm_gate.checks.check import Seen
from nsm_gate.jsonl import decode
from nsm_gate.model import Entry, Line
from nsm_gate.nouns import NamedTuple, dataclass, field
from nsm_gate.policy import LogKind
from nsm_gate.records import ABSENT, Record

Key = tuple[str | int, ...]


@dataclass(slots=True)
class Book:
    """The head of one log.

    Attributes:
        lines: Physical lines.
        terminated: Whether the last one ends with a newline.
        change: How it differs from its bases.
        limit: Longest line that is decoded, in bytes.
    """

    path: str
    kind: LogKind
    lines: Sequence[bytes]
    terminated: bool
    change: Change
    limit: int
    _last: tuple[int, Record | None] | None = field(default=None, repr=False)

    def line(self, index: int) -> Line:
        """Return a physical line."""
        return Line(index + 1, self.lines[index], self.terminated or index + 1 < len(self.lines))

    def record(self, index: int) -> Record | None:
        """Return the entry of a line, or None where it holds none. The last one asked for is kept."""
        if self._last is None or self._last[0] != index:
            decoded = decode(self.line(index), self.limit)
            self._last = (index, self.seen(index, decoded) if isinstance(decoded, Entry) else None)
        return self._last[1]

    def seen(self, index: int, entry: Entry) -> Record:
        """Return the record of a decoded line."""
        return Record(entry, self.kind, self.path, self.change.mask(index) == 0)


class LogInput(NamedTuple):
    """One log to judge.

    Attributes:
        book: Its head.
        base: What it is compared with, in words.
        merge: Whether the change merges branches.
        gone: Published lines that went with a deleted log; None while it exists.
        moved_to: Where they are now, if the log was renamed.
        fault: Why the file is not a log: message and hint.
    """

    book: Book
    base: str
    merge: bool = False
    gone: int | None = None
    moved_to: str | None = None
    fault: tuple[str, str] | None = None


@dataclass(slots=True)
class _Keyed:
    seen: Seen
    mask: int


class History:
    """Keys and results of the lines of one log kind, in the order in which they count as earlier.

    Lines that every base holds come first; then new lines, and lines that only some branch of a merge
    had, in the order of the logs and their lines.
    """

    def __init__(self, books: Sequence[Book], bases: int, judged: Collection[str]) -> None:
        """Read the keys of all lines that every base already held.

        Args:
            books: All logs of the kind.
            bases: How many bases they were compared with.
            judged: Paths of the logs whose new lines will be entered; all lines of others count now.
        """
        self._full = (1 << bases) - 1
        self._keys: dict[Key, list[_Keyed]] = {}
        self._twins: dict[int, tuple[Key | None, Seen]] = {}
        for book in books:
            other = book.path not in judged
            for index in range(len(book.lines)) if bases or other else ():
                mask = book.change.mask(index)
                if other or mask == self._full:
                    record = book.record(index)
                    if record is not None:
                        self._add(record, mask)

    def is_settled(self, mask: int) -> bool:
        """Return whether every base already held the line."""
        return bool(self._full) and mask == self._full

    def enter(self, record: Record, mask: int) -> tuple[list[Seen], Seen | None]:
        """Take in a line; return the earlier lines with its key, and its twin under another key."""
        key = record.key
        same = [k.seen for k in self._keys.get(key, ()) if not k.mask & mask] if key else []
        fingerprint = _fingerprint(record)
        twin = self._twins.get(fingerprint) if fingerprint is not None else None
        self._add(record, mask, fingerprint)
        return same, twin[1] if twin is not None and twin[0] != key else None

    def _add(self, record: Record, mask: int, fingerprint: int | None = None) -> None:
        key = record.key
        seen = Seen(record.path, record.line, record.name, record.status)
        if key is not None:
            self._keys.setdefault(key, []).append(_Keyed(seen, mask))
        fingerprint = _fingerprint(record) if fingerprint is None else fingerprint
        if fingerprint is not None:
            self._twins.setdefault(fingerprint, (key, seen))


def _fingerprint(record: Record) -> int | None:
    """Return a hash of results and configuration, or None where no result is there."""
    results = record.at(record.kind.results)
    if not isinstance(results, dict) or all(value is None for value in results.values()):
        return None
    settings = [record.at(path) for path in record.kind.configuration]
    known = {name: value for name, value in results.items() if value is not None}
    parts = [known, [None if part is ABSENT else part for part in settings]]
    return hash(json.dumps(parts, sort_keys=True))
