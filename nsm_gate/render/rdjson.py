"""The diagnostic format of reviewdog, which comments on changes for many code hosts.

Columns count bytes of UTF-8, and ends are exclusive. reviewdog puts a message into its comments as
Markdown, so each text is a code span: there it is neither a link nor an image, and mentions nobody.
https://github.com/reviewdog/reviewdog/tree/master/proto/rdf
"""

from __future__ import annotations

import re

from nsm_gate.model import Finding, Report, Severity
from nsm_gate.render.concise import row
from nsm_gate.render.json import dump
from nsm_gate.render.style import Style
from nsm_gate.render.untrusted import plain

_SEVERITIES = {Severity.ERROR: "ERROR", Severity.WARNING: "WARNING", Severity.NOTICE: "INFO"}


def render(report: Report, style: Style) -> str:
    """Return the findings that no waiver accepts."""
    findings = [finding for finding in report.findings if finding.waived is None]
    gravest = max((finding.severity for finding in findings), default=Severity.NOTICE)
    return dump(
        {
            "source": {"name": "nsm-gate"},
            "severity": _SEVERITIES[gravest],
            "diagnostics": [_diagnostic(finding) for finding in findings],
        }
    )


def _diagnostic(finding: Finding) -> dict[str, object]:
    start, end = finding.byte_columns or (finding.column, finding.end_column)
    hint = f" ({_code(finding.hint)})" if finding.hint else ""
    return {
        "message": f"{_code(finding.message)}{hint}",
        "location": {
            "path": finding.path,
            "range": {
                "start": {"line": finding.line, "column": start},
                "end": {"line": finding.line, "column": end},
            },
        },
        "severity": _SEVERITIES[finding.severity],
        "code": {"value": finding.rule},
        "original_output": row(finding),
    }


def _code(text: str) -> str:
    """Return untrusted text as a code span, which a longer run of backticks than it holds ends."""
    text = plain(text)
    if not text:
        return ""  # two backticks would begin a span that another text ends
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{space}{text}{space}{fence}"
