"""A run meets the success criteria of its experiment type and domain.

Why: a missed criterion is a result, and no reason to keep a run out of the log. It is reported, so that
it is seen; a team may raise it to an error.
Fix: nothing in the log. Say in the findings what the result means.
Example: accuracy 0.435 is not > 0.50.
"""

from __future__ import annotations

from collections.abc import Iterator

from nsm_gate.checks.check import Judged, VerdictCheck
from nsm_gate.model import Outcome, Problem, Severity, Verdict


def run(judged: Judged) -> Iterator[Problem]:
    """Yield a problem where the outcome is missed."""
    verdict = judged.verdict
    if verdict.outcome is Outcome.MISSED:
        yield Problem(
            "criterion-missed",
            _named(verdict),
            "a negative result is worth logging: say in the findings what it means",
            verdict.line,
            pointer=verdict.pointer,
            criterion=verdict.criterion,
        )


def _named(verdict: Verdict) -> str:
    """Return the explanation, headed by the criterion where it does not name it."""
    said = verdict.explanation
    return said if said.startswith(f"{verdict.criterion} ") else f"{verdict.criterion}: {said}"


CHECK = VerdictCheck("criterion-missed", __doc__, Severity.WARNING, run)
