"""One line a finding: `path:line:column: rule message`, as editors and grep read it."""

from __future__ import annotations

from nsm_gate.model import Finding, Report
from nsm_gate.render.style import Style
from nsm_gate.render.summary import checked, totals
from nsm_gate.render.untrusted import joined, plain


def render(report: Report, style: Style) -> str:
    """Return the findings, a line each, then what was checked and the totals."""
    rows = [row(finding) for finding in report.findings]
    if not (style.quiet and not rows):
        rows += [*checked(report), totals(report)]
    return "".join(f"{row}\n" for row in rows)


def row(finding: Finding) -> str:
    """Return a finding with its place, on one line."""
    # A file may be called `:`, which begins a command together with what follows it.
    place = "".join(joined(finding.path, f":{finding.line}:{finding.column}"))
    severity = "waived" if finding.waived is not None else finding.severity.word
    return f"{place}: {severity} {finding.rule} {sentence(finding)}"


def sentence(finding: Finding) -> str:
    """Return the fact, and the remedy in parentheses."""
    hint = f" ({plain(finding.hint)})" if finding.hint else ""
    return f"{plain(finding.message)}{hint}"


def of_run(finding: Finding) -> str:
    """Return the sentence with the run's name before it, where the place alone does not tell."""
    return f"{plain(finding.run, 100)}: {sentence(finding)}" if finding.run else sentence(finding)
