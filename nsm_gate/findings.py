"""Problem -> finding: the policy's severity, columns on the physical line, an excerpt, and its waiver."""

from __future__ import annotations

from datetime import date

from nsm_gate.checks import BY_ID
from nsm_gate.jsonl import columns, places, text
from nsm_gate.model import Excerpt, Finding, Line, Problem, Severity
from nsm_gate.policy import Policy
from nsm_gate.scanner import Place

_BEFORE, _WITHIN, _AFTER = 24, 72, 32
"""How much of a long line an excerpt shows, in characters."""


def finding_of(
    problem: Problem,
    path: str,
    log: str,
    line: Line,
    name: str | None,
    experiment_type: str | None,
    found: dict[str, Place],
    policy: Policy,
) -> Finding | None:
    """Return a problem made concrete, or None where the policy ignores its rule.

    Args:
        problem: What a check yielded.
        path: The file that it is about.
        log: The log kind, for severities; empty for a file of the rules.
        line: Its physical line: the base's, where the head has lost it.
        name: The run's name, where the problem does not give one.
        experiment_type: The run's, for severities.
        found: Places on the line, where they are known already.
        policy: The severities.
    """
    rule = problem.rule
    severity = policy.severity(rule, log, experiment_type, BY_ID[rule].severity, problem.severity)
    if severity is Severity.IGNORE:
        return None
    if problem.columns is not None:
        start, end = problem.columns
    elif problem.pointer is not None:
        start, end = columns(found or places(line.raw), problem.pointer, problem.at)
    else:
        start, end = 1, 2
    return Finding(
        rule, severity, path, problem.line, start, end, problem.pointer,
        problem.run or name, problem.criterion, problem.message, problem.hint,
        excerpt=_excerpt(line.raw, start, end) if line.raw else None,
        byte_columns=None if line.raw.isascii() else _byte_columns(line.raw, start, end),
    )  # fmt: skip


def waived(finding: Finding, policy: Policy, today: date) -> tuple[Finding, int | None]:
    """Return a finding with the words of the waiver that accepts it today, and that waiver's index."""
    index = waiver_of(finding.rule, finding.run, finding.path, finding.line, policy, today)
    if index is None:
        return finding, None
    waiver = policy.waivers[index]
    return finding._replace(waived=f"{waiver.reason} ({waiver.owner}, until {waiver.expires})"), index


def waiver_of(rule: str, run: str | None, path: str, line: int, policy: Policy, today: date) -> int | None:
    """Return the index of the waiver that accepts a finding today, if one does."""
    for index, waiver in enumerate(policy.waivers):
        if waiver.rule != rule or waiver.expires < today:
            continue
        if waiver.run is not None:
            if waiver.run == run and waiver.path in (None, path):
                return index
        elif waiver.path == path and waiver.line == line:
            return index
    return None


def _byte_columns(raw: bytes, start: int, end: int) -> tuple[int, int]:
    """Return columns in bytes. Up to the first byte that is not UTF-8, a column is exact."""
    whole = raw.decode("utf-8", "surrogateescape")

    def counted(column: int) -> int:
        before = whole[: column - 1]
        # A column behind the end counts on, a byte a column.
        return len(before.encode("utf-8", "surrogateescape")) + column - len(before)

    return counted(start), counted(end)


def _excerpt(raw: bytes, start: int, end: int) -> Excerpt:
    """Return the part of a line around columns; every part is bounded."""
    whole = text(raw)
    first = max(0, start - 1 - _BEFORE)
    value = whole[start - 1 : min(end - 1, start - 1 + _WITHIN)]
    room = _AFTER if end - start <= _WITHIN else 0
    after = whole[end - 1 : end - 1 + room]
    return Excerpt(
        whole[first : start - 1],
        value,
        after,
        first > 0,
        end - 1 + room < len(whole) or end - start > _WITHIN,
    )
