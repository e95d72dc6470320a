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
        self._orders: dict[int, Order] = {}
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

    def enter(self, record: Record, mask: int) -> tuple[Seen | None, Seen | None]:
        """Take in a line; return the latest earlier line with its key, and its twin under another key."""
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

    def earlier(self, record: Record, mask: int) -> tuple[Seen | None, Seen | None]:
        """Return what was entered before a line that was: the latest one with its key, and its twin.

        Args:
            record: The line.
            mask: Which bases held it; lines that stood beside it in one of them do not count.
        """
        key = record.key
        order = self._order(self._keys.get(key), record) if key else None
        same = order.latest(record, mask) if order is not None else None
        results = digest(record)
        order = self._order(self._digests.get(results), record) if results is not None else None
        twin = order.twin(record) if order is not None else None
        if twin is not None:
            other = twin.book.record(twin.at)
            twin = twin if other is not None and other.key != key else None
        return _seen(same) if same is not None else None, _seen(twin) if twin is not None else None

    def _order(self, held: Entered | list[Entered] | None, record: Record) -> Order | None:
        """Return the order of lines that share a key or a digest; None where it is the line's own alone."""
        if held is None:
            return None
        if type(held) is not list:
            alone = (held.book.path, held.at) == (record.path, record.line - 1)  # type: ignore[union-attr]
            return None if alone else Order([held])  # type: ignore[list-item]
        found = self._orders.get(id(held))
        if found is None:
            found = self._orders[id(held)] = Order(held)
        return found


class Order:
    """Lines that share a key or a digest, as they were entered.

    A run may be logged a thousand times, and a thousand runs may come to the same results: what is found
    out about one of them is kept, so that all of them together are gone through once.
    """

    def __init__(self, entries: list[Entered]) -> None:
        """Keep the list, which grows."""
        self._entries = entries
        self._counted = 0
        self._at: dict[tuple[str, int], int] = {}
        self._compared = 0
        self._first: dict[int, int] = {}

    def latest(self, record: Record, mask: int) -> Entered | None:
        """Return the latest line entered before one, of those that did not stand beside it in a base."""
        for at in range(self._place(record) - 1, -1, -1):
            if not self._entries[at].mask & mask:
                return self._entries[at]
        return None

    def twin(self, record: Record) -> Entered | None:
        """Return the first line entered before one that has its results and configuration."""
        place = self._place(record)
        if not place:
            return None
        wanted = fingerprint(record)
        while self._compared < place:
            self._first.setdefault(hash(self._print(self._compared)), self._compared)
            self._compared += 1
        first = self._first.get(hash(wanted), place)
        if first >= place:
            return None
        # Two texts rarely have one hash: then look at each.
        alike = [first] if self._print(first) == wanted else range(place)
        return next((self._entries[at] for at in alike if self._print(at) == wanted), None)

    def _print(self, at: int) -> str | None:
        record = self._entries[at].book.record(self._entries[at].at)
        return fingerprint(record) if record is not None else None

    def _place(self, record: Record) -> int:
        """Return how many were entered before a line."""
        own = (record.path, record.line - 1)
        last = self._entries[-1]
        if (last.book.path, last.at) == own:  # it was just entered
            return len(self._entries) - 1
        while self._counted < len(self._entries):
            entered = self._entries[self._counted]
            self._at.setdefault((entered.book.path, entered.at), self._counted)
            self._counted += 1
        return self._at.get(own, len(self._entries))


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


def _seen(entered: Entered) -> Seen:
    record = entered.book.record(entered.at)
    name, status = (record.name, record.status) if record is not None else (None, None)
    return Seen(entered.book.path, entered.at + 1, name, status)
