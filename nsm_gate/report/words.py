"""Numbers, times and counts as the report says them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

from nsm_gate.model import Json, Severity, Verdict
from nsm_gate.names import plural
from nsm_gate.report.nouns import MET, MISSED, UNJUDGED, UNKNOWN, Results
from nsm_gate.report.settings import said
from nsm_gate.values import is_number

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
OUTCOME_WORDS = {
    MET: "met every criterion", MISSED: "missed a criterion",
    UNKNOWN: "partly unknown", UNJUDGED: "not judged",
}  # fmt: skip


def number(value: float) -> str:
    """Return a number with four significant digits, and a true minus sign."""
    return f"{value:.4g}".replace("-", "−", 1) if value < 0 else f"{value:.4g}"


def signed(value: float) -> str:
    """Return a margin: `+0.112`, `−0.041`."""
    return f"{value:+.4g}".replace("-", "−", 1) if value < 0 else f"{value:+.4g}"


def observed(verdict: Verdict) -> str:
    """Return what a verdict looked at: a number, a series by its ends, or the words that stand there."""
    value = verdict.observed
    if isinstance(value, dict):
        value = next(iter(value.values()), None)
    return of_value(value)


def of_value(value: Json) -> str:
    """Return a value in few words; a dash for none."""
    if value is None:
        return "–"
    if isinstance(value, list) and len(value) > 1 and all(is_number(item) for item in value):
        return f"{of_value(value[0])} → {of_value(value[-1])} over {len(value):,} values"
    if is_number(value):
        try:
            return number(float(value))
        except OverflowError:
            return said(value)
    return said(value)


def day(milliseconds: int) -> str:
    """Return the day of a time: `4 November 2025`."""
    time = _EPOCH + timedelta(milliseconds=milliseconds)
    return f"{time.day} {time:%B} {time.year}"


def period(times: Sequence[int]) -> str:
    """Return from when to when: `4 November 2025 to 24 November 2025`; empty where no time is known."""
    if not times:
        return ""
    first, last = day(min(times)), day(max(times))
    return first if first == last else f"{first} to {last}"


def minute(time: datetime) -> str:
    """Return a time in UTC to the minute."""
    return f"{time.astimezone(timezone.utc):%Y-%m-%d %H:%M} UTC"


def headline(results: Results) -> str:
    """Return `58 runs from 2 logs, logged 4 November 2025 to 24 November 2025`."""
    times = [run.time for run in results.runs if run.time is not None]
    said = f"{plural(len(results.runs), 'run')} from {plural(len(results.logs), 'log')}"
    return f"{said}, logged {period(times)}" if times else said


def found(results: Results) -> str:
    """Return how much the gate found beside the verdicts: `2 errors and 1 warning`; empty for nothing."""
    every = [f for run in results.runs for f in run.problems] + [*results.broken, *results.loose]
    counts = [
        plural(sum(f.severity is severity and f.waived is None for f in every), severity.word)
        for severity in (Severity.ERROR, Severity.WARNING)
    ]
    return " and ".join(count for count in counts if not count.startswith("0 "))


def leftovers(results: Results) -> list[str]:
    """Return what the count of runs leaves out, in words; nothing where it leaves nothing out."""
    rows = []
    if results.lines:
        rows.append(f"{plural(results.lines, 'line')} {'holds' if results.lines == 1 else 'hold'} no run")
    if results.superseded:
        one = results.superseded == 1
        rows.append(
            f"{plural(results.superseded, 'line')} {'has' if one else 'have'} a later line of the same run"
        )
    undated = sum(run.time is None for run in results.runs)
    if undated:
        rows.append(f"{plural(undated, 'run')} {'has' if undated == 1 else 'have'} no valid time")
    return rows
