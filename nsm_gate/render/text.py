"""The report as a person reads it: a group a run, what is wrong with a look at the line, the verdicts."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from nsm_gate.model import Excerpt, Finding, JudgedLog, Outcome, Report, Run, Severity, Verdict
from nsm_gate.names import plural
from nsm_gate.nouns import Any, dataclass, field
from nsm_gate.render.style import STDIN, Style, columns_of
from nsm_gate.render.summary import gravest, idle_logs, shown_logs, totals
from nsm_gate.render.untrusted import joined, plain

_MARKS = {Severity.ERROR: "✗", Severity.WARNING: "!", Severity.NOTICE: "i"}
_OUTCOMES = {
    Outcome.MET: ("✓", "good"), Outcome.MISSED: ("✗", "warning"),
    Outcome.UNKNOWN: ("?", "warning"), Outcome.NOT_APPLICABLE: ("–", "dim"),
}  # fmt: skip
_IN_TABLE = {"criterion-missed", "criterion-unknown"}
_RULES = 12
"""How many findings about rules are shown."""
_FINDING = re.compile(r"    (?:\x1b\[[0-9;]*m)?[✗!i?w✓–] ")
_COMPACT = 10
"""Above this many runs, a run without findings whose criteria are all met takes one line."""


def render(report: Report, style: Style) -> str:
    """Return the report, ended by the totals."""
    weights = gravest(report)
    if style.quiet and not any(weights.values()):
        return ""
    rows: list[str] = []
    shown, idle = shown_logs(report)
    # Of very many lines only what is shown is made.
    many = report.lots.shown(style.runs) if report.lots is not None and not style.verbose else None
    source = many or report
    parts: dict[str, _OfLog] = defaultdict(_OfLog)
    for run in source.runs:
        parts[run.path].runs.append(run)
    for finding in source.findings:
        parts[finding.path].findings.append(finding)
    for verdict in source.verdicts:
        parts[verdict.path].verdicts.append(verdict)
    for path, part in parts.items():
        part.count = many.lines.get(path, 0) if many else len(part.runs)
    if many:
        for path, count in many.lines.items():
            parts[path].count = count
        for (path, line), met in many.met.items():
            parts[path].met[line] = met
    total = sum(part.count for part in parts.values())
    if total > style.runs and not style.verbose:
        shown.sort(key=lambda log: -weights.get(log.path, 0))
    room = total if style.verbose else style.runs
    hidden: list[_OfLog] = []
    for log in shown:
        part = parts[log.path]
        if part.count and not room:
            hidden.append(part)
            continue
        rows += _Log(report, log, part, style, room, compact=total > _COMPACT and not style.verbose).rows()
        rows.append("")
        room -= min(room, part.count)
    if hidden:
        runs = plural(sum(part.count for part in hidden), "more run")
        rows += [f"… and {runs} in {plural(len(hidden), 'more log')}: -v shows all", ""]
    if idle:
        about = f"against {plain(report.base)} ({plain(report.why)})"
        rows += [f"{idle_logs(idle, bool(shown))} · {about}", ""]
    if not report.logs:
        rows += [f"no log was found to check · against {plain(report.base)} ({plain(report.why)})", ""]
    rows += _of_rules(report, parts, style)
    if style.rows is not None and len(rows) >= style.rows and not style.verbose:
        rows = _screenful(rows, style.rows - 3)  # how much more there is, a blank row, and the totals
    rows.append(_painted_totals(report, style))
    return "".join(f"{row}\n" for row in rows)


def _screenful(rows: list[str], room: int) -> list[str]:
    """Return the first rows, ended before a finding that would be cut in two, and how much more there is."""
    end = room
    while end > room // 2 and rows[end][:8].isspace():
        end -= 1
    rest = sum(_FINDING.match(row) is not None for row in rows[end:])
    more = f"+{rest:,} more {'finding or verdict' if rest == 1 else 'findings and verdicts'}"
    return [*rows[:end], f"  … {more}: nsm-gate check -v shows all", ""]


def _of_rules(report: Report, parts: Mapping[str, _OfLog], style: Style) -> list[str]:
    """Return what is found of the rules themselves, and whose rules judged."""
    logs = {log.path for log in report.logs}
    found = [finding for path, part in parts.items() if path not in logs for finding in part.findings]
    if not found and not report.rules:
        return []
    heading = style.paint("rules", "bold")
    rows = [f"{heading} · judged by {plain(report.rules)}" if report.rules else heading]
    shown = found if style.verbose else found[:_RULES]
    for finding in shown:
        role = finding.severity.word
        mark = style.paint(f"{_MARKS[finding.severity]} {finding.rule}", role)
        rows.append(f"    {mark}  {plain(finding.path)}:{finding.line}  {plain(finding.message)}")
    if len(shown) < len(found):
        rows.append(f"    … and {len(found) - len(shown):,} more: -v shows all")
    hints = dict.fromkeys(finding.hint for finding in shown)
    return [*rows, *(f"        {plain(hint)}" for hint in hints), ""]


def _painted_totals(report: Report, style: Style) -> str:
    role = (
        "error" if report.count(Severity.ERROR) else "warning" if report.count(Severity.WARNING) else "good"
    )
    counts, dot, rest = totals(report).partition(" · ")
    return f"{style.paint(counts, role)}{dot}{rest}"


@dataclass(slots=True)
class _OfLog:
    """The parts of a report that are about one log.

    Attributes:
        count: How many runs it has, of which perhaps not all are here.
        met: Line -> how many criteria its run meets, where its verdicts are not here.
    """

    runs: list[Run] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    count: int = 0
    met: dict[int, int] = field(default_factory=dict)


class _Log:
    def __init__(
        self, report: Report, log: JudgedLog, of_log: _OfLog, style: Style, room: int, *, compact: bool
    ) -> None:
        self.room = room
        self.compact = compact
        self.count = of_log.count
        self.met = of_log.met
        self.report = report
        self.log = log
        self.style = style
        self.findings: dict[int, list[Finding]] = defaultdict(list)
        for finding in of_log.findings:
            self.findings[finding.line].append(finding)
        self.verdicts: dict[int, list[Verdict]] = defaultdict(list)
        for verdict in of_log.verdicts:
            self.verdicts[verdict.line].append(verdict)
        self.runs = of_log.runs

    def rows(self) -> Iterator[str]:
        log, style = self.log, self.style
        what = plural(log.appended, "line" if self.report.base == "none" else "appended line")
        base = "every line" if self.report.base == "none" else f"against {plain(log.base)}"
        yield f"{style.paint(plain(log.path), 'bold')} · {what} · {base} ({plain(self.report.why)})"
        runs = self.runs
        lines = {run.line for run in runs}
        # History has its own group: a lost line carries its number in the base.
        history = [f for fs in self.findings.values() for f in fs if self.about_history(f, lines)]
        if history:
            yield ""
            told = history if style.verbose else history[: style.runs]
            for finding in told:
                yield from self.finding(finding, f"line {finding.line}: ")
            if len(told) < len(history):
                yield f"    … and {len(history) - len(told):,} more: -v shows all"
        ordered = sorted(runs, key=lambda run: -self.weight(run)) if len(runs) > self.room else runs
        shown = ordered[: self.room]
        short = False
        for run in shown:
            if self.compact and not self.weight(run):
                if not short:
                    yield ""
                short = True
                yield from self.one_line(run)
            else:
                short = False
                yield ""
                yield from self.run(run)
        if self.count > len(shown):
            yield ""
            yield f"  … and {plural(self.count - len(shown), 'more run')}: -v shows all"

    def about_history(self, finding: Finding, lines: set[int]) -> bool:
        return finding.rule in ("history-rewritten", "not-a-log") or finding.line not in lines

    def weight(self, run: Run) -> int:
        """Return how grave a run's gravest finding is; 0 where all is well."""
        found = [f.severity for f in self.findings[run.line] if not self.about_history(f, {run.line})]
        unsure = any(v.outcome is Outcome.UNKNOWN for v in self.verdicts[run.line])
        return max([*found, Severity.NOTICE if unsure else Severity.IGNORE])

    def heading(self, run: Run) -> str:
        name = plain(run.name or "(no run id)", 80)
        facts = [f"line {run.line}", run.experiment_type, run.domain]
        facts.append(run.status if run.status not in (None, "completed") else None)
        about = " · ".join(plain(fact, 60) for fact in facts if fact)
        gap = " " * max(2, self.style.width - 2 - columns_of(name) - columns_of(about))
        return f"  {self.style.paint(name, 'bold')}{gap}{self.style.paint(about, 'dim')}"

    def one_line(self, run: Run) -> Iterator[str]:
        met = self.met.get(run.line, 0)
        met += sum(v.outcome is Outcome.MET for v in self.verdicts[run.line])
        said = f"{met} {'criterion' if met == 1 else 'criteria'} met" if met else "no criterion to judge"
        if run.status not in (None, "completed"):
            said = plain(run.status or "")
        name = plain(run.name or "(no run id)", 80)
        mark = self.style.paint("✓", "good") if met else self.style.paint("–", "dim")
        about = f"line {run.line} · {said}"
        gap = " " * max(2, self.style.width - 4 - columns_of(name) - columns_of(about))
        yield f"  {mark} {name}{gap}{self.style.paint(about, 'dim')}"

    def run(self, run: Run) -> Iterator[str]:
        yield self.heading(run)
        shown: Excerpt | None = None
        for finding in self.findings[run.line]:
            if finding.rule not in _IN_TABLE and not self.about_history(finding, {run.line}):
                yield from self.finding(finding, repeated=finding.excerpt == shown)
                shown = finding.excerpt
        yield from self.table(self.verdicts[run.line], self.findings[run.line])

    def finding(self, finding: Finding, place: str = "", repeated: bool = False) -> Iterator[str]:
        style = self.style
        mark, role = _MARKS[finding.severity], finding.severity.word
        if finding.waived is not None:
            mark, role = "w", "dim"
        run = f"{plain(finding.run, 80)} · " if place and finding.run else ""
        yield f"    {style.paint(f'{mark} {finding.rule}', role)}  {run}{place}{plain(finding.message)}"
        if finding.excerpt is not None and not repeated:
            yield from self.excerpt(finding.excerpt, role)
        if finding.waived is not None:
            yield f"        waived: {plain(finding.waived)}"
        elif finding.hint:
            yield f"        {plain(finding.hint)}{_by_machine(finding)}"

    def excerpt(self, excerpt: Excerpt, role: str) -> Iterator[str]:
        before, value, after = joined(excerpt.before, excerpt.text, excerpt.after)
        before = ("… " if excerpt.cut_before else "") + before
        after += " …" if excerpt.cut_after else ""
        style = self.style
        yield f"        {style.paint(before, 'dim')}{value}{style.paint(after, 'dim')}".rstrip()
        under = "^" * max(1, columns_of(value))
        yield f"        {' ' * columns_of(before)}{style.paint(under, role)}"

    def table(self, verdicts: Sequence[Verdict], findings: Sequence[Finding]) -> Iterator[str]:
        shown = [v for v in verdicts if self.style.verbose or v.outcome is not Outcome.NOT_APPLICABLE]
        if not shown:
            return
        grave = {f.criterion for f in findings if f.severity is Severity.ERROR}
        waived = {f.criterion for f in findings if f.waived is not None and f.criterion}
        rows = [_row(verdict, new=self.report.base != "none") for verdict in shown]
        widths = [max(len(row[i]) for row in (*rows, _HEAD)) for i in range(4)]
        yield self.style.paint(f"    {_line('  ' + _HEAD[0], _HEAD, widths)}".rstrip(), "dim")
        for verdict, row in zip(shown, rows, strict=True):
            mark, role = _OUTCOMES[verdict.outcome]
            role = "error" if verdict.criterion in grave else role
            note = "waived" if verdict.criterion in waived else row[4]
            if self.report.rules and verdict.rules_from == "head":
                note = f"{note}  (new rule)".strip()  # the base, whose rules judge, does not know it
            text = _line(f"{mark} {row[0]}", row, widths)
            yield f"    {self.style.paint(text if note else text.rstrip(), role)}{'  ' * bool(note)}{note}"


def _by_machine(finding: Finding) -> str:
    """Say which command does what the hint says; standard input it cannot change."""
    if finding.fix is None or finding.path == STDIN:
        return ""
    return f"  (nsm-gate fix{'' if finding.fix.safe else ' --unsafe'} does it)"


_HEAD = ("criterion", "observed", "expected", "margin", "")


def _line(first: str, row: tuple[str, ...], widths: list[int]) -> str:
    name = first.ljust(widths[0] + 2)
    return f"{name}  {row[1].rjust(widths[1])}  {row[2].ljust(widths[2])}  {row[3].rjust(widths[3])}"


def _row(verdict: Verdict, *, new: bool) -> tuple[str, str, str, str, str]:
    margin = "" if verdict.margin is None else f"{verdict.margin:+.4g}"
    note = ""
    if verdict.outcome is Outcome.MISSED and not verdict.margin and margin:
        margin = "-0"  # exactly at a threshold that is to be passed
    if verdict.outcome in (Outcome.UNKNOWN, Outcome.NOT_APPLICABLE):
        margin = "unknown" if verdict.outcome is Outcome.UNKNOWN else "n/a"
        note = plain(verdict.explanation, 160)
    elif verdict.reference is not None:
        also = " (appended too)" if verdict.reference.appended and new else ""
        note = f"{plain(verdict.reference.run, 80)}{also}"
    elif "standard error" in verdict.explanation and verdict.outcome is Outcome.MISSED:
        note = verdict.explanation[verdict.explanation.rfind(", ") + 2 :].rstrip(")")
        note = plain(note, 80)
    return plain(verdict.criterion, 60), _observed(verdict), plain(_expected(verdict), 60), margin, note


def _expected(verdict: Verdict) -> str:
    """Return the test, with the reference's value: `< single_pass (0.99)`."""
    own, _, rest = verdict.expected.partition(" ")
    operator, _, other = rest.partition(" ")
    name, _, member = other.rpartition(".")
    short = f"{operator} {name}" if name and member == own else verdict.expected
    used = verdict.reference
    if used is None:
        return short
    return f"{short} ({', '.join(_number(value) for value in used.values.values())})"


def _observed(verdict: Verdict) -> str:
    value = verdict.observed
    if isinstance(value, dict):
        # An assertion read several values: the first is the run's own.
        value = next(iter(value.values()), None)
    return _number(value)


def _number(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list) and len(value) > 1:
        return f"{_number(value[0])} → {_number(value[-1])}"
    if isinstance(value, (list, dict)):
        return f"{len(value)} values"
    return plain(str(value), 24)


def of_one_line(report: Report, style: Style) -> Iterator[str]:
    """Yield what is found of the only line that a report judges: findings, then criteria."""
    run, log = report.runs[0], report.logs[0]
    part = _OfLog([run], list(report.findings), list(report.verdicts))
    # The heading of the group is the caller's.
    yield from list(_Log(report, log, part, style, 1, compact=False).run(run))[1:]
