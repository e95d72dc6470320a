"""The report as Markdown: the guide's table of runs by domain, with the verdicts beside it.

Everything that comes from a log or the rules is escaped as in the Markdown of `check`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from nsm_gate import __version__
from nsm_gate.model import Finding, Outcome
from nsm_gate.names import plural
from nsm_gate.render.cells import code, escaped
from nsm_gate.render.untrusted import plain
from nsm_gate.report import tally, words
from nsm_gate.report.nouns import OUTCOMES, Results, Told

_NOTES = 160
_SHOWN = 4
_BROKEN = 200
_MARKS = {"met": "✅", "missed": "❌", "unknown": "❔", "unjudged": "–"}


def render(results: Results, title: str, now: datetime) -> str:
    """Return the report, every run of it.

    Args:
        results: What it shows.
        title: Its heading.
        now: The time that it is made at.
    """
    rows = [
        f"# {_prose(title, 200)}",
        "",
        f"{words.headline(results)}. {_judged(results, now)}",
        "",
        *_totals(results),
        *_groups(results),
        *_criteria(results),
        *_modes(results),
        *_domains(results),
        *_broken(results),
    ]
    return "".join(f"{row}\n" for row in rows).rstrip("\n") + "\n"


def _judged(results: Results, now: datetime) -> str:
    source = _prose(results.source, 200)
    return f"Judged by {source} with nsm-gate {__version__}, {words.minute(now)}."


def _prose(text: str, limit: int) -> str:
    return escaped(plain(text, limit))


def _totals(results: Results) -> Iterator[str]:
    yield f"**Total experiments: {len(results.runs):,}**"
    yield ""
    if not results.runs:
        yield "The logs hold no run."
    for outcome, count in tally.outcomes(results.runs).items():
        if count:
            yield f"- {count:,} {words.OUTCOME_WORDS[outcome]}"
    if words.found(results):
        yield f"- {words.found(results)} beside the verdicts"
    for row in words.leftovers(results):
        yield f"- {row}"
    yield ""


def _groups(results: Results) -> Iterator[str]:
    found = tally.groups(results.runs)
    if not found:
        return
    yield "## Verdicts by type and domain"
    yield ""
    yield "| Log | Type | Domain | Runs | Met | Missed | Unknown | Not judged | Missed most |"
    yield "|---|---|---|--:|--:|--:|--:|--:|---|"
    for group in found:
        most = ", ".join(f"{code(name, 60)} {count:,}" for name, count in list(group.missed.items())[:3])
        names = (group.log, group.experiment_type, group.domain)
        counts = (group.runs, *(group.outcomes[outcome] for outcome in OUTCOMES))
        cells = (*(code(name, 60) if name else "–" for name in names), *(f"{n:,}" for n in counts), most)
        yield f"| {' | '.join(cells)} |"
    yield ""


def _criteria(results: Results) -> Iterator[str]:
    found = tally.criteria(results.runs)
    if not found:
        return
    yield "## Verdicts by criterion"
    yield ""
    yield "| Asked of | Criterion | Expected | Met | Missed | Unknown |"
    yield "|---|---|---|--:|--:|--:|"
    for asked in found:
        expected = " or ".join(code(test, 120) for test in asked.expected[:3])
        counts = [
            f"{asked.outcomes.get(o.value, 0):,}" for o in (Outcome.MET, Outcome.MISSED, Outcome.UNKNOWN)
        ]
        owner = code(asked.experiment_type or asked.log, 60)
        yield f"| {owner} | {code(asked.criterion, 60)} | {expected} | {' | '.join(counts)} |"
    yield ""


def _modes(results: Results) -> Iterator[str]:
    metrics = _columns(results.runs, results.metrics)
    found = tally.modes(results.runs, metrics)
    if not found:
        return
    yield "## Fusion modes"
    yield ""
    yield f"| Mode | Runs | {' | '.join(f'{_prose(_title(m), 60)}, mean (range)' for m in metrics)} |"
    yield f"|---|--:|{'--:|' * len(metrics)}"
    for mode in found:
        cells = []
        for metric in metrics:
            spread = mode.spreads.get(metric)
            low, high = (words.number(spread.low), words.number(spread.high)) if spread else ("", "")
            cells.append(f"{words.number(spread.mean)} ({low} to {high})" if spread else "–")
        yield f"| {code(mode.mode, 60)} | {mode.runs:,} | {' | '.join(cells)} |"
    yield ""


def _domains(results: Results) -> Iterator[str]:
    """Yield the guide's table for each domain, and for each log kind that knows no domain."""
    held: dict[str, list[Told]] = {}
    for run in results.runs:
        heading = f"{_title(run.domain)} domain" if run.domain else f"No domain: {run.log}"
        held.setdefault(heading, []).append(run)
    for heading in sorted(held, key=lambda name: (name.startswith("No domain"), name)):
        runs = held[heading]
        metrics = _columns(runs, results.metrics)
        yield f"## {_prose(heading, 100)}"
        yield ""
        names = "".join(f"{_prose(_title(metric), 60)} | " for metric in metrics)
        yield f"| Run ID | Verdict | {names}Notes |"
        yield f"|---|---|{'--:|' * len(metrics)}---|"
        for run in runs:
            values = [words.number(run.metrics[m]) if m in run.metrics else "–" for m in metrics]
            cells = (code(run.name, 120), _verdict(run), *values, _prose(" ".join(run.notes.split()), _NOTES))
            yield f"| {' | '.join(cells)} |"
        yield ""


def _verdict(run: Told) -> str:
    missed = [v.criterion for v in run.verdicts if v.outcome is Outcome.MISSED]
    asked = sum(v.outcome is not Outcome.NOT_APPLICABLE for v in run.verdicts)
    mark = _MARKS[run.outcome]
    if run.status not in ("completed", ""):
        return f"{mark} {_prose(run.status, 40)}"
    if missed:
        return f"{mark} missed {', '.join(code(name, 60) for name in missed)}"
    met = sum(v.outcome is Outcome.MET for v in run.verdicts)
    return f"{mark} {met} of {asked} met" if asked else mark


def _columns(runs: Sequence[Told], metrics: Sequence[str]) -> list[str]:
    return [metric for metric in metrics if any(metric in run.metrics for run in runs)][:_SHOWN]


def _title(name: str) -> str:
    text = name.replace("_", " ").strip()
    return text[:1].upper() + text[1:]


def _broken(results: Results) -> Iterator[str]:
    for heading, found in (
        ("Lines that hold no run", results.broken),
        ("Found in the logs and the rules", results.loose),
    ):
        if found:
            yield f"## {heading}"
            yield ""
            yield from _findings(found)
            yield ""


def _findings(found: Sequence[Finding]) -> Iterator[str]:
    yield "| Where | Rule | What is wrong | Remedy |"
    yield "|---|---|---|---|"
    for finding in found[:_BROKEN]:
        cells = (
            code(f"{finding.path}:{finding.line}", 200),
            code(finding.rule, 60),
            code(finding.message, 300),
            code(finding.hint, 300) if finding.hint else "",
        )
        yield f"| {' | '.join(cells)} |"
    if len(found) > _BROKEN:
        yield ""
        yield f"… and {plural(len(found) - _BROKEN, 'more finding')}: nsm-gate check --all shows them"
