"""Where the names of the rules stand in an entry, and which places rules and checks compute with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nsm_gate.model import Path
from nsm_gate.pointers import COUNT
from nsm_gate.policy import Criterion, Domain, ExperimentType, LogKind, Policy
from nsm_gate.roles import roles


def places(kind: LogKind, name: tuple[str, ...]) -> Sequence[Path]:
    """Return where a dotted name may stand, as records find it."""
    if name[0] == "entry":
        return (name[1:],)
    if COUNT in name:
        return (kind.rates.get(name[-1], name),) if len(name) == 2 else (name,)
    return kind.names.get(name[0], ()) if len(name) == 1 and name[0] in kind.names else (kind.run + name,)


def computed(kind: LogKind, policy: Policy) -> frozenset[Path]:
    """Return the places that criteria and references read, and those that checks read as texts."""
    found = {role.path for role in roles(kind) if "string" in role.types}
    found.update(place for name in _read(policy) for place in places(kind, name))
    return frozenset(found)


def _read(policy: Policy) -> Iterator[tuple[str, ...]]:
    """Yield the names that any criterion or reference reads: of the run itself, and of another one."""
    holders: list[LogKind | ExperimentType] = [*policy.logs.values(), *policy.experiment_types.values()]
    owners: list[LogKind | ExperimentType | Domain] = [*holders, *policy.domains.values()]
    for owner in owners:
        for criterion in owner.criteria:
            for name in criterion.paths() if isinstance(criterion, Criterion) else ():
                yield from (name, name[1:]) if len(name) > 1 else (name,)
    for holder in holders:
        for reference in holder.references.values():
            yield from (reference.by, *reference.same, *(name for pair in reference.pairs for name in pair))
            for name in reference.rest.paths() if reference.rest is not None else ():
                yield from (name, name[1:]) if len(name) > 1 else (name,)
