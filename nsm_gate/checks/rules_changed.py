"""Nobody changes the rules that a run is judged by unseen.

Why: a criterion that is loosened until a run passes says nothing. Every rule that a change touches is named:
criteria, severities, waivers, exclusions, schemas, names, references; and a pack that is not the one that
the configuration agrees to in `pack:`.
Fix: change rules in a change of their own, and say why. On a pull request the base's rules judge anyway.
Example: accuracy of dual_pass_validation changed from "> 0.50" to "> 0.40" (looser).
"""

from __future__ import annotations

from collections.abc import Iterator

from nsm_gate.checks.check import RulesCheck, RulesContext
from nsm_gate.model import Problem, Severity

_HINT = "change rules and log runs in changes of their own; nsm-gate rules impact shows which verdicts turn"


def run(rules: RulesContext) -> Iterator[Problem]:
    """Yield a problem for each rule that differs between base and head."""
    if rules.unreadable:
        fact = f"the rules of the base cannot be read, so nobody can tell what changed: {rules.unreadable}"
        yield Problem("rules-changed", fact, "see that the base's rules load", 1, path=rules.config)
    for change in rules.changes:
        piece = change.after or change.before
        path, _, line = (piece.place if piece else "").rpartition(":")
        bundled = not path or ":" in path or not line.isdigit()  # `nsm:rules/x.yaml` is no file of the change
        yield Problem(
            "rules-changed", change.sentence, _HINT,
            1 if bundled else int(line), path=rules.config if bundled else path,
            criterion=change.name.partition(" ")[0] if change.what == "criterion" else None,
        )  # fmt: skip
    if rules.pack:
        fact = f"the pack is not the one that pack: agrees to; it is {rules.pack}"
        hint = "look at its changes, then write the new hash into pack:"
        yield Problem("rules-changed", fact, hint, 1, path=rules.config)


CHECK = RulesCheck("rules-changed", __doc__, Severity.NOTICE, run)
