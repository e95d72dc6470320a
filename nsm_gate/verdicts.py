"""A record x a policy -> its verdicts, with references picked once for all criteria."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from nsm_gate.candidates import Candidates
from nsm_gate.criteria import applicable, judge
from nsm_gate.model import Verdict
from nsm_gate.policy import Policy, Reference
from nsm_gate.records import Record
from nsm_gate.references import Picked
from nsm_gate.whereabouts import HERE, mark

_JUDGING = mark("rule criterion-missed")


def verdicts(
    record: Record,
    policy: Policy,
    candidates: Candidates,
    refused: Collection[str] = frozenset(),
    *,
    brief: bool = False,
) -> Iterator[Verdict]:
    """Yield the verdict of every criterion that a policy asks of a record.

    Args:
        record: The run.
        policy: Whose experiment types and domains judge.
        candidates: Picks references.
        refused: JSON pointers of values that the schema refuses.
        brief: Whether a verdict of which nothing is to be said is without words.
    """
    HERE.doing(_JUDGING)
    kind = policy.experiment_types.get(record.experiment_type or "")
    domain = policy.domains.get(record.domain or "")
    references: dict[str, Reference] = {**record.kind.references, **(kind.references if kind else {})}
    picked: dict[str, Picked] = {}

    def pick(name: str) -> Picked | None:
        if name not in references:
            return None
        if name not in picked:
            picked[name] = candidates.pick(references[name], record)
        return picked[name]

    for applied in applicable(record, kind, domain):
        yield judge(applied, record, pick, refused, brief=brief)
