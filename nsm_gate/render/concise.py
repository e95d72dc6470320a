"""One line a finding: `path:line:column: rule message`, as editors and grep read it."""

from __future__ import annotations

from nsm_gate.model import Report
from nsm_gate.render.style import Style
from nsm_gate.render.summary import checked, totals
from nsm_gate.render.untrusted import plain


def render(report: Report, style: Style) -> str:
    """Return the findings, a line each, then what was checked and the totals."""
    rows = []
    for finding in report.findings:
        place = f"{plain(finding.path)}:{finding.line}:{finding.column}"
        severity = "waived" if finding.waived is not None else finding.severity.word
        hint = f" ({plain(finding.hint)})" if finding.hint else ""
        rows.append(f"{place}: {severity} {finding.rule} {plain(finding.message)}{hint}")
    if not (style.quiet and not rows):
        rows += [*checked(report), totals(report)]
    return "".join(f"{row}\n" for row in rows)
