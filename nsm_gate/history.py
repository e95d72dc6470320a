"""What was logged before a judged line: the lines of a log, its keys and its twins."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

from nsm_gate.changes import Change
from nsm_gate.checks.check import Seen
from nsm_gate.jsonl import decode
from nsm_gate.model import Entry, Line
from nsm_gate.nouns import Any, NamedTuple, dataclass, field
from nsm_gate.policy import LogKind
from nsm_gate.records import ABSENT, Record
from nsm_gate.schema import resolved

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


class Entered(NamedTuple):
    """A line that was entered.

    Attributes:
        at: Its index.
        mask: Which bases held it.
    """

    book: Book
    at: int
    mask: int


class History:
    """Keys and results of the lines of one log kind, in the order in which they count as earlier.

    Lines that every base holds come first; then new lines, and lines that only some branch of a merge
    had, in the order of the logs and their lines. Of a line only its place is kept: what it says is read
    again in the rare case that another one is held against it.
    """

    def __init__(
        self, books: Sequence[Book], bases: int, judged: Collection[str], wanted: Wanted | None = None
    ) -> None:
        """Read the keys of all lines that every base already held.

        Args:
            books: All logs of the kind.
            bases: How many bases they were compared with.
            judged: Paths of the logs whose new lines will be entered; all lines of others count now.
            wanted: What the lines that will be entered have; other lines are passed over then.
        """
        self._full = (1 << bases) - 1
        self._books = {book.path: book for book in books}
        self._keys: dict[Key, Entered | list[Entered]] = {}
        self._digests: dict[Digest, Entered | list[Entered]] = {}
        for book in books:
            other = book.path not in judged
            for index in _wanted(book, wanted) if bases or other else ():
                mask = book.change.mask(index)
                if other or mask == self._full:
                    record = book.record(index)
                    if record is not None:
                        self.add(Entered(book, index, mask), record.key, digest(record))

    def is_settled(self, mask: int) -> bool:
        """Return whether every base already held the line."""
        return bool(self._full) and mask == self._full

    def enter(self, record: Record, mask: int) -> tuple[list[Seen], Seen | None]:
        """Take in a line; return the earlier lines with its key, and its twin under another key."""
        self.add(Entered(self._books[record.path], record.line - 1, mask), record.key, digest(record))
        return self.earlier(record, mask)

    def add(
        self, entered: Entered, key: Key | None, results: Digest | None
    ) -> tuple[Entered | None, Entered | None]:
        """Take in a line by its facts; return the latest one with its key, and the first with its digest."""
        same = twin = None
        if key is not None:
            held = self._keys.setdefault(key, entered)
            if held is not entered:
                same = _append(self._keys, key, held, entered)[-2]
        if results is not None:
            held = self._digests.setdefault(results, entered)
            if held is not entered:
                twin = _append(self._digests, results, held, entered)[0]
        return same, twin

    def earlier(self, record: Record, mask: int) -> tuple[list[Seen], Seen | None]:
        """Return what was entered before a line that was: lines with its key, and its twin.

        Args:
            record: The line.
            mask: Which bases held it; lines that stood beside it in one of them do not count.
        """
        key = record.key
        own = (record.path, record.line - 1)
        same = [e for e in _before(self._keys.get(key, []), own) if not e.mask & mask] if key else []
        twin = None
        results = digest(record)
        alike = _before(self._digests.get(results, []), own) if results is not None else []
        if alike:
            wanted = _fingerprint(record)
            for entered in alike:
                other = entered.book.record(entered.at)
                if other is not None and _fingerprint(other) == wanted:
                    twin = _seen(entered) if other.key != key else None
                    break
        return [_seen(entered) for entered in same], twin


class Wanted(NamedTuple):
    """What lines are looked for by."""

    keys: Collection[Key]
    digests: Collection[Digest]


LONG = 400
"""Lines from which a log is glanced over before it is read."""


def _wanted(book: Book, wanted: Wanted | None) -> Iterable[int]:
    """Return the lines that may have what is looked for."""
    if wanted is None or len(book.lines) < LONG:
        return range(len(book.lines))
    from nsm_gate.proofs.glance import keys  # only a long log is worth the import

    read = keys(book)
    if read is None:
        return range(len(book.lines))
    return _among(read, wanted, len(book.lines))


def _among(
    read: Callable[[int], tuple[Key | None, Digest | None]], wanted: Wanted, count: int
) -> Iterator[int]:
    known, digests = wanted
    for index in range(count):
        key, results = read(index)
        if key in known or results in digests:
            yield index


def _append(
    known: dict[Any, Entered | list[Entered]], key: Any, held: Entered | list[Entered], entered: Entered
) -> list[Entered]:
    entries = held if type(held) is list else [held]
    entries.append(entered)  # type: ignore[arg-type]
    known[key] = entries  # type: ignore[assignment]
    return entries  # type: ignore[return-value]


def _before(held: Entered | list[Entered], own: tuple[str, int]) -> list[Entered]:
    """Return what was entered before a line's own entry."""
    entries = held if type(held) is list else [held]
    found: list[Entered] = []
    for entered in entries:
        if (entered.book.path, entered.at) == own:  # type: ignore[union-attr]
            break
        found.append(entered)  # type: ignore[arg-type]
    return found


def _seen(entered: Entered) -> Seen:
    record = entered.book.record(entered.at)
    name, status = (record.name, record.status) if record is not None else (None, None)
    return Seen(entered.book.path, entered.at + 1, name, status)


Digest = float | str
"""What is equal for two lines with the same results; rarely for others."""


def summed(kind: LogKind) -> tuple[str, ...]:
    """Return the results that the schema says are numbers: their sum stands for them all."""
    node = resolved(kind.schema, kind.schema)
    for member in kind.results or ():
        members = node.get("properties")
        node = resolved(members.get(member) if isinstance(members, Mapping) else None, kind.schema)
    members = node.get("properties")
    if not isinstance(members, Mapping):
        return ()
    types = {name: resolved(inner, kind.schema).get("type") for name, inner in members.items()}
    listed = {name: {said} if isinstance(said, str) else set(said or ("?",)) for name, said in types.items()}
    return tuple(name for name, words in listed.items() if words <= {"number", "integer", "null"})


def digest(record: Record) -> Digest | None:
    """Return a digest of the results, or None where there is none.

    The exact sum of the numbers, whatever their order: two runs rarely share one. Where they add up to
    nothing, the text of all that is to agree.
    """
    results = record.at(record.kind.results)
    if not isinstance(results, dict) or all(value is None for value in results.values()):
        return None
    numbers = [results.get(name) for name in _names(record.kind)]
    try:
        total = math.fsum(value for value in numbers if type(value) is float or type(value) is int)
    except (OverflowError, ValueError):
        total = 0.0
    return total or _fingerprint(record)


_NAMES: dict[int, tuple[LogKind, tuple[str, ...]]] = {}


def _names(kind: LogKind) -> tuple[str, ...]:
    known = _NAMES.get(id(kind))
    if known is None or known[0] is not kind:
        known = _NAMES[id(kind)] = (kind, summed(kind))
    return known[1]


def _fingerprint(record: Record) -> str | None:
    """Return results and configuration as text, or None where no result is there."""
    results = record.at(record.kind.results)
    if not isinstance(results, dict) or all(value is None for value in results.values()):
        return None
    settings = [record.at(path) for path in record.kind.configuration]
    known = {name: value for name, value in results.items() if value is not None}
    parts = [known, [None if part is ABSENT else part for part in settings]]
    return json.dumps(parts, sort_keys=True)
