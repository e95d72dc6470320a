"""What was logged before a judged line: the lines of a log, its keys and its twins."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from nsm_gate.books import Book as Book
from nsm_gate.books import Digest as Digest
from nsm_gate.books import Key as Key
from nsm_gate.books import LogInput as LogInput
from nsm_gate.books import digest as digest
from nsm_gate.books import fingerprint
from nsm_gate.checks.check import Seen
from nsm_gate.nouns import Any, NamedTuple
from nsm_gate.records import Record


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
            wanted = fingerprint(record)
            for entered in alike:
                other = entered.book.record(entered.at)
                if other is not None and fingerprint(other) == wanted:
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
    from nsm_gate.glance import keys  # only a long log is worth the import

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
    entries.append(entered)
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
