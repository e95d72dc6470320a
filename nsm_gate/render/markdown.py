"""The report as Markdown, for a job summary or a comment on a pull request.

Begins with a hidden mark, so that a comment can be found and updated in place. Everything that comes from
a log, the rules or a file name stands in `<code>` with each character that means something to Markdown or
HTML written as an entity: it can neither leave its cell nor mention anybody, nor become a link.
https://github.github.com/gfm/#entity-and-numeric-character-references
"""

from __future__ import annotations

import urllib.parse
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from nsm_gate.errors import GateError
from nsm_gate.model import Finding, Outcome, Report, Run, Severity, Verdict
from nsm_gate.names import plural
from nsm_gate.nouns import Any
from nsm_gate.render.cells import code as _code
from nsm_gate.render.cells import escaped as _text
from nsm_gate.render.style import Style
from nsm_gate.render.summary import checked, totals

MARK = "<!-- nsm-gate report -->"
LIMIT = 900 * 1024
"""Bytes; a job summary over 1 MiB is dropped whole."""

_ICONS = {Severity.ERROR: "❌", Severity.WARNING: "⚠️", Severity.NOTICE: "ℹ️"}
_OUTCOMES = {
    Outcome.MET: "✅ met", Outcome.MISSED: "❌ missed",
    Outcome.UNKNOWN: "❔ unknown", Outcome.NOT_APPLICABLE: "– not asked",
}  # fmt: skip
_BARS = "▁▂▃▄▅▆▇█"
_POINTS = 24
_OVERVIEW = 200
_CELL = 120
_RULES = ("rules-changed", "schema-evolution", "waiver-expired", "waiver-unused")
_OF_VERDICTS = ("criterion-missed", "criterion-unknown")


def render(report: Report, style: Style) -> str:
    """Return the report, cut at `LIMIT` bytes, or where the style says, with a count of what is left out."""
    head = [MARK, f"### {_headline(report)}", ""]
    tail = ["", f"**{_text(totals(report))}**"]
    room = (style.limit or LIMIT) - sum(map(_size, (*head, *tail))) - 400
    rows: list[str] = []
    blocks = [[*(f"<code>{_text(row)}</code>  " for row in checked(report)), ""], *_blocks(report, style)]
    for number, block in enumerate(blocks):
        for row in block:
            room -= _size(row)
            if room < 0:
                break
            rows.append(row)
        if room < 0:
            rest = plural(len(blocks) - number, "more run or table", "more runs or tables")
            rows += ["", f"… and {rest}: see the log of the job", ""]
            break
    return "".join(f"{row}\n" for row in (*head, *rows, *tail))


def _size(row: str) -> int:
    return len(row.encode("utf-8", "replace")) + 1


def render_errors(errors: Sequence[GateError]) -> str:
    """Return the words that stand in for a report where nothing could be judged."""
    rows = [MARK, "### ❌ nsm-gate could not judge", ""]
    for error in errors[:20]:
        rows.append(f"- {_code(str(error), 1000)}")
        if error.hint:
            rows.append(f"  - {_code(error.hint, 1000)}")
    return "".join(f"{row}\n" for row in rows)


def _headline(report: Report) -> str:
    errors, warnings = report.count(Severity.ERROR), report.count(Severity.WARNING)
    mark = "❌" if report.exit_code else "⚠️" if errors or warnings else "✅"
    runs = [run for run in report.runs if run.entry]
    missed = {(v.path, v.line) for v in report.verdicts if v.outcome is Outcome.MISSED}
    said = [plural(len(runs), "run") if report.checked else "nothing appended"]
    said += [plural(errors, "error"), plural(warnings, "warning")]
    if missed:
        said.append(f"{plural(len(missed), 'run')} missed a criterion")
    return f"{mark} nsm-gate: {', '.join(said)}"


def _blocks(report: Report, style: Style) -> Iterator[list[str]]:
    """Yield the parts that may be left out, the most telling first."""
    verdicts: dict[tuple[str, int], list[Verdict]] = defaultdict(list)
    findings: dict[tuple[str, int], list[Finding]] = defaultdict(list)
    for verdict in report.verdicts:
        verdicts[verdict.path, verdict.line].append(verdict)
    for finding in report.findings:
        findings[finding.path, finding.line].append(finding)
    places = {(run.path, run.line) for run in report.runs}
    rules = [f for f in report.findings if f.rule in _RULES and (f.path, f.line) not in places]
    if len([run for run in report.runs if run.entry]) > 1:
        yield _overview(report, verdicts, findings, style)
    if rules or report.rules:
        yield _of_rules(rules, report, style)
    loose = [f for place, found in findings.items() if place not in places for f in found if f not in rules]
    if loose:
        yield ["#### History", "", *_table_of(loose, style), ""]
    told = sorted(report.runs, key=lambda run: -_weight(findings[run.path, run.line]))
    for run in told:
        place = run.path, run.line
        block = _of_run(run, verdicts[place], findings[place], style, from_base=bool(report.rules))
        if block:
            yield block


def _overview(
    report: Report,
    verdicts: Mapping[tuple[str, int], Sequence[Verdict]],
    findings: Mapping[tuple[str, int], Sequence[Finding]],
    style: Style,
) -> list[str]:
    rows = ["| run | where | met | missed | unknown | findings |", "|---|---|--:|---|---|--:|"]
    runs = [run for run in report.runs if run.entry]
    for run in runs[:_OVERVIEW]:
        place = run.path, run.line
        names: dict[Outcome, list[str]] = defaultdict(list)
        for verdict in verdicts.get(place, ()):
            names[verdict.outcome].append(verdict.criterion)
        grave = [f for f in findings.get(place, ()) if f.rule not in _OF_VERDICTS and f.waived is None]
        cells = (
            _code(run.name or "(no run id)", 100),
            _place(run.path, run.line, style),
            str(len(names[Outcome.MET])),
            ", ".join(_code(name, 60) for name in names[Outcome.MISSED]),
            ", ".join(_code(name, 60) for name in names[Outcome.UNKNOWN]),
            f"{_ICONS[max(f.severity for f in grave)]} {len(grave)}" if grave else "",
        )
        rows.append(f"| {' | '.join(cells)} |")
    if len(runs) > _OVERVIEW:
        rows += ["", f"… and {plural(len(runs) - _OVERVIEW, 'more run')}"]
    return [*rows, ""]


def _weight(found: Sequence[Finding]) -> int:
    return max((int(f.severity) for f in found if f.waived is None), default=0)


def _of_rules(found: Sequence[Finding], report: Report, style: Style) -> list[str]:
    rows = ["#### Rules", ""]
    if report.rules:
        rows += [f"Judged by {_code(report.rules)}.", ""]
    return [*rows, *(_table_of(found, style) if found else ()), ""]


def _of_run(
    run: Run, verdicts: Sequence[Verdict], found: Sequence[Finding], style: Style, *, from_base: bool
) -> list[str]:
    facts = [_code(fact, 60) for fact in (run.experiment_type, run.domain) if fact]
    if run.status not in (None, "completed"):
        facts.append(_code(run.status or "", 60))
    if run.history:
        facts.append(f"<code>{_spark(run.history)}</code> over {plural(len(run.history), 'epoch')}")
    place = _place(run.path, run.line, style)
    rows = [f"#### {_code(run.name or '(no run id)', 100)} · {place}", ""]
    if facts:
        rows += [" · ".join(facts), ""]
    asked = [verdict for verdict in verdicts if verdict.outcome is not Outcome.NOT_APPLICABLE]
    if asked:
        rows += [
            "| criterion | verdict | observed | expected | margin | reference | change |",
            "|---|---|--:|---|--:|---|--:|",
            *(_row(verdict, from_base=from_base) for verdict in asked),
            "",
        ]
    told = [finding for finding in found if finding.rule not in _OF_VERDICTS]
    grave = [
        f for f in found if f.rule in _OF_VERDICTS and (f.severity is Severity.ERROR or f.waived is not None)
    ]
    if told or grave:
        rows += [*_table_of([*told, *grave], style, place=False), ""]
    return rows if len(rows) > 2 else []


def _row(verdict: Verdict, *, from_base: bool) -> str:
    margin = "" if verdict.margin is None else f"{verdict.margin:+.4g}"
    used = verdict.reference
    reference = change = ""
    if used is not None:
        reference = _code(used.run, 80) + (" (same change)" if used.appended else "")
        change = _change(verdict)
    cells = (
        # A rule that the base, whose rules judge, does not know.
        _code(verdict.criterion, 60) + (" (new)" if from_base and verdict.rules_from == "head" else ""),
        _OUTCOMES[verdict.outcome],
        _observed(verdict.observed),
        _code(verdict.expected, _CELL),
        margin if verdict.outcome is not Outcome.UNKNOWN else _code(verdict.explanation, _CELL),
        reference,
        change,
    )
    return f"| {' | '.join(cells)} |"


def _change(verdict: Verdict) -> str:
    """Return how far the run is from its reference: `-0.265 (-27 %)`."""
    used = verdict.reference
    observed = verdict.observed
    if isinstance(observed, dict):
        observed = next((v for v in observed.values() if _is_number(v)), None)
    other = next((v for v in used.values.values() if _is_number(v)), None) if used is not None else None
    if not _is_number(observed) or other is None:
        return ""
    gap = float(observed) - float(other)
    share = f" ({gap / abs(float(other)):+.0%})" if other else ""
    return f"{gap:+.4g}{share}"


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 10**300


def _observed(value: Any) -> str:
    if isinstance(value, dict):
        value = next(iter(value.values()), None)
    if isinstance(value, list) and len(value) > 1 and all(_is_number(item) for item in value):
        series = [float(item) for item in value]
        return f"<code>{_spark(series)}</code> {series[0]:.4g} → {series[-1]:.4g}"
    if _is_number(value):
        return f"{value:.4g}" if isinstance(value, float) else str(value)
    if value is None:
        return "–"
    if isinstance(value, bool):
        return str(value).lower()
    return _code(str(value) if isinstance(value, str) else f"{len(value)} values", 40)


def _spark(series: Sequence[float]) -> str:
    """Return a series as a row of bars, thinned to at most 24 values that keep its ends."""
    count = len(series)
    if count > _POINTS:
        series = [series[round(i * (count - 1) / (_POINTS - 1))] for i in range(_POINTS)]
    low, high = min(series), max(series)
    span = high - low
    if not span > 0 or span == float("inf"):
        return _BARS[3] * len(series)
    return "".join(_BARS[min(7, int((value - low) / span * 8))] for value in series)


def _table_of(found: Sequence[Finding], style: Style, *, place: bool = True) -> list[str]:
    head = ["| | rule | finding | remedy |", "|---|---|---|---|"]
    if place:
        head = ["| | rule | where | finding | remedy |", "|---|---|---|---|---|"]
    rows = []
    for finding in sorted(found, key=lambda f: (f.waived is not None, -f.severity)):
        mark = "waived" if finding.waived is not None else _ICONS[finding.severity]
        cells = [mark, _code(finding.rule, 60)]
        cells += [_place(finding.path, finding.line, style)] if place else []
        remedy = f"waived: {finding.waived}" if finding.waived is not None else finding.hint
        cells += [_code(finding.message, 400), _code(remedy, 300) if remedy else ""]
        rows.append(f"| {' | '.join(cells)} |")
    return [*head, *rows]


def _place(path: str, line: int, style: Style) -> str:
    """Return a file and line, as a link where it is known what the files of the commit are shown under."""
    shown = _code(f"{path}:{line}", 200)
    if not style.blob:
        return shown
    address = urllib.parse.quote(path.encode("utf-8", "surrogateescape"))
    return f'<a href="{style.blob}/{address}#L{line}">{shown}</a>'
