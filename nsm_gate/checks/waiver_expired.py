"""A waiver holds until the day that it names, and no longer.

Why: what was accepted for a while is accepted for ever if nobody looks again. An expired waiver waives
nothing.
Fix: mend what it waived, or grant it anew with a reason that is true today; take out what is over.
Example: `expires: 2026-01-31` in February.
"""

from __future__ import annotations

from collections.abc import Iterator

from nsm_gate.checks.check import RulesCheck, RulesContext
from nsm_gate.model import Problem, Severity


def run(rules: RulesContext) -> Iterator[Problem]:
    """Yield a problem for each waiver whose last day is over."""
    for waiver in rules.waivers:
        if waiver.expires < rules.today:
            path, _, line = waiver.defined_at.rpartition(":")
            fact = (
                f"the waiver of {waiver.rule} for {waiver.about} by {waiver.owner} ended on {waiver.expires}"
            )
            yield Problem("waiver-expired", fact, "take it out, or grant it anew", int(line), path=path)


CHECK = RulesCheck("waiver-expired", __doc__, Severity.WARNING, run)
