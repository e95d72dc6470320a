"""The sentences that every format for people ends with: what was checked, and the totals."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from nsm_gate.model import JudgedLog, Report, Severity, Verdict
from nsm_gate.names import plural
from nsm_gate.render.untrusted import plain
from nsm_gate.tallies import Tally, row_of, tally

_IDLE_LOGS = 5
"""Above this many logs, those of which nothing was appended are only counted."""


def shown_logs(report: Report) -> tuple[list[JudgedLog], int]:
    """Return the logs to name one by one, and how many others have nothing new and nothing wrong."""
    if len(report.logs) <= _IDLE_LOGS:
        return list(report.logs), 0
    wrong = {path for path, weight in gravest(report).items() if weight}
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


def gravest(report: Report) -> Mapping[str, int]:
    """Return the weight of the gravest finding of each file that has one."""
    if report.lots is not None:
        return report.lots.gravest
    found: dict[str, int] = {}
    for finding in report.findings:
        found[finding.path] = max(found.get(finding.path, 0), int(finding.severity))
    return found


def _tally(report: Report) -> Tally:
    outcomes: dict[tuple[str, int], list[Verdict]] = defaultdict(list)
    for verdict in report.verdicts:
        outcomes[verdict.path, verdict.line].append(verdict)
    rows = (row_of(run.entry, (), outcomes.get((run.path, run.line), ())) for run in report.runs)
    return tally((row, 1) for row in rows)


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
    total = report.lots.tally if report.lots is not None else _tally(report)
    runs, met, missed, misses, unknown = total.runs, total.met, total.missed, total.misses, total.unknown
    parts = []
    if met:
        parts.append(f"{met:,} met all criteria")
    if missed:
        parts.append(
            f"{missed:,} missed {misses:,}" if missed == 1 else f"{missed:,} missed {misses:,} in all"
        )
    if unknown:
        parts.append(f"{unknown:,} partly unknown")
    rest = runs - met - missed - unknown
    if rest:
        parts.append(f"{rest:,} without criteria to judge")
    said = [f"{plural(runs, 'run')}: {', '.join(parts)}"] if runs else []
    if total.others:
        said.append(f"{plural(total.others, 'line')} without a run")
    return f"{text} · {', '.join(said)}"
