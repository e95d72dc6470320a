"""The judgement of many lines as a report: what it comes to at once, the rest where somebody asks for it."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, overload  # noqa: TID251  # imported for long logs alone

from nsm_gate.model import Finding, Run, Severity, Verdict
from nsm_gate.nouns import NamedTuple
from nsm_gate.tallies import Details, Row, Tally, tally


class Lot:
    """The judged lines of one log.

    Attributes:
        path: The log.
        lines: Indices of the judged lines, in order.
    """

    def __init__(self, path: str, lines: Sequence[int], run: Callable[[int], Run]) -> None:
        """Hold nothing yet.

        Args:
            path: The log.
            lines: Indices of the judged lines, in order.
            run: Index of a line -> the run on it.
        """
        self.path = path
        self.lines = lines
        self.run = run
        self._numbers = array("I")
        self._rows: dict[Row, int] = {}

    def take(self, row: Row) -> None:
        """Take in what the next line comes to."""
        self._numbers.append(self._rows.setdefault(row, len(self._rows)))

    @property
    def rows(self) -> Sequence[Row]:
        """Return what lines come to, each once."""
        return list(self._rows)

    def counted(self) -> Iterator[tuple[Row, int]]:
        """Yield what lines come to, each with how many lines come to it."""
        rows = self.rows
        for number, times in Counter(self._numbers).items():
            yield rows[number], times

    def gravest(self, most: int) -> list[tuple[int, Row]]:
        """Return the lines that weigh most, in order where they weigh the same."""
        rows = self.rows
        found: list[tuple[int, Row]] = []
        for weight in sorted({row.weight for row in rows}, reverse=True):
            wanted = {number for number, row in enumerate(rows) if row.weight == weight}
            for line, number in zip(self.lines, self._numbers, strict=True):
                if len(found) == most:
                    return found
                if number in wanted:
                    found.append((line, rows[number]))
        return found

    def first(self, most: int) -> list[tuple[int, Row]]:
        """Return the first lines."""
        rows = self.rows
        return [(line, rows[number]) for line, number in zip(self.lines[:most], self._numbers, strict=False)]


class Shown(NamedTuple):
    """The part of a large report that a person looks at.

    Attributes:
        runs: In the order in which they are shown, a log after the other.
        findings: Those of the runs, and all that are about no judged line.
        verdicts: Those of runs that have findings.
        met: (path, line) -> how many criteria a run meets.
        lines: Path of a log -> how many of its lines were judged.
    """

    runs: tuple[Run, ...]
    findings: tuple[Finding, ...]
    verdicts: tuple[Verdict, ...]
    met: Mapping[tuple[str, int], int]
    lines: Mapping[str, int]


class Lots:
    """The judged lines of all logs.

    Attributes:
        loose: Findings about no judged line: of a log's history, of the rules.
    """

    def __init__(
        self,
        lots: Sequence[Lot],
        loose: Sequence[Finding],
        details: Callable[[str, int], Details],
        everything: Callable[[], Iterable[Details]],
        order: Callable[[Finding], Any],
    ) -> None:
        """Keep what to ask.

        Args:
            lots: The judged lines of each log.
            loose: Findings about none of them.
            details: (path, index of a line) -> all that is said of it.
            everything: Makes the details of every judged line, in order.
            order: The order of findings.
        """
        self._lots = lots
        self.loose = tuple(loose)
        self._details = details
        self._everything = everything
        self._order = order
        self._made: tuple[tuple[Run, ...], tuple[Finding, ...], tuple[Verdict, ...]] | None = None
        counts: Counter[Severity] = Counter(f.severity for f in self.loose if f.waived is None)
        self.waived = sum(f.waived is not None for f in self.loose)
        rows = [pair for lot in lots for pair in lot.counted()]
        for row, times in rows:
            counts[Severity.ERROR] += row.errors * times
            counts[Severity.WARNING] += row.warnings * times
            counts[Severity.NOTICE] += row.notices * times
            self.waived += row.waived * times
        self.counts: Mapping[Severity, int] = counts
        self.tally: Tally = tally(rows)
        gravest = {lot.path: max((row.severity for row in lot.rows), default=0) for lot in lots}
        for finding in self.loose:
            gravest[finding.path] = max(gravest.get(finding.path, 0), finding.severity)
        self.gravest: Mapping[str, int] = gravest

    def shown(self, most: int) -> Shown:
        """Return the lines that a person looks at first: the gravest, of the gravest logs first."""
        runs: list[Run] = []
        findings: list[Finding] = list(self.loose)
        verdicts: list[Verdict] = []
        met: dict[tuple[str, int], int] = {}
        lines = {lot.path: len(lot.lines) for lot in self._lots}
        room = most
        for lot in sorted(self._lots, key=lambda lot: -self.gravest[lot.path]):
            for index, row in lot.gravest(room) if len(lot.lines) > room else lot.first(room):
                if not row.weight:
                    run = lot.run(index)
                    met[run.path, run.line] = row.met
                    runs.append(run)
                    continue
                made = self._details(lot.path, index)
                runs.append(made.run)
                findings += made.findings
                verdicts += made.verdicts
            room -= min(room, len(lot.lines))
        findings.sort(key=self._order)
        return Shown(tuple(runs), tuple(findings), tuple(verdicts), met, lines)

    def made(self) -> tuple[tuple[Run, ...], tuple[Finding, ...], tuple[Verdict, ...]]:
        """Return all runs, findings and verdicts."""
        if self._made is None:
            runs: list[Run] = []
            findings = list(self.loose)
            verdicts: list[Verdict] = []
            for details in self._everything():
                runs.append(details.run)
                findings += details.findings
                verdicts += details.verdicts
            findings.sort(key=self._order)
            self._made = tuple(runs), tuple(findings), tuple(verdicts)
        return self._made


class Late(Sequence[Any]):
    """The runs, findings or verdicts of lots, made when they are first looked at."""

    def __init__(self, lots: Lots, which: int) -> None:
        """Make nothing yet."""
        self._lots = lots
        self._which = which

    @property
    def _items(self) -> tuple[Any, ...]:
        made: tuple[Any, ...] = self._lots.made()[self._which]
        return made

    def __len__(self) -> int:
        return len(self._items)

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Any]: ...
    def __getitem__(self, index: int | slice) -> Any:
        return self._items[index]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items)
