"""A completed run has what its criteria need.

Why: a criterion whose value is missing is neither met nor missed; nobody should read silence as success.
Fix: log the value that the message names.
A reference with `none: warn` lets a run pass with this warning where there is nothing to compare it with.
Example: a dual-pass run whose final_metrics have no cycle_loss.
"""

from __future__ import annotations

from collections.abc import Iterator

from nsm_gate.checks.check import Judged, VerdictCheck
from nsm_gate.model import Outcome, Problem, Severity


def run(judged: Judged) -> Iterator[Problem]:
    """Yield a problem where the outcome is unknown, or met only because the rules say so with a warning."""
    verdict = judged.verdict
    if verdict.outcome is Outcome.UNKNOWN or verdict.unverified:
        yield Problem(
            "criterion-unknown",
            f"{verdict.criterion}: {verdict.explanation}",
            "log the value, or the run that it is compared with",
            verdict.line,
            pointer=verdict.pointer,
            criterion=verdict.criterion,
        )


CHECK = VerdictCheck("criterion-unknown", __doc__, Severity.WARNING, run)
