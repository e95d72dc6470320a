"""The runs that references pick from, as of a judged line, without looking at each of them each time.

Each log is read once for a reference; what is kept of a run is its place, its key, what must agree and its
strength. A candidate counts from its own line (or time, in another log) until a later line of its key.
Nearly all count for ever, so that the strongest as of a line is a look-up; the few that were superseded are
looked at one by one.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from nsm_gate.history import LONG, Book, Key
from nsm_gate.model import Path
from nsm_gate.nouns import dataclass, field, replace
from nsm_gate.policy import Reference
from nsm_gate.records import Record
from nsm_gate.references import Picked, depends_on_this, eligible, none, pick, same, strength
from nsm_gate.values import Value, is_number

Order = int | datetime


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A line of a log that a reference may pick.

    Attributes:
        order: Its line in its own log; its time among several logs.
        until: The order from which a later line of its key speaks for the run; None for ever.
        strength: By place of the metric, larger is stronger.
    """

    order: Order
    until: Order | None
    book: Book
    index: int
    key: Key | None
    strength: Sequence[Decimal | float | None]


@dataclass(slots=True)
class _Group:
    """Candidates that agree in what must agree, in order."""

    lasting: list[_Candidate] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    superseded: list[_Candidate] = field(default_factory=list)
    best: dict[int, list[tuple[_Candidate | None, _Candidate | None]]] = field(default_factory=dict)

    def strongest(self, place: int, count: int) -> tuple[_Candidate | None, _Candidate | None]:
        """Return the strongest of the first `count`, and the strongest of another log than its."""
        if place not in self.best:
            first: _Candidate | None = None
            other: _Candidate | None = None
            prefix: list[tuple[_Candidate | None, _Candidate | None]] = [(None, None)]
            for candidate in self.lasting:
                if _beats(candidate, first, place):
                    if first is not None and first.book is not candidate.book:
                        other = first
                    first = candidate
                elif (
                    first is not None and candidate.book is not first.book and _beats(candidate, other, place)
                ):
                    other = candidate
                prefix.append((first, other))
            self.best[place] = prefix
        return self.best[place][count]


def _beats(candidate: _Candidate, other: _Candidate | None, place: int) -> bool:
    value = candidate.strength[place]
    if value is None:
        return False
    held = other.strength[place] if other is not None else None
    return held is None or value > held


class Candidates:
    """Picks references for judged runs."""

    def __init__(self, books_of: Callable[[str], Sequence[Book]]) -> None:
        """Keep the way to the logs of a kind; they are read when a reference first needs them."""
        self._books_of = books_of
        self._near: dict[tuple[str, str], list[Book]] = {}
        self._groups: dict[tuple[str, str, tuple[str, ...]], dict[str, _Group]] = {}
        self._told: dict[tuple[str, str], _Told] = {}
        self._offers: dict[str, Callable[[], None]] = {}
        self._holders: tuple[Sequence[Book], dict[Key, set[str]]] | None = None

    def pick(self, reference: Reference, this: Record) -> Picked:
        """Pick the strongest run that was logged before `this`."""
        books = self._nearest(reference.log, this.path.rpartition("/")[0])
        found = None if depends_on_this(reference) else self._quickly(reference, this, books)
        return found or pick(reference, this, _earlier(reference, this, books))

    def considered(self, reference: Reference, this: Record) -> Iterator[Record]:
        """Yield every run that was logged before `this`, comparable or not, by its latest line."""
        return _earlier(reference, this, self._nearest(reference.log, this.path.rpartition("/")[0]))

    def strongest(
        self, reference: Reference, agreed: str, path: str, before: datetime
    ) -> Decimal | float | None:
        """Return the measure of the strongest run of another log kind, logged before a time.

        None where there is none, or where only looking closer tells.

        Args:
            reference: It picks from another log kind than the judged log's, by what stands in one place.
            agreed: What must agree, as canonical text.
            path: The judged log.
            before: A time in UTC.
        """
        books = self._nearest(reference.log, path.rpartition("/")[0])
        group = self._group(reference, books, timed=True).get(agreed) if books else None
        if group is None or group.superseded:
            return None
        first, _ = group.strongest(0, bisect_left(group.orders, before))
        value = first.strength[0] if first is not None else None
        return value if value is None or reference.pick == "max" else -value

    def offer(self, path: str, tell: Callable[[], None]) -> None:
        """Keep what tells of a log's lines, to be called before that is first needed."""
        self._offers[path] = tell

    def hear(self, path: str) -> None:
        """Have told what is offered of a log, once."""
        tell = self._offers.pop(path, None)
        if tell is not None:
            tell()

    def tell(
        self,
        book: Book,
        reference: Reference,
        keys: Sequence[Key | None],
        facts: Mapping[int, tuple[str, Value]],
    ) -> None:
        """Take over what is known of a book's lines, so that they are not read again.

        Args:
            book: A log of which every line was looked at.
            reference: It picks from the book's log kind, by what stands in one place.
            keys: The key of every line, None where it has none.
            facts: Index of a line that it may pick -> what must agree, as canonical text, and the measure.
        """
        self._told[reference.law, book.path] = (keys, facts)

    def _nearest(self, kind: str, folder: str) -> list[Book]:
        """Return the logs of a kind in the nearest folder up the tree that has any."""
        if (kind, folder) not in self._near:
            above = folder
            while True:
                found = [b for b in self._books_of(kind) if b.path.rpartition("/")[0] == above]
                if found or not above:
                    break
                above = above.rpartition("/")[0]
            self._near[kind, folder] = found
        return self._near[kind, folder]

    def _quickly(self, reference: Reference, this: Record, books: Sequence[Book]) -> Picked | None:
        """Pick by look-up; None where only looking at each candidate gives the right answer."""
        agreed = same(reference, this, judged=True)
        if agreed is None:
            return none(reference, 0)
        own = [book for book in books if book.path == this.path]
        others = [book for book in books if book.path != this.path]
        place = _place(reference, this)
        best: _Candidate | None = None
        count = 0
        sides: list[tuple[Sequence[Book], Order | None]] = [(own, this.line)]
        if others:
            instant = this.instant
            sides.append((books, instant.utc if instant is not None else None))
        for side, order in sides:
            if not side or order is None:
                continue
            group = self._group(reference, side, timed=side is not own).get(agreed)
            if group is None:
                continue
            before = bisect_left(group.orders, order)
            first, second = group.strongest(place, before)
            if side is not own and first is not None and first.book.path == this.path:
                first = second
            if first is not None and first.key is not None and first.key == this.key:
                return None
            count += before
            for candidate in (first, *_valid(group.superseded, order, this)):
                if candidate is None or (side is not own and candidate.book.path == this.path):
                    continue
                if _beats(candidate, best, place):
                    best = candidate
        if best is None:
            return none(reference, count)
        if own and others and not self._speaks(best, books):
            return None
        record = best.book.record(best.index)
        return Picked(record, count) if record is not None else None

    def _speaks(self, best: _Candidate, books: Sequence[Book]) -> bool:
        """Return whether no line of the candidate's key in another log might speak for its run."""
        if best.key is None:
            return True
        if self._holders is None or self._holders[0] is not books:
            holders: dict[Key, set[str]] = {}
            for book in books:
                for index in range(len(book.lines)):
                    record = book.record(index)
                    if record is not None and record.key is not None:
                        holders.setdefault(record.key, set()).add(book.path)
            self._holders = (books, holders)
        return len(self._holders[1][best.key]) == 1

    def _group(self, reference: Reference, books: Sequence[Book], *, timed: bool) -> dict[str, _Group]:
        # By its law: an edited reference may stand on the very line where the old one stood.
        name = (reference.law, reference.name, tuple(book.path for book in books) + ("timed",) * timed)
        if name not in self._groups:
            told: dict[str, _Told] = {}
            for book in books if not timed else ():
                self.hear(book.path)
                if (reference.law, book.path) in self._told:
                    told[book.path] = self._told[reference.law, book.path]
            self._groups[name] = _groups(reference, books, timed=timed, told=told)
        return self._groups[name]


_Told = tuple[Sequence[Key | None], Mapping[int, tuple[str, Value]]]
_Line = tuple[Order, Book, int, Key | None, str | None, Sequence[Decimal | float | None]]


def _groups(
    reference: Reference, books: Sequence[Book], *, timed: bool, told: Mapping[str, _Told]
) -> dict[str, _Group]:
    lines: Iterable[_Line] = (line for book in books for line in _lines(reference, book, timed, told))
    if timed or len(books) > 1:
        lines = sorted(
            lines, key=lambda line: line[0]
        )  # stable: equal times keep the order of logs and lines
    made: list[tuple[str, _Candidate]] = []
    latest: dict[Key, int] = {}
    for order, book, index, key, agreed, values in lines:
        if key in latest:
            # The run's next line: from here on the earlier one speaks for it no more.
            at = latest.pop(key)
            made[at] = (made[at][0], replace(made[at][1], until=order))
        if agreed is not None:
            if key is not None:
                latest[key] = len(made)
            made.append((agreed, _Candidate(order, None, book, index, key, values)))
    groups: dict[str, _Group] = {}
    for agreed, candidate in made:
        group = groups.setdefault(agreed, _Group())
        if candidate.until is None:
            group.lasting.append(candidate)
            group.orders.append(candidate.order)
        else:
            group.superseded.append(candidate)
    return groups


def _lines(reference: Reference, book: Book, timed: bool, told: Mapping[str, _Told]) -> Iterator[_Line]:
    """Yield the lines of a log that hold an entry, with what must agree where the reference may pick it."""
    names = book.kind.names.get(reference.by[0], ()) if len(reference.by) == 1 else ()
    places: Sequence[Path | None] = [None, *names]
    known: Iterable[tuple[Key | None, str | None, Value]] | None = None
    if book.path in told:
        keys, facts = told[book.path]
        known = ((key, *facts.get(index, (None, None))) for index, key in enumerate(keys))
    elif not timed and len(book.lines) >= LONG:
        from nsm_gate.glance import candidates  # only a long log is worth the import

        known = candidates(reference, book)
    if known is not None:
        sign = 1 if reference.pick == "max" else -1
        for index, (key, agreed, value) in enumerate(known):
            # As it stands in the log: a third of a decimal's memory, and in the same order.
            held = value * sign if agreed is not None and is_number(value) else None
            yield index + 1, book, index, key, agreed, (held,) * len(places)
        return
    for index in range(len(book.lines)):
        record = book.record(index)
        if record is None:
            continue
        instant = record.instant if timed else None
        if timed and instant is None:
            continue
        order: Order = instant.utc if instant is not None else index + 1
        agreed = same(reference, record) if eligible(reference, record, None) else None
        values = [strength(reference, record, place) for place in places] if agreed is not None else []
        yield order, book, index, record.key, agreed, values


def _valid(superseded: Sequence[_Candidate], order: Order, this: Record) -> Iterator[_Candidate]:
    """Yield the superseded candidates that still spoke for their run at an order."""
    for candidate in superseded:
        late = candidate.until is not None and candidate.until < order  # type: ignore[operator]
        if candidate.order < order and not late and candidate.key != this.key:  # type: ignore[operator]
            yield candidate


def _place(reference: Reference, this: Record) -> int:
    """Return which place of the metric counts: in one log kind, the one where the run has it."""
    names = this.kind.names.get(reference.by[0], ()) if len(reference.by) == 1 else ()
    if reference.log != this.kind.name or not names:
        return 0
    return 1 + names.index(this.place(reference.by))


def _earlier(reference: Reference, this: Record, books: Sequence[Book]) -> Iterator[Record]:
    """Yield the latest line of every other run logged before `this`."""
    latest: dict[Key | int, Record] = {}
    instant = this.instant
    for book in books:
        for index in range(len(book.lines)):
            if book.path == this.path and index + 1 >= this.line:
                break
            record = book.record(index)
            if record is None:
                continue
            if book.path != this.path and (
                instant is None or record.instant is None or record.instant.utc >= instant.utc
            ):
                continue
            latest[record.key or -1 - len(latest)] = record
    own = this.key if reference.log == this.kind.name else None
    for key, record in latest.items():
        if own is None or key != own:
            yield record
