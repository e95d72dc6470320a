"""GitLab's code quality report: what a merge request's widget and its diff show.

https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
"""

from __future__ import annotations

from nsm_gate.model import Report, Severity
from nsm_gate.render.concise import of_run
from nsm_gate.render.fingerprints import fingerprints
from nsm_gate.render.json import dump
from nsm_gate.render.style import Style

_SEVERITIES = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.NOTICE: "info"}


def render(report: Report, style: Style) -> str:
    """Return the findings that no waiver accepts, as an array."""
    return dump(
        [
            {
                "description": of_run(finding),
                "check_name": finding.rule,
                "fingerprint": name,
                "severity": _SEVERITIES[finding.severity],
                "location": {"path": finding.path, "lines": {"begin": finding.line}},
            }
            for finding, name in zip(report.findings, fingerprints(report.findings), strict=True)
            if finding.waived is None
        ]
    )
