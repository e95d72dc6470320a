"""JSON Lines: the members of the JSON output, an object a line, for readers that take one at a time.

Each has a `kind`: `finding`, `verdict`, and last `summary`, which says that nothing is missing, and what
was judged. Where nothing could be judged, the only line is of the kind `error`.
"""

from __future__ import annotations

from nsm_gate.errors import GateError
from nsm_gate.model import Report
from nsm_gate.render.json import about, dump, fault, finding, summary, verdict
from nsm_gate.render.style import Style


def render(report: Report, style: Style) -> str:
    """Return the findings, the verdicts and the summary, a line each."""
    rows = [{"kind": "finding", **finding(found)} for found in report.findings]
    rows += [{"kind": "verdict", **verdict(given)} for given in report.verdicts]
    rows.append({"kind": "summary", **about(report), **summary(report)})
    return "".join(dump(row, None) for row in rows)


def render_error(error: GateError) -> str:
    """Return the line that stands in for a report where the gate could not judge."""
    return dump({"kind": "error", **fault(error)}, None)
