"""The report's data as JSON: an index of all runs, and what the page of each run shows.

All text passes through `visible`; the page makes text nodes of it. Numbers that the page of a run shows are
written here, so that none loses digits in JavaScript.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from nsm_gate.model import Finding, Json, Outcome, Severity, Verdict
from nsm_gate.render.untrusted import visible
from nsm_gate.report import words
from nsm_gate.report.nouns import OUTCOMES, Difference, Results, Told

CHUNK = 100
"""Runs in one block of details: the page parses a block when one of its runs is opened."""

_NAME = 200
_NOTE = 240
_LONG = 20_000
_MOST_BASE = 1e15
"""Numbers at or beyond this are told, not drawn: no axis shows them beside others."""


def index(results: Results, title: str) -> Json:
    """Return what the table, the filters and the charts need of all runs.

    A run is a row: id, place, log, type, domain, status, time, outcome, criteria met, criteria asked,
    errors, warnings, start of its notes, metrics, class accuracies, settings, whether it has a history.
    """
    values: dict[str, dict[str, int]] = {name: {} for name in results.settings}
    ids = identities(results.runs)
    return {
        "title": visible(title, _NAME),
        "chunk": CHUNK,
        "outcomes": [[outcome, words.OUTCOME_WORDS[outcome]] for outcome in OUTCOMES],
        "metrics": [
            {
                "name": visible(metric, _NAME),
                "better": results.better.get(metric, ""),
                "targets": [
                    [bar.operator, bar.value, visible(bar.owner, _NAME), visible(bar.expected, _NAME)]
                    for bar in results.targets
                    if bar.metric == metric
                ],
            }
            for metric in results.metrics
        ],
        "strongest": [
            {
                "name": visible(name, _NAME),
                "steps": [
                    [step.time, visible(step.run, _NAME), [step.metrics.get(m) for m in results.metrics]]
                    for step in steps
                ],
            }
            for name, steps in results.strongest.items()
        ],
        "runs": [_row(run, ids[run.place], results, values) for run in results.runs],
        # After the rows, which number the values.
        "settings": [[visible(n, _NAME), [visible(v, _NAME) for v in held]] for n, held in values.items()],
    }


def identities(runs: tuple[Told, ...]) -> dict[str, str]:
    """Return the place of a run -> what the address of its page ends with: its name, if no other has it."""
    counts: dict[str, int] = {}
    for run in runs:
        counts[run.name] = counts.get(run.name, 0) + 1
    return {
        run.place: visible(run.name if counts[run.name] == 1 else f"{run.name} ({run.place})", 2 * _NAME)
        for run in runs
    }


def _row(run: Told, identity: str, results: Results, values: Mapping[str, dict[str, int]]) -> Json:
    asked = [verdict for verdict in run.verdicts if verdict.outcome is not Outcome.NOT_APPLICABLE]
    numbers = [
        values[name].setdefault(run.settings[name], len(values[name])) if name in run.settings else -1
        for name in results.settings
    ]
    note = " ".join(run.notes[: 2 * _NOTE].split())
    unwaived = [problem for problem in run.problems if problem.waived is None]
    return [
        identity,
        visible(run.name, _NAME),
        visible(run.place, 2 * _NAME),
        *(visible(text, _NAME) for text in (run.log, run.experiment_type, run.domain, run.status)),
        run.time,
        OUTCOMES.index(run.outcome),
        sum(verdict.outcome is Outcome.MET for verdict in asked),
        len(asked),
        sum(problem.severity is Severity.ERROR for problem in unwaived),
        sum(problem.severity is Severity.WARNING for problem in unwaived),
        visible(note, _NOTE),
        [run.metrics.get(metric) for metric in results.metrics],
        list(run.classes) if run.classes else None,
        numbers,
        int(run.epochs is not None),
    ]


def details(results: Results, tick: Callable[[int], None] = lambda _count: None) -> Iterator[Json]:
    """Yield what the page of each run shows, in the order of the index.

    Args:
        results: The runs.
        tick: Called with the number of runs that are written, for progress.
    """
    ids = identities(results.runs)
    for number, run in enumerate(results.runs, 1):
        tick(number)
        yield {
            "notes": visible(run.notes.replace("\r\n", "\n"), _LONG),
            "error": visible(run.error.replace("\r\n", "\n"), _LONG),
            "verdicts": [_verdict(verdict, ids) for verdict in run.verdicts],
            "problems": [_problem(problem, run) for problem in run.problems],
            "fields": [
                [visible(name, _NAME), [[visible(n, _NAME), visible(v, 2 * _NAME)] for n, v in held.items()]]
                for name, held in run.fields.items()
            ],
            "left": run.left_out,
            "epochs": _epochs(run),
            "differences": [_difference(difference, ids) for difference in run.differences],
            "earlier": [
                [visible(f"{e.path}:{e.line}", _NAME), visible(e.status, _NAME)] for e in run.earlier
            ],
        }


def _verdict(verdict: Verdict, ids: Mapping[str, str]) -> Json:
    used = verdict.reference
    reference = None
    if used is not None:
        place = f"{used.path}:{used.line}"
        reference = [visible(used.name, _NAME), visible(used.run, _NAME), ids.get(place)]
    return [
        visible(verdict.criterion, _NAME),
        verdict.outcome.value,
        visible(words.observed(verdict), _NAME),
        visible(verdict.expected, 2 * _NAME),
        words.signed(verdict.margin) if verdict.margin is not None else "",
        visible(verdict.explanation, 1000),
        visible(verdict.defined_at, _NAME),
        reference,
    ]


def _problem(problem: Finding, run: Told) -> Json:
    place = f"{problem.path}:{problem.line}"
    earlier = f"{place}: " if place != run.place else ""
    return [
        problem.rule,
        problem.severity.word,
        visible(f"{earlier}{problem.message}", 1000),
        visible(problem.hint, 1000),
        visible(problem.waived, _NAME) if problem.waived is not None else None,
    ]


def _epochs(run: Told) -> Json:
    held = run.epochs
    if held is None:
        return None
    columns = [
        [visible(name, _NAME), [v if v is not None and abs(v) < _MOST_BASE else None for v in values]]
        for name, values in held.columns.items()
    ]
    return {"steps": list(held.steps), "columns": columns}


def _difference(difference: Difference, ids: Mapping[str, str]) -> Json:
    return {
        "reference": visible(difference.reference, _NAME),
        "run": visible(difference.run, _NAME),
        "id": ids.get(difference.place),
        "place": visible(difference.place, 2 * _NAME),
        "same": difference.same,
        "alone": difference.alone,
        "changed": [
            [
                visible(c.name, _NAME),
                *(None if v is None else visible(v, 2 * _NAME) for v in (c.mine, c.theirs)),
            ]
            for c in difference.changed
        ],
    }
