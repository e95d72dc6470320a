"""Azure Pipelines: a logging command for each error and warning, errors first.

Notices are plain rows, since Azure has no command for them. The result of the step is left to the exit
code: a missed criterion is a good record, and no reason to call a build partly succeeded.
https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands
"""

from __future__ import annotations

from nsm_gate.model import Finding, Report, Severity
from nsm_gate.render.concise import of_run, row
from nsm_gate.render.style import Style
from nsm_gate.render.summary import checked, totals
from nsm_gate.render.untrusted import plain

_TYPES = {Severity.ERROR: "error", Severity.WARNING: "warning"}
# The agent decodes these after it has split the command; % first, or it would be escaped twice.
_DATA = (("%", "%AZP25"), ("\r", "%0D"), ("\n", "%0A"))
_PROPERTY = (*_DATA, (";", "%3B"), ("]", "%5D"))


def render(report: Report, style: Style) -> str:
    """Return the findings that no waiver accepts, what was checked, and the totals."""
    findings = [finding for finding in report.findings if finding.waived is None]
    rows = [_said(finding) for finding in sorted(findings, key=lambda finding: -finding.severity)]
    if not (style.quiet and not rows):
        rows += [*checked(report), totals(report)]
    return "".join(f"{row}\n" for row in rows)


def _said(finding: Finding) -> str:
    if finding.severity not in _TYPES:
        return row(finding)
    properties = {
        "type": _TYPES[finding.severity],
        "sourcepath": plain(finding.path),
        "linenumber": str(finding.line),
        "columnnumber": str(finding.column),
        "code": finding.rule,
    }
    told = "".join(f"{name}={_escape(value, _PROPERTY)};" for name, value in properties.items())
    return f"##vso[task.logissue {told}]{_escape(of_run(finding), _DATA)}"


def _escape(text: str, table: tuple[tuple[str, str], ...]) -> str:
    for char, code in table:
        text = text.replace(char, code)
    return text
