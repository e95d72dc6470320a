"""The sentences that every format for people ends with: what was checked, and the totals."""

from __future__ import annotations

from collections import defaultdict

from nsm_gate.model import JudgedLog, Outcome, Report, Severity
from nsm_gate.names import plural
from nsm_gate.render.untrusted import plain

_IDLE_LOGS = 5
"""Above this many logs, those of which nothing was appended are only counted."""


def shown_logs(report: Report) -> tuple[list[JudgedLog], int]:
    """Return the logs to name one by one, and how many others have nothing new and nothing wrong."""
    if len(report.logs) <= _IDLE_LOGS:
        return list(report.logs), 0
    wrong = {finding.path for finding in report.findings}
    shown = [log for log in report.logs if log.appended or log.path in wrong]
    return shown, len(report.logs) - len(shown)


def checked(report: Report) -> list[str]:
    """Return what was checked of each log, against which base and why."""
    rows = []
    shown, idle = shown_logs(report)
    for log in shown:
        what = "line" if report.base == "none" else "appended line"
        rows.append(
            f"checked {plural(log.appended, what)} of {plain(log.path)} "
            f"against {plain(log.base)} ({plain(report.why)})"
        )
    if idle:
        rows.append(
            f"checked {idle_logs(idle, bool(shown))} against {plain(report.base)} ({plain(report.why)})"
        )
    if report.rules:
        rows.append(f"judged by {plain(report.rules)}")
    if not report.logs:
        rows.append(f"found no log to check; base: {plain(report.base)} ({plain(report.why)})")
    return rows


def idle_logs(count: int, others: bool) -> str:
    """Return `0 appended lines of 12 other logs`."""
    return f"0 appended lines of {plural(count, 'other log' if others else 'log')}"


def totals(report: Report) -> str:
    """Return `1 error, 2 warnings · 3 runs: 1 met all criteria, 1 missed 2, 1 not judged`."""
    counts = [
        plural(report.count(severity), severity.word)
        for severity in (Severity.ERROR, Severity.WARNING, Severity.NOTICE)
        if report.count(severity) or severity is not Severity.NOTICE
    ]
    if report.waived:
        counts.append(f"{report.waived} waived")
    text = ", ".join(counts)
    if not report.checked:
        return f"{text} · no appended line to judge"
    outcomes: dict[tuple[str, int], list[Outcome]] = defaultdict(list)
    for verdict in report.verdicts:
        outcomes[verdict.path, verdict.line].append(verdict.outcome)
    met = missed = unknown = misses = 0
    runs = [run for run in report.runs if run.entry]
    for run in runs:
        found = outcomes.get((run.path, run.line), [])
        failed = found.count(Outcome.MISSED)
        misses += failed
        missed += bool(failed)
        unknown += not failed and Outcome.UNKNOWN in found
        met += not failed and Outcome.UNKNOWN not in found and Outcome.MET in found
    parts = []
    if met:
        parts.append(f"{met:,} met all criteria")
    if missed:
        parts.append(
            f"{missed:,} missed {misses:,}" if missed == 1 else f"{missed:,} missed {misses:,} in all"
        )
    if unknown:
        parts.append(f"{unknown:,} partly unknown")
    rest = len(runs) - met - missed - unknown
    if rest:
        parts.append(f"{rest:,} without criteria to judge")
    said = [f"{plural(len(runs), 'run')}: {', '.join(parts)}"] if runs else []
    if len(runs) < len(report.runs):
        said.append(f"{plural(len(report.runs) - len(runs), 'line')} without a run")
    return f"{text} · {', '.join(said)}"
