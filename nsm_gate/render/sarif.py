"""SARIF 2.1.0, for GitHub code scanning and other stores of findings.

Two values of one line are two findings, so each carries a fingerprint of its own; a store that makes one
from the line would take them for the same. Waived findings are there, as suppressed.
https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import re
import urllib.parse
from collections import Counter

from nsm_gate import HOME, __version__
from nsm_gate.checks import CHECKS
from nsm_gate.checks.check import Check
from nsm_gate.edits import Fix
from nsm_gate.model import Finding, Report, Severity
from nsm_gate.names import plural
from nsm_gate.nouns import Any
from nsm_gate.render.concise import of_run
from nsm_gate.render.fingerprints import fingerprints
from nsm_gate.render.json import dump
from nsm_gate.render.style import Style
from nsm_gate.render.untrusted import plain

RESULTS = 25_000
"""GitHub refuses a run with more results."""
TEXT = 8 << 20
"""Bytes of text from logs: what does not compress still stays below GitHub's 10 MB of a packed file."""

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ROOT = "%SRCROOT%"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTICE: "note"}
_LABEL = re.compile(r"^(Why|Fix|Example): ", re.MULTILINE)
# What a reader would take for a link and for a place to put an argument: §3.11.6 and §3.11.5.
_LINK = re.compile(r"(\\*)\]\(")
_ARGUMENT = re.compile(r"\{[0-9]+\}")


def render(report: Report, style: Style) -> str:
    """Return a log of one run: the findings up to the limits of GitHub, and the rules that they break."""
    broken = {finding.rule for finding in report.findings}
    rules = [check for check in CHECKS if check.id in broken]
    index = {check.id: number for number, check in enumerate(rules)}
    waivers = any(finding.waived is not None for finding in report.findings)
    named = zip(report.findings, fingerprints(report.findings), strict=True)
    kept, left = _fitting([(f, _result(f, name, index[f.rule], waivers)) for f, name in named])
    invocation: dict[str, Any] = {"executionSuccessful": True, "exitCode": report.exit_code}
    if left:
        invocation["toolExecutionNotifications"] = [_notification(left)]
    return dump(
        {
            "$schema": _SCHEMA,
            "version": "2.1.0",
            "runs": [
                {
                    "tool": {
                        "driver": {
                            "name": "nsm-gate",
                            "version": __version__,
                            "informationUri": HOME,
                            "rules": [_rule(check) for check in rules],
                        }
                    },
                    "automationDetails": {"id": "nsm-gate/"},
                    "columnKind": "unicodeCodePoints",
                    "originalUriBaseIds": {_ROOT: {"description": {"text": "the root of the repository"}}},
                    "invocations": [invocation],
                    "results": kept,
                }
            ],
        }
    )


def _fitting(results: list[tuple[Finding, dict[str, Any]]]) -> tuple[list[dict[str, Any]], list[Finding]]:
    """Return the results that fit, and the findings that do not: the gravest stay."""
    sizes = [_size(result) for _, result in results]
    if len(results) <= RESULTS and sum(sizes) <= TEXT:
        return [result for _, result in results], []
    order = sorted(
        range(len(results)),
        key=lambda number: (results[number][0].waived is not None, -results[number][0].severity),
    )
    kept: list[dict[str, Any]] = []
    left: list[Finding] = []
    room = TEXT
    for number in order:
        finding, result = results[number]
        if len(kept) < RESULTS and sizes[number] <= room:
            kept.append(result)
            room -= sizes[number]
        else:
            left.append(finding)
    return kept, left


def _size(result: dict[str, Any]) -> int:
    """Return the bytes of what comes from logs; the rest of a result is much the same in all of them."""
    (location,) = result["locations"]
    texts = [result["message"]["text"], location["physicalLocation"]["artifactLocation"]["uri"]]
    texts += [logical["fullyQualifiedName"] for logical in location.get("logicalLocations", ())]
    texts += [accepted["justification"] for accepted in result.get("suppressions", ())]
    return sum(len(text.encode()) for text in texts)


def _notification(left: list[Finding]) -> dict[str, Any]:
    counts = Counter("waived" if finding.waived is not None else finding.severity.word for finding in left)
    told = ", ".join(f"{count:,} {name}" for name, count in counts.items())
    fact = f"{plural(len(left), 'result')} left out for their number or size: {told}"
    return {
        "descriptor": {"id": "results-left-out"},
        "level": "warning",
        "message": {"text": f"{fact}. The jsonl output holds all of them."},
    }


def _rule(check: Check) -> dict[str, Any]:
    law, _, rest = check.doc.strip().partition("\n")
    _, *parts = _LABEL.split(rest)
    said = {label: " ".join(text.split()) for label, text in zip(parts[::2], parts[1::2], strict=True)}
    why = said["Why"]
    configuration: dict[str, Any] = {"level": _LEVELS.get(check.severity, "note")}
    if check.severity is Severity.IGNORE:
        configuration["enabled"] = False
    return {
        "id": check.id,
        "shortDescription": {"text": law},
        "fullDescription": {"text": f"{law} {why[:1].upper()}{why[1:]}"},
        "help": {
            "text": "\n".join([law, *(f"{label}: {text}" for label, text in said.items())]),
            "markdown": "\n".join([law, "", *(f"- **{label}:** {text}" for label, text in said.items())]),
        },
        "helpUri": f"{HOME}#rules",
        "defaultConfiguration": configuration,
    }


def _result(finding: Finding, fingerprint: str, index: int, waivers: bool) -> dict[str, Any]:
    location: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": {"uri": _uri(finding.path), "uriBaseId": _ROOT},
            "region": {
                "startLine": finding.line,
                "startColumn": finding.column,
                "endLine": finding.line,
                "endColumn": finding.end_column,
            },
        }
    }
    if finding.pointer is not None:
        location["logicalLocations"] = [{"fullyQualifiedName": plain(finding.pointer), "kind": "value"}]
    result = {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": _LEVELS[finding.severity],
        "message": {"text": _message(of_run(finding))},
        "locations": [location],
        # The first is the only one that GitHub looks at; the other says whose it is.
        "partialFingerprints": {"primaryLocationLineHash": fingerprint, "nsmGate/v1": fingerprint},
    }
    if finding.fix is not None:
        result["fixes"] = [_fix(finding.fix, location["physicalLocation"]["artifactLocation"])]
    if waivers:
        # Absent would mean that nobody knows: once one result says it, all do (§3.27.23).
        accepted = {"kind": "external", "status": "accepted", "justification": plain(finding.waived or "")}
        result["suppressions"] = [accepted] if finding.waived is not None else []
    return result


def _fix(fix: Fix, artifact: dict[str, Any]) -> dict[str, Any]:
    replacements = []
    for edit in fix.edits:
        region = {
            "startLine": edit.line, "startColumn": edit.column,
            "endLine": edit.line, "endColumn": edit.end_column,
        }  # fmt: skip
        if edit.removes_line:
            # A region that takes in the newline ends where the next line begins (§3.30.5).
            region |= {"endLine": edit.line + 1, "endColumn": 1}
        put = {"insertedContent": {"text": edit.replacement}} if edit.replacement else {}
        replacements.append({"deletedRegion": region, **put})
    said = f"{fix.applicability}: {_message(plain(fix.message))}"
    return {
        "description": {"text": said},
        "artifactChanges": [{"artifactLocation": artifact, "replacements": replacements}],
    }


def _message(text: str) -> str:
    r"""Return text without links and arguments: an odd number of backslashes keeps `]` from ending a link."""
    text = _LINK.sub(lambda found: found[0] if len(found[1]) % 2 else f"\\{found[0]}", text)
    return text.replace("{", "{{").replace("}", "}}") if _ARGUMENT.search(text) else text


def _uri(path: str) -> str:
    """Return a path as a relative reference, byte for byte: its name need not be UTF-8."""
    try:
        raw = path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raw = path.encode("utf-8", "surrogatepass")
    return urllib.parse.quote(raw)
