"""GitHub Actions annotations: one workflow command a finding, errors first.

https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

from nsm_gate.model import Finding, Report
from nsm_gate.render.style import Style
from nsm_gate.render.summary import checked, totals
from nsm_gate.render.untrusted import plain

_COMMANDS = {"error": "error", "warning": "warning", "notice": "notice"}
# The runner decodes these after it has split the command; % first, or it would be escaped twice.
_DATA = (("%", "%25"), ("\r", "%0D"), ("\n", "%0A"))
_PROPERTY = (*_DATA, (":", "%3A"), (",", "%2C"))
_MESSAGE = 1000


def render(report: Report, style: Style) -> str:
    """Return an annotation for each finding that is not waived, then the totals as plain lines."""
    findings = sorted(
        (f for f in report.findings if f.waived is None), key=lambda f: (-f.severity, f.path, f.line)
    )
    rows = [_annotation(finding) for finding in findings]
    if not (style.quiet and not rows):
        rows += [*checked(report), totals(report)]
    return "".join(f"{row}\n" for row in rows)


def _annotation(finding: Finding) -> str:
    run = f" · {plain(finding.run, 100)}" if finding.run else ""
    properties = {
        "file": plain(finding.path),
        "line": str(finding.line),
        "endLine": str(finding.line),
        "col": str(finding.column),
        "endColumn": str(finding.end_column),
        "title": f"{finding.rule}{run}",
    }
    told = ",".join(f"{name}={_escape(value, _PROPERTY)}" for name, value in properties.items())
    message = plain(finding.message, _MESSAGE)
    if finding.hint:
        message += f"\n{plain(finding.hint, _MESSAGE)}"
    return f"::{_COMMANDS[finding.severity.word]} {told}::{_escape(message, _DATA)}"


def _escape(text: str, table: tuple[tuple[str, str], ...]) -> str:
    for char, code in table:
        text = text.replace(char, code)
    return text
