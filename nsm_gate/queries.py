"""Entries x a query -> the runs that it asks for: each by its latest line, in the order of the log."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timezone

from nsm_gate.exact import canonical
from nsm_gate.expressions import Lookup
from nsm_gate.model import Path
from nsm_gate.nouns import dataclass, field
from nsm_gate.policy import LogKind
from nsm_gate.records import Record
from nsm_gate.terms import Best, Term
from nsm_gate.values import UNKNOWN, Value, decimal, is_number
from nsm_gate.vocabulary import Vocabulary

_EARLIEST = datetime.min.replace(tzinfo=timezone.utc)


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked of the runs.

    Attributes:
        where: Tests that must all be true.
        status, domain, experiment_type: Words that the run must have.
        best: Only the best run, of each group of `per`.
        last: Only so many of the latest runs, of each group of `per`.
        sort: The order; the log's where nothing is said.
        limit: How many of them, in that order.
        columns: What is shown of each.
        count_by, group_by: Groups instead of runs.
        all_lines: Every line, also those that a later line of their run supersedes.
    """

    where: tuple[Term, ...] = ()
    status: str | None = None
    domain: str | None = None
    experiment_type: str | None = None
    best: Best | None = None
    last: int | None = None
    per: tuple[Term, ...] = ()
    sort: tuple[Term, ...] = ()
    limit: int | None = None
    columns: tuple[Term, ...] = ()
    count_by: tuple[Term, ...] = ()
    group_by: tuple[Term, ...] = ()
    all_lines: bool = False

    @property
    def kept(self) -> tuple[Term, ...]:
        """Return what is read of each run that is asked for, each once."""
        ranked = (self.best.term,) if self.best else ()
        every = (*self.columns, *self.sort, *self.per, *ranked, *self.count_by, *self.group_by)
        return tuple({term.text: term for term in every}.values())

    @property
    def names(self) -> frozenset[tuple[str, ...]]:
        """Return every name that is read."""
        return frozenset(path for term in (*self.where, *self.kept) for path in term.node.paths())


@dataclass(frozen=True, slots=True)
class Row:
    """A run that was asked for.

    Attributes:
        raw: Its line, where whole entries or exact numbers are wanted; else nothing.
        values: What was read of it, by the text of the term.
        places: Where the names stand that have several places, by the text of the term.
        when: When it was logged, where several logs are read.
    """

    kind: LogKind
    path: str
    line: int
    raw: bytes
    values: Mapping[str, Value]
    places: Mapping[str, Path] = field(default_factory=dict)
    when: datetime | None = None


@dataclass(slots=True)
class Answer:
    """The runs that a query asks for.

    Attributes:
        rows: In order.
        runs: How many runs there are in all; lines, where all lines are asked for.
        unknown: Of how many of them it is not known whether they are asked for.
        odd: A test that is neither true nor false of any run, and what it gives instead.
    """

    rows: list[Row]
    runs: int = 0
    unknown: int = 0
    odd: tuple[Term, Value] | None = None


class Collector:
    """Takes in entries, one after the other; only what the query reads of them is kept."""

    def __init__(
        self, query: Query, vocabularies: Mapping[str, Vocabulary], *, several: bool, raw: bool
    ) -> None:
        """Begin with nothing.

        Args:
            query: What is asked.
            vocabularies: By the name of the log kind.
            several: Whether several logs are read, between which only the time tells what is later.
            raw: Whether the lines themselves are wanted.
        """
        self.query = query
        self._readers = {name: each.reader(query.names) for name, each in vocabularies.items()}
        self._several = several
        self._raw = raw
        self._terms = [(term.text, term.node) for term in query.kept]
        self._placed = {
            name: [t for t in query.kept if _has_places(t, each.kind)] for name, each in vocabularies.items()
        }
        self._kept: dict[object, tuple[Row | None, datetime | None, str]] = {}
        self._unknown: set[object] = set()
        words = (
            (query.status, lambda record: record.status),
            (query.domain, lambda record: record.domain),
            (query.experiment_type, lambda record: record.experiment_type),
        )
        self._words: list[tuple[str, Callable[[Record], str | None]]] = [
            (wanted, read) for wanted, read in words if wanted is not None
        ]
        self._tested: set[Term] = set()
        self._odd: dict[Term, Value] = {}

    def take(self, record: Record) -> None:
        """Take in an entry."""
        key: object = None if self.query.all_lines else record.key
        key = (record.kind.name, key) if key is not None else (record.kind.name, record.path, record.line)
        when = self._when(record)
        held = self._kept.get(key)
        if held is not None and held[2] != record.path and _later(held[1], when):
            return
        # Taken out first: what is put in again stands last, where the latest line stands.
        self._kept.pop(key, None)
        self._unknown.discard(key)
        lookup = self._readers[record.kind.name](record)
        asked = self._asked(record, lookup)
        if asked is None:
            self._unknown.add(key)
        self._kept[key] = (self._row(record, lookup, when) if asked else None, when, record.path)

    def answer(self) -> Answer:
        """Return what was asked for, but for the order and the choice among them."""
        held = list(self._kept.values())
        if self._several:
            held.sort(key=lambda each: each[1] or _EARLIEST)
        odd = next(((term, value) for term, value in self._odd.items() if term not in self._tested), None)
        rows = [row for row, _, _ in held if row is not None]
        return Answer(rows, len(held), len(self._unknown), odd)

    def _when(self, record: Record) -> datetime | None:
        if not self._several:
            return None
        instant = record.instant
        return instant.utc if instant is not None else None

    def _asked(self, record: Record, lookup: Lookup) -> bool | None:
        """Return whether a run is asked for; None where that is unknown."""
        for wanted, read in self._words:
            if read(record) != wanted:
                return False
        result: bool | None = True
        for term in self.query.where:
            value = term.node.value(lookup)
            if type(value) is bool:
                self._tested.add(term)
                if not value:
                    return False
            else:
                if value is not UNKNOWN:
                    self._odd.setdefault(term, value)
                result = None
        return result

    def _row(self, record: Record, lookup: Lookup, when: datetime | None) -> Row:
        values = {text: node.value(lookup) for text, node in self._terms}
        places = {term.text: record.place(_path(term)) for term in self._placed[record.kind.name]}
        raw = record.entry.line.raw if self._raw else b""
        return Row(record.kind, record.path, record.line, raw, values, places, when)


def chosen(rows: Iterable[Row], query: Query, largest: bool) -> list[Row]:
    """Return the best or the latest of each group, then all in the order that is asked for.

    Args:
        rows: In the order of the log.
        query: What is asked.
        largest: Whether more of what `best` looks at is better.
    """
    found = list(rows)
    if query.best is not None:
        text = query.best.term.text
        kept = {id(row) for group in _grouped(found, query.per) for row in _strongest(group, text, largest)}
        found = [row for row in found if id(row) in kept]
    elif query.last is not None:
        count = query.last
        kept = {id(row) for group in _grouped(found, query.per) for row in group[-count:]}
        found = [row for row in found if id(row) in kept]
    for term in reversed(query.sort):
        found = _sorted(found, term)
    return found if query.limit is None else found[: query.limit]


def group_key(row: Row, terms: Sequence[Term]) -> tuple[str, ...]:
    """Return text that is the same for runs of one group."""
    return tuple(canonical(row.values[term.text]) for term in terms)


def _grouped(rows: Iterable[Row], terms: Sequence[Term]) -> Iterator[list[Row]]:
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(group_key(row, terms), []).append(row)
    return iter(groups.values())


def _strongest(rows: Iterable[Row], text: str, largest: bool) -> Iterator[Row]:
    """Yield the best run of a group; the earlier where two are equal, none where none has the metric."""
    best: Row | None = None
    for row in rows:
        value = row.values[text]
        if is_number(value):
            held = None if best is None else decimal(best.values[text])
            if held is None or (decimal(value) > held if largest else decimal(value) < held):
                best = row
    if best is not None:
        yield best


def _sorted(rows: Sequence[Row], term: Term) -> list[Row]:
    """Return runs by one term, those that lack it last whichever way they go."""
    known = [row for row in rows if row.values[term.text] is not UNKNOWN]
    lacking = [row for row in rows if row.values[term.text] is UNKNOWN]
    known.sort(key=lambda row: rank(row.values[term.text]), reverse=term.descending)
    return known + lacking


def rank(value: Value) -> tuple[int, Value]:
    """Return what values of any type can be sorted by: numbers, then texts, then the rest."""
    if is_number(value):
        return 0, value
    if type(value) is str:
        return 1, value
    return 2, canonical(value)


def _path(term: Term) -> tuple[str, ...]:
    return next(term.node.paths())


def _has_places(term: Term, kind: LogKind) -> bool:
    paths = list(term.node.paths())
    return len(paths) == 1 and len(paths[0]) == 1 and len(kind.names.get(paths[0][0], ())) > 1


def _later(one: datetime | None, other: datetime | None) -> bool:
    """Return whether the first of two lines of different logs is known to be the later one."""
    return one is not None and (other is None or one > other)
