"""A judgement and the logs it judged -> everything that a report shows."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

from nsm_gate.history import Book
from nsm_gate.model import Finding, Outcome, Report, Verdict
from nsm_gate.policy import Policy, Reference
from nsm_gate.records import Record
from nsm_gate.report import measures, nouns, settings
from nsm_gate.report.nouns import Earlier, Results, Target, Told
from nsm_gate.report.targets import better, milliseconds, strongest, targets

_OF_VERDICTS = ("criterion-missed", "criterion-unknown")
_MOST_METRICS = 40
_MOST_SETTINGS = 24
_MOST_VALUES = 12
_LONGEST_VALUE = 60

Place = tuple[str, int]


def collect(
    report: Report,
    books: Sequence[Book],
    policy: Policy,
    books_of: Callable[[str], Sequence[Book]],
    tick: Callable[[int], None] = lambda _count: None,
) -> Results:
    """Gather what a report shows.

    Args:
        report: The judgement of every line of the logs.
        books: The logs that were judged.
        policy: The rules that judged.
        books_of: Every log of a kind, where references are looked for.
        tick: Called with the number of runs that are gathered, for progress.
    """
    verdicts: dict[Place, list[Verdict]] = defaultdict(list)
    findings: dict[Place, list[Finding]] = defaultdict(list)
    for verdict in report.verdicts:
        verdicts[verdict.path, verdict.line].append(verdict)
    for finding in report.findings:
        findings[finding.path, finding.line].append(finding)
    others = {book.path: book for kind in policy.logs for book in books_of(kind)}
    others.update({book.path: book for book in books})
    latest, earlier = _latest(report, {book.path: book for book in books})
    words = {name: measures.words(kind, policy) for name, kind in policy.logs.items()}
    runs = []
    for number, record in enumerate(latest, 1):
        place = record.path, record.line
        before = earlier.get(place, [])
        found = [f for line in (*((e.path, e.line) for e in before), place) for f in findings.get(line, ())]
        told = _told(record, verdicts.get(place, ()), found, words[record.kind.name], others)
        runs.append(told._replace(earlier=tuple(before)))
        tick(number)
    runs.sort(key=lambda run: (run.time is None, run.time or 0))
    held = {(run.path, run.line) for run in report.runs if run.entry}
    not_runs = {(run.path, run.line) for run in report.runs if not run.entry}
    owners = {name for run in runs for name in (run.log, run.experiment_type, run.domain) if name}
    bars = _measured(targets(policy, owners), runs)
    return Results(
        logs=report.logs,
        source=policy.source,
        runs=tuple(runs),
        metrics=_metrics(runs, policy),
        better=better(bars),
        targets=bars,
        strongest=_strongest(policy, owners, books_of),
        settings=_settings(runs),
        broken=tuple(f for f in report.findings if (f.path, f.line) in not_runs),
        loose=tuple(f for f in report.findings if (f.path, f.line) not in held | not_runs),
        lines=len(not_runs),
        superseded=sum(map(len, earlier.values())),
        described=_described(policy, owners),
    )


def overall(verdicts: Sequence[Verdict]) -> str:
    """Return what the verdicts of a run come to: one miss is a miss, then one unknown is unknown."""
    found = {verdict.outcome for verdict in verdicts}
    if Outcome.MISSED in found:
        return nouns.MISSED
    if Outcome.UNKNOWN in found:
        return nouns.UNKNOWN
    return nouns.MET if Outcome.MET in found else nouns.UNJUDGED


def _latest(report: Report, books: Mapping[str, Book]) -> tuple[list[Record], dict[Place, list[Earlier]]]:
    """Return the line that speaks for each run, and the earlier lines of the same run by its place."""
    lines: dict[object, list[Record]] = {}
    for run in report.runs:
        record = books[run.path].record(run.line - 1) if run.entry and run.path in books else None
        if record is not None:
            key: object = (record.kind.name, record.key) if record.key is not None else (run.path, run.line)
            lines.setdefault(key, []).append(record)
    latest = []
    earlier: dict[Place, list[Earlier]] = {}
    for held in lines.values():
        if len({record.path for record in held}) > 1:
            # Which line is the later one, only the times tell across logs.
            held.sort(key=lambda record: milliseconds(record.instant.utc) if record.instant else 0)
        latest.append(held[-1])
        if held[:-1]:
            earlier[held[-1].path, held[-1].line] = [
                Earlier(record.path, record.line, record.status or "") for record in held[:-1]
            ]
    return latest, earlier


def _told(
    record: Record,
    verdicts: Sequence[Verdict],
    findings: Sequence[Finding],
    words: Sequence[str],
    books: Mapping[str, Book],
) -> Told:
    kind = record.kind
    fields, left_out = settings.fields(record)
    return Told(
        name=record.name or "(no run id)",
        path=record.path,
        line=record.line,
        log=kind.name,
        status=record.status or "",
        experiment_type=record.experiment_type or "",
        domain=record.domain or "",
        time=milliseconds(record.instant.utc) if record.instant is not None else None,
        outcome=overall(verdicts),
        metrics=measures.metrics(record, words),
        settings=settings.settings(record),
        classes=measures.classes(record),
        notes=settings.text(record, kind.findings),
        error=settings.text(record, kind.error_message),
        verdicts=tuple(verdicts),
        problems=tuple(f for f in findings if f.rule not in _OF_VERDICTS),
        fields=fields,
        left_out=left_out,
        epochs=measures.epochs(record),
        differences=tuple(_differences(record, verdicts, books)),
        earlier=(),
    )


def _differences(
    record: Record, verdicts: Sequence[Verdict], books: Mapping[str, Book]
) -> Iterator[nouns.Difference]:
    """Yield how the run differs from each run that a criterion compared it with."""
    seen: set[tuple[str, str, int]] = set()
    for verdict in verdicts:
        used = verdict.reference
        if used is None or (used.name, used.path, used.line) in seen:
            continue
        seen.add((used.name, used.path, used.line))
        book = books.get(used.path)
        other = book.record(used.line - 1) if book is not None and used.line <= len(book.lines) else None
        if other is not None:
            yield settings.difference(used.name, record, other)


def _metrics(runs: Sequence[Told], policy: Policy) -> tuple[str, ...]:
    """Return the metrics that a run has: those that the rules name, as they order them, then the others."""
    counts = Counter(name for run in runs for name in run.metrics)
    kinds = dict.fromkeys(run.log for run in runs)
    # The log kind with the most runs comes first.
    ordered = sorted(kinds, key=lambda kind: -sum(run.log == kind for run in runs))
    named = [name for kind in ordered for name in measures.words(policy.logs[kind], policy)]
    others = sorted((name for name in counts if name not in named), key=lambda name: -counts[name])
    found = [name for name in dict.fromkeys((*named, *others)) if counts[name]]
    return tuple(found[:_MOST_METRICS])


def _measured(bars: Sequence[Target], runs: Sequence[Told]) -> tuple[Target, ...]:
    """Return the bars of metrics that a run of their owner has."""
    measured = {
        (owner, name) for run in runs for name in run.metrics
        for owner in (run.log, run.experiment_type, run.domain)
    }  # fmt: skip
    return tuple(bar for bar in bars if (bar.owner, bar.metric) in measured)


def _settings(runs: Sequence[Told]) -> tuple[str, ...]:
    """Return the settings that take a few values each, by which runs may be compared."""
    values: dict[str, set[str]] = defaultdict(set)
    for run in runs:
        for name, value in run.settings.items():
            if len(values[name]) <= _MOST_VALUES:
                values[name].add(value)
    found = [
        name
        for name, held in values.items()
        if 1 < len(held) <= _MOST_VALUES and all(len(value) <= _LONGEST_VALUE for value in held)
    ]
    return tuple(sorted(found, key=lambda name: name != settings.FUSION)[:_MOST_SETTINGS])


def _strongest(
    policy: Policy, owners: set[str], books_of: Callable[[str], Sequence[Book]]
) -> dict[str, tuple[nouns.Step, ...]]:
    references: dict[str, Reference] = {}
    for group in (policy.logs, policy.experiment_types):
        for name, owner in group.items():
            references.update(owner.references if name in owners else {})
    made = {
        name: strongest(reference, books_of(reference.log), policy) for name, reference in references.items()
    }
    return {name: steps for name, steps in made.items() if steps}


def _described(policy: Policy, owners: set[str]) -> dict[str, str]:
    return {
        name: owner.description
        for group in (policy.logs, policy.experiment_types, policy.domains)
        for name, owner in group.items()
        if name in owners
    }
