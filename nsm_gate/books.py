"""The head of a log, as the judgement reads it: lines, records, and what tells one run from another."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence

from nsm_gate.changes import Change
from nsm_gate.jsonl import decode
from nsm_gate.model import Entry, Line, Malformed
from nsm_gate.nouns import NamedTuple, dataclass, field
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
    _last: tuple[int, Entry | Malformed] | None = field(default=None, repr=False)
    _before: tuple[int, Entry | Malformed] | None = field(default=None, repr=False)

    def line(self, index: int) -> Line:
        """Return a physical line."""
        return Line(index + 1, self.lines[index], self.terminated or index + 1 < len(self.lines))

    def decoded(self, index: int) -> Entry | Malformed:
        """Return what a line holds. The last two that were asked for are kept."""
        for kept in (self._last, self._before):
            if kept is not None and kept[0] == index:
                return kept[1]
        made = decode(self.line(index), self.limit)
        self._before, self._last = self._last, (index, made)
        return made

    def record(self, index: int) -> Record | None:
        """Return the entry of a line, or None where it holds none."""
        decoded = self.decoded(index)
        return self.seen(index, decoded) if isinstance(decoded, Entry) else None

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
    return total or fingerprint(record)


_NAMES: dict[int, tuple[LogKind, tuple[str, ...]]] = {}


def _names(kind: LogKind) -> tuple[str, ...]:
    known = _NAMES.get(id(kind))
    if known is None or known[0] is not kind:
        known = _NAMES[id(kind)] = (kind, summed(kind))
    return known[1]


def fingerprint(record: Record) -> str | None:
    """Return results and configuration as text, or None where no result is there."""
    results = record.at(record.kind.results)
    if not isinstance(results, dict) or all(value is None for value in results.values()):
        return None
    settings = [record.at(path) for path in record.kind.configuration]
    known = {name: value for name, value in results.items() if value is not None}
    parts = [known, [None if part is ABSENT else part for part in settings]]
    return json.dumps(parts, sort_keys=True)
