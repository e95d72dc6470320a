"""What a judgement comes to, in numbers: of one line, and of all."""

from __future__ import annotations

from collections.abc import Iterable

from nsm_gate.model import Finding, Outcome, Run, Severity, Verdict
from nsm_gate.nouns import NamedTuple


class Row(NamedTuple):
    """What one judged line comes to. Many lines come to the same.

    Attributes:
        errors: Findings of this severity that no waiver accepts.
        waived: Findings that one does.
        weight: The severity of the gravest finding, as a number; that of a notice where a verdict is unknown.
        met: How many criteria the run meets.
        entry: Whether the line holds an entry.
    """

    errors: int = 0
    warnings: int = 0
    notices: int = 0
    waived: int = 0
    weight: int = 0
    met: int = 0
    missed: int = 0
    unknown: int = 0
    entry: bool = True

    @property
    def severity(self) -> int:
        """Return the severity of the gravest finding, also of accepted ones; 0 where there is none."""
        return self.weight if self.errors or self.warnings or self.notices or self.waived else 0


class Tally(NamedTuple):
    """What all judged lines come to.

    Attributes:
        runs: Lines that hold a run.
        others: Lines that hold none.
        met: Runs that meet all their criteria.
        missed: Runs that miss some.
        misses: Criteria that are missed.
        unknown: Runs of which some criterion is unknown, and none is missed.
    """

    runs: int = 0
    others: int = 0
    met: int = 0
    missed: int = 0
    misses: int = 0
    unknown: int = 0


class Details(NamedTuple):
    """All that is said of one judged line."""

    run: Run
    findings: tuple[Finding, ...]
    verdicts: tuple[Verdict, ...]


class Alone(NamedTuple):
    """What a line comes to by itself.

    Attributes:
        weights: Of each finding, its severity and the waiver that accepts it.
        outcomes: Of the criteria that were asked.
        entry: Whether the line holds an entry.
    """

    weights: list[tuple[Severity, int | None]]
    outcomes: list[Outcome]
    entry: bool


def row_of(entry: bool, findings: Iterable[Finding], verdicts: Iterable[Verdict]) -> Row:
    """Return what the findings and verdicts of one line come to."""
    counts = dict.fromkeys(Severity, 0)
    waived = weight = 0
    for finding in findings:
        weight = max(weight, finding.severity)
        if finding.waived is not None:
            waived += 1
        else:
            counts[finding.severity] += 1
    outcomes = [verdict.outcome for verdict in verdicts]
    unknown = outcomes.count(Outcome.UNKNOWN)
    if unknown:
        weight = max(weight, Severity.NOTICE)
    return Row(
        counts[Severity.ERROR], counts[Severity.WARNING], counts[Severity.NOTICE], waived, int(weight),
        outcomes.count(Outcome.MET), outcomes.count(Outcome.MISSED), unknown, entry,
    )  # fmt: skip


def of_alone(alone: Alone, used: set[int], met: int = 0, missed: int = 0) -> Row:
    """Return what a line comes to, beside the criteria that are proven to be met or missed."""
    unknown = alone.outcomes.count(Outcome.UNKNOWN)
    row = Row(
        met=met + alone.outcomes.count(Outcome.MET),
        missed=missed + alone.outcomes.count(Outcome.MISSED),
        unknown=unknown,
        weight=int(Severity.NOTICE) if unknown else 0,
        entry=alone.entry,
    )
    return with_weights(row, alone.weights, used)


def with_weights(row: Row, weights: Iterable[tuple[Severity, int | None]], used: set[int]) -> Row:
    """Return what a line comes to with more findings."""
    for severity, waiver in weights:
        row = added(row, severity, waived=waiver is not None)
        if waiver is not None:
            used.add(waiver)
    return row


def added(row: Row, severity: Severity, *, waived: bool = False) -> Row:
    """Return what a line comes to with one more finding."""
    if severity is Severity.IGNORE:
        return row
    if waived:
        return row._replace(waived=row.waived + 1, weight=max(row.weight, int(severity)))
    name = {Severity.ERROR: "errors", Severity.WARNING: "warnings", Severity.NOTICE: "notices"}[severity]
    return row._replace(**{name: getattr(row, name) + 1, "weight": max(row.weight, int(severity))})


def tally(rows: Iterable[tuple[Row, int]]) -> Tally:
    """Return what rows come to, each with how many lines come to it."""
    runs = others = met = missed = misses = unknown = 0
    for row, times in rows:
        if not row.entry:
            others += times
            continue
        runs += times
        misses += row.missed * times
        if row.missed:
            missed += times
        elif row.unknown:
            unknown += times
        elif row.met:
            met += times
    return Tally(runs, others, met, missed, misses, unknown)
