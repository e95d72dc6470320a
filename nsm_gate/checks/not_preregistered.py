"""A criterion was fixed before the run that it judges began.

Why: a threshold that is chosen after looking at the result is met by design. The history of the rules
tells when a criterion was first committed as it judges now: on the first-parent line of HEAD, or of the
base where its rules judge; a pull request counts from its merge. Criteria of a pack count as registered as
long as nothing overrides them. Ignored by default, since it reads the history of the rules; a team turns it
on under `severity:`.
Fix: commit the criterion first, then run the experiment. A finished run keeps this mark.
Example: a criterion committed on 2026-05-03 for a run that began on 2026-05-01.
"""

from __future__ import annotations

from collections.abc import Iterator

from nsm_gate.checks.check import Judged, VerdictCheck
from nsm_gate.model import Outcome, Problem, Severity
from nsm_gate.timestamps import written


def run(judged: Judged) -> Iterator[Problem]:
    """Yield a problem where a verdict's criterion is not known to be older than the run."""
    verdict = judged.verdict
    if judged.registered is None or verdict.outcome is Outcome.NOT_APPLICABLE:
        return
    found = judged.registered(verdict.law)
    if found.always:
        return
    hint = "commit a criterion before the runs that it judges"
    if found.when is None:
        fact = "is new in this change"
    elif judged.started is None:
        fact, hint = "cannot be dated against the run, which says no start", "log when the run began"
    elif found.when <= judged.started.utc:
        return
    elif not found.certain:
        when = written(found.when)
        fact = (
            f"is as old as {when} at least: this shallow clone does not say whether it is older than the run"
        )
        hint = "fetch the history: git fetch --no-tags --unshallow origin"
    else:
        began = written(judged.started.utc)
        fact = f"was first committed {written(found.when)} ({found.commit}), after the run began {began}"
    yield Problem(
        "not-preregistered",
        f"{verdict.criterion} {fact}",
        hint,
        verdict.line,
        pointer=verdict.pointer,
        criterion=verdict.criterion,
    )


CHECK = VerdictCheck("not-preregistered", __doc__, Severity.IGNORE, run)
