"""Which findings a machine can mend: only those of lines that are not logged history yet."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

from nsm_gate.edits import Fix, edited
from nsm_gate.fixes import FIXES
from nsm_gate.fixes.names import Names
from nsm_gate.fixes.site import Site
from nsm_gate.history import Book
from nsm_gate.jsonl import text
from nsm_gate.model import Finding, Many, Report
from nsm_gate.nouns import Any, replace

Logged = Callable[[str, Sequence[bytes]], Collection[int]]
"""A log's path and its lines -> indices of those that are logged history."""


class Fixable:
    """The lines of logs that may be mended.

    A published line that is gone leaves a new one in its place: that is mended only if it becomes the lost
    one again.
    """

    def __init__(self, books: Mapping[str, Book], of_kind: Callable[[str], Iterable[Book]], logged: Logged):
        """Keep where to look; nothing is read before a finding needs it.

        Args:
            books: The judged logs by path.
            of_kind: Every log of a kind, for the run ids that are taken.
            logged: Tells which lines are logged history.
        """
        self._books = books
        self._of_kind = of_kind
        self._logged = logged
        self._names: dict[str, Names] = {}
        self._lines: dict[str, Collection[int]] = {}
        self._lost: dict[str, dict[int, bytes]] = {}
        self._numbers: dict[str, dict[bytes, int]] = {}
        self._fixes: dict[tuple[str, int, str, int], Fix | None] = {}

    def prepare(self) -> None:
        """Read what findings may need, for those that are looked at once nothing can be read any more."""
        for path, book in self._books.items():
            self.lines(path)
            self._of_kind(book.kind.name)

    def lines(self, path: str) -> Collection[int]:
        """Return the indices of a log's new lines, in order."""
        if path not in self._lines:
            book = self._books[path]
            logged = self._logged(path, book.lines) if book.change.judged else ()
            self._lines[path] = dict.fromkeys(i for i in book.change.judged if i not in logged)
        return self._lines[path]

    def told(self, finding: Finding) -> Finding:
        """Return a finding with its fix, where it has one. What a waiver accepts is left as it is."""
        if finding.rule not in FIXES or finding.waived is not None:
            return finding
        # Kept: a second number for the same run would be another one.
        key = finding.path, finding.line, finding.rule, finding.column
        if key not in self._fixes:
            self._fixes[key] = self._fix(finding)
        fix = self._fixes[key]
        return finding if fix is None else finding._replace(fix=fix)

    def _fix(self, finding: Finding) -> Fix | None:
        """Return how a finding is mended, or None."""
        mend = FIXES.get(finding.rule)
        book = self._books.get(finding.path)
        index = finding.line - 1
        if mend is None or book is None or not 0 <= index < len(book.lines):
            return None
        if index not in self.lines(finding.path):
            return None
        line = book.line(index)
        fresh = self._names.setdefault(book.kind.name, Names(lambda: self._ids(book.kind.name))).fresh
        site = Site(finding, line, text(line.raw), book.kind, fresh, lambda: self._first(book, line.raw))
        fix = mend(site)
        lost = self.lost(finding.path)
        if fix is None or index not in lost:
            return fix
        return fix if edited(line.raw, True, fix.edits) == lost[index] + b"\n" else None

    def lost(self, path: str) -> dict[int, bytes]:
        """Return the published lines that are gone, by the index of what stands in their place."""
        if path not in self._lost:
            lost = self._books[path].change.lost
            self._lost[path] = {item.replaced_by: item.raw for item in lost if item.replaced_by is not None}
        return self._lost[path]

    def _first(self, book: Book, raw: bytes) -> int:
        """Return the number of the first line of a log that is this, byte for byte."""
        if book.path not in self._numbers:
            lines = book.lines
            self._numbers[book.path] = {lines[index]: index + 1 for index in reversed(range(len(lines)))}
        return self._numbers[book.path][raw]

    def _ids(self, kind: str) -> Iterable[str]:
        for book in self._of_kind(kind):
            for index in range(len(book.lines)):
                record = book.record(index)
                if record is not None and record.name is not None:
                    yield record.name


def with_fixes(report: Report, fixable: Fixable) -> Report:
    """Return the report with a fix beside each finding that a machine can mend.

    Where there are so many lines that findings are made late, their fixes are, too.
    """
    if report.lots is None:
        return replace(report, findings=tuple(map(fixable.told, report.findings)))
    return replace(report, findings=_Late(report.findings, fixable), lots=_Lots(report.lots, fixable))


class _Late(Sequence[Finding]):
    """Findings that are made when they are first looked at, each with its fix."""

    def __init__(self, findings: Sequence[Finding], fixable: Fixable) -> None:
        self._findings = findings
        self._fixable = fixable
        self._made: tuple[Finding, ...] | None = None

    @property
    def _items(self) -> tuple[Finding, ...]:
        if self._made is None:
            self._made = tuple(map(self._fixable.told, self._findings))
        return self._made

    def __len__(self) -> int:
        return len(self._findings)

    def __getitem__(self, index: Any) -> Any:
        return self._items[index]

    def __iter__(self) -> Iterator[Finding]:
        return iter(self._items)


class _Lots:
    """What many lines come to; of those that a person looks at first, findings have their fixes."""

    def __init__(self, lots: Many, fixable: Fixable) -> None:
        self._lots = lots
        self._fixable = fixable
        self.counts = lots.counts
        self.waived = lots.waived
        self.tally = lots.tally
        self.gravest = lots.gravest

    def shown(self, most: int) -> Any:
        """Return the lines that a person looks at first."""
        shown = self._lots.shown(most)
        return shown._replace(findings=tuple(map(self._fixable.told, shown.findings)))
