"""A waiver accepts something.

Why: a waiver that waives nothing lies in wait for a finding that nobody has looked at. It is reported when
the line that it names is judged: always with `--all`.
Fix: take it out.
Example: a waiver of missing-findings for a run that has findings.
"""

from __future__ import annotations

from collections.abc import Iterator

from nsm_gate.checks.check import RulesCheck, RulesContext
from nsm_gate.model import Problem, Severity


def run(rules: RulesContext) -> Iterator[Problem]:
    """Yield a problem for each waiver that could have accepted a finding, and had none to accept."""
    for index, waiver in enumerate(rules.waivers):
        if index in rules.used or index not in rules.expected or waiver.expires < rules.today:
            continue
        path, _, line = waiver.defined_at.rpartition(":")
        fact = f"the waiver of {waiver.rule} for {waiver.about} by {waiver.owner} waives nothing"
        yield Problem("waiver-unused", fact, "take it out", int(line), path=path)


CHECK = RulesCheck("waiver-unused", __doc__, Severity.WARNING, run)
