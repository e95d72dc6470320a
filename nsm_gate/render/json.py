"""The JSON output, version 1: every finding and verdict, enough to recompute each verdict."""

from __future__ import annotations

import json

from nsm_gate import __version__
from nsm_gate.edits import Fix
from nsm_gate.errors import GateError
from nsm_gate.model import Finding, ReferenceUsed, Report, Severity, Verdict
from nsm_gate.nouns import Any
from nsm_gate.render.style import Style
from nsm_gate.render.untrusted import ACTIVE, COMMAND


def render(report: Report, style: Style) -> str:
    """Return the whole report as one JSON object."""
    document = {
        **about(report),
        "findings": [finding(found) for found in report.findings],
        "verdicts": [verdict(given) for given in report.verdicts],
        "summary": summary(report),
    }
    return dump(document)


def render_error(error: GateError) -> str:
    """Return the object that stands in for a report where the gate could not judge."""
    return dump({"error": fault(error)})


def dump(document: Any, indent: int | None = 1) -> str:
    """Return a document as JSON that is safe to print: indented, or on one line."""
    text = json.dumps(document, ensure_ascii=False, indent=indent, allow_nan=False)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        # A file name that is not UTF-8 arrives with lone surrogates, which no JSON reader must accept.
        text = json.dumps(_clean(document), ensure_ascii=False, indent=indent, allow_nan=False)
    # JSON's own escapes lose nothing, and neither a terminal nor a CI runner acts on them.
    text = ACTIVE.sub(lambda found: found[0] if found[0] == "\n" else json.dumps(found[0])[1:-1], text)
    return COMMAND.sub(r"#\\u0023", text) + "\n"


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, dict):
        return {_clean(name): _clean(inner) for name, inner in value.items()}
    return [_clean(inner) for inner in value] if isinstance(value, list) else value


def about(report: Report) -> dict[str, Any]:
    """Return who judged, by which version of this format, and which logs."""
    return {
        "version": 1,
        "tool": {"name": "nsm-gate", "version": __version__},
        "logs": [
            {"path": log.path, "log": log.log, "base": log.base, "lines": log.lines, "appended": log.appended}
            for log in report.logs
        ],
    }


def summary(report: Report) -> dict[str, Any]:
    """Return the counts and the exit code."""
    return {
        "checked": report.checked,
        "errors": report.count(Severity.ERROR),
        "warnings": report.count(Severity.WARNING),
        "notices": report.count(Severity.NOTICE),
        "waived": report.waived,
        "exit_code": report.exit_code,
    }


def fault(error: GateError) -> dict[str, Any]:
    """Return the members of an error."""
    return {
        "message": error.message, "hint": error.hint,
        "path": error.path, "line": error.line, "column": error.column,
    }  # fmt: skip


def finding(finding: Finding) -> dict[str, Any]:
    """Return the members of a finding."""
    return {
        "rule": finding.rule,
        "severity": finding.severity.word,
        "path": finding.path,
        "line": finding.line,
        "column": finding.column,
        "end_column": finding.end_column,
        "pointer": finding.pointer,
        "run": finding.run,
        "criterion": finding.criterion,
        "message": finding.message,
        "hint": finding.hint,
        "waived": finding.waived,
        "fix": _fix(finding.fix),
    }


def _fix(fix: Fix | None) -> dict[str, Any] | None:
    """Return the members of a fix; an edit's columns count as a finding's do."""
    if fix is None:
        return None
    return {
        "applicability": fix.applicability,
        "message": fix.message,
        "edits": [edit._asdict() for edit in fix.edits],
    }


def verdict(verdict: Verdict) -> dict[str, Any]:
    """Return the members of a verdict."""
    import hashlib  # 5 ms that only this format needs

    return {
        "path": verdict.path,
        "line": verdict.line,
        "run": verdict.run,
        "experiment_type": verdict.experiment_type,
        "domain": verdict.domain,
        "criterion": verdict.criterion,
        "outcome": verdict.outcome.value,
        "observed": verdict.observed,
        "expected": verdict.expected,
        "margin": verdict.margin,
        "explanation": verdict.explanation,
        "pointer": verdict.pointer,
        "reference": _reference(verdict.reference),
        "criterion_sha256": hashlib.sha256(verdict.law.encode()).hexdigest(),
        "defined_at": verdict.defined_at,
        "rules_from": verdict.rules_from,
    }


def _reference(used: ReferenceUsed | None) -> dict[str, Any] | None:
    if used is None:
        return None
    return {
        "name": used.name,
        "run": used.run,
        "path": used.path,
        "line": used.line,
        "appended": used.appended,
        "values": dict(used.values),
    }
