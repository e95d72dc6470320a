"""What `runs` prints, in whatever format: rows of named values, and the entries behind them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from nsm_gate.exact import load
from nsm_gate.expressions import Lookup
from nsm_gate.model import Entry, Line
from nsm_gate.nouns import dataclass, field
from nsm_gate.queries import Row
from nsm_gate.records import Record
from nsm_gate.terms import Term
from nsm_gate.values import Value

Readers = Mapping[str, Callable[[Record], Lookup]]


@dataclass(frozen=True, slots=True)
class Listing:
    """Runs, or groups of them.

    Attributes:
        word: What a row is: `runs` or `groups`.
        columns: The columns of a format for machines.
        shown: Those of a format for people.
        values: What was read, a row each, by column; a number may be a float.
        facts: What is said below a table.
        whole: Whether formats for machines give whole entries, since no column was asked for.
        rows: The runs, where rows are runs.
        terms: What the columns read, where rows are runs.
        readers: What finds names in a run, by log kind.
    """

    word: str
    columns: tuple[str, ...]
    shown: tuple[str, ...]
    values: Sequence[Mapping[str, Value]]
    facts: Sequence[str] = ()
    whole: bool = False
    rows: Sequence[Row] = ()
    terms: tuple[Term, ...] = ()
    readers: Readers = field(default_factory=dict)

    def exact(self) -> Iterator[Mapping[str, Value]]:
        """Yield each row by column, numbers as the log has them."""
        if not self.rows:
            yield from self.values
        for row in self.rows:
            record = Record(Entry(Line(row.line, row.raw), load(row.raw)), row.kind, row.path)
            lookup = self.readers[row.kind.name](record)
            yield {term.text: term.node.value(lookup) for term in self.terms}
